/**
 * Two of every service, and a crowd that buys all the time: whichever process dies, hangs or is replaced, the others go on, it is taken back by
 * itself, and what the crowd was told is what there is.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Crowd } from "./crowd.ts";
import { Customers } from "./customers.ts";
import { PAYMENT_SECRET } from "./drop.ts";
import { expectRecovered, Pairs, RECOVERED_MS_MAX } from "./pairs.ts";
import { hasPostgres, NEEDS_POSTGRES } from "./servers/postgres.ts";
import { hasRedis, NEEDS_REDIS } from "./servers/redis.ts";
import { freshStores, ROLES, type Stores } from "./services.ts";
import { waitFor } from "./wait.ts";

setDefaultTimeout(120_000);
const canRun = hasRedis && hasPostgres;
const NEEDS = [hasRedis ? "" : NEEDS_REDIS, hasPostgres ? "" : NEEDS_POSTGRES].join(" ").trim();
/** By then a process that has died is asked by nobody. */
const NOTICED_MS_MAX = 3_000;
/** So many processes die, one after the other, while orders are on their way. */
const KILLS = 4;
const PAYMENT_ARGS = ["--generic-pay-url", "https://pay.example/{orderID}", "--generic-secrets", PAYMENT_SECRET];
/** Purchases that go well without one between them that does not. */
const IN_A_ROW = 500;

let stores: Stores;
let pairs: Pairs;
let crowds = 0;
/** How often the client library asks by itself, unless it is told otherwise. */
const CLIENT_ATTEMPTS_MAX = 5;

const comeToBoth = (): Promise<Crowd> => {
  crowds += 1;
  return Crowd.come(pairs, `SKU${crowds}`, 1_000_000, `buyer-${crowds}`);
};

describe.skipIf(!canRun)(`two of every service ${NEEDS}`, () => {
  beforeAll(async () => {
    stores = await freshStores();
    pairs = await Pairs.start({ redis: stores.redisUrl, postgres: stores.postgresUrl, args: PAYMENT_ARGS });
  }, 120_000);
  afterAll(async () => {
    await pairs?.kill();
    await stores?.redis.stop();
  });

  test.each(ROLES)("when a %s is killed nothing fails any more soon after, and everything is as before when it is back", async (role) => {
    const crowd = await comeToBoth();
    for (const which of [0, 1] as const) {
      await crowd.calm(IN_A_ROW);
      const killedMs = performance.now();
      await pairs.of(role, which).kill();
      await crowd.calm(IN_A_ROW);
      expect(crowd.lastFailureMs - killedMs).toBeLessThan(NOTICED_MS_MAX);
      await pairs.begin(role, which);
      await waitFor(() => pairs.seesAll(which), "it is asked again", RECOVERED_MS_MAX);
    }
    await expectRecovered(pairs, crowd);
  });

  test.each(ROLES)("when a %s hangs nothing fails any more soon after, and it is welcome when it wakes", async (role) => {
    const crowd = await comeToBoth();
    await crowd.calm(100);
    const { pid } = pairs.of(role, 1);
    const stoppedMs = performance.now();
    process.kill(pid, "SIGSTOP");
    // A hanging gate is noticed by whoever stands in front of it, and a registry by those that ask it: at their next beat.
    if (!["gate-keeper", "service-registry"].includes(role)) await waitFor(() => pairs.knows(0, role, 1), "its lease is over");
    await crowd.calm(IN_A_ROW);
    if (role !== "gate-keeper") expect(crowd.lastFailureMs - stoppedMs).toBeLessThan(NOTICED_MS_MAX);
    process.kill(pid, "SIGCONT");
    await expectRecovered(pairs, crowd);
  });

  test.each(["shopping-cart", "gate-keeper"] as const)(
    "when a %s is killed while customers order and pay, nothing that was paid for is lost, and nothing is sold twice",
    async (role) => {
      crowds += 1;
      const customers = await Customers.come(pairs, `PAID${crowds}`);
      const crowd = await comeToBoth();
      for (let round = 0; round < KILLS; round += 1) {
        const which = (round % 2) as 0 | 1;
        await customers.more(5);
        await pairs.of(role, which).kill();
        await customers.more(5);
        await pairs.begin(role, which);
        await waitFor(() => pairs.seesAll(which), "it is asked again", RECOVERED_MS_MAX);
      }
      await customers.leave();
      expect(customers.refusals).toEqual([]);
      await expectRecovered(pairs, crowd);
      await customers.expectTrue();
      await pairs.expectAudited();
    },
  );

  test("every process is replaced, one after the other, and nobody is sent away for good", async () => {
    const crowd = await comeToBoth();
    for (const role of ROLES)
      for (const which of [0, 1] as const) {
        await crowd.more(100);
        const code = await pairs.of(role, which).stop();
        expect({ role, which, code }).toEqual({ role, which, code: 0 });
        await pairs.begin(role, which);
        await waitFor(async () => (await pairs.seesAll(0)) && (await pairs.seesAll(1)), "it is asked by everybody", RECOVERED_MS_MAX);
      }
    await expectRecovered(pairs, crowd);
    expect([...crowd.answers.keys()].filter((answer) => answer !== "200" && answer !== "503")).toEqual([]);
    expect(crowd.attemptsMax).toBeLessThanOrEqual(CLIENT_ATTEMPTS_MAX);
  });
});
