/** Checks of an order: placed, then paid, cancelled or expired, once; and of money that comes too late. */
import { expect } from "bun:test";
import type { OrderId, UserId } from "../../core/ids.ts";
import type { OrderReply } from "../ledger.ts";
import { type Check, FROZEN_FOR, figures, held, LAMP, MINUTE, refused, type Shop, START, WINDOW } from "./shop.ts";

const DEADLINE = START + FROZEN_FOR;
const PAY_UNTIL = START + WINDOW;

/** Ann's hold of two of five lamps has become an order. */
async function placed(shop: Shop): Promise<void> {
  await shop.put(5);
  await shop.hold("ann", 2, { sessionId: "the purchase that made the hold" });
  await shop.place("ann", "order 1");
}

const placing: readonly Check[] = [
  {
    sentence: "place moves the hold into an order with one payment window, and the stock stays frozen",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      shop.now += MINUTE;
      const order = {
        orderId: "order 1" as OrderId,
        sku: LAMP,
        userId: "ann" as UserId,
        quantity: 2,
        state: "payment-pending",
        payUntil: START + MINUTE + WINDOW,
        heldUntil: DEADLINE,
        since: START + MINUTE,
      } as const;
      expect(await shop.place("ann", "order 1")).toEqual({ kind: "order", order });
      expect(await shop.order("order 1")).toEqual(order);
      expect(await shop.line("ann")).toEqual({ held: 0, heldUntil: 0, pending: 2, ordered: 0, userLevel: null });
      expect(await shop.cart("ann")).toEqual([]);
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 2, sold: 0 });
    },
  },
  {
    sentence: "the payment window is capped at an hour",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      expect(await shop.place("ann", "order 1", 61 * MINUTE)).toMatchObject({ order: { payUntil: START + 60 * MINUTE } });
      expect(await shop.order("order 1")).toMatchObject({ payUntil: START + 60 * MINUTE });
      shop.now = START + 60 * MINUTE;
      expect(figures(await shop.goods())).toEqual(free);
    },
  },
  {
    sentence: "place again with the same order id gets the order and takes no further hold",
    run: async (shop) => {
      await placed(shop);
      await shop.hold("ann", 1);
      expect(await shop.place("ann", "order 1")).toMatchObject({ order: { quantity: 2, state: "payment-pending" } });
      expect((await shop.line("ann")).held).toBe(1);
      expect((await shop.goods()).frozen).toBe(3);
    },
  },
  {
    sentence: "place refuses for another user's order id, unknown goods, no hold, in this order",
    run: async (shop) => {
      await placed(shop);
      expect(await shop.place("bob", "order 1")).toEqual(refused("key-reused"));
      expect(await shop.place("bob", "order 2", WINDOW, "nothing of the kind")).toEqual(refused("unknown-goods"));
      expect(await shop.place("bob", "order 2")).toEqual(refused("no-hold"));
      expect(await shop.order("order 2")).toBeNull();
    },
  },
  {
    sentence: "an order unpaid counts against the limit",
    run: async (shop) => {
      await placed(shop);
      expect(await shop.hold("ann", 2, { limit: 3 })).toEqual(refused("limit-reached"));
      expect(await shop.hold("ann", 1, { limit: 3 })).toEqual(held(1));
      expect(await shop.change("ann", 2, { limit: 3 })).toEqual(refused("limit-reached"));
    },
  },
  {
    sentence: "one order id may name a line of several SKUs, and each goes its own way",
    run: async (shop) => {
      await placed(shop);
      await shop.put(3, "sofa");
      await shop.hold("ann", 1, { sku: "sofa" });
      await shop.place("ann", "order 1", WINDOW, "sofa");
      await shop.cancel("order 1", "free", "sofa");
      expect((await shop.order("order 1"))?.state).toBe("payment-pending");
      expect((await shop.order("order 1", "sofa"))?.state).toBe("cancelled");
      expect((await shop.goods()).frozen).toBe(2);
    },
  },
];

const paying: readonly Check[] = [
  {
    sentence: "pay takes the goods out of stock and counts them as ordered",
    run: async (shop) => {
      await placed(shop);
      shop.now = PAY_UNTIL - 1;
      expect(await shop.pay("order 1")).toMatchObject({ kind: "order", order: { state: "paid", since: PAY_UNTIL - 1, quantity: 2 } });
      expect(await shop.goods()).toMatchObject({ onHand: 3, frozen: 0, sold: 2, stocked: 5 });
      expect(await shop.line("ann")).toEqual({ held: 0, heldUntil: 0, pending: 0, ordered: 2, userLevel: 0 });
      expect(await shop.hold("ann", 2, { limit: 3 })).toEqual(refused("limit-reached"));
    },
  },
  {
    sentence: "pay twice sells once",
    run: async (shop) => {
      await placed(shop);
      const first = await shop.pay("order 1");
      shop.now += WINDOW;
      expect(await shop.pay("order 1")).toEqual(first);
      expect(figures(await shop.goods())).toEqual({ onHand: 3, frozen: 0, sold: 2 });
      expect((await shop.line("ann")).ordered).toBe(2);
    },
  },
  {
    sentence: "ten payments of one order at once sell once",
    run: async (shop) => {
      await placed(shop);
      const replies = await Promise.all(Array.from({ length: 10 }, () => shop.pay("order 1")));
      expect(new Set(replies.map(stateOf))).toEqual(new Set(["paid"]));
      expect(figures(await shop.goods())).toEqual({ onHand: 3, frozen: 0, sold: 2 });
    },
  },
  {
    sentence: "an order that is paid in time does not ask the limit again",
    run: async (shop) => {
      await placed(shop);
      expect(stateOf(await shop.pay("order 1", 1))).toBe("paid");
    },
  },
  {
    sentence: "an order that nobody placed cannot be paid or cancelled",
    run: async (shop) => {
      expect(await shop.pay("order 1")).toEqual(refused("unknown-order"));
      await placed(shop);
      expect(await shop.pay("order 2")).toEqual(refused("unknown-order"));
      expect(await shop.cancel("order 2")).toEqual(refused("unknown-order"));
      expect(await shop.pay("order 1", 0, "sofa")).toEqual(refused("unknown-order"));
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
      expect(await shop.order("order 1")).toMatchObject({ state: "expired", since: PAY_UNTIL });
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 0, sold: 0 });
      expect(await shop.line("ann")).toEqual({ held: 0, heldUntil: 0, pending: 0, ordered: 0, userLevel: null });
      expect(await shop.hold("ann", 5, { limit: 5 })).toEqual(held(5, PAY_UNTIL + 5 + FROZEN_FOR));
    },
  },
];

type End = "pay" | "cancel" | "fail" | "expire";
type Figures = ReturnType<typeof figures>;
const free: Figures = { onHand: 5, frozen: 0, sold: 0 };
const frozen: Figures = { onHand: 5, frozen: 2, sold: 0 };
const sold: Figures = { onHand: 3, frozen: 0, sold: 2 };
const stateOf = (reply: OrderReply): string =>
  reply.kind === "order" ? reply.order.state : reply.reason === "order-ended" ? `no, ${reply.state}` : reply.reason;

const act: Readonly<Record<End, (shop: Shop) => Promise<string>>> = {
  pay: async (shop) => stateOf(await shop.pay("order 1")),
  cancel: async (shop) => stateOf(await shop.cancel("order 1", "free")),
  fail: async (shop) => stateOf(await shop.cancel("order 1", "held")),
  expire: async (shop) => {
    shop.now = PAY_UNTIL;
    await shop.expire();
    return (await shop.order("order 1"))?.state ?? "gone";
  },
};

/** Who comes first, who comes second, what each is told, and what is left. */
const races: readonly (readonly [End, string, End, string, Figures])[] = [
  ["pay", "paid", "cancel", "no, paid", sold],
  ["pay", "paid", "fail", "no, paid", sold],
  ["pay", "paid", "expire", "paid", sold],
  ["cancel", "cancelled", "pay", "refund-due", free],
  ["cancel", "cancelled", "cancel", "cancelled", free],
  ["cancel", "cancelled", "fail", "cancelled", free],
  ["cancel", "cancelled", "expire", "cancelled", free],
  ["fail", "cancelled", "pay", "refund-due", frozen],
  ["fail", "cancelled", "cancel", "cancelled", frozen],
  ["fail", "cancelled", "expire", "cancelled", frozen],
  ["expire", "expired", "pay", "paid", sold],
  ["expire", "expired", "cancel", "no, expired", free],
  ["expire", "expired", "fail", "no, expired", free],
];

const racing: readonly Check[] = [
  ...races.map(
    ([first, told, second, toldThen, left]): Check => ({
      sentence: `${first} then ${second}: told ${told}, then ${toldThen}`,
      run: async (shop) => {
        await placed(shop);
        expect([await act[first](shop), await act[second](shop)]).toEqual([told, toldThen]);
        expect(figures(await shop.goods())).toEqual(left);
        expect(stateOf(await shop.place("ann", "order 1"))).toBe(toldThen.replace("no, ", ""));
        expect(figures(await shop.goods())).toEqual(left);
      },
    }),
  ),
  {
    sentence: "pay and cancel at once: one of them ends the order, and both are told the same end",
    run: async (shop) => {
      await placed(shop);
      const [paid, cancelled] = (await Promise.all([shop.pay("order 1"), shop.cancel("order 1")])).map(stateOf);
      const isSold = paid === "paid";
      expect([paid, cancelled]).toEqual(isSold ? ["paid", "no, paid"] : ["refund-due", "cancelled"]);
      expect(figures(await shop.goods())).toEqual(isSold ? sold : free);
    },
  },
  {
    sentence: "release and place at once: the hold ends once",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      const [released, order] = await Promise.all([shop.release("ann"), shop.place("ann", "order 1")]);
      expect([released.kind, order.kind].filter((kind) => kind !== "refused")).toHaveLength(1);
      expect(figures(await shop.goods())).toEqual(order.kind === "order" ? frozen : free);
    },
  },
];

const late: readonly Check[] = [
  {
    sentence: "a late payment finds the stock gone: refund due, and nothing moves",
    run: async (shop) => {
      await placed(shop);
      shop.now = PAY_UNTIL;
      await shop.hold("bob", 4);
      expect(await shop.pay("order 1")).toMatchObject({ order: { state: "refund-due", since: PAY_UNTIL, quantity: 2 } });
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 4, sold: 0 });
      await shop.release("bob");
      expect(stateOf(await shop.pay("order 1"))).toBe("refund-due");
      expect(stateOf(await shop.cancel("order 1"))).toBe("no, refund-due");
      expect(figures(await shop.goods())).toEqual(free);
      expect((await shop.line("ann")).ordered).toBe(0);
    },
  },
  {
    sentence: "a late payment takes the very last of the stock again",
    run: async (shop) => {
      await placed(shop);
      shop.now = PAY_UNTIL;
      await shop.hold("bob", 3);
      expect(stateOf(await shop.pay("order 1"))).toBe("paid");
      expect(figures(await shop.goods())).toEqual({ onHand: 3, frozen: 3, sold: 2 });
      expect(await shop.hold("cem", 1)).toEqual(refused("sold-out"));
    },
  },
  {
    sentence: "a late payment counts against the limit with everything the user has got meanwhile",
    run: async (shop) => {
      await placed(shop);
      shop.now = PAY_UNTIL;
      await shop.hold("ann", 1);
      expect(stateOf(await shop.pay("order 1", 2))).toBe("refund-due");
    },
  },
  {
    sentence: "a late payment up to the limit is a sale",
    run: async (shop) => {
      await placed(shop);
      shop.now = PAY_UNTIL;
      await shop.hold("ann", 1);
      expect(stateOf(await shop.pay("order 1", 3))).toBe("paid");
      expect(await shop.line("ann")).toEqual({ held: 1, heldUntil: PAY_UNTIL + FROZEN_FOR, pending: 0, ordered: 2, userLevel: 0 });
    },
  },
  {
    sentence: "a late payment for goods that are no longer sold is refund due",
    run: async (shop) => {
      await placed(shop);
      shop.now = PAY_UNTIL;
      await shop.removeGoods();
      expect(stateOf(await shop.pay("order 1"))).toBe("refund-due");
    },
  },
  {
    sentence: "an order that has ended still says so a day later",
    run: async (shop) => {
      await placed(shop);
      await shop.pay("order 1");
      shop.now += 24 * 60 * MINUTE - 1;
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
      await shop.place("ann", "order 6", FROZEN_FOR);
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

export const orderChecks: readonly Check[] = [...placing, ...paying, ...racing, ...late, ...failing];
