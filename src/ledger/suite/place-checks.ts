/** Checks of how an order is made of holds, all of them or none, and how a user's orders are found. */
import { expect } from "bun:test";
import type { OrderId, Sku, UserId } from "../../core/ids.ts";
import type { Order, OrderSearch } from "../ledger.ts";
import {
  type Check,
  DEADLINE,
  figures,
  free,
  held,
  LAMP,
  MINUTE,
  PAY_UNTIL,
  placeCommand,
  placed,
  placedTwo,
  refused,
  type Shop,
  START,
  stateOf,
  WINDOW,
} from "./shop.ts";

const SOFA = "sofa" as Sku;
const BOTH = ["lamp", "sofa"];

const placing: readonly Check[] = [
  {
    sentence: "place moves the hold into an order with one payment window and fixed prices, and the stock stays frozen",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      shop.now += MINUTE;
      const order: Order = {
        orderId: "order 1" as OrderId,
        userId: "ann" as UserId,
        userLevel: 2,
        items: [{ sku: LAMP, quantity: 2, priceCents: 4_990, heldUntil: DEADLINE }],
        state: "payment-pending",
        placedAt: START + MINUTE,
        payUntil: START + MINUTE + WINDOW,
        since: START + MINUTE,
        payment: null,
      };
      expect(await shop.place("ann", "order 1", { priceCents: 4_990 })).toEqual({ kind: "order", order });
      expect(await shop.order("order 1")).toEqual(order);
      expect(await shop.line("ann")).toEqual({ held: 0, heldUntil: 0, pending: 2, ordered: 0, userLevel: null });
      expect(await shop.cart("ann")).toEqual([]);
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 2, sold: 0 });
    },
  },
  {
    sentence: "several holds become one order, with the deadline that each had and one window for all",
    run: async (shop) => {
      await placedTwo(shop);
      const order = await shop.order("order 1");
      expect(order).toMatchObject({ payUntil: PAY_UNTIL, state: "payment-pending" });
      expect(order?.items).toEqual([
        { sku: LAMP, quantity: 2, priceCents: 9_990, heldUntil: DEADLINE },
        { sku: SOFA, quantity: 1, priceCents: 9_990, heldUntil: START + 20 * MINUTE },
      ]);
      expect([(await shop.goods()).frozen, (await shop.goods("sofa")).frozen]).toEqual([2, 1]);
      expect([(await shop.line("ann")).pending, (await shop.line("ann", "sofa")).pending]).toEqual([2, 1]);
      expect(await shop.cart("ann")).toEqual([]);
    },
  },
  {
    sentence: "an order of two of which one is not held is none: nothing has changed",
    run: async (shop) => {
      await shop.put(5);
      await shop.put(5, "sofa");
      await shop.hold("ann", 2);
      await shop.hold("bob", 1, { sku: "sofa" });
      for (const skus of [BOTH, ["sofa", "lamp"], ["lamp", "nothing of the kind"]])
        expect(await shop.place("ann", "order 1", { skus })).toEqual(refused("no-hold"));
      expect(await shop.order("order 1")).toBeNull();
      expect(await shop.line("ann")).toEqual({ held: 2, heldUntil: DEADLINE, pending: 0, ordered: 0, userLevel: null });
      expect([(await shop.goods()).frozen, (await shop.goods("sofa")).frozen]).toEqual([2, 1]);
    },
  },
  {
    sentence: "a SKU that an order names twice is in it once, at its first price, and an order of nothing is none",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      expect(await shop.ledger.place([{ ...placeCommand("ann", "order 0"), items: [] }], shop.now)).toEqual([refused("no-hold")]);
      const items = [4, 3, 2].map((priceCents) => ({ sku: LAMP, priceCents }));
      const [reply] = await shop.ledger.place([{ ...placeCommand("ann", "order 1"), items }], shop.now);
      expect(reply).toMatchObject({ order: { items: [{ sku: LAMP, quantity: 2, priceCents: 4 }] } });
      expect((await shop.goods()).frozen).toBe(2);
    },
  },
  {
    sentence: "an order has up to a hundred SKUs",
    run: async (shop) => {
      const skus = Array.from({ length: 101 }, (_, n) => `sku ${n}`);
      for (const sku of skus) {
        await shop.put(1, sku);
        await shop.hold("ann", 1, { sku });
      }
      expect(await shop.place("ann", "order 1", { skus })).toEqual(refused("too-many-items"));
      expect(await shop.cart("ann")).toHaveLength(101);
      expect(await shop.place("ann", "order 1", { skus: skus.slice(1) })).toMatchObject({ kind: "order" });
      expect(await shop.cart("ann")).toHaveLength(1);
      expect(stateOf(await shop.pay("order 1"))).toBe("paid");
      expect((await shop.goods("sku 100")).sold).toBe(1);
    },
  },
  {
    sentence: "the payment window is capped at an hour",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      expect(await shop.place("ann", "order 1", { windowMs: 61 * MINUTE })).toMatchObject({ order: { payUntil: START + 60 * MINUTE } });
      expect(await shop.order("order 1")).toMatchObject({ payUntil: START + 60 * MINUTE });
      shop.now = START + 60 * MINUTE;
      expect(figures(await shop.goods())).toEqual(free);
    },
  },
  {
    sentence: "place again with the same order id and SKUs gets the order as it is now, and takes no further hold",
    run: async (shop) => {
      await placedTwo(shop);
      await shop.hold("ann", 1);
      expect(await shop.place("ann", "order 1", { skus: ["sofa", "lamp"], priceCents: 1 })).toEqual({
        kind: "order",
        order: (await shop.order("order 1")) as Order,
      });
      expect((await shop.line("ann")).held).toBe(1);
      expect((await shop.goods()).frozen).toBe(3);
      await shop.pay("order 1");
      expect(stateOf(await shop.place("ann", "order 1", { skus: BOTH }))).toBe("paid");
    },
  },
  {
    sentence: "an order id belongs to its user and its SKUs: anything else is told that the key is reused, before anything else is asked",
    run: async (shop) => {
      await placedTwo(shop);
      await shop.hold("ann", 1);
      expect(await shop.place("bob", "order 1", { skus: BOTH })).toEqual(refused("key-reused"));
      expect(await shop.place("ann", "order 1")).toEqual(refused("key-reused"));
      expect(await shop.place("ann", "order 1", { skus: ["lamp", "vase"] })).toEqual(refused("key-reused"));
      const skus = Array.from({ length: 101 }, (_, n) => `sku ${n}`);
      expect(await shop.place("ann", "order 1", { skus })).toEqual(refused("key-reused"));
      expect(await shop.place("ann", "order 2", { skus })).toEqual(refused("too-many-items"));
      expect((await shop.line("ann")).held).toBe(1);
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
    sentence: "the time of an order is the latest that any of its SKUs has seen",
    run: async (shop) => {
      await shop.put(5, "sofa");
      await shop.hold("ann", 1, { sku: "sofa", frozenForMs: 60 * MINUTE });
      shop.now = START + 40 * MINUTE;
      await shop.put(5);
      await shop.hold("ann", 1);
      shop.now = START;
      expect((await shop.goods("sofa")).clock).toBe(START);
      expect(await shop.place("ann", "order 1", { skus: BOTH })).toMatchObject({ order: { placedAt: START + 40 * MINUTE } });
      expect((await shop.goods("sofa")).clock).toBe(START + 40 * MINUTE);
    },
  },
  {
    sentence: "a hold that is over at the time of the order is not in it, whatever time its own SKU has seen",
    run: async (shop) => {
      await shop.put(5, "sofa");
      await shop.hold("ann", 1, { sku: "sofa" });
      shop.now = DEADLINE;
      await shop.put(5);
      await shop.hold("ann", 1);
      shop.now = START;
      expect(await shop.cart("ann")).toHaveLength(2);
      expect(await shop.place("ann", "order 1", { skus: BOTH })).toEqual(refused("no-hold"));
      expect((await shop.goods("sofa")).frozen).toBe(0);
    },
  },
];

const listing: readonly Check[] = [
  {
    sentence: "a user's orders are listed newest first, page by page, as they are now, and nobody else's",
    run: async (shop) => {
      await shop.put(20);
      for (const n of [1, 3, 2, 4]) {
        await shop.hold("ann", 1);
        await shop.place("ann", `order ${n}`);
        // Two were placed in the same millisecond: it counts which came later.
        if (n !== 3) shop.now += MINUTE;
      }
      await shop.hold("bob", 1);
      await shop.place("bob", "order 5");
      await shop.pay("order 2");
      const idsOf = (orders: readonly Order[]): string[] => orders.map(({ orderId }) => orderId);
      expect(idsOf(await shop.ordersOf("ann"))).toEqual(["order 4", "order 2", "order 3", "order 1"]);
      expect(idsOf(await shop.ordersOf("ann", null, 2))).toEqual(["order 4", "order 2"]);
      expect(idsOf(await shop.ordersOf("ann", "order 2", 2))).toEqual(["order 3", "order 1"]);
      expect(await shop.ordersOf("ann", "order 1")).toEqual([]);
      expect(await shop.ordersOf("ann", "order 5")).toEqual([]);
      expect(await shop.ordersOf("ann", "nothing of the kind")).toEqual([]);
      expect(await shop.ordersOf("cem")).toEqual([]);
      shop.now = PAY_UNTIL;
      expect((await shop.ordersOf("ann")).map(({ state }) => state)).toEqual(["payment-pending", "paid", "payment-pending", "expired"]);
    },
  },
  {
    sentence: "everybody's orders are looked through from the newest back, in any state or in one, as far as a look may go",
    run: async (shop) => {
      await aDayOfOrders(shop);
      const idsOf = async (search: Partial<OrderSearch>): Promise<readonly [string, string | null]> => {
        const { orders, next } = await shop.findOrders(search);
        return [orders.map(({ orderId }) => orderId.slice("order ".length)).join(" "), next];
      };
      expect(await idsOf({})).toEqual(["7 6 5 4 3 2 1", null]);
      expect(await idsOf({ limit: 3 })).toEqual(["7 6 5", "order 5"]);
      expect(await idsOf({ limit: 3, after: "order 5" as OrderId })).toEqual(["4 3 2", "order 2"]);
      expect(await idsOf({ after: "order 2" as OrderId })).toEqual(["1", null]);
      expect(await idsOf({ after: "order 1" as OrderId })).toEqual(["", null]);
      expect(await idsOf({ after: "nothing of the kind" as OrderId })).toEqual(["", null]);
      expect(await idsOf({ state: "payment-pending" })).toEqual(["7", null]);
      expect(await idsOf({ state: "paid" })).toEqual(["4 2", null]);
      expect(await idsOf({ state: "cancelled" })).toEqual(["3", null]);
      expect(await idsOf({ state: "expired" })).toEqual(["6", null]);
      expect(await idsOf({ state: "refund-due" })).toEqual(["5 1", null]);
      // A look that has gone far enough says where it stands, whether it has found anything or not.
      expect(await idsOf({ state: "paid", passedMax: 3 })).toEqual(["", "order 5"]);
      expect(await idsOf({ state: "paid", passedMax: 3, after: "order 5" as OrderId })).toEqual(["4 2", "order 2"]);
      expect(await idsOf({ state: "paid", passedMax: 3, after: "order 2" as OrderId })).toEqual(["", null]);
      const [newest] = (await shop.findOrders({ limit: 1 })).orders;
      expect(newest).toEqual((await shop.order("order 7")) as Order);
    },
  },
  {
    sentence: "late are those orders whose money came at their payment deadline or after it, whatever became of them",
    run: async (shop) => {
      await aDayOfOrders(shop);
      const late = async (search: Partial<OrderSearch> = {}): Promise<string[]> =>
        (await shop.findOrders({ isPaidLate: true, ...search })).orders.map(({ orderId, state }) => `${orderId} ${state}`);
      expect(await late()).toEqual(["order 5 refund-due", "order 4 paid"]);
      expect(await late({ state: "paid" })).toEqual(["order 4 paid"]);
      expect(await late({ state: "expired" })).toEqual([]);
    },
  },
];

/** Orders of every kind: 1 was paid with the wrong amount, 2 in time, 3 was cancelled; 4 was paid at its deadline, 5 after it when the goods had
 *  gone, 6 not at all; 7 may still be. */
async function aDayOfOrders(shop: Shop): Promise<void> {
  await shop.put(20);
  await shop.put(1, "sofa");
  for (const n of [1, 2, 3, 4, 5, 6]) {
    const sku = n === 5 ? "sofa" : LAMP;
    await shop.hold(`user ${n}`, 1, { sku });
    await shop.place(`user ${n}`, `order ${n}`, { skus: [sku] });
  }
  await shop.pay("order 1", { paymentId: "1", isAmountRight: false });
  await shop.pay("order 2", { paymentId: "2" });
  await shop.cancel("order 3");
  shop.now = PAY_UNTIL;
  await shop.pay("order 4", { paymentId: "4" });
  await shop.hold("ann", 1, { sku: "sofa" });
  shop.now += 1;
  await shop.pay("order 5", { paymentId: "5" });
  await shop.hold("user 7", 1);
  await shop.place("user 7", "order 7");
}

export const placeChecks: readonly Check[] = [...placing, ...listing];
