/** The ledger in Redis and Postgres against the suite that every store must pass. */
import { afterAll, beforeAll, describe } from "bun:test";
import { hasPostgres, NEEDS_POSTGRES, type PostgresServer, startPostgres } from "../../../test/servers/postgres.ts";
import { hasRedis, NEEDS_REDIS, type RedisServer, startRedis } from "../../../test/servers/redis.ts";
import { Postgres } from "../../edge/postgres.ts";
import { RedisConnection } from "../../edge/redis.ts";
import { MIGRATIONS } from "../../migrations/all.ts";
import { migrate } from "../../migrations/migrate.ts";
import type { LedgerEvent } from "../ledger.ts";
import { ledgerSuite } from "../ledger-suite.ts";
import type { OpenedLedger } from "../suite/shop.ts";
import { openRedisLedger } from "./open-redis-ledger.ts";

const { DOORBUSTER_LEDGER_RUNS = "1", DOORBUSTER_LEDGER_SEED = "20261122" } = process.env;
const runsFactor = Number(DOORBUSTER_LEDGER_RUNS);
const seed = Number(DOORBUSTER_LEDGER_SEED);

/** For servers to come and to go on a machine that others use too. */
const SERVERS_MS_MAX = 60_000;

const isHere = hasRedis && hasPostgres;
const needs = isHere ? "" : hasRedis ? NEEDS_POSTGRES : NEEDS_REDIS;

let server: RedisServer;
let postgresServer: PostgresServer;
let redis: RedisConnection;
let postgres: Postgres;
let opened = 0;

async function open(): Promise<OpenedLedger> {
  opened += 1;
  const prefix = `test ${opened}`;
  await postgres.transaction(async (tx) => {
    await tx.script("truncate orders, ledger_streams, ledger_goods, ledger_lines, told restart identity");
  });
  const openLife = () =>
    openRedisLedger({
      redis,
      postgres,
      prefix,
      partitions: 3,
      after: () => {},
      tell: async (tx, events) => {
        for (const event of events) await tx`insert into told (event) values (${JSON.stringify(event)})`;
      },
    });
  let life = await openLife();
  return {
    ledger: life.ledger,
    sweep: (now) => life.sweep(now),
    events: async () => {
      while (await life.relay());
      const rows = await postgres.read<{ event: string }>`select event from told order by id`;
      return rows.map(({ event }) => JSON.parse(event) as LedgerEvent);
    },
    reopen: async () => {
      life = await openLife();
      return life.ledger;
    },
    close: async () => {},
  };
}

describe.skipIf(!isHere)(`the ledger in Redis ${needs}`, () => {
  beforeAll(async () => {
    [server, postgresServer] = await Promise.all([startRedis(), startPostgres()]);
    redis = new RedisConnection(server.url);
    postgres = new Postgres(postgresServer.url);
    await redis.open();
    await migrate(postgres, MIGRATIONS, { now: () => 0, monotonicUs: () => 0 }, () => {});
    await postgres.transaction((tx) =>
      tx.script("create table told (id bigint generated always as identity primary key, event text not null)"),
    );
  }, SERVERS_MS_MAX);
  afterAll(async () => {
    redis.close();
    await postgres.close();
    await Promise.all([server.stop(), postgresServer.stop()]);
  }, SERVERS_MS_MAX);

  ledgerSuite("redis", open, { canReopen: true, runs: 60 * runsFactor, seed: seed + 2 });
});
