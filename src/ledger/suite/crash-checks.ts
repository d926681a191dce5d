/** Checks of what a crash leaves: everything that somebody was told, and nothing that lapsed before. */
import { expect } from "bun:test";
import {
  type Check,
  DEADLINE,
  FROZEN_FOR,
  figures,
  held,
  keyOf,
  MINUTE,
  paymentOf,
  placedTwo,
  refused,
  repeatedHold,
  type Shop,
  START,
  sold,
  WINDOW,
} from "./shop.ts";

/** Everything that can be seen of lamps and of whoever wants one. */
async function everything(shop: Shop): Promise<unknown> {
  const lines = [await shop.line("ann"), await shop.line("bob")];
  const orders = [await shop.order("order 1"), await shop.order("order 2"), await shop.order("order 3"), await shop.ordersOf("ann")];
  const kept = await shop.ledger.recall(
    ["k", "k1", "k2", "k3", "k4"].map((text) => keyOf(text)),
    shop.now,
  );
  return [
    await shop.goods(),
    lines,
    orders,
    kept,
    await shop.cart("ann"),
    await shop.cart("cem"),
    await shop.ledger.listRecords(null, 10),
    await shop.ledger.listGoods(null, 10, shop.now),
  ];
}

const crashes: readonly Check[] = [
  {
    sentence: "an order of two SKUs is paid after a crash, with its payment on record after the next",
    run: async (shop) => {
      await placedTwo(shop);
      const before = await shop.order("order 1");
      await shop.crash();
      expect(await shop.order("order 1")).toEqual(before);
      expect((await shop.goods("sofa")).frozen).toBe(1);
      const paid = await shop.pay("order 1");
      await shop.crash();
      expect(await shop.pay("order 1", { paymentId: "payment 2" })).toEqual(paid);
      expect(paid).toMatchObject({ order: { state: "paid", payment: paymentOf() } });
      expect(figures(await shop.goods())).toEqual(sold);
    },
  },
  {
    sentence:
      "an order that one of its SKUs has seen expire is expired after a crash, though the clock jumps back and the other's stock is taken",
    run: async (shop) => {
      await placedTwo(shop);
      shop.now = START + WINDOW;
      await shop.goods("sofa");
      shop.now = START + 1;
      expect(await shop.hold("bob", 5)).toMatchObject({ kind: "held" });
      await shop.crash();
      expect((await shop.goods()).frozen).toBe(5);
      expect((await shop.order("order 1"))?.state).toBe("expired");
    },
  },
  {
    sentence: "each SKU of an expired order has after a crash the time that it had before",
    run: async (shop) => {
      await placedTwo(shop);
      shop.now = START + WINDOW;
      await shop.put(5);
      shop.now += MINUTE;
      await shop.put(5);
      await shop.crash();
      expect([(await shop.goods()).clock, (await shop.goods("sofa")).clock]).toEqual([START + WINDOW + MINUTE, START + WINDOW]);
      expect(await shop.order("order 1")).toMatchObject({ state: "expired", since: START + WINDOW });
    },
  },
  {
    sentence: "a reply that is kept for any other request outlives a crash",
    run: async (shop) => {
      const response = { kind: "response", key: keyOf("k"), status: 201, body: '{"orderID":"ö 1"}' } as const;
      await shop.ledger.remember([response], shop.now);
      await shop.crash();
      expect(await shop.ledger.recall([keyOf("k")], shop.now)).toEqual([response]);
    },
  },
  {
    sentence: "everything is as it was after a crash",
    run: async (shop) => {
      await shop.put(20);
      await shop.put(3, "vase");
      await shop.removeGoods("vase");
      await shop.record("bob", 7, { userLevel: 3 });
      for (const id of ["order 1", "order 2", "order 3"]) {
        await shop.hold("ann", 2, { key: keyOf(id.replace("order ", "k")) });
        await shop.place("ann", id);
      }
      await shop.put(3, "sofa");
      await shop.hold("ann", 1);
      await shop.hold("ann", 1, { sku: "sofa" });
      await shop.place("ann", "order 4", { skus: ["sofa", "lamp"] });
      await shop.pay("order 1");
      await shop.cancel("order 2", "held");
      await shop.hold("ann", 1, { key: keyOf("k") });
      await shop.hold("bob", 99, { key: keyOf("k4") });
      await shop.hold("cem", 1);
      const before = await everything(shop);
      await shop.crash();
      expect(await everything(shop)).toEqual(before);
      expect(await shop.hold("ann", 1, { key: keyOf("k") })).toMatchObject({ kind: "repeated", reply: { quantity: 3, reason: null } });
      expect(await shop.hold("bob", 99, { key: keyOf("k4") })).toMatchObject({
        kind: "repeated",
        reply: { quantity: 99, reason: "sold-out" },
      });
    },
  },
  {
    sentence: "a purchase whose reply was lost in a crash is asked again with its key and gets the first reply",
    run: async (shop) => {
      await shop.put(2);
      await shop.hold("ann", 2, { key: keyOf("k") });
      await shop.crash();
      expect(await shop.hold("ann", 2, { key: keyOf("k") })).toEqual(repeatedHold(2));
      expect((await shop.goods()).frozen).toBe(2);
    },
  },
  {
    sentence: "a deadline that passes while nothing runs is a deadline",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      await shop.hold("bob", 1);
      await shop.place("bob", "order 1");
      shop.now = START + WINDOW;
      await shop.crash();
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 2, sold: 0 });
      expect(await shop.order("order 1")).toMatchObject({ state: "expired", since: START + WINDOW });
      shop.now = DEADLINE;
      expect(await shop.hold("cem", 5)).toEqual(held(5, DEADLINE + FROZEN_FOR));
    },
  },
  {
    sentence: "what lapsed before a crash stays lapsed when the clock jumps back behind it",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      await shop.hold("bob", 2);
      await shop.place("bob", "order 1");
      shop.now = DEADLINE;
      expect(await shop.hold("cem", 9)).toEqual(refused("sold-out"));
      await shop.crash();
      shop.now = START + 1;
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 0, sold: 0 });
      expect(await shop.release("ann")).toEqual(refused("no-hold"));
      expect((await shop.order("order 1"))?.state).toBe("expired");
    },
  },
  {
    sentence: "the time that a hold has seen outlives a crash: no later hold gets an earlier deadline",
    run: async (shop) => {
      await shop.put(5);
      shop.now = START + 20 * MINUTE;
      await shop.hold("ann", 1);
      await shop.crash();
      shop.now = START + 10 * MINUTE;
      expect(await shop.hold("bob", 1)).toEqual(held(1, START + 20 * MINUTE + FROZEN_FOR));
    },
  },
  {
    sentence: "goods removed and put again by a clock that jumped back do not revive what lapsed",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      await shop.hold("bob", 2);
      await shop.place("bob", "order 1");
      shop.now = DEADLINE;
      await shop.removeGoods();
      shop.now = START + 1;
      await shop.put(3);
      await shop.crash();
      expect(figures(await shop.goods())).toEqual({ onHand: 3, frozen: 0, sold: 0 });
      expect(await shop.cart("ann")).toEqual([]);
      expect((await shop.order("order 1"))?.state).toBe("expired");
    },
  },
];

export const crashChecks: readonly Check[] = crashes.map((check): Check => ({ ...check, needsReopen: true }));
