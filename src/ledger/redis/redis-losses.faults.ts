/** What is left when Redis loses its data, all of them or the last changes: what was paid for, what operators have set, and unpaid orders. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { dyingProcess } from "../../../test/dying-process.ts";
import { hasStores, type LedgerStores, NEEDS_STORES, SERVERS_MS_MAX, startLedgerStores } from "../../../test/ledger-stores.ts";
import type { RedisServer } from "../../../test/servers/redis.ts";
import { waitFor } from "../../../test/wait.ts";
import {
  figures,
  held,
  holdCommand,
  keyOf,
  type LAMP,
  PAY_UNTIL,
  payCommand,
  placed,
  refused,
  repeatedHold,
  Shop,
  START,
  sold,
  stateOf,
} from "../suite/shop.ts";
import type { OpenedRedisLedger } from "./open-redis-ledger.ts";

const NOTHING_HAPPENED = { name: "Failure", code: "store-unavailable", outcomeKnown: true };

let stores: LedgerStores;
let process: OpenedRedisLedger;
let shop: Shop;

/** Redis as it is now; calling what this gives makes it so again, as a replica that lacks what came since. */
async function redisAsItIs(): Promise<() => Promise<void>> {
  const { client } = stores.redis;
  const keys = await client.keys("*");
  const dumps = await Promise.all(keys.map(async (key) => [key, await client.dumpBuffer(key)] as const));
  return async () => {
    await client.flushall();
    for (const [key, dump] of dumps) await client.restore(key, 0, dump as Buffer);
  };
}
const whatDiffers = async (isRepairing: boolean): Promise<string[]> =>
  (await process.reconcile(shop.now, isRepairing)).map(({ of, sku, outcome }) => `${of} ${sku}: ${outcome}`).sort();

describe.skipIf(!hasStores)(`a Redis that loses data ${NEEDS_STORES}`, () => {
  beforeAll(async () => {
    stores = await startLedgerStores({ redisArgs: ["--appendfsync", "always"] });
  }, SERVERS_MS_MAX);
  afterAll(() => stores.stop(), SERVERS_MS_MAX);
  beforeEach(async () => {
    await stores.redis.client.flushall();
    await stores.fresh();
    process = await stores.process();
    shop = new Shop({ ledger: process.ledger, sweep: process.sweep, events: () => stores.told(process), close: async () => {} });
  });

  test("gets back from Postgres what it had, when it comes back empty; holds are lost", async () => {
    await shop.put(9);
    await shop.put(5, "sofa");
    await shop.put(3, "vase");
    await shop.removeGoods("vase");
    await shop.record("bob", 7, { userLevel: 3 });
    await shop.record("cem", 7);
    await shop.removeRecord("cem");
    await shop.hold("ann", 2);
    await shop.place("ann", "order 1");
    await shop.pay("order 1");
    await shop.put(8);
    await shop.hold("ann", 1);
    await shop.hold("ann", 1, { sku: "sofa" });
    await shop.place("ann", "order 2", { skus: ["lamp", "sofa"] });
    await shop.hold("dan", 4);
    await shop.order("order 2");
    const before = [
      await shop.goods(),
      await shop.goods("sofa"),
      await shop.line("ann"),
      await shop.line("bob"),
      await shop.ledger.listRecords(null, 9),
    ];
    while (await process.relay());

    await stores.redis.client.flushall();
    expect(await whatDiffers(false)).toEqual([
      "goods lamp: found",
      "goods sofa: found",
      "line lamp: found",
      "line lamp: found",
      "part lamp: found",
      "part sofa: found",
    ]);
    expect(await process.restore(shop.now)).toEqual({ things: 6, left: 0, isPostgresBehind: false });
    expect(await process.restore(shop.now)).toBeNull();
    expect(await whatDiffers(false)).toEqual([]);
    const after = [
      await shop.goods(),
      await shop.goods("sofa"),
      await shop.line("ann"),
      await shop.line("bob"),
      await shop.ledger.listRecords(null, 9),
    ];
    const [lamp, ...others] = before as [{ frozen: number }, ...unknown[]];
    expect(after).toEqual([{ ...lamp, frozen: 1 }, ...others] as typeof after);
    expect(await shop.ledger.goods(["vase" as typeof LAMP], shop.now)).toEqual([null]);
    expect((await shop.line("dan")).held).toBe(0);
    expect(stateOf(await shop.pay("order 2", { paymentId: "payment 2" }))).toBe("paid");
    expect(await shop.hold("eve", 8)).toEqual(refused("sold-out"));
    expect(await shop.hold("eve", 7)).toEqual(held(7));
  });

  test("and came back empty decides nothing before it has been looked at: nobody hears that its goods are unknown, and no key keeps it", async () => {
    await shop.put(5);
    while (await process.relay());
    const key = keyOf("k");
    const wish = () => shop.hold("eve", 1, { key });
    await stores.redis.client.flushall();
    await expect(wish()).rejects.toMatchObject(NOTHING_HAPPENED);
    await expect(shop.goods()).rejects.toMatchObject(NOTHING_HAPPENED);
    await expect(shop.line("eve")).rejects.toMatchObject(NOTHING_HAPPENED);
    await expect(shop.put(9)).rejects.toMatchObject(NOTHING_HAPPENED);
    await expect(shop.record("eve", 1)).rejects.toMatchObject(NOTHING_HAPPENED);
    expect(await shop.ledger.recall([key], shop.now)).toEqual([null]);
    await process.restore(shop.now);
    expect(await wish()).toEqual(held(1));
    expect(await shop.hold("eve", 1, { sku: "vase", key: keyOf("k2") })).toEqual(refused("unknown-goods"));
  });

  test("and was started again, or has another server's data, decides nothing before it has been looked at: it may have forgotten a sale", async () => {
    await shop.put(2);
    await shop.hold("ann", 2);
    await shop.place("ann", "order 1");
    const loseTheRest = await redisAsItIs();
    await shop.pay("order 1");
    await loseTheRest();
    // What was frozen for the order is free, and nothing is left to buy.
    shop.now = PAY_UNTIL;
    await (stores.redisServer as RedisServer).kill();
    await (stores.redisServer as RedisServer).restart();
    await waitFor(() => stores.redis.isReady, "the connection is there again");
    await expect(shop.hold("bob", 1)).rejects.toMatchObject(NOTHING_HAPPENED);
    await process.restore(shop.now);
    expect(await shop.hold("bob", 1)).toEqual(refused("sold-out"));
    expect(figures(await shop.goods())).toEqual({ onHand: 0, frozen: 0, sold: 2 });
  });

  test("and whose clock is behind the one before it tells what happens all the same", async () => {
    await shop.put(5);
    await shop.hold("ann", 1);
    expect((await shop.events()).map(({ type }) => type)).toEqual(["hold.created"]);
    // As if the ids so far had been given by a clock that is years ahead.
    await stores.postgres.transaction((tx) => tx`update ledger_streams set last_id = '9999999999999-7'`);
    await stores.redis.client.flushall();
    await process.restore(shop.now);
    await shop.hold("bob", 1);
    await shop.release("bob");
    expect((await shop.events()).map(({ type }) => type)).toEqual(["hold.created", "hold.created", "hold.released"]);
    // A server that is started again with its data gives ids behind the last one, too.
    await stores.postgres.transaction((tx) => tx`update ledger_streams set last_id = '9999999999999-8000'`);
    await (stores.redisServer as RedisServer).kill();
    await (stores.redisServer as RedisServer).restart();
    await waitFor(() => stores.redis.isReady, "the connection is there again");
    await process.restore(shop.now);
    await shop.hold("cem", 1);
    expect((await shop.events()).map(({ type }) => type)).toEqual(["hold.created", "hold.created", "hold.released", "hold.created"]);
  });

  test("sells an order once that it has forgotten to have sold, and gives back what it has frozen for it", async () => {
    await placed(shop);
    const loseTheRest = await redisAsItIs();
    await shop.pay("order 1");
    await loseTheRest();
    expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 2, sold: 0 });
    await whatDiffers(true);
    expect(await whatDiffers(true)).toEqual([]);
    expect(figures(await shop.goods())).toEqual(sold);
    expect(await shop.line("ann")).toMatchObject({ pending: 0, ordered: 2 });
    expect(stateOf(await shop.pay("order 1"))).toBe("paid");
    expect(figures(await shop.goods())).toEqual(sold);
  });

  test("freezes an order again that it has forgotten, and an order's end by its deadline is told all the same", async () => {
    await shop.put(5);
    await shop.hold("ann", 2);
    const loseTheRest = await redisAsItIs();
    await shop.place("ann", "order 1");
    await loseTheRest();
    // Nobody takes money for goods that are not frozen before it is known what became of them.
    await expect(shop.pay("order 1")).rejects.toMatchObject({ name: "Failure", outcomeKnown: true });
    expect(await whatDiffers(true)).toEqual(["part lamp: repaired"]);
    // The hold that Redis remembers is one too many, until its deadline.
    expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 4, sold: 0 });
    await loseTheRest();
    shop.now = PAY_UNTIL + 60_000;
    await process.recover(shop.now);
    expect((await shop.events()).map(({ type }) => type)).toContain("order.expired");
  });

  test("says what it cannot repair: more is frozen than is left", async () => {
    await placed(shop);
    const loseTheRest = await redisAsItIs();
    await shop.pay("order 1");
    await loseTheRest();
    shop.now = PAY_UNTIL;
    await shop.hold("bob", 5);
    expect(await whatDiffers(true)).toEqual(["goods lamp: short", "line lamp: repaired"]);
    await shop.release("bob");
    expect(await whatDiffers(true)).toEqual(["goods lamp: repaired"]);
    expect(figures(await shop.goods())).toEqual(sold);
  });

  test("is not mended where something is only under way", async () => {
    await placed(shop);
    for (let messages = 0; (await process.underWay()) === 0; messages += 1) {
      const dying = dyingProcess(stores);
      const { ledger } = await stores.process(dying);
      dying.dieAfter(messages, true);
      await ledger.pay([payCommand("order 1")], shop.now).catch(() => null);
    }
    expect((await shop.order("order 1"))?.state).toBe("payment-pending");
    expect((await shop.goods()).sold).toBe(2);
    expect(new Set((await whatDiffers(true)).map((one) => one.split(": ")[1]))).toEqual(new Set(["busy"]));
    expect((await shop.goods()).sold).toBe(2);
  });

  test("and is killed, but writes everything to disk at once, has every hold and every reply that was acknowledged", async () => {
    const server = stores.redisServer as RedisServer;
    await shop.put(500);
    const replies = await process.ledger.hold(
      Array.from({ length: 300 }, (_, n) => holdCommand(`buyer ${n}`, 1, { key: keyOf(`k${n}`) })),
      START,
    );
    expect(replies.every(({ kind }) => kind === "held")).toBe(true);
    await shop.hold("ann", 2, { key: keyOf("k") });
    await server.kill();
    await expect(shop.hold("bob", 1)).rejects.toMatchObject({ name: "Failure", code: "store-unavailable" });
    await server.restart();
    await waitFor(() => stores.redis.isReady, "the connection is there again");
    expect(await process.restore(shop.now)).toEqual({ things: 0, left: 0, isPostgresBehind: false });
    expect(figures(await shop.goods())).toEqual({ onHand: 500, frozen: 302, sold: 0 });
    expect(await shop.hold("ann", 2, { key: keyOf("k") })).toEqual(repeatedHold(2));
  });
});
