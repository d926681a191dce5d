/** Checks of an order's life: paid, or not, and what a failed payment gives back. */
import { expect } from "bun:test";
import {
  type Check,
  DEADLINE,
  FROZEN_FOR,
  figures,
  free,
  held,
  LAMP,
  MINUTE,
  PAY_UNTIL,
  payCommand,
  paymentOf,
  placed,
  placedTwo,
  refused,
  START,
  stateOf,
  WINDOW,
} from "./shop.ts";

const paying: readonly Check[] = [
  {
    sentence: "a payment that has ended one order ends no other: neither one that waits for it nor one that is too late",
    run: async (shop) => {
      await shop.put(9);
      for (const [user, order] of [
        ["ann", "order 1"],
        ["bob", "order 2"],
        ["cem", "order 3"],
      ] as const) {
        await shop.hold(user, 1);
        await shop.place(user, order);
      }
      expect(stateOf(await shop.pay("order 1", { paymentId: "p" }))).toBe("paid");
      expect(await shop.pay("order 2", { paymentId: "p" })).toEqual(refused("payment-used"));
      expect(stateOf(await shop.pay("order 1", { paymentId: "p" }))).toBe("paid");
      await shop.cancel("order 3");
      expect(await shop.pay("order 3", { paymentId: "p" })).toEqual(refused("payment-used"));
      expect(await shop.order("order 2")).toMatchObject({ state: "payment-pending", payment: null });
      expect(await shop.order("order 3")).toMatchObject({ state: "cancelled", payment: null });
      expect(stateOf(await shop.pay("order 2", { paymentId: "q" }))).toBe("paid");
    },
  },
  {
    sentence: "pay takes the goods out of stock, counts them as ordered and keeps the payment",
    run: async (shop) => {
      await placed(shop);
      shop.now = PAY_UNTIL - 1;
      expect(await shop.pay("order 1")).toMatchObject({
        kind: "order",
        order: { state: "paid", since: PAY_UNTIL - 1, payment: paymentOf() },
      });
      expect(await shop.order("order 1")).toMatchObject({ state: "paid", placedAt: START, payment: paymentOf() });
      expect(await shop.goods()).toMatchObject({ onHand: 3, frozen: 0, sold: 2, stocked: 5 });
      expect(await shop.line("ann")).toEqual({ held: 0, heldUntil: 0, pending: 0, ordered: 2, userLevel: 2 });
      expect(await shop.hold("ann", 2, { limit: 3 })).toEqual(refused("limit-reached"));
    },
  },
  {
    sentence: "goods tell how much of what is frozen of them is in unpaid orders, and nothing of an order that has ended",
    run: async (shop) => {
      const unpaid = async (): Promise<readonly number[]> => [(await shop.goods()).pending, (await shop.goods("sofa")).pending];
      await placedTwo(shop);
      await shop.hold("bob", 1);
      expect(await unpaid()).toEqual([2, 1]);
      expect((await shop.goods()).frozen).toBe(3);
      await shop.place("bob", "order 2");
      expect(await unpaid()).toEqual([3, 1]);
      await shop.cancel("order 1", "held");
      expect(await unpaid()).toEqual([1, 0]);
      await shop.pay("order 2");
      expect(await unpaid()).toEqual([0, 0]);
      await shop.place("ann", "order 3", { skus: [LAMP, "sofa"] });
      expect(await unpaid()).toEqual([2, 1]);
      await shop.put(9);
      expect(await unpaid()).toEqual([2, 1]);
      shop.now = PAY_UNTIL;
      expect(await unpaid()).toEqual([0, 0]);
      // The money is late: the goods are sold, and were not to be paid for any more.
      await shop.pay("order 3");
      expect(await unpaid()).toEqual([0, 0]);
    },
  },
  {
    sentence: "one payment sells every SKU of the order",
    run: async (shop) => {
      await placedTwo(shop);
      expect(stateOf(await shop.pay("order 1"))).toBe("paid");
      expect(figures(await shop.goods())).toEqual({ onHand: 3, frozen: 0, sold: 2 });
      expect(figures(await shop.goods("sofa"))).toEqual({ onHand: 4, frozen: 0, sold: 1 });
      expect((await shop.line("ann", "sofa")).ordered).toBe(1);
    },
  },
  {
    sentence: "pay twice sells once, and the second payment shows by its id",
    run: async (shop) => {
      await placed(shop);
      const first = await shop.pay("order 1");
      shop.now += WINDOW;
      expect(await shop.pay("order 1")).toEqual(first);
      expect(await shop.pay("order 1", { paymentId: "payment 2" })).toEqual(first);
      expect(await shop.pay("order 1", { paymentId: "payment 2", isAmountRight: false })).toEqual(first);
      expect(figures(await shop.goods())).toEqual({ onHand: 3, frozen: 0, sold: 2 });
      expect((await shop.line("ann")).ordered).toBe(2);
    },
  },
  {
    sentence: "ten payments of one order at once, and two in one batch, sell once",
    run: async (shop) => {
      await placed(shop);
      const replies = await Promise.all(Array.from({ length: 10 }, () => shop.pay("order 1")));
      expect(new Set(replies.map(stateOf))).toEqual(new Set(["paid"]));
      const batch = await shop.ledger.pay([payCommand("order 1"), payCommand("order 1", { paymentId: "payment 2" })], shop.now);
      expect(batch).toMatchObject([{ order: { payment: paymentOf() } }, { order: { payment: paymentOf() } }]);
      expect(figures(await shop.goods())).toEqual({ onHand: 3, frozen: 0, sold: 2 });
    },
  },
  {
    sentence: "a wrong amount is refund due, never paid, and the stock of all SKUs is free",
    run: async (shop) => {
      await placedTwo(shop);
      shop.now += MINUTE;
      expect(await shop.pay("order 1", { isAmountRight: false })).toMatchObject({
        order: { state: "refund-due", since: START + MINUTE, payment: paymentOf() },
      });
      expect(figures(await shop.goods())).toEqual(free);
      expect(figures(await shop.goods("sofa"))).toEqual(free);
      expect(await shop.line("ann")).toEqual({ held: 0, heldUntil: 0, pending: 0, ordered: 0, userLevel: null });
      expect(await shop.pay("order 1", { paymentId: "payment 2" })).toMatchObject({ order: { state: "refund-due", payment: paymentOf() } });
      expect(figures(await shop.goods())).toEqual(free);
    },
  },
  {
    sentence: "an order that is paid in time does not ask the limit again",
    run: async (shop) => {
      await placed(shop);
      expect(stateOf(await shop.pay("order 1", { limits: { lamp: 1 } }))).toBe("paid");
    },
  },
  {
    sentence: "an order that nobody placed cannot be paid or cancelled",
    run: async (shop) => {
      expect(await shop.pay("order 1")).toEqual(refused("unknown-order"));
      await placed(shop);
      expect(await shop.pay("order 2")).toEqual(refused("unknown-order"));
      expect(await shop.cancel("order 2")).toEqual(refused("unknown-order"));
    },
  },
  {
    sentence: "an order is free at the end of its window, although nobody has swept",
    run: async (shop) => {
      await placed(shop);
      shop.now = PAY_UNTIL - 1;
      expect((await shop.order("order 1"))?.state).toBe("payment-pending");
      expect(await shop.hold("bob", 4)).toEqual(refused("sold-out"));
      shop.now = PAY_UNTIL + 5;
      expect(await shop.order("order 1")).toMatchObject({ state: "expired", since: PAY_UNTIL, payment: null });
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 0, sold: 0 });
      expect(await shop.line("ann")).toEqual({ held: 0, heldUntil: 0, pending: 0, ordered: 0, userLevel: null });
      expect(await shop.hold("ann", 5, { limit: 5 })).toEqual(held(5, PAY_UNTIL + 5 + FROZEN_FOR));
    },
  },
  {
    sentence: "an order expires as a whole: whichever of its SKUs is looked at, all have seen its end",
    run: async (shop) => {
      await placedTwo(shop);
      shop.now = PAY_UNTIL + 5;
      await shop.goods("sofa");
      shop.now = START;
      expect(await shop.goods()).toMatchObject({ frozen: 0, clock: PAY_UNTIL + 5 });
      expect(await shop.hold("bob", 5)).toEqual(held(5, PAY_UNTIL + 5 + FROZEN_FOR));
      expect((await shop.order("order 1"))?.state).toBe("expired");
    },
  },
  {
    sentence: "an order that has ended still says so a day later",
    run: async (shop) => {
      await placed(shop);
      await shop.pay("order 1");
      shop.now += 24 * 60 * MINUTE;
      await shop.sweep();
      expect(stateOf(await shop.cancel("order 1"))).toBe("no, paid");
    },
  },
];

const failing: readonly Check[] = [
  {
    sentence: "a failed payment gives the hold back with the deadline and the session it had",
    run: async (shop) => {
      await placed(shop);
      shop.now += MINUTE;
      expect(stateOf(await shop.cancel("order 1", "held"))).toBe("cancelled");
      expect(await shop.line("ann")).toEqual({ held: 2, heldUntil: DEADLINE, pending: 0, ordered: 0, userLevel: null });
      expect(await shop.cart("ann")).toMatchObject([{ quantity: 2, heldUntil: DEADLINE, sessionId: "the purchase that made the hold" }]);
      shop.now = DEADLINE;
      expect(figures(await shop.goods())).toEqual(free);
    },
  },
  {
    sentence: "a failed payment gives back of several SKUs those whose deadline has not passed, and the rest is free",
    run: async (shop) => {
      await placedTwo(shop, 60 * MINUTE);
      shop.now = START + 20 * MINUTE;
      expect(await shop.cancel("order 1", "held")).toMatchObject({ order: { state: "cancelled", payment: null } });
      expect((await shop.goods()).frozen).toBe(2);
      expect(figures(await shop.goods("sofa"))).toEqual(free);
      expect(await shop.cart("ann")).toMatchObject([{ sku: LAMP, quantity: 2, heldUntil: DEADLINE }]);
    },
  },
  {
    sentence: "paying and failing over and over does not keep a hold alive",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      for (let attempt = 1; attempt <= 5; attempt += 1) {
        await shop.place("ann", `order ${attempt}`);
        shop.now += 5 * MINUTE;
        await shop.cancel(`order ${attempt}`, "held");
        expect((await shop.line("ann")).heldUntil).toBe(DEADLINE);
      }
      await shop.place("ann", "order 6", { windowMs: FROZEN_FOR });
      shop.now = DEADLINE;
      expect(stateOf(await shop.cancel("order 6", "held"))).toBe("cancelled");
      expect(figures(await shop.goods())).toEqual(free);
    },
  },
  {
    sentence: "a failed payment joins a hold made meanwhile, and the earlier deadline counts for both",
    run: async (shop) => {
      await placed(shop);
      shop.now += MINUTE;
      await shop.hold("ann", 1);
      await shop.cancel("order 1", "held");
      expect(await shop.line("ann")).toMatchObject({ held: 3, heldUntil: DEADLINE });
      shop.now = DEADLINE;
      expect(figures(await shop.goods())).toEqual(free);
    },
  },
  {
    sentence: "a failed payment does not lengthen a shorter hold made meanwhile",
    run: async (shop) => {
      await placed(shop);
      await shop.hold("ann", 1, { frozenForMs: MINUTE });
      await shop.cancel("order 1", "held");
      expect(await shop.line("ann")).toMatchObject({ held: 3, heldUntil: START + MINUTE });
    },
  },
  {
    sentence: "ten cancellations of one order at once give its stock back once",
    run: async (shop) => {
      await placed(shop);
      await shop.hold("bob", 3);
      const replies = await Promise.all(Array.from({ length: 10 }, () => shop.cancel("order 1")));
      expect(new Set(replies.map(stateOf))).toEqual(new Set(["cancelled"]));
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 3, sold: 0 });
    },
  },
];

export const orderChecks: readonly Check[] = [...paying, ...failing];
