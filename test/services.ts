/**
 * Each service in a process of its own, or all in one, over a Redis and a Postgres of the test's. What a data folder is to one process, a database in each of the
 * two is here: systems that are started on the same folder have the same data.
 */
import { Postgres } from "../src/edge/postgres.ts";
import { systemClock } from "../src/edge/system-clock.ts";
import { MIGRATIONS } from "../src/migrations/all.ts";
import { migrate } from "../src/migrations/migrate.ts";
import { type RunningProcess, startProcess } from "./process.ts";
import { type PostgresServer, startPostgres } from "./servers/postgres.ts";
import { type RedisServer, startRedis } from "./servers/redis.ts";

/** In the order in which they need each other. */
export const ROLES = [
  "service-registry",
  "safe-protector",
  "policy-controller",
  "inventory-manager",
  "shopping-cart",
  "gate-keeper",
] as const;
export type ServiceRole = (typeof ROLES)[number];

export interface Stores {
  readonly redis: RedisServer;
  readonly redisUrl: string;
  readonly postgresUrl: string;
}

let postgres: Promise<PostgresServer> | null = null;
const storesOf = new Map<string, Promise<Stores>>();

/** The Postgres of this test process: a database of its own for whoever asks. */
export function sharedPostgres(): Promise<PostgresServer> {
  postgres ??= startPostgres();
  return postgres;
}

/** An empty Redis, and an empty database with its tables. */
export async function freshStores(): Promise<Stores> {
  const [redis, server] = await Promise.all([startRedis(["--appendfsync", "always"]), sharedPostgres()]);
  const postgresUrl = await server.freshDatabase();
  await migrated(postgresUrl);
  return { redis, redisUrl: redis.url, postgresUrl };
}

/** Makes the tables of a database. */
export async function migrated(postgresUrl: string): Promise<void> {
  const db = new Postgres(postgresUrl);
  await migrate(db, MIGRATIONS, systemClock, () => undefined);
  await db.close();
}

/** The stores of the systems that are started on this folder. */
export function storesOfFolder(dataDir: string): Promise<Stores> {
  const stores = storesOf.get(dataDir) ?? freshStores();
  storesOf.set(dataDir, stores);
  return stores;
}

/** All of them in one process. */
export async function startNode(
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningProcess> {
  const { redisUrl, postgresUrl } = await storesOfFolder(dataDir);
  return startProcess(["--data", dataDir, "--redis", redisUrl, "--postgres", postgresUrl, ...args], env);
}

/** One of each, at the same port offset, which `args` must name. */
export async function startServices(
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningProcess> {
  const { redisUrl, postgresUrl } = await storesOfFolder(dataDir);
  const offset = Number(args[args.indexOf("--port-offset") + 1]);
  const registry = `http://127.0.0.1:${8761 + offset}`;
  const shared = ["--redis", redisUrl, "--postgres", postgresUrl, "--registry", registry, ...args];
  const processes: RunningProcess[] = [];
  const start = async (role: ServiceRole): Promise<void> =>
    void processes.push(await startProcess([role, "--data", dataDir, ...shared], env));
  try {
    await start("service-registry");
    await Promise.all(ROLES.slice(1, -1).map(start));
    await start("gate-keeper");
  } catch (error) {
    await Promise.all(processes.map((one) => one.kill()));
    throw error;
  }
  const gate = processes.at(-1) as RunningProcess;
  const stop = async (): Promise<number> => {
    const codes: number[] = [];
    for (const one of processes.toReversed()) codes.push(await one.stop());
    return Math.max(...codes);
  };
  return {
    pid: gate.pid,
    pids: () => processes.map(({ pid }) => pid),
    isRunning: () => processes.every((one) => one.isRunning()),
    stdout: () => processes.map((one) => one.stdout()).join(""),
    stderr: () => processes.map((one) => one.stderr()).join(""),
    stop,
    kill: async () => void (await Promise.all(processes.map((one) => one.kill()))),
  };
}
