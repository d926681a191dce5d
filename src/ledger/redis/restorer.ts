/**
 * Notices that Redis may have lost something, and gives it back from Postgres. A partition carries a note of the server under which it was compared:
 *
 * - a server that came back empty has no note, and one that was started again or has taken over has another run id. Then the partition is not KNOWN to be
 *   whole: its scripts decide nothing, and whoever asks hears that the store cannot be used, until somebody has looked;
 * - one process CLAIMS the look, lets the streams catch up with what Postgres has of them, compares everything (`reconcile.ts`), gives back what lacks, and
 *   writes the notes anew;
 * - what could not be given back, because an order of it is under way or more is frozen than there would be, holds up nobody: the partition is known, and
 *   somebody looks again when the claim has ended, as they do at one that was compared `WHOLE_FOR_MS` ago;
 * - where something else happened during the look, it is done again.
 *
 * A Postgres that has lost data is no source for anything: it would put back what was sold. It shows by a stream that is further than Postgres,
 * and has nothing left to be taken over. Then nothing is touched, and what Redis has counts.
 */
import type { RedisScripts } from "../../core/redis.ts";
import type { SqlDatabase } from "../../core/sql.ts";
import type { DurationMs, UnixMs } from "../../core/time.ts";
import { RESTORE_CLAIM_MS, RESTORE_LOOKS_MAX, WHOLE_FOR_MS } from "../../limits/ledger.ts";
import type { Partitions } from "./partitions.ts";
import type { Difference, Reconciler } from "./reconcile.ts";
import type { Relay } from "./relay.ts";
import { CATCH_UP, CLAIM_RESTORE, IS_WHOLE, NOTE_WHOLE } from "./scripts.ts";
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

/** The id that no stream gives. */
const NOTHING = "0-0";

export class Restorer {
  readonly #redis: RedisScripts;
  readonly #partitions: Partitions;
  readonly #db: SqlDatabase;
  readonly #relay: Relay;
  readonly #reconciler: Reconciler;

  constructor(redis: RedisScripts, partitions: Partitions, db: SqlDatabase, relay: Relay, reconciler: Reconciler) {
    this.#redis = redis;
    this.#partitions = partitions;
    this.#db = db;
    this.#relay = relay;
    this.#reconciler = reconciler;
  }

  /** Partitions that neither of the two stores has ever had anything of have all that they should. @param partitions of which Postgres has nothing */
  async begin(partitions: readonly number[]): Promise<void> {
    const conditions = await Promise.all(partitions.map((partition) => this.#conditionOf(partition)));
    await this.#note(
      conditions.filter(({ newestId }) => newestId === NOTHING),
      WHOLE_FOR_MS,
    );
  }

  async restore(now: UnixMs): Promise<Restored | null> {
    const conditions = await Promise.all(this.#partitions.all.map((partition) => this.#conditionOf(partition)));
    const doubtful = conditions.filter(({ isWhole }) => !isWhole);
    const [first] = doubtful;
    if (first === undefined || !(await this.#claim(first.partition))) return null;
    // Read after Redis, so that what Redis has let go by then must be in Postgres.
    if (await this.#isPostgresBehind(conditions)) {
      await this.#note(doubtful, 0);
      return { things: 0, left: 0, isPostgresBehind: true };
    }
    const partitions = doubtful.map(({ partition }) => partition);
    await this.#catchUp(partitions);
    let things = 0;
    let left: readonly Difference[] = [];
    for (let look = 1; look <= RESTORE_LOOKS_MAX; look += 1) {
      const differences = await this.#reconciler.reconcile(now, true, partitions);
      things += differences.filter(({ outcome }) => outcome === "repaired").length;
      left = differences.filter(({ outcome }) => outcome !== "repaired");
      if (!left.some(({ outcome }) => outcome === "moved")) break;
    }
    const partitionsOf = (some: readonly Difference[]): ReadonlySet<number> => new Set(some.map(({ sku }) => this.#partitions.of(sku)));
    const [lacking, unseen] = [partitionsOf(left), partitionsOf(left.filter(({ outcome }) => outcome === "moved"))];
    await Promise.all([
      this.#note(
        doubtful.filter(({ partition }) => !lacking.has(partition)),
        WHOLE_FOR_MS,
      ),
      this.#note(
        doubtful.filter(({ partition }) => lacking.has(partition) && !unseen.has(partition)),
        0,
      ),
    ]);
    return { things, left: left.length, isPostgresBehind: false };
  }

  async #conditionOf(partition: number): Promise<Condition> {
    const keys = [this.#partitions.keyOf(partition, "whole"), this.#partitions.keyOf(partition, "stream")];
    const [isWhole, runId, newestId, waiting] = (await this.#redis.run(IS_WHOLE, keys, [])) as [number, string, string, number];
    return { partition, isWhole: isWhole === 1, runId, newestId, waiting };
  }

  async #claim(partition: number): Promise<boolean> {
    const claim = [this.#partitions.careOf(partition, "restoring")];
    return (await this.#redis.run(CLAIM_RESTORE, claim, [String(RESTORE_CLAIM_MS)])) === 1;
  }

  /** @param forMs for so long nobody compares these partitions again */
  async #note(conditions: readonly Condition[], forMs: DurationMs): Promise<void> {
    const forSeconds = String(Math.ceil(forMs / 1_000));
    await Promise.all(
      conditions.map(({ partition, runId }) =>
        this.#redis.run(NOTE_WHOLE, [this.#partitions.keyOf(partition, "whole")], [runId, forSeconds]),
      ),
    );
  }

  /** What has been told by now is in Postgres, and what will be told comes behind it, whatever the clock of the server that gives the ids. */
  async #catchUp(partitions: readonly number[]): Promise<void> {
    await this.#db.transaction(async (tx) => {
      const { lastIds } = await this.#relay.within(tx, partitions);
      await Promise.all(
        [...lastIds].map(([partition, lastId]) => this.#redis.run(CATCH_UP, [this.#partitions.keyOf(partition, "stream")], [lastId])),
      );
    });
  }

  async #isPostgresBehind(conditions: readonly Condition[]): Promise<boolean> {
    const rows = await this.#db.read<{ partition: number; last_id: string }>`select partition, last_id from ledger_streams`;
    const taken = new Map(rows.map(({ partition, last_id }) => [partition, last_id]));
    return conditions.some(({ partition, newestId, waiting }) => waiting === 0 && isLater(newestId, taken.get(partition) ?? NOTHING));
  }
}
