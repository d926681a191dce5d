/**
 * Redis and Postgres for tests of the ledger that lives in them: one server of each for a whole file, and in them a ledger of its own for each who
 * opens one. What such a ledger tells goes into a table beside it.
 */
import type { RedisScripts } from "../src/core/redis.ts";
import type { SqlDatabase } from "../src/core/sql.ts";
import { Postgres } from "../src/edge/postgres.ts";
import { RedisConnection, type RedisOptions } from "../src/edge/redis.ts";
import { timers } from "../src/edge/timers.ts";
import { holdsApart, type Told } from "../src/ledger/holds-together.ts";
import type { LedgerEvent } from "../src/ledger/ledger.ts";
import { type OpenedRedisLedger, openRedisLedger } from "../src/ledger/redis/open-redis-ledger.ts";
import type { OpenedLedger } from "../src/ledger/suite/shop.ts";
import { MIGRATIONS } from "../src/migrations/all.ts";
import { migrate } from "../src/migrations/migrate.ts";
import { hasPostgres, NEEDS_POSTGRES, type PostgresServer, startPostgres } from "./servers/postgres.ts";
import { hasRedis, NEEDS_REDIS, type RedisCluster, type RedisServer, startRedis, startRedisCluster } from "./servers/redis.ts";

export const hasStores = hasRedis && hasPostgres;
export const NEEDS_STORES = hasStores ? "" : hasRedis ? NEEDS_POSTGRES : NEEDS_REDIS;
/** For servers to come and to go on a machine that others use too. */
export const SERVERS_MS_MAX = 120_000;

const apart = (told: Told): readonly LedgerEvent[] => (told.type === "holds.created" ? holdsApart(told.text) : [told]);

/** Few, so that SKUs share one as often as not. */
const PARTITIONS = 3;

export interface LedgerStores {
  readonly redisServer: RedisServer | RedisCluster;
  readonly postgresServer: PostgresServer;
  readonly redis: RedisConnection;
  readonly postgres: Postgres;
  /** Empties Postgres and turns to keys in Redis that nobody has used. */
  fresh(): Promise<void>;
  /** A process that uses what is there. @param through what it has in place of the connections themselves */
  process(through?: {
    readonly redis?: RedisScripts;
    readonly postgres?: SqlDatabase;
    readonly isInOrder?: boolean;
    readonly partitions?: number;
  }): Promise<OpenedRedisLedger>;
  /** A fresh ledger for the suite. */
  open(): Promise<OpenedLedger>;
  /** All that was told, once everything has been taken over. */
  told(process: OpenedRedisLedger): Promise<readonly LedgerEvent[]>;
  stop(): Promise<void>;
}

export interface StoresOptions {
  readonly isCluster?: boolean;
  readonly redisArgs?: readonly string[];
  readonly connection?: RedisOptions;
}

export async function startLedgerStores({ isCluster = false, redisArgs = [], connection = {} }: StoresOptions = {}): Promise<LedgerStores> {
  const starting = isCluster ? startRedisCluster() : startRedis(redisArgs);
  const [redisServer, postgresServer] = await Promise.all([starting, startPostgres()]);
  const redis = new RedisConnection("urls" in redisServer ? redisServer.urls : redisServer.url, connection);
  await redis.open();
  const postgres = new Postgres(postgresServer.url);
  await migrate(postgres, MIGRATIONS, { now: () => 0, monotonicUs: () => 0 }, () => {});
  await postgres.transaction((tx) =>
    tx.script("create table told (id bigint generated always as identity primary key, event text not null)"),
  );
  let ledgers = 0;
  const fresh = async (): Promise<void> => {
    ledgers += 1;
    await postgres.transaction((tx) => tx.script("truncate orders, ledger_streams, ledger_goods, ledger_lines, told restart identity"));
  };
  const process: LedgerStores["process"] = (through = {}) =>
    openRedisLedger({
      redis,
      postgres,
      prefix: `ledger ${ledgers}`,
      partitions: PARTITIONS,
      ...through,
      after: timers.after,
      tell: async (tx, events) => {
        await tx`insert into told (event) select * from unnest(${events.flatMap(apart).map((event) => JSON.stringify(event))}::text[])`;
      },
    });
  const told: LedgerStores["told"] = async (life) => {
    while (await life.relay());
    const rows = await postgres.read<{ event: string }>`select event from told order by id`;
    return rows.map(({ event }) => JSON.parse(event) as LedgerEvent);
  };
  const open = async (): Promise<OpenedLedger> => {
    await fresh();
    let life = await process({ isInOrder: true });
    return {
      ledger: life.ledger,
      sweep: (now) => life.sweep(now),
      events: () => told(life),
      reopen: async () => {
        life = await process({ isInOrder: true });
        return life.ledger;
      },
      close: async () => {},
    };
  };
  const stop = async (): Promise<void> => {
    redis.close();
    await postgres.close();
    await Promise.all([redisServer.stop(), postgresServer.stop()]);
  };
  return { redisServer, postgresServer, redis, postgres, fresh, process, open, told, stop };
}
