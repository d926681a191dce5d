/** How the ledger's processes look at what is in Redis: goods, lines and parts of orders as they are at a time. */
import { onlyFailure } from "../../core/failure.ts";
import type { OrderId, SessionId, Sku, UserId } from "../../core/ids.ts";
import type { RedisScripts } from "../../core/redis.ts";
import type { UnixMs } from "../../core/time.ts";
import { LEDGER_BATCH_COMMANDS_MAX } from "../../limits/ledger.ts";
import { EMPTY_LINE } from "../decision.ts";
import type { Line } from "../ledger.ts";
import type { KeyKind, Partitions } from "./partitions.ts";
import { CART, EXTENT, LOOK, NAMES } from "./scripts.ts";
import { goodsOf, type LineFields, type Look, lineOf, readAnswer, readList, type Seen, type SeenFields } from "./wire.ts";

export interface Question {
  readonly sku: Sku;
  readonly userId?: UserId;
  readonly orderId?: OrderId;
}

/** What one user has of one SKU, with the purchase that began the hold, and when. */
export interface OwnLine {
  readonly sku: Sku;
  readonly line: Line;
  readonly sessionId: SessionId;
  readonly heldSince: UnixMs;
}
type OwnFields = readonly [sku: Sku, ...LineFields, heldSince: UnixMs];

export class RedisShelves {
  readonly #redis: RedisScripts;
  readonly #partitions: Partitions;

  constructor(redis: RedisScripts, partitions: Partitions) {
    this.#redis = redis;
    this.#partitions = partitions;
  }

  /** Looks at some SKUs, lines and parts of orders, in the order in which they are named, at `now`. */
  async look(questions: readonly Question[], now: UnixMs): Promise<readonly Seen[]> {
    const seen: Seen[] = [];
    const byPartition = Map.groupBy(questions.keys(), (n) => this.#partitions.of((questions[n] as Question).sku));
    await Promise.all(
      [...byPartition].map(async ([partition, numbers]) => {
        for (let from = 0; from < numbers.length; from += LEDGER_BATCH_COMMANDS_MAX) {
          const some = numbers.slice(from, from + LEDGER_BATCH_COMMANDS_MAX);
          const looks = some.map((n) => {
            const { sku, userId = "", orderId = "" } = questions[n] as Question;
            return [now, sku, userId, orderId];
          });
          const answer = await this.#redis.run(LOOK, this.#partitions.keysOf(partition), [JSON.stringify(looks)]);
          const views = readAnswer<readonly SeenFields[]>(answer);
          for (const [m, n] of some.entries()) seen[n] = seenOf((questions[n] as Question).sku, views.reply[m] as SeenFields);
          await this.follow(views.looks);
        }
      }),
    );
    return seen;
  }

  /** An order that one SKU's time has ended is over at its others too, and so on. Where that cannot be told now, their own time ends it. */
  async follow(looks: readonly Look[]): Promise<void> {
    const times = Map.groupBy(looks, ([, at]) => at);
    for (const [at, some] of times) {
      const skus = [...new Set(some.map(([sku]) => sku))];
      await this.look(
        skus.map((sku) => ({ sku })),
        at,
      ).catch(onlyFailure);
    }
  }

  async linesOf(userId: UserId, now: UnixMs): Promise<readonly OwnLine[]> {
    const pages = await Promise.all(
      this.#partitions.all.map(async (partition) => {
        const answer = readList<OwnFields>(await this.#redis.run(CART, this.#partitions.keysOf(partition), [userId, String(now)]));
        await this.follow(answer.looks);
        return answer.reply;
      }),
    );
    return pages.flat().map(([sku, ...rest]) => {
      const heldSince = rest[6];
      return { sku, line: lineOf(rest.slice(0, 6) as unknown as LineFields), sessionId: rest[5], heldSince };
    });
  }

  /** How many goods a partition has. */
  async countIn(partition: number): Promise<number> {
    const [goods] = (await this.#redis.run(EXTENT, this.#partitions.keysOf(partition), [])) as readonly [number];
    return goods;
  }

  /** Up to `limit` names of all partitions, in the order of their bytes, from behind `after`. */
  async names(kind: Extract<KeyKind, "names" | "records">, after: string | null, limit: number): Promise<readonly string[]> {
    const from = after === null ? "-" : `(${after}`;
    const pages = await Promise.all(
      this.#partitions.all.map((partition) => this.#redis.run(NAMES, [this.#partitions.keyOf(partition, kind)], [from, String(limit)])),
    );
    const names = (pages as readonly (readonly string[])[]).flat();
    const encoder = new TextEncoder();
    const bytes = new Map(names.map((name) => [name, encoder.encode(name)]));
    const inOrder = (a: string, b: string): number => Buffer.compare(bytes.get(a) as Uint8Array, bytes.get(b) as Uint8Array);
    return names.sort(inOrder).slice(0, limit);
  }
}

const seenOf = (sku: Sku, [goods, line, part, doubt]: SeenFields): Seen => ({
  goods: goods === false ? null : goodsOf(sku, goods),
  line: line === false ? EMPTY_LINE : lineOf(line),
  part,
  isDoubtful: doubt === 1,
});
