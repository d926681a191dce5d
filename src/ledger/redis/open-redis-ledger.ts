/** Puts the ledger of many processes together. */
import { onlyFailure } from "../../core/failure.ts";
import type { RedisScripts } from "../../core/redis.ts";
import type { SqlDatabase } from "../../core/sql.ts";
import type { UnixMs } from "../../core/time.ts";
import { LEDGER_PARTITIONS } from "../../limits/ledger.ts";
import type { KeptReply, Key } from "../ledger.ts";
import { KeptKeys } from "./kept-keys.ts";
import { OrderCare } from "./order-care.ts";
import { OrderKeeper } from "./order-keeper.ts";
import { OrderParts } from "./order-parts.ts";
import { Partitions } from "./partitions.ts";
import { type Difference, Reconciler } from "./reconcile.ts";
import { RedisLedger } from "./redis-ledger.ts";
import { Relay, type Tell } from "./relay.ts";
import { type Restored, Restorer } from "./restorer.ts";
import { RedisShelves } from "./shelves.ts";
import type { After } from "./turns.ts";
import { WrittenPartitions } from "./written-partitions.ts";

export interface RedisLedgerOptions {
  readonly redis: RedisScripts;
  /** Migrated. */
  readonly postgres: SqlDatabase;
  /** Writes events into the outbox, within the transaction that saves what they tell of. */
  readonly tell: Tell;
  readonly after: After;
  /** One for each ledger that lives in the same Redis. */
  readonly prefix?: string;
  /** For tests. The same for every process, for ever. */
  readonly partitions?: number;
  /** For tests: see `RedisLedgerParts`. */
  readonly isInOrder?: boolean;
}

/** The ledger, and what somebody has to call again and again. Each of these may be called by any number of processes at the same time. */
export interface OpenedRedisLedger {
  readonly ledger: RedisLedger;
  /** For requests with keys that are no purchases. */
  readonly keys: { claim(key: Key): Promise<"mine" | "other" | KeptReply>; unclaim(keys: readonly Key[]): Promise<void> };
  /** Every `LEDGER_SWEEP_TICK_MS`: tells and removes what has ended. True: there is more to do at once. No figure depends on it. */
  sweep(now: UnixMs): Promise<boolean>;
  /** Every `RELAY_TICK_MS`: takes events of this process's own changes over into the outbox. True: there is more to do at once. */
  relayOwn(): Promise<boolean>;
  /** Every `RELAY_ALL_TICK_MS`: the same with everybody's. */
  relay(): Promise<boolean>;
  /** At the start and every `RECOVER_TICK_MS`: finishes what others have left half way. */
  recover(now: UnixMs): Promise<void>;
  /** Compares Redis with Postgres, and gives Redis back what it has lost, if asked. For the start of a process, for a Redis that came back empty, and
   *  for whoever wants to know. One process at a time is enough. */
  reconcile(now: UnixMs, isRepairing: boolean): Promise<readonly Difference[]>;
  /** At the start and every `RECOVER_TICK_MS`: gives Redis back what it has lost, when it may have lost something. `null`: there was nothing to look for. */
  restore(now: UnixMs): Promise<Restored | null>;
  /** Parts of orders that are under way between Redis and Postgres, up to some hundreds. */
  underWay(): Promise<number>;
}

export async function openRedisLedger(options: RedisLedgerOptions): Promise<OpenedRedisLedger> {
  const { postgres: db, tell, after, prefix = "db" } = options;
  const partitions = new Partitions(prefix, options.partitions ?? LEDGER_PARTITIONS);
  const redis = new WrittenPartitions(options.redis, partitions);
  const shelves = new RedisShelves(redis, partitions);
  const relay = new Relay(redis, partitions, db, tell, redis);
  const parts = new OrderParts(redis, partitions, shelves, after);
  const orders = new OrderKeeper({ db, shelves, parts, relay, partitions, tell, after });
  const ledger = new RedisLedger({ redis, partitions, shelves, orders, after, isInOrder: options.isInOrder ?? false });
  const care = new OrderCare(db, orders, parts);
  const reconciler = new Reconciler(redis, partitions, db, shelves, relay);
  const restorer = new Restorer(redis, partitions, db, relay, reconciler);
  await restorer.begin(await relay.prepare());
  const keys = new KeptKeys(redis, partitions);
  return {
    ledger,
    keys: {
      claim: (key) => keys.claimOne(key), // A claim that stays costs nobody anything but the use of the key for something else.
      unclaim: (some) => keys.unclaim(some).catch(onlyFailure),
    },
    sweep: (now) => ledger.sweep(now),
    relayOwn: () => relay.runOwn(),
    relay: () => relay.run(),
    recover: (now) => care.recover(now),
    reconcile: (now, isRepairing) => reconciler.reconcile(now, isRepairing),
    restore: (now) => restorer.restore(now),
    underWay: async () => (await parts.underWay()).length,
  };
}
