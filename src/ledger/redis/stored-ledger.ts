/** The ledger as it lies in Redis, for who audits: nothing is decided, nothing ends by being looked at, and everything is read in pages. */
import type { OrderId, Sku, UserId } from "../../core/ids.ts";
import type { RedisScripts } from "../../core/redis.ts";
import type { UnixMs } from "../../core/time.ts";
import { LEDGER_BATCH_COMMANDS_MAX, RELAY_ENTRIES_MAX } from "../../limits/ledger.ts";
import type { KeyKind, Partitions } from "./partitions.ts";
import { EXTENT, PEEK, SCAN, STREAM } from "./scripts.ts";
import { isNote, readEntries, readTold } from "./told.ts";

export interface StoredGoods {
  readonly onHand: number;
  readonly frozen: number;
  readonly sold: number;
  readonly priceCents: number;
  readonly clock: UnixMs;
  /** The first deadline that frees something; 0: none. */
  readonly earliest: UnixMs;
  /** Of what is frozen, what is in unpaid orders. */
  readonly pending: number;
}
export interface StoredPart {
  readonly orderId: OrderId;
  readonly quantity: number;
  readonly until: UnixMs;
}
export interface StoredLine {
  readonly sku: Sku;
  readonly userId: UserId;
  readonly held: number;
  readonly heldUntil: UnixMs;
  readonly ordered: number;
  /** Below 0: there is no record. */
  readonly userLevel: number;
  readonly parts: readonly StoredPart[];
  /** An order of it is on its way between the two stores. */
  readonly isUnderWay: boolean;
}
/** What is frozen until one deadline. */
export interface StoredSum {
  readonly sku: Sku;
  readonly until: UnixMs;
  readonly quantity: number;
}
export interface Extent {
  readonly goods: number;
  readonly names: number;
  readonly sums: number;
  readonly deadlines: number;
  readonly records: number;
  readonly newestId: string;
  readonly waiting: number;
  readonly serverTime: UnixMs;
}
export interface Question {
  readonly sku: Sku;
  readonly userId?: UserId;
}

type GoodsRow = readonly [
  onHand: number,
  frozen: number,
  sold: number,
  priceCents: number,
  clock: UnixMs,
  earliest: UnixMs,
  pending?: number,
];
type LineRow = readonly [
  held: number,
  heldUntil: UnixMs,
  since: UnixMs,
  ordered: number,
  userLevel: number,
  session: string,
  parts: readonly (string | number)[] | Readonly<Record<string, never>>,
  mark: OrderId | false,
];

const goodsOf = ([onHand, frozen, sold, priceCents, clock, earliest, pending = 0]: GoodsRow): StoredGoods => ({
  onHand,
  frozen,
  sold,
  priceCents,
  clock,
  earliest,
  pending,
});

function lineOf(sku: Sku, userId: UserId, [held, heldUntil, , ordered, userLevel, , flat, mark]: LineRow): StoredLine {
  // Lua knows no empty list: it writes an empty object.
  const words = Array.isArray(flat) ? (flat as readonly (string | number)[]) : [];
  const parts = Array.from({ length: words.length / 3 }, (_, n) => ({
    orderId: words[3 * n] as OrderId,
    quantity: words[3 * n + 1] as number,
    until: words[3 * n + 2] as UnixMs,
  }));
  return { sku, userId, held, heldUntil, ordered, userLevel, parts, isUnderWay: mark !== false };
}

export class StoredLedger {
  readonly #redis: RedisScripts;
  readonly #partitions: Partitions;

  constructor(redis: RedisScripts, partitions: Partitions) {
    this.#redis = redis;
    this.#partitions = partitions;
  }

  async extent(partition: number): Promise<Extent> {
    const answer = await this.#redis.run(EXTENT, this.#partitions.keysOf(partition), []);
    const [goods, names, sums, deadlines, records, newestId, waiting, serverTime] = answer as [
      ...[number, number, number, number, number],
      string,
      number,
      string,
    ];
    return { goods, names, sums, deadlines, records, newestId, waiting, serverTime: Number(serverTime) };
  }

  async *goods(partition: number): AsyncGenerator<readonly (readonly [Sku, StoredGoods])[]> {
    for await (const page of this.#scan<GoodsRow>(partition, "goods", "packed"))
      yield page.map(([sku, row]) => [sku as Sku, goodsOf(row)] as const);
  }

  async *lines(partition: number): AsyncGenerator<readonly StoredLine[]> {
    for await (const page of this.#scan<readonly (Sku | LineRow)[]>(partition, "lines", "packed"))
      yield page.flatMap(([userId, book]) =>
        Array.from({ length: book.length / 2 }, (_, n) => lineOf(book[2 * n] as Sku, userId as UserId, book[2 * n + 1] as LineRow)),
      );
  }

  async *sums(partition: number): AsyncGenerator<readonly StoredSum[]> {
    for await (const page of this.#scan<string>(partition, "sums", "text"))
      yield page.map(([name, quantity]) => {
        const [sku, until] = name.split("\n") as [Sku, string];
        return { sku, until: Number(until), quantity: Number(quantity) };
      });
  }

  /** The SKUs of which something is on its way between the two stores: an order, or what an operator has set. */
  async skusUnderWay(partition: number, takenUntil: string): Promise<ReadonlySet<Sku>> {
    const skus = new Set<Sku>();
    for await (const page of this.#scan<unknown>(partition, "marks", "packed"))
      for (const [field] of page) skus.add(field.split("\n")[1] as Sku);
    for (let after = takenUntil; ; ) {
      const keys = [this.#partitions.keyOf(partition, "stream")];
      const piece = (await this.#redis.run(STREAM, keys, [after, String(RELAY_ENTRIES_MAX)])) as string[];
      const entries = readEntries(piece);
      for (const { sku } of entries.flatMap(readTold).filter(isNote)) skus.add(sku);
      const last = entries.at(-1);
      if (last === undefined) return skus;
      after = last.id;
    }
  }

  /** Goods and lines, in the order in which they are named. */
  async peek(questions: readonly Question[]): Promise<readonly (readonly [StoredGoods | null, StoredLine | null])[]> {
    const answers: (readonly [StoredGoods | null, StoredLine | null])[] = [];
    const byPartition = Map.groupBy(questions.keys(), (n) => this.#partitions.of((questions[n] as Question).sku));
    for (const [partition, numbers] of byPartition) {
      const keys = (["goods", "lines"] as const).map((kind) => this.#partitions.keyOf(partition, kind));
      for (let from = 0; from < numbers.length; from += LEDGER_BATCH_COMMANDS_MAX) {
        const some = numbers.slice(from, from + LEDGER_BATCH_COMMANDS_MAX);
        const words = some.map((n) => {
          const { sku, userId = "" } = questions[n] as Question;
          return [sku, userId];
        });
        const rows = JSON.parse((await this.#redis.run(PEEK, keys, [JSON.stringify(words)])) as string) as [
          GoodsRow | false,
          LineRow | false,
        ][];
        for (const [m, n] of some.entries()) {
          const { sku, userId } = questions[n] as Question;
          const [goods, line] = rows[m] as [GoodsRow | false, LineRow | false];
          answers[n] = [goods ? goodsOf(goods) : null, line && userId !== undefined ? lineOf(sku, userId, line) : null];
        }
      }
    }
    return answers;
  }

  async *#scan<Value>(partition: number, kind: KeyKind, form: "packed" | "text"): AsyncGenerator<readonly (readonly [string, Value])[]> {
    for (let cursor = "0"; ; ) {
      const args = [cursor, String(LEDGER_BATCH_COMMANDS_MAX), form];
      const answer = (await this.#redis.run(SCAN, [this.#partitions.keyOf(partition, kind)], args)) as string;
      const [next, rows] = JSON.parse(answer) as [string, (readonly [string, Value])[] | Readonly<Record<string, never>>];
      if (Array.isArray(rows) && rows.length > 0) yield rows;
      if (next === "0") return;
      cursor = next;
    }
  }
}
