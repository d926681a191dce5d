/** A Redis cluster of three primaries and three replicas under a crowd: one primary is killed, and a replica takes over. */
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Crowd } from "./crowd.ts";
import { Customers } from "./customers.ts";
import { PAYMENT_SECRET } from "./drop.ts";
import { Pairs, RECOVERED_MS_MAX } from "./pairs.ts";
import { hasPostgres, NEEDS_POSTGRES } from "./servers/postgres.ts";
import { hasRedis, NEEDS_REDIS, type RedisCluster, startRedisCluster } from "./servers/redis.ts";
import { migrated, sharedPostgres } from "./services.ts";
import { getJson } from "./system.ts";
import { waitFor } from "./wait.ts";

setDefaultTimeout(120_000);
const canRun = hasRedis && hasPostgres;
const NEEDS = [hasRedis ? "" : NEEDS_REDIS, hasPostgres ? "" : NEEDS_POSTGRES].join(" ").trim();
const PAYMENT_ARGS = ["--generic-pay-url", "https://pay.example/{orderID}", "--generic-secrets", PAYMENT_SECRET];
/** So many SKUs that each primary has some. */
const NAMES = ["A", "B", "C", "D"] as const;
/** What a primary has acknowledged so long ago its replica has. */
const REPLICATED_MS = 1_000;
const LOOKS_AT_ONCE = 16;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
});

const isPrimary = (port: number): boolean =>
  Bun.spawnSync(["redis-cli", "-p", String(port), "info", "replication"])
    .stdout.toString()
    .includes("role:master");

async function start(args: readonly string[]): Promise<{ readonly cluster: RedisCluster; readonly pairs: Pairs }> {
  const cluster = await startRedisCluster();
  cleanups.push(() => cluster.stop());
  const postgres = await (await sharedPostgres()).freshDatabase();
  await migrated(postgres);
  const pairs = await Pairs.start({ redis: cluster.urls, postgres, args });
  cleanups.push(() => pairs.kill());
  return { cluster, pairs };
}

/** A primary dies, its replica takes over, and it comes back as a replica. */
async function failOver({ nodes }: RedisCluster): Promise<void> {
  const [first] = nodes;
  await first?.kill();
  const hasTakenOver = (): boolean => nodes.slice(3).some(({ port }) => isPrimary(port));
  await waitFor(hasTakenOver, "a replica has taken over");
  // Strict mode sells nothing of a shard that has no replica.
  await first?.restart();
}

/** Of these buyers, who has nothing in the cart. */
async function withoutHold(pairs: Pairs, buyers: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (let from = 0; from < buyers.length; from += LOOKS_AT_ONCE) {
    const look = async (buyer: string): Promise<void> => {
      const { body } = await getJson(`${pairs.cart}/all/userid/${buyer}`);
      if (!Bun.deepMatch([{ goodsQuantity: 1 }], (body ?? []) as object)) missing.push(buyer);
    };
    await Promise.all(buyers.slice(from, from + LOOKS_AT_ONCE).map(look));
  }
  return missing;
}

describe.skipIf(!canRun)(`when a primary dies ${NEEDS}`, () => {
  test("in strict mode every hold that was acknowledged survives", async () => {
    const { cluster, pairs } = await start(["--redis-replicas", "1"]);
    const crowds = await Promise.all(NAMES.map((name) => Crowd.come(pairs, `SKU-${name}`, 1_000_000, `buyer-${name}`)));
    await Promise.all(crowds.map((crowd) => crowd.more(100)));
    await failOver(cluster);
    await Promise.all(crowds.map((crowd) => crowd.calm(100)));
    for (const crowd of crowds) await crowd.leave();
    for (const crowd of crowds) await crowd.expectTrue();
    await pairs.expectAudited();
  });

  test("without strict mode no order and no payment is lost and nothing is oversold; of the holds, only some of the last second", async () => {
    const { cluster, pairs } = await start(PAYMENT_ARGS);
    const [crowds, customers] = await Promise.all([
      Promise.all(NAMES.map((name) => Crowd.come(pairs, `SKU-${name}`, 1_000_000, `buyer-${name}`))),
      Promise.all(NAMES.map((name) => Customers.come(pairs, `PAID-${name}`))),
    ]);
    await Promise.all([...crowds.map((crowd) => crowd.more(100)), ...customers.map((some) => some.more(10))]);
    const early = crowds.map(({ held }) => held);
    const lookedMs = performance.now();
    await waitFor(() => performance.now() - lookedMs > REPLICATED_MS, "replicas have what was acknowledged until then");
    const late = crowds.map(({ held }) => held.length);
    await failOver(cluster);
    const backMs = performance.now();
    await Promise.all(crowds.map((crowd) => crowd.calm(100)));
    const lastMs = Math.max(...crowds.map(({ lastFailureMs }) => lastFailureMs));
    expect(lastMs - backMs).toBeLessThan(RECOVERED_MS_MAX);
    // Who had paid for an order has it; who waits for the goods of a forgotten part gets them back first.
    await Promise.all(customers.map((some) => some.more(10)));
    for (const crowd of crowds) await crowd.leave();
    for (const some of customers) await some.leave();
    for (const some of customers) await some.expectPaid();
    let missing = 0;
    for (const [n, crowd] of crowds.entries()) {
      const { frozenQuantity } = (await getJson(`${pairs.inventory}/sku/SKU-${NAMES[n]}`)).body as { readonly frozenQuantity: number };
      missing += crowd.held.length - frozenQuantity;
      expect(frozenQuantity).toBeLessThanOrEqual(crowd.held.length);
      expect(await withoutHold(pairs, early[n] as readonly string[])).toEqual([]);
    }
    const acknowledged = late.reduce((sum, count) => sum + count, 0);
    console.info(`of ${acknowledged} holds that were acknowledged until the primary died, ${missing} are missing`);
    const inLastSecond = crowds.reduce((sum, { held }, n) => sum + held.length - (early[n] as readonly string[]).length, 0);
    expect(missing).toBeLessThanOrEqual(inLastSecond);
    await pairs.expectAudited();
  });
});
