/**
 * Notices that Redis may have lost something, and gives it back from Postgres. A partition carries a note of the server under which it was found WHOLE:
 *
 * - a server that came back empty has no note, one that was started again or has taken over has another run id, and a note ends by itself after
 *   `WHOLE_FOR_MS`: in each case the partition is no longer known to be whole;
 * - then one process CLAIMS the look, compares everything (`reconcile.ts`), gives back what lacks, and writes the notes anew;
 * - what could not be given back, because something is under way there or more is frozen than there would be, leaves its note out: somebody looks again
 *   when the claim has ended.
 *
 * A Postgres that has lost data is no source for anything: it would put back what was sold. It shows by a stream that is further than Postgres,
 * and has nothing left to be taken over. Then nothing is touched.
 */
import type { RedisScripts } from "../../core/redis.ts";
import type { SqlDatabase } from "../../core/sql.ts";
import type { UnixMs } from "../../core/time.ts";
import { RESTORE_CLAIM_MS, WHOLE_FOR_MS } from "../../limits/ledger.ts";
import type { Partitions } from "./partitions.ts";
import type { Reconciler } from "./reconcile.ts";
import { CLAIM_RESTORE, IS_WHOLE, NOTE_WHOLE } from "./scripts.ts";
import { isLater } from "./stream-id.ts";

/** What became of a look. */
export interface Restored {
  /** What Redis lacked and has again: goods, users' orders of them, parts of unpaid orders. */
  readonly things: number;
  /** What it lacks still; it is looked at again. */
  readonly left: number;
  /** Postgres itself has lost something: nothing was touched. */
  readonly isPostgresBehind: boolean;
}

interface Condition {
  readonly partition: number;
  readonly isWhole: boolean;
  readonly runId: string;
  readonly newestId: string;
  readonly waiting: number;
}

export class Restorer {
  readonly #redis: RedisScripts;
  readonly #partitions: Partitions;
  readonly #db: SqlDatabase;
  readonly #reconciler: Reconciler;

  constructor(redis: RedisScripts, partitions: Partitions, db: SqlDatabase, reconciler: Reconciler) {
    this.#redis = redis;
    this.#partitions = partitions;
    this.#db = db;
    this.#reconciler = reconciler;
  }

  async restore(now: UnixMs): Promise<Restored | null> {
    const conditions = await Promise.all(this.#partitions.all.map((partition) => this.#conditionOf(partition)));
    const doubtful = conditions.filter(({ isWhole }) => !isWhole);
    const [first] = doubtful;
    if (first === undefined || !(await this.#claim(first.partition))) return null;
    // Read after Redis, so that what Redis has let go by then must be in Postgres.
    if (await this.#isPostgresBehind(conditions)) return { things: 0, left: 0, isPostgresBehind: true };
    const differences = await this.#reconciler.reconcile(now, true);
    const things = differences.filter(({ outcome }) => outcome === "repaired").length;
    const left = differences.filter(({ outcome }) => outcome !== "repaired");
    const lacking = new Set(left.map(({ sku }) => this.#partitions.of(sku)));
    await Promise.all(doubtful.map((one) => (lacking.has(one.partition) ? undefined : this.#note(one))));
    return { things, left: left.length, isPostgresBehind: false };
  }

  async #conditionOf(partition: number): Promise<Condition> {
    const keys = [this.#partitions.careOf(partition, "whole"), this.#partitions.keyOf(partition, "stream")];
    const [isWhole, runId, newestId, waiting] = (await this.#redis.run(IS_WHOLE, keys, [])) as [number, string, string, number];
    return { partition, isWhole: isWhole === 1, runId, newestId, waiting };
  }

  async #claim(partition: number): Promise<boolean> {
    const claim = [this.#partitions.careOf(partition, "restoring")];
    return (await this.#redis.run(CLAIM_RESTORE, claim, [String(RESTORE_CLAIM_MS)])) === 1;
  }

  async #note({ partition, runId }: Condition): Promise<void> {
    await this.#redis.run(NOTE_WHOLE, [this.#partitions.careOf(partition, "whole")], [runId, String(WHOLE_FOR_MS)]);
  }

  async #isPostgresBehind(conditions: readonly Condition[]): Promise<boolean> {
    const rows = await this.#db.read<{ partition: number; last_id: string }>`select partition, last_id from ledger_streams`;
    const taken = new Map(rows.map(({ partition, last_id }) => [partition, last_id]));
    return conditions.some(({ partition, newestId, waiting }) => waiting === 0 && isLater(newestId, taken.get(partition) ?? "0-0"));
  }
}
