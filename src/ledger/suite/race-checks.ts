/** Checks of who comes first: every pair of ends that an order can come to, and money that comes too late. */
import { expect } from "bun:test";
import {
  type Check,
  type Figures,
  FROZEN_FOR,
  figures,
  free,
  frozen,
  MINUTE,
  PAY_UNTIL,
  paymentOf,
  placed,
  placedTwo,
  refused,
  type Shop,
  START,
  sold,
  stateOf,
} from "./shop.ts";

type End = "pay" | "pay wrongly" | "cancel" | "fail" | "expire";

const act: Readonly<Record<End, (shop: Shop) => Promise<string>>> = {
  pay: async (shop) => stateOf(await shop.pay("order 1")),
  "pay wrongly": async (shop) => stateOf(await shop.pay("order 1", { isAmountRight: false })),
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
  ["pay", "paid", "pay wrongly", "paid", sold],
  ["pay", "paid", "cancel", "no, paid", sold],
  ["pay", "paid", "fail", "no, paid", sold],
  ["pay", "paid", "expire", "paid", sold],
  ["pay wrongly", "refund-due", "pay", "refund-due", free],
  ["pay wrongly", "refund-due", "cancel", "no, refund-due", free],
  ["pay wrongly", "refund-due", "fail", "no, refund-due", free],
  ["pay wrongly", "refund-due", "expire", "refund-due", free],
  ["cancel", "cancelled", "pay", "refund-due", free],
  ["cancel", "cancelled", "pay wrongly", "refund-due", free],
  ["cancel", "cancelled", "cancel", "cancelled", free],
  ["cancel", "cancelled", "fail", "cancelled", free],
  ["cancel", "cancelled", "expire", "cancelled", free],
  ["fail", "cancelled", "pay", "refund-due", frozen],
  ["fail", "cancelled", "cancel", "cancelled", frozen],
  ["fail", "cancelled", "expire", "cancelled", frozen],
  ["expire", "expired", "pay", "paid", sold],
  ["expire", "expired", "pay wrongly", "refund-due", free],
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
    sentence: "two notifications of two payments at once: one buys, and both are told which",
    run: async (shop) => {
      await placed(shop);
      const ids = ["payment 1", "payment 2"];
      const replies = await Promise.all(ids.map((paymentId) => shop.pay("order 1", { paymentId })));
      const kept = replies.map((reply) => (reply.kind === "order" ? reply.order.payment?.paymentId : null));
      expect(kept[0]).toBe(kept[1]);
      expect(ids).toContain(kept[0] as string);
      expect(figures(await shop.goods())).toEqual(sold);
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
  {
    sentence: "two orders of the same hold at once: one gets it, and the other nothing of what it named beside",
    run: async (shop) => {
      await shop.put(5);
      await shop.put(5, "sofa");
      await shop.hold("ann", 2);
      await shop.hold("ann", 1, { sku: "sofa" });
      const replies = await Promise.all([shop.place("ann", "order 1"), shop.place("ann", "order 2", { skus: ["sofa", "lamp"] })]);
      expect(replies.map(stateOf).sort()).toEqual(["no-hold", "payment-pending"]);
      expect((await shop.goods()).frozen).toBe(2);
      const isFirst = replies[0]?.kind === "order";
      expect((await shop.line("ann", "sofa")).held).toBe(isFirst ? 1 : 0);
    },
  },
];

const late: readonly Check[] = [
  {
    sentence: "a late payment finds the stock gone: refund due with the payment, and nothing moves",
    run: async (shop) => {
      await placed(shop);
      shop.now = PAY_UNTIL;
      await shop.hold("bob", 4);
      expect(await shop.pay("order 1")).toMatchObject({ order: { state: "refund-due", since: PAY_UNTIL, payment: paymentOf() } });
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 4, sold: 0 });
      await shop.release("bob");
      expect(stateOf(await shop.pay("order 1"))).toBe("refund-due");
      expect(stateOf(await shop.cancel("order 1"))).toBe("no, refund-due");
      expect(figures(await shop.goods())).toEqual(free);
      expect((await shop.line("ann")).ordered).toBe(0);
    },
  },
  ...["lamp", "sofa"].map(
    (gone): Check => ({
      sentence: `a late payment of two SKUs takes none when the ${gone} is gone`,
      run: async (shop) => {
        await placedTwo(shop);
        shop.now = PAY_UNTIL;
        await shop.hold("bob", 5, { sku: gone });
        expect(stateOf(await shop.pay("order 1"))).toBe("refund-due");
        for (const sku of ["lamp", "sofa"])
          expect(figures(await shop.goods(sku))).toEqual({ onHand: 5, frozen: sku === gone ? 5 : 0, sold: 0 });
        expect([(await shop.line("ann")).ordered, (await shop.line("ann", "sofa")).ordered]).toEqual([0, 0]);
      },
    }),
  ),
  {
    sentence: "a late payment of two SKUs takes both again",
    run: async (shop) => {
      await placedTwo(shop);
      shop.now = PAY_UNTIL;
      expect(stateOf(await shop.pay("order 1", { limits: { lamp: 2, sofa: 1 } }))).toBe("paid");
      expect([figures(await shop.goods()), figures(await shop.goods("sofa"))]).toEqual([sold, { onHand: 4, frozen: 0, sold: 1 }]);
    },
  },
  {
    sentence: "a late payment asks the limit of every SKU",
    run: async (shop) => {
      await placedTwo(shop);
      shop.now = PAY_UNTIL;
      await shop.hold("ann", 1, { sku: "sofa" });
      expect(stateOf(await shop.pay("order 1", { limits: { sofa: 1 } }))).toBe("refund-due");
      expect(figures(await shop.goods())).toEqual(free);
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
      expect(stateOf(await shop.pay("order 1", { limits: { lamp: 2 } }))).toBe("refund-due");
    },
  },
  {
    sentence: "a late payment up to the limit is a sale",
    run: async (shop) => {
      await placed(shop);
      shop.now = PAY_UNTIL;
      await shop.hold("ann", 1);
      expect(stateOf(await shop.pay("order 1", { limits: { lamp: 3 } }))).toBe("paid");
      expect(await shop.line("ann")).toEqual({ held: 1, heldUntil: PAY_UNTIL + FROZEN_FOR, pending: 0, ordered: 2, userLevel: 2 });
    },
  },
  {
    sentence: "a late payment for goods that are no longer sold is refund due",
    run: async (shop) => {
      await placedTwo(shop);
      shop.now = PAY_UNTIL;
      await shop.removeGoods("sofa");
      expect(stateOf(await shop.pay("order 1"))).toBe("refund-due");
      expect(figures(await shop.goods())).toEqual(free);
    },
  },
  {
    sentence: "a payment a month late is a sale, when there is stock",
    run: async (shop) => {
      await placed(shop);
      shop.now = START + 30 * 24 * 60 * MINUTE;
      await shop.sweep();
      await shop.sweep();
      expect(stateOf(await shop.pay("order 1"))).toBe("paid");
      expect(figures(await shop.goods())).toEqual(sold);
      expect((await shop.line("ann")).ordered).toBe(2);
    },
  },
];

export const raceChecks: readonly Check[] = [...racing, ...late];
