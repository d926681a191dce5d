/**
 * What a purchase and an order cost in the ledger of many processes: `bun bench/redis-ledger.ts`. One process, a Redis and a Postgres of its own; CPU
 * time, because rates on a shared machine are noise.
 */
import type { OrderId, SessionId, Sku, UserId } from "../src/core/ids.ts";
import { Postgres } from "../src/edge/postgres.ts";
import { RedisConnection } from "../src/edge/redis.ts";
import { timers } from "../src/edge/timers.ts";
import type { HoldCommand } from "../src/ledger/ledger.ts";
import { openRedisLedger } from "../src/ledger/redis/open-redis-ledger.ts";
import { MIGRATIONS } from "../src/migrations/all.ts";
import { migrate } from "../src/migrations/migrate.ts";
import { startPostgres } from "../test/servers/postgres.ts";
import { startRedis } from "../test/servers/redis.ts";

const PURCHASES = 20_000;
const ORDERS = 300;
const LAMP = "lamp" as Sku;

const server = await startRedis();
const postgresServer = await startPostgres();
const redis = new RedisConnection(server.url);
const postgres = new Postgres(postgresServer.url);
await redis.open();
await migrate(postgres, MIGRATIONS, { now: () => 0, monotonicUs: () => 0 }, () => {});
const { ledger, relay, sweep } = await openRedisLedger({ redis, postgres, tell: async () => {}, after: timers.after });

/** Microseconds that Redis has worked, and how many scripts it has been asked to run. */
async function redisFigures(): Promise<{ readonly us: number; readonly calls: number }> {
  const [cpu, stats] = [await redis.client.info("cpu"), await redis.client.info("commandstats")];
  const seconds = ["used_cpu_user", "used_cpu_sys"].map((name) => Number(new RegExp(`${name}:([\\d.]+)`).exec(cpu)?.[1]));
  const calls = [...stats.matchAll(/cmdstat_(?:eval|evalsha):calls=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  return { us: seconds.reduce((a, b) => a + b, 0) * 1e6, calls };
}

const holdOf = (n: number, isKeyed: boolean): HoldCommand => {
  const userId = `buyer ${n}` as UserId;
  const key = isKeyed ? { text: `key ${n}`, fingerprint: `${n}` } : null;
  const common = { verb: "hold", sku: LAMP, quantity: 1, limit: 2, opensAt: 0, closesAt: 0, frozenForMs: 1_800_000 } as const;
  return { ...common, userId, sessionId: `session ${n}` as SessionId, key };
};

async function measure(what: string, count: number, work: () => Promise<void>): Promise<void> {
  const [before, cpuBefore, startedAt] = [await redisFigures(), process.cpuUsage(), performance.now()];
  await work();
  const tookMs = performance.now() - startedAt;
  const [after, cpu] = [await redisFigures(), process.cpuUsage(cpuBefore)];
  const per = (us: number): string => (us / count).toFixed(1).padStart(7);
  const calls = (((after.calls - before.calls) / count) * 1_000).toFixed(1).padStart(8);
  const line = `${per(after.us - before.us)} us in Redis ${per(cpu.user + cpu.system)} us here ${calls} calls per 1,000`;
  console.log(`${what.padEnd(44)} ${line} ${((count / tookMs) * 1_000).toFixed(0).padStart(7)} per second`);
}

let buyers = 0;
for (const [at, isKeyed, isSoldOut] of [
  [1, false, false],
  [64, false, false],
  [256, false, false],
  [1_000, false, false],
  [256, true, false],
  [256, false, true],
] as const) {
  await ledger.stock([{ verb: "stock", mode: "put", sku: LAMP, onHand: isSoldOut ? buyers : 1_000_000, priceCents: 1 }], Date.now());
  const purchases = at === 1 ? PURCHASES / 10 : PURCHASES;
  await measure(`${isSoldOut ? "refused purchases" : "purchases"}, ${at} at a time${isKeyed ? ", with keys" : ""}`, purchases, async () => {
    for (let done = 0; done < purchases; done += at) {
      const now = Date.now();
      await Promise.all(Array.from({ length: at }, (_, n) => ledger.hold([holdOf(buyers + done + n, isKeyed)], now)));
    }
  });
  if (!isSoldOut) buyers += purchases;
}
while (await relay());
const orderIds = Array.from({ length: ORDERS }, (_, n) => `order ${n}` as OrderId);
await measure("orders placed, 32 at a time", ORDERS, () =>
  inGroups(orderIds, 32, async (orderId, n) => {
    const [reply] = await ledger.place(
      [{ verb: "place", orderId, userId: `buyer ${n}` as UserId, userLevel: 1, items: [{ sku: LAMP, priceCents: 1 }], windowMs: 600_000 }],
      Date.now(),
    );
    if (reply?.kind !== "order") throw new Error(JSON.stringify(reply));
  }),
);
await measure("orders paid, 32 at a time", ORDERS, () =>
  inGroups(orderIds, 32, async (orderId, n) => {
    const payment = { provider: "bench", paymentId: `${n}`, amountCents: 1, currency: "eur" };
    const [reply] = await ledger.pay([{ verb: "pay", orderId, payment, isAmountRight: true, limits: new Map() }], Date.now());
    if (reply?.kind !== "order" || reply.order.state !== "paid") throw new Error(JSON.stringify(reply));
  }),
);
await measure("holds swept that are over", buyers - ORDERS, async () => {
  while (await sweep(Date.now() + 3_600_000));
});
redis.close();
await postgres.close();
await Promise.all([server.stop(), postgresServer.stop()]);

async function inGroups<T>(all: readonly T[], size: number, work: (one: T, n: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += size) await Promise.all(all.slice(from, from + size).map((one, n) => work(one, from + n)));
}
