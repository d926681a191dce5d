/**
 * Processes that die, and processes that do the same things at the same time. Whenever one dies, what it has left half way is brought to an end by
 * others, nothing is sold twice, and nothing stays frozen that is nobody's.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { dyingProcess } from "../../../test/dying-process.ts";
import { hasStores, type LedgerStores, NEEDS_STORES, SERVERS_MS_MAX, startLedgerStores } from "../../../test/ledger-stores.ts";
import { Failure } from "../../core/failure.ts";
import { ORDER_UNDER_WAY_MS_MAX } from "../../limits/ledger.ts";
import { checkAlwaysTrue } from "../suite/always-true.ts";
import { history } from "../suite/histories.ts";
import { type Snapshot, send, snapshotOf } from "../suite/model-check.ts";
import {
  FROZEN_FOR,
  figures,
  keyOf,
  MINUTE,
  type OpenedLedger,
  PAY_UNTIL,
  placeCommand,
  placedTwo,
  Shop,
  START,
  stateOf,
} from "../suite/shop.ts";
import { checkStory } from "../suite/stories.ts";
import type { OpenedRedisLedger } from "./open-redis-ledger.ts";

let stores: LedgerStores;

/** More messages than any command sends. */
const MESSAGES_MAX = 40;

const openedOf = (process: OpenedRedisLedger): OpenedLedger => ({
  ledger: process.ledger,
  sweep: (now) => process.sweep(now),
  events: () => stores.told(process),
  close: async () => {},
});

interface Doomed {
  readonly sentence: string;
  readonly prepare: (shop: Shop) => Promise<void>;
  /** What the process dies of, and what is asked again afterwards. */
  readonly act: (shop: Shop) => Promise<unknown>;
  /** After the command has been asked again, by a process that lives. */
  readonly expected: (shop: Shop, told: unknown) => Promise<void>;
  /** By the time that whoever looks after orders has been there. Nobody has asked again. */
  readonly meanwhile?: (shop: Shop) => Promise<void>;
}

const both = async (shop: Shop): Promise<readonly object[]> => [figures(await shop.goods()), figures(await shop.goods("sofa"))];
const FREE = [
  { onHand: 5, frozen: 0, sold: 0 },
  { onHand: 5, frozen: 0, sold: 0 },
];
const FROZEN = [
  { onHand: 5, frozen: 2, sold: 0 },
  { onHand: 5, frozen: 1, sold: 0 },
];
const SOLD = [
  { onHand: 3, frozen: 0, sold: 2 },
  { onHand: 4, frozen: 0, sold: 1 },
];
const doomed: readonly Doomed[] = [
  {
    sentence: "a hold with a key",
    prepare: async (shop) => void (await shop.put(5)),
    act: (shop) => shop.hold("ann", 2, { key: keyOf("k") }),
    expected: async (shop, told) => {
      const kept = { kind: "repeated", reply: { reason: null, quantity: 2 } };
      const { kind } = told as { readonly kind: string };
      expect(told).toMatchObject(kind === "held" ? { kind, quantity: 2 } : kept);
      expect((await shop.goods()).frozen).toBe(2);
    },
  },
  {
    sentence: "an order of two SKUs",
    prepare: async (shop) => {
      await shop.put(5);
      await shop.put(5, "sofa");
      await shop.hold("ann", 2);
      await shop.hold("ann", 1, { sku: "sofa" });
    },
    act: (shop) => shop.place("ann", "order 1", { skus: ["lamp", "sofa"] }),
    meanwhile: async (shop) => {
      expect(await both(shop)).toEqual(FROZEN);
      const lines = [await shop.line("ann"), await shop.line("ann", "sofa")];
      const isPlaced = (await shop.order("order 1")) !== null;
      expect(lines.map(({ held, pending }) => [held, pending])).toEqual(
        isPlaced
          ? [
              [0, 2],
              [0, 1],
            ]
          : [
              [2, 0],
              [1, 0],
            ],
      );
    },
    expected: async (shop, told) => {
      expect(told).toMatchObject({ kind: "order", order: { state: "payment-pending" } });
      expect(await both(shop)).toEqual(FROZEN);
      expect((await shop.line("ann")).pending).toBe(2);
      expect(stateOf(await shop.pay("order 1"))).toBe("paid");
    },
  },
  {
    sentence: "a payment of two SKUs",
    prepare: (shop) => placedTwo(shop),
    act: (shop) => shop.pay("order 1"),
    meanwhile: async (shop) => {
      const isPaid = (await shop.order("order 1"))?.state === "paid";
      expect(await both(shop)).toEqual(isPaid ? SOLD : FROZEN);
    },
    expected: async (shop, told) => {
      expect(told).toMatchObject({ kind: "order", order: { state: "paid" } });
      expect(await both(shop)).toEqual(SOLD);
      expect([(await shop.line("ann")).ordered, (await shop.line("ann", "sofa")).ordered]).toEqual([2, 1]);
    },
  },
  {
    sentence: "a payment that comes too late",
    prepare: async (shop) => {
      await placedTwo(shop);
      shop.now = PAY_UNTIL + MINUTE;
      await shop.hold("bob", 3);
    },
    act: (shop) => shop.pay("order 1"),
    meanwhile: async (shop) => {
      const isPaid = (await shop.order("order 1"))?.state === "paid";
      expect((await shop.goods()).sold).toBe(isPaid ? 2 : 0);
      expect((await shop.goods("sofa")).sold).toBe(isPaid ? 1 : 0);
    },
    expected: async (shop, told) => {
      expect(told).toMatchObject({ kind: "order", order: { state: "paid" } });
      expect(await both(shop)).toEqual([{ onHand: 3, frozen: 3, sold: 2 }, SOLD[1] as object]);
    },
  },
  {
    sentence: "a cancellation",
    prepare: (shop) => placedTwo(shop),
    act: (shop) => shop.cancel("order 1"),
    meanwhile: async (shop) => {
      const isCancelled = (await shop.order("order 1"))?.state === "cancelled";
      expect(await both(shop)).toEqual(isCancelled ? FREE : FROZEN);
    },
    expected: async (shop, told) => {
      expect(told).toMatchObject({ kind: "order", order: { state: "cancelled" } });
      expect(await both(shop)).toEqual(FREE);
    },
  },
  {
    sentence: "a payment that failed",
    prepare: (shop) => placedTwo(shop),
    act: (shop) => shop.cancel("order 1", "held"),
    meanwhile: async (shop) => {
      expect(await both(shop)).toEqual(FROZEN);
    },
    expected: async (shop, told) => {
      expect(told).toMatchObject({ kind: "order", order: { state: "cancelled" } });
      expect(await both(shop)).toEqual(FROZEN);
      expect((await shop.line("ann")).held).toBe(2);
    },
  },
  {
    sentence: "a wrong amount",
    prepare: (shop) => placedTwo(shop),
    act: (shop) => shop.pay("order 1", { isAmountRight: false }),
    expected: async (shop, told) => {
      expect(told).toMatchObject({ kind: "order", order: { state: "refund-due" } });
      expect(await both(shop)).toEqual(FREE);
    },
  },
  {
    sentence: "the sweeping of orders and holds that are over",
    prepare: async (shop) => {
      await placedTwo(shop);
      await shop.hold("bob", 1);
      shop.now = START + FROZEN_FOR;
    },
    act: (shop) => shop.sweep(),
    expected: async (shop) => {
      await shop.sweep();
      expect(await both(shop)).toEqual(FREE);
      expect((await shop.order("order 1"))?.state).toBe("expired");
      const types = (await shop.events()).map(({ type }) => type);
      expect(types.filter((type) => type.endsWith(".expired")).sort()).toEqual(["hold.expired", "order.expired"]);
    },
  },
];

/** A process that is dead answers nobody; whatever else goes wrong is wrong. */
function ofTheDead(error: unknown): void {
  if (!(error instanceof Failure) || error.message !== "the process is dead") throw error;
}

/** Lets a process die after `messages` messages; afterwards another one brings order into what is left. False: it did not come to that. */
async function dieAfter({ prepare, act, meanwhile, expected }: Doomed, messages: number, isHeard: boolean): Promise<boolean> {
  await stores.fresh();
  const living = await stores.process();
  const shop = new Shop(openedOf(living));
  await prepare(shop);
  const dying = dyingProcess(stores);
  const doomedShop = new Shop(openedOf(await stores.process(dying)));
  doomedShop.now = shop.now;
  dying.dieAfter(messages, isHeard);
  await act(doomedShop).catch(() => null);
  const hasDied = dying.isDead();
  shop.now += ORDER_UNDER_WAY_MS_MAX + 1;
  await living.recover(shop.now);
  await meanwhile?.(shop);
  await expected(shop, await act(shop));
  checkStory(await shop.events());
  expect(await living.underWay()).toBe(0);
  return hasDied;
}

describe.skipIf(!hasStores)(`processes over one Redis and one Postgres ${NEEDS_STORES}`, () => {
  beforeAll(async () => {
    stores = await startLedgerStores();
  }, SERVERS_MS_MAX);
  afterAll(() => stores.stop(), SERVERS_MS_MAX);

  for (const one of doomed) {
    test(`whenever a process dies in the middle of ${one.sentence}, it ends as if it had not`, async () => {
      for (const isHeard of [false, true]) {
        let messages = 0;
        while (await dieAfter(one, messages, isHeard)) messages += 1;
        expect(messages).toBeGreaterThan(0);
        expect(messages).toBeLessThan(MESSAGES_MAX);
      }
    }, 60_000);
  }

  test("while an order is on its way to Postgres nobody else touches that user's hold, and afterwards they may", async () => {
    await stores.fresh();
    const living = await stores.process();
    const shop = new Shop(openedOf(living));
    await shop.put(9);
    await shop.hold("ann", 2);
    for (let messages = 0; (await living.underWay()) === 0; messages += 1) {
      const dying = dyingProcess(stores);
      const { ledger } = await stores.process(dying);
      dying.dieAfter(messages, true);
      await ledger.place([placeCommand("ann", "order 1")], shop.now).catch(ofTheDead);
    }
    const attempts: readonly Promise<unknown>[] = [shop.hold("ann", 1), shop.release("ann"), shop.change("ann", 1), shop.record("ann", 1)];
    const busy = { name: "Failure", code: "overloaded", outcomeKnown: true };
    expect(await Promise.allSettled(attempts)).toMatchObject(attempts.map(() => ({ status: "rejected", reason: busy })));
    expect(await shop.hold("bob", 1)).toMatchObject({ kind: "held" });
    shop.now += ORDER_UNDER_WAY_MS_MAX + 1;
    await living.recover(shop.now);
    expect(await shop.release("ann")).toEqual({ kind: "released", quantity: 2 });
  });

  test("two processes at once, and one of them dies: whatever they do to the same few goods, all figures are right and every story reads true", async () => {
    const property = fc.asyncProperty(history, fc.nat({ max: 120 }), fc.boolean(), async (steps, messages, isHeard) => {
      await stores.fresh();
      const first = await stores.process();
      const dying = dyingProcess(stores);
      let second = await stores.process(dying);
      dying.dieAfter(messages, isHeard);
      let isReplaced = false;
      let now = START;
      let seen: Snapshot | null = null;
      for (const step of steps) {
        if (step.does === "crash") continue;
        now += Math.max(0, step.afterMs);
        const at = now;
        const work: Promise<unknown>[] = [];
        if (step.does === "sweep") work.push(first.sweep(at), second.sweep(at));
        else
          for (const batch of step.batches)
            for (const [n, command] of batch.entries()) work.push(send((n % 2 === 0 ? first : second).ledger, [command], at));
        await Promise.all([...work.map((one) => one.catch(ofTheDead)), first.relay()]);
        if (dying.isDead() && !isReplaced) {
          isReplaced = true;
          second = await stores.process();
          now += ORDER_UNDER_WAY_MS_MAX + 1;
          await second.recover(now);
        }
        const after = await snapshotOf(first.ledger, now);
        checkAlwaysTrue(seen, after);
        seen = after;
      }
      while ((await first.sweep(now)) || (await second.sweep(now)));
      checkStory(await stores.told(first));
    });
    await fc.assert(property, { numRuns: 30, seed: 20_261_122 });
  }, 120_000);
});
