/** Two of every service with flaky wires between the carts and their stores, a crowd that buys, and customers who pay. */
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Crowd } from "./crowd.ts";
import { Customers } from "./customers.ts";
import { PAYMENT_SECRET } from "./drop.ts";
import { expectRecovered, Pairs, RECOVERED_MS_MAX } from "./pairs.ts";
import { FlakyProxy } from "./servers/flaky-proxy.ts";
import { hasPostgres, NEEDS_POSTGRES } from "./servers/postgres.ts";
import { hasRedis, NEEDS_REDIS } from "./servers/redis.ts";
import { freshStores, type Stores } from "./services.ts";
import { waitFor } from "./wait.ts";

setDefaultTimeout(120_000);
const canRun = hasRedis && hasPostgres;
const NEEDS = [hasRedis ? "" : NEEDS_REDIS, hasPostgres ? "" : NEEDS_POSTGRES].join(" ").trim();
const PAYMENT_ARGS = ["--generic-pay-url", "https://pay.example/{orderID}", "--generic-secrets", PAYMENT_SECRET];
const DELAY_MS = 50;
/** Longer than a cart waits for an answer of either store. */
const HOLE_MS = 6_000;

let stores: Stores;
let pairs: Pairs;
let wires: Readonly<Record<"Redis" | "Postgres", FlakyProxy>>;
let rounds = 0;

async function comeAll(): Promise<{ readonly crowd: Crowd; readonly customers: Customers }> {
  rounds += 1;
  const [crowd, customers] = await Promise.all([
    Crowd.come(pairs, `SKU${rounds}`, 1_000_000, `buyer-${rounds}`),
    Customers.come(pairs, `PAID${rounds}`),
  ]);
  await Promise.all([crowd.more(50), customers.more(5)]);
  return { crowd, customers };
}
/** The wires are well again. */
async function expectAllTrue({ crowd, customers }: Awaited<ReturnType<typeof comeAll>>): Promise<void> {
  const [told, paid] = [crowd.told.size, customers.paid.size];
  const goesOn = (): boolean => crowd.told.size > told && customers.paid.size > paid;
  await waitFor(goesOn, "somebody is told, and somebody pays", RECOVERED_MS_MAX);
  await customers.leave();
  expect(customers.refusals).toEqual([]);
  await expectRecovered(pairs, crowd);
  await customers.expectTrue();
  await pairs.expectAudited();
}
const eachStore = ["Redis", "Postgres"] as const;

describe.skipIf(!canRun)(`two of every service whose carts have a flaky wire ${NEEDS}`, () => {
  beforeAll(async () => {
    stores = await freshStores();
    const [Redis, Postgres] = await Promise.all([FlakyProxy.open(stores.redisUrl), FlakyProxy.open(stores.postgresUrl)]);
    wires = { Redis, Postgres };
    const cartStores = { redis: Redis.inPlaceOf(stores.redisUrl), postgres: Postgres.inPlaceOf(stores.postgresUrl) };
    pairs = await Pairs.start({ redis: stores.redisUrl, postgres: stores.postgresUrl, cartStores, args: PAYMENT_ARGS });
  }, 120_000);
  afterEach(() => {
    for (const store of eachStore) Object.assign(wires[store], { fault: "well", delayMs: 0 });
  });
  afterAll(async () => {
    await pairs?.kill();
    for (const store of eachStore) wires?.[store].stop();
    await stores?.redis.stop();
  });

  test("to both stores: a slow one makes everything slow, and nothing else", async () => {
    const all = await comeAll();
    for (const store of eachStore) wires[store].delayMs = DELAY_MS;
    await Promise.all([all.crowd.more(100), all.customers.more(5)]);
    await expectAllTrue(all);
  });

  test.each(eachStore)("to %s: one that is cut again and again loses nothing and does nothing twice", async (store) => {
    const all = await comeAll();
    for (let round = 0; round < 15; round += 1) {
      await all.crowd.more(20);
      wires[store].cut();
    }
    await expectAllTrue(all);
  });

  test.each(eachStore)("to %s: one that loses answers loses nothing else, and nothing is done twice", async (store) => {
    const all = await comeAll();
    for (let round = 0; round < 8; round += 1) {
      const { taken } = wires[store];
      wires[store].fault = "no answers";
      await waitFor(() => wires[store].taken > taken, "an answer was lost, and a new connection came about");
      wires[store].fault = "well";
      await Promise.all([all.crowd.more(20), all.customers.more(1)]);
    }
    await expectAllTrue(all);
  });

  test.each(eachStore)("to %s: one that lets nothing through for a while, and tells nobody, is given up for a new one", async (store) => {
    const all = await comeAll();
    wires[store].fault = "hole";
    const beganMs = performance.now();
    await waitFor(() => performance.now() - beganMs > HOLE_MS, "nothing has passed for a while");
    wires[store].fault = "well";
    await expectAllTrue(all);
  });
});
