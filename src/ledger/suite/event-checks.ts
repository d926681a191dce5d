/** Checks of what the ledger tells of its changes: each once, in an order that reads true, and nothing that did not last. */
import { expect } from "bun:test";
import type { LedgerEvent } from "../ledger.ts";
import { type Check, DEADLINE, FROZEN_FOR, MINUTE, PAY_UNTIL, placed, placedTwo, type Shop, START } from "./shop.ts";

/** An event in a few words: what, when (in minutes after the start), whose and how many. */
function inWords(event: LedgerEvent): string {
  const minute = (event.at - START) / MINUTE;
  if ("order" in event) return `${event.type} at ${minute}: ${event.order.orderId} ${event.order.state}`;
  if (event.type === "goods.sold-out") return `${event.type} at ${minute}: ${event.sku}`;
  return `${event.type} at ${minute}: ${event.userId} ${event.quantity} ${event.sku}`;
}

/** What has been told since the last time that somebody listened, after whatever the sweeper has to tell. */
async function toldBy(shop: Shop, act: () => Promise<unknown>): Promise<string[]> {
  const before = (await shop.events()).length;
  await act();
  return (await shop.events()).slice(before).map(inWords);
}

const holds: readonly Check[] = [
  {
    sentence: "a hold is told when it is made, when it changes and when it is given back",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 1, { sessionId: "first" });
      await shop.hold("ann", 2, { sessionId: "second" });
      await shop.change("ann", 1);
      shop.now += MINUTE;
      await shop.release("ann");
      expect<readonly unknown[]>(await shop.events()).toEqual([
        { type: "hold.created", at: START, sku: "lamp", userId: "ann", sessionId: "first", quantity: 1, heldUntil: DEADLINE },
        { type: "hold.changed", at: START, sku: "lamp", userId: "ann", sessionId: "second", quantity: 3, heldUntil: DEADLINE },
        { type: "hold.changed", at: START, sku: "lamp", userId: "ann", sessionId: null, quantity: 1, heldUntil: DEADLINE },
        { type: "hold.released", at: START + MINUTE, sku: "lamp", userId: "ann", quantity: 1 },
      ]);
    },
  },
  {
    sentence: "nothing is told of a refusal, a repetition, a change to the same, or a look",
    run: async (shop) => {
      await placed(shop);
      await shop.hold("ann", 1, { key: { text: "k", fingerprint: "f" } });
      const told = await toldBy(shop, async () => {
        await shop.hold("ann", 1, { key: { text: "k", fingerprint: "f" } });
        await shop.hold("ann", 9);
        await shop.hold("bob", 1, { opensAt: DEADLINE });
        await shop.change("ann", 1);
        await shop.place("ann", "order 1");
        await shop.place("ann", "order 2", { skus: ["lamp", "sofa"] });
        await shop.release("bob");
        await shop.goods();
        await shop.sweep();
      });
      expect(told).toEqual([]);
    },
  },
  {
    sentence: "a hold that its deadline has ended is told once, by the sweeper, with the deadline as its time",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 1);
      await shop.hold("ann", 1);
      shop.now = DEADLINE + 7 * MINUTE;
      await shop.goods();
      expect(await toldBy(shop, () => shop.sweep())).toEqual(["hold.expired at 30: ann 2 lamp"]);
      expect(await toldBy(shop, () => shop.sweep())).toEqual([]);
    },
  },
  {
    sentence: "a hold that its deadline has ended is told before the user's next one, when no sweeper has come",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      shop.now = DEADLINE + MINUTE;
      const told = await toldBy(shop, async () => {
        await shop.hold("ann", 1);
        await shop.sweep();
      });
      expect(told).toEqual(["hold.expired at 30: ann 2 lamp", "hold.created at 31: ann 1 lamp"]);
    },
  },
  {
    sentence: "a hold that its deadline has ended is told when an operator writes into its line, or removes its goods",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      await shop.hold("bob", 1);
      shop.now = DEADLINE;
      expect(await toldBy(shop, () => shop.record("ann", 3))).toEqual(["hold.expired at 30: ann 2 lamp"]);
      expect(await toldBy(shop, () => shop.removeGoods())).toEqual(["hold.expired at 30: bob 1 lamp"]);
      expect(await toldBy(shop, () => shop.sweep())).toEqual([]);
    },
  },
];

const goods: readonly Check[] = [
  {
    sentence: "goods are sold out when the last one goes, and again when it goes again",
    run: async (shop) => {
      await shop.put(2);
      await shop.hold("ann", 1);
      await shop.hold("bob", 1);
      await shop.hold("cem", 1);
      await shop.release("ann");
      await shop.change("bob", 2);
      await shop.put(3);
      await shop.put(2);
      await shop.put(0, "sofa");
      const soldOut = (await shop.events()).filter(({ type }) => type === "goods.sold-out");
      expect(soldOut.map(inWords)).toEqual(Array.from({ length: 3 }, () => "goods.sold-out at 0: lamp"));
      expect((await shop.events()).map(({ type }) => type)).toEqual([
        "hold.created",
        "hold.created",
        "goods.sold-out",
        "hold.released",
        "hold.changed",
        "goods.sold-out",
        "goods.sold-out",
      ]);
    },
  },
  {
    sentence: "a late payment that takes the last of one SKU tells that it is sold out",
    run: async (shop) => {
      await placedTwo(shop);
      shop.now = PAY_UNTIL;
      await shop.hold("bob", 3);
      expect(await toldBy(shop, () => shop.pay("order 1"))).toEqual([
        "order.expired at 10: order 1 expired",
        "order.paid at 10: order 1 paid",
        "goods.sold-out at 10: lamp",
      ]);
    },
  },
];

const orders: readonly Check[] = [
  {
    sentence: "an order is told once for all its SKUs when it is placed and when it is paid, as it is then",
    run: async (shop) => {
      await placedTwo(shop);
      const placedThen = await shop.order("order 1");
      shop.now += MINUTE;
      const told = await toldBy(shop, () => shop.pay("order 1"));
      expect(told).toEqual(["order.paid at 1: order 1 paid"]);
      expect<readonly unknown[]>((await shop.events()).filter((event) => "order" in event)).toEqual([
        { type: "order.placed", at: START, order: placedThen },
        { type: "order.paid", at: START + MINUTE, order: await shop.order("order 1") },
      ]);
    },
  },
  {
    sentence: "a second payment tells nothing",
    run: async (shop) => {
      await placed(shop);
      await shop.pay("order 1");
      expect(await toldBy(shop, () => shop.pay("order 1", { paymentId: "payment 2" }))).toEqual([]);
    },
  },
  {
    sentence: "a cancelled order is told, and then the hold that it gives back",
    run: async (shop) => {
      await placed(shop);
      expect(await toldBy(shop, () => shop.cancel("order 1", "held"))).toEqual([
        "order.cancelled at 0: order 1 cancelled",
        "hold.created at 0: ann 2 lamp",
      ]);
      await shop.place("ann", "order 2");
      await shop.hold("ann", 1);
      expect(await toldBy(shop, () => shop.cancel("order 2", "held"))).toEqual([
        "order.cancelled at 0: order 2 cancelled",
        "hold.changed at 0: ann 3 lamp",
      ]);
      await shop.place("ann", "order 3");
      expect(await toldBy(shop, () => shop.cancel("order 3"))).toEqual(["order.cancelled at 0: order 3 cancelled"]);
    },
  },
  {
    sentence: "an expired order is told once, by the sweeper or before the money that comes too late",
    run: async (shop) => {
      await placedTwo(shop);
      await shop.hold("bob", 1);
      await shop.place("bob", "order 2");
      shop.now = PAY_UNTIL + MINUTE;
      await shop.hold("cem", 5);
      expect(await toldBy(shop, () => shop.pay("order 1"))).toEqual([
        "order.expired at 10: order 1 expired",
        "order.refund-due at 11: order 1 refund-due",
      ]);
      expect(await toldBy(shop, () => shop.sweep())).toEqual(["order.expired at 10: order 2 expired"]);
      expect(await toldBy(shop, () => shop.pay("order 2", { paymentId: "payment 2" }))).toEqual([
        "order.refund-due at 11: order 2 refund-due",
      ]);
    },
  },
  {
    sentence: "money after a cancellation, and a wrong amount, are told as refunds that are due",
    run: async (shop) => {
      await placed(shop);
      await shop.cancel("order 1");
      expect(await toldBy(shop, () => shop.pay("order 1"))).toEqual(["order.refund-due at 0: order 1 refund-due"]);
      await shop.hold("ann", 1);
      await shop.place("ann", "order 2");
      expect(await toldBy(shop, () => shop.pay("order 2", { isAmountRight: false, paymentId: "payment 2" }))).toEqual([
        "order.refund-due at 0: order 2 refund-due",
      ]);
    },
  },
];

const afterCrashes: readonly Check[] = [
  {
    sentence: "everything that was told before a crash was told, and nothing of it is told again",
    run: async (shop) => {
      await placed(shop);
      await shop.hold("bob", 3);
      const before = await shop.events();
      await shop.crash();
      expect(await shop.events()).toEqual(before);
      await shop.sweep();
      await shop.goods();
      expect(await shop.events()).toEqual(before);
    },
  },
  {
    sentence: "what deadlines had ended before a crash and nobody had told is told after it, once",
    run: async (shop) => {
      await shop.put(9);
      for (const user of ["ann", "bob", "cem"]) await shop.hold(user, 2);
      await shop.place("cem", "order 1");
      shop.now = DEADLINE + MINUTE;
      // Somebody has seen that all of it is over, and has written that down.
      await shop.hold("dan", 9);
      await shop.crash();
      const told = await toldBy(shop, async () => {
        await shop.hold("ann", 1);
        await shop.release("dan");
        await shop.hold("ann", 1);
        await shop.sweep();
        await shop.sweep();
      });
      expect(told.filter((event) => event.includes("expired")).sort()).toEqual([
        "hold.expired at 30: ann 2 lamp",
        "hold.expired at 30: bob 2 lamp",
        "order.expired at 10: order 1 expired",
      ]);
      expect(told.filter((event) => event.includes("ann"))).toEqual(["hold.expired at 30: ann 2 lamp", "hold.created at 31: ann 1 lamp"]);
    },
  },
  {
    sentence: "what was swept before a crash is not told after it",
    run: async (shop) => {
      await placed(shop);
      await shop.hold("ann", 1);
      shop.now = START + 2 * FROZEN_FOR;
      await shop.sweep();
      await shop.crash();
      expect(
        await toldBy(shop, async () => {
          await shop.sweep();
          await shop.pay("order 1");
        }),
      ).toEqual(["order.paid at 60: order 1 paid"]);
    },
  },
];

export const eventChecks: readonly Check[] = [
  ...holds,
  ...goods,
  ...orders,
  ...afterCrashes.map((check): Check => ({ ...check, needsReopen: true })),
];
