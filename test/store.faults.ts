/**
 * The stores of the whole system go away under load and come back: what was acknowledged and written to disk is there, what cannot be done is said at
 * once, and nobody has to start anything again.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Crowd } from "./crowd.ts";
import { Customers } from "./customers.ts";
import { PAYMENT_SECRET } from "./drop.ts";
import { expectRecovered, Pairs, RECOVERED_MS_MAX } from "./pairs.ts";
import { startProcess } from "./process.ts";
import { freePort } from "./servers/free-port.ts";
import { hasPostgres, NEEDS_POSTGRES, type PostgresServer, startPostgres } from "./servers/postgres.ts";
import { hasRedis, NEEDS_REDIS, type RedisServer, startRedis } from "./servers/redis.ts";
import { migrated } from "./services.ts";
import { freePortOffset, freshDataDir, getJson } from "./system.ts";
import { waitFor } from "./wait.ts";

setDefaultTimeout(120_000);
const canRun = hasRedis && hasPostgres;
const NEEDS = [hasRedis ? "" : NEEDS_REDIS, hasPostgres ? "" : NEEDS_POSTGRES].join(" ").trim();
const PAYMENT_ARGS = ["--generic-pay-url", "https://pay.example/{orderID}", "--generic-secrets", PAYMENT_SECRET];
/** For so long the database is away; and both stores. */
const AWAY_MS = 10_000;
const LONG_AWAY_MS = 60_000;
/** For so long a store stands still: longer than whoever asks it waits for an answer. */
const STILL_MS = 7_000;

let redis: RedisServer;
let postgres: PostgresServer;
/** Started when they are wanted. */
let pairs: Pairs;
let rounds = 0;
/** A crowd that buys, and customers who pay. */
async function comeAll(): Promise<{ crowd: Crowd; customers: Customers }> {
  pairs ??= await Pairs.start({ redis: redis.url, postgres: postgres.url, args: PAYMENT_ARGS });
  rounds += 1;
  const [crowd, customers] = await Promise.all([
    Crowd.come(pairs, `SKU${rounds}`, 1_000_000, `buyer-${rounds}`),
    Customers.come(pairs, `PAID${rounds}`),
  ]);
  await Promise.all([crowd.more(200), customers.more(10)]);
  return { crowd, customers };
}
async function expectAllTrue(crowd: Crowd, customers: Customers): Promise<void> {
  await customers.more(10);
  await customers.leave();
  expect(customers.refusals).toEqual([]);
  await expectRecovered(pairs, crowd);
  await customers.expectTrue();
  await pairs.expectAudited();
}
/** Within its time somebody is told that they have the goods, without anybody having started anything. */
async function expectSoldAgain(crowd: Crowd): Promise<void> {
  const before = crowd.told.size;
  await waitFor(() => crowd.told.size > before, "somebody is told again", RECOVERED_MS_MAX);
}

describe.skipIf(!canRun)(`two of every service ${NEEDS}`, () => {
  beforeAll(async () => {
    [redis, postgres] = await Promise.all([startRedis(["--appendfsync", "always"]), startPostgres()]);
    await migrated(postgres.url);
  }, 120_000);
  afterAll(async () => {
    await pairs?.kill();
    await redis?.stop();
    await postgres?.stop();
  });

  test("a process waits at its start for stores that are not there yet, and says so once", async () => {
    await Promise.all([redis.kill(), postgres.kill()]);
    let said = (): string => "";
    const args = ["--redis", redis.url, "--postgres", postgres.url, "--port-offset", String(freePortOffset())];
    const starting = startProcess(["shopping-cart", "--data", freshDataDir(), ...args], {}, (stderr) => {
      said = stderr;
    });
    await waitFor(() => said() !== "", "it says what it waits for");
    await redis.restart();
    await postgres.restart();
    const cart = await starting;
    expect(cart.stderr()).toMatch(/^doorbuster: waiting up to 30 s for a store that cannot be used yet \(.*\)\n$/);
    expect(await cart.stop()).toBe(0);
  });

  test("a process whose stores do not come ends with a line that says so", async () => {
    const nobody = ["--redis", `redis://127.0.0.1:${freePort()}`, "--postgres", postgres.url, "--port-offset", String(freePortOffset())];
    const args = ["policy-controller", "--data", freshDataDir(), "--wait-for-stores", "100ms", ...nobody];
    await expect(startProcess(args)).rejects.toThrow(
      /exit code 1\).*Redis cannot be used: nobody listens at 127\.0\.0\.1:\d+: start Redis there, or say with --redis/s,
    );
  });

  test("a Redis that would throw holds away when it is full is refused, with a line that says what to set", async () => {
    const forgetful = await startRedis(["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    const args = ["safe-protector", "--data", freshDataDir(), "--redis", forgetful.url, "--port-offset", String(freePortOffset())];
    await expect(startProcess(args)).rejects.toThrow(/exit code 1\).*set maxmemory-policy noeviction/s);
    await forgetful.stop();
  });

  test("a Redis that is killed loses nothing of what it has acknowledged, and is used again when it is back", async () => {
    const { crowd, customers } = await comeAll();
    for (let round = 0; round < 2; round += 1) {
      const refused = crowd.answers.get("503") ?? 0;
      await redis.kill();
      await waitFor(() => (crowd.answers.get("503") ?? 0) > refused + 100, "everybody hears that nothing can be bought");
      await redis.restart();
      await crowd.calm(200);
    }
    // An order that was cut off between its hold and its commit is undone after a while, and then placed by the same key.
    await expectAllTrue(crowd, customers);
  });

  test("while the database is away goods are held and nothing is ordered, and no order or payment is lost when it is back", async () => {
    const { crowd, customers } = await comeAll();
    const stoppedMs = performance.now();
    await postgres.kill();
    await crowd.calm(500);
    await waitFor(() => customers.count("order 503") > 0, "an order is refused");
    await waitFor(() => performance.now() - stoppedMs > AWAY_MS, "the database has been away for long");
    await crowd.calm(500);
    await postgres.restart();
    await expectAllTrue(crowd, customers);
  });

  test("a Redis that stands still for seconds and then does what it was asked meanwhile does nothing twice", async () => {
    const { crowd, customers } = await comeAll();
    for (let round = 0; round < 2; round += 1) {
      const stoppedMs = performance.now();
      redis.pause();
      try {
        await waitFor(() => performance.now() - stoppedMs > STILL_MS, "it has stood still for long", 2 * STILL_MS);
      } finally {
        redis.resume();
      }
      await expectSoldAgain(crowd);
      await crowd.calm(100);
    }
    expect(crowd.answers.get("503") ?? 0).toBeGreaterThan(0);
    await expectAllTrue(crowd, customers);
  });

  test("a Postgres that stands still for seconds holds up no hold, and no order is lost or made twice", async () => {
    const { crowd, customers } = await comeAll();
    for (let round = 0; round < 2; round += 1) {
      const stoppedMs = performance.now();
      postgres.pause();
      try {
        await crowd.calm(200);
        await waitFor(() => performance.now() - stoppedMs > STILL_MS, "it has stood still for long", 2 * STILL_MS);
      } finally {
        postgres.resume();
      }
      await customers.more(10);
    }
    await expectAllTrue(crowd, customers);
  });

  test("both stores away for a minute: everybody hears so all the time, and all goes on when they are back", async () => {
    const { crowd, customers } = await comeAll();
    await Promise.all([redis.kill(), postgres.kill()]);
    const goneMs = performance.now();
    await waitFor(() => (crowd.answers.get("503") ?? 0) > 100, "everybody hears that nothing can be bought");
    const told = crowd.told.size;
    while (performance.now() - goneMs < LONG_AWAY_MS) {
      const refused = crowd.answers.get("503") ?? 0;
      await waitFor(() => (crowd.answers.get("503") ?? 0) > refused + 20, "everybody hears that nothing can be bought", 5_000);
    }
    expect(crowd.told.size).toBe(told);
    await Promise.all([redis.restart(), postgres.restart()]);
    await expectSoldAgain(crowd);
    await expectAllTrue(crowd, customers);
  });

  test("a Redis that comes back empty gets goods and what was paid for back; what was only held is gone", async () => {
    const { crowd, customers } = await comeAll();
    const url = `${pairs.inventory}/sku/SKU${rounds}`;
    await Promise.all([crowd.leave(), customers.leave()]);
    await redis.kill();
    await redis.restart({ isEmpty: true });
    const isBack = async (): Promise<boolean> =>
      Bun.deepMatch({ goodsQuantity: 1_000_000, frozenQuantity: 0 }, (await getJson(url)).body ?? {});
    await waitFor(isBack, "the goods are back", RECOVERED_MS_MAX);
    await customers.expectTrue();
    const second = await comeAll();
    await expectAllTrue(second.crowd, second.customers);
  });
});
