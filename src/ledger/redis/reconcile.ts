/**
 * Redis against Postgres. Postgres keeps what operators have set and what was paid for; Redis has it too, because it decides with it. Where the two
 * differ, Redis has lost something: it came back empty, or a replica without the last changes took over. Then Postgres is right, and Redis gets it back:
 * goods, what was sold, order records, and the parts of unpaid orders. Holds are lost with Redis, as are the replies kept for keys.
 *
 * Differences are looked for without stopping anybody, and looked at again where nothing moves: who has a partition's position in the stream keeps its
 * orders from being committed, and Redis changes nothing if its stream has gone on since.
 */
import type { OrderId, Sku, UserId } from "../../core/ids.ts";
import type { RedisScripts } from "../../core/redis.ts";
import type { SqlDatabase } from "../../core/sql.ts";
import type { UnixMs } from "../../core/time.ts";
import type { Partitions } from "./partitions.ts";
import { type Comparison, type Lack, type LackOf, ofGoods, ofLeft, ofLines, ofUnpaid } from "./reconcile-rows.ts";
import type { Relay } from "./relay.ts";
import { RESTORE } from "./scripts.ts";
import type { RedisShelves } from "./shelves.ts";
import { readAnswer } from "./wire.ts";

export interface Difference {
  readonly of: LackOf;
  readonly sku: Sku;
  readonly userId: UserId | null;
  readonly orderId: OrderId | null;
  /** In a few words, for an operator. */
  readonly inRedis: string;
  readonly inPostgres: string;
  /** What became of it. `found`: nothing was to be repaired. `busy`: an order of it is under way, look again. `moved`: something has happened in its
   *  partition meanwhile, look again at once. `short`: it cannot be repaired, for more is frozen than there would be. */
  readonly outcome: "found" | "repaired" | "busy" | "moved" | "short";
}

/** What `restore.lua` says of one thing. */
type Outcome = "done" | "busy" | "moved" | "short" | "over";

interface Which {
  readonly isRepairing: boolean;
  readonly partitions: ReadonlySet<number>;
}

export class Reconciler {
  readonly #redis: RedisScripts;
  readonly #partitions: Partitions;
  readonly #db: SqlDatabase;
  readonly #shelves: RedisShelves;
  readonly #relay: Relay;

  constructor(redis: RedisScripts, partitions: Partitions, db: SqlDatabase, shelves: RedisShelves, relay: Relay) {
    this.#redis = redis;
    this.#partitions = partitions;
    this.#db = db;
    this.#shelves = shelves;
    this.#relay = relay;
  }

  /** Compares everything of these partitions, page by page. @param isRepairing whether Redis gets back what it lacks */
  async reconcile(now: UnixMs, isRepairing: boolean, partitions = this.#partitions.all): Promise<readonly Difference[]> {
    // Once, and not until nothing is left: while others sell there is always more.
    await this.#relay.run();
    const these = { isRepairing, partitions: new Set(partitions) };
    // In this order: what a paid order has left is frozen until it is gone, and lines and parts are of goods.
    const left = await this.#compare(ofLeft(this.#shelves, now), these);
    const goods = await this.#compare(ofGoods(this.#shelves, now), these);
    const lines = await this.#compare(ofLines(this.#shelves), these);
    return [...left, ...goods, ...lines, ...(await this.#compare(ofUnpaid(this.#shelves, now), these))];
  }

  async #compare<Row>(comparison: Comparison<Row>, { isRepairing, partitions }: Which): Promise<readonly Difference[]> {
    const differences: Difference[] = [];
    const isAmong = (row: Row): boolean => comparison.skusOf(row).some((sku) => partitions.has(this.#partitions.of(sku)));
    for (let after: Row | null = null; ; ) {
      const rows: readonly Row[] = await comparison.page(this.#db.read, after);
      const last = rows.at(-1);
      if (last === undefined) return differences;
      after = last;
      const suspects = [...new Set((await comparison.lacks(rows.filter(isAmong))).map(({ row }) => row))];
      if (suspects.length > 0) differences.push(...(await this.#settle(comparison, suspects, isRepairing)));
    }
  }

  /** Looks again where nothing moves, and gives back what is still lacking. */
  async #settle<Row>(comparison: Comparison<Row>, suspects: readonly Row[], isRepairing: boolean): Promise<readonly Difference[]> {
    const partitions = [...new Set(suspects.flatMap(comparison.skusOf).map((sku) => this.#partitions.of(sku)))];
    return this.#db.transaction(async (tx) => {
      const { lastIds } = await this.#relay.within(tx, partitions);
      const lacks = await comparison.lacks(await comparison.again(tx, suspects));
      const byPartition = Map.groupBy(lacks, ({ sku }) => this.#partitions.of(sku));
      const differences: Difference[] = [];
      for (const [partition, some] of byPartition) {
        const outcomes = await this.#restore(partition, some, lastIds.get(partition) ?? "0-0", isRepairing);
        for (const [n, { of, sku, userId, orderId, inRedis, inPostgres }] of some.entries()) {
          const outcome = outcomes[n];
          if (outcome === undefined || outcome === "over") continue;
          const became = outcome !== "done" ? outcome : isRepairing ? "repaired" : "found";
          differences.push({ of, sku, userId, orderId, inRedis, inPostgres, outcome: became });
        }
      }
      return differences;
    });
  }

  async #restore(partition: number, lacks: readonly Lack<unknown>[], lastId: string, isRepairing: boolean): Promise<readonly Outcome[]> {
    const things = JSON.stringify(lacks.map(({ thing }) => thing));
    const args = [lastId, things, isRepairing ? "repair" : "look"];
    const answer = await this.#redis.run(RESTORE, this.#partitions.keysOf(partition), args);
    const { reply, looks } = readAnswer<"moved" | readonly Outcome[]>(answer);
    await this.#shelves.follow(looks);
    return reply === "moved" ? lacks.map(() => "moved") : reply;
  }
}
