/** Checks of time and stock: deadlines that nothing moves, clocks that jump back, and what an operator may set. */
import { expect } from "bun:test";
import type { Sku } from "../../core/ids.ts";
import { type Check, DEADLINE, FROZEN_FOR, figures, held, LAMP, MINUTE, refused, START } from "./shop.ts";

const deadlines: readonly Check[] = [
  {
    sentence: "nothing extends a hold: not more of it, not a change, not a refused wish",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 1);
      shop.now += 10 * MINUTE;
      expect(await shop.hold("ann", 1)).toEqual(held(2, DEADLINE));
      expect(await shop.hold("ann", 1, { frozenForMs: 100 * FROZEN_FOR })).toEqual(held(3, DEADLINE));
      shop.now += 10 * MINUTE;
      expect(await shop.change("ann", 4)).toEqual(held(4, DEADLINE));
      expect(await shop.change("ann", 1)).toEqual(held(1, DEADLINE));
      await shop.hold("ann", 99);
      await shop.change("ann", 99);
      expect((await shop.line("ann")).heldUntil).toBe(DEADLINE);
      shop.now = DEADLINE;
      expect((await shop.goods()).frozen).toBe(0);
    },
  },
  {
    sentence: "a hold lives until the last millisecond before its deadline and is free at the deadline",
    run: async (shop) => {
      await shop.put(1);
      await shop.hold("ann", 1);
      shop.now = DEADLINE - 1;
      expect((await shop.goods()).frozen).toBe(1);
      expect(await shop.hold("bob", 1)).toEqual(refused("sold-out"));
      expect(await shop.cart("ann")).toHaveLength(1);
      shop.now = DEADLINE;
      expect(await shop.hold("bob", 1)).toEqual(held(1, DEADLINE + FROZEN_FOR));
      expect((await shop.goods()).frozen).toBe(1);
    },
  },
  ...(["goods", "line", "cart", "listGoods"] as const).map((question) => ({
    sentence: `${question} does not count a hold at its deadline, although nobody has swept`,
    run: async (shop: Parameters<Check["run"]>[0]) => {
      await shop.put(1);
      await shop.hold("ann", 1);
      shop.now = DEADLINE;
      const seen = {
        goods: async () => (await shop.goods()).frozen,
        line: async () => (await shop.line("ann")).held + (await shop.line("ann")).heldUntil,
        cart: async () => (await shop.cart("ann")).length,
        listGoods: async () => (await shop.ledger.listGoods(null, 10, shop.now))[0]?.frozen,
      };
      expect(await seen[question]()).toBe(0);
    },
  })),
  {
    sentence: "a lapsed hold cannot be changed, given back or ordered: it is not there",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      shop.now = DEADLINE;
      expect(await shop.change("ann", 1)).toEqual(refused("no-hold"));
      expect(await shop.release("ann")).toEqual(refused("no-hold"));
      expect(await shop.place("ann", "order 1")).toEqual(refused("no-hold"));
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 0, sold: 0 });
    },
  },
  {
    sentence: "a lapsed hold does not count against the limit, and the next one has a deadline of its own",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2, { limit: 2 });
      shop.now = DEADLINE;
      expect(await shop.hold("ann", 2, { limit: 2 })).toEqual(held(2, DEADLINE + FROZEN_FOR));
      expect((await shop.goods()).frozen).toBe(2);
    },
  },
  {
    sentence: "expire ends what is due and nothing else",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2, { frozenForMs: MINUTE });
      await shop.hold("bob", 1);
      shop.now += MINUTE;
      await shop.expire();
      await shop.expire("nothing of the kind");
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 1, sold: 0 });
      expect((await shop.line("bob")).held).toBe(1);
    },
  },
];

const clock: readonly Check[] = [
  {
    sentence: "when the clock jumps back, a SKU's time does not",
    run: async (shop) => {
      await shop.put(5);
      shop.now = START + 20 * MINUTE;
      await shop.hold("ann", 1);
      shop.now = START;
      expect(await shop.hold("bob", 1)).toEqual(held(1, START + 20 * MINUTE + FROZEN_FOR));
      expect(await shop.hold("ann", 1)).toEqual(held(2, START + 20 * MINUTE + FROZEN_FOR));
      expect((await shop.goods()).clock).toBe(START + 20 * MINUTE);
      expect(await shop.place("ann", "order 1", { windowMs: MINUTE })).toMatchObject({
        order: { payUntil: START + 21 * MINUTE, since: START + 20 * MINUTE },
      });
    },
  },
  {
    sentence: "when the clock jumps back, what has lapsed does not live again",
    run: async (shop) => {
      await shop.put(1);
      await shop.hold("ann", 1);
      shop.now = DEADLINE;
      await shop.expire();
      shop.now = START + 1;
      expect(await shop.release("ann")).toEqual(refused("no-hold"));
      expect((await shop.goods()).frozen).toBe(0);
      expect(await shop.hold("bob", 1)).toEqual(held(1, DEADLINE + FROZEN_FOR));
    },
  },
  {
    sentence: "a clock that jumped back moves no deadline forward and none back",
    run: async (shop) => {
      await shop.put(5);
      shop.now = START + MINUTE;
      await shop.hold("ann", 1);
      shop.now = START - 1_000 * MINUTE;
      expect((await shop.line("ann")).heldUntil).toBe(START + MINUTE + FROZEN_FOR);
      await shop.hold("ann", 1);
      shop.now = START + MINUTE + FROZEN_FOR - 1;
      expect((await shop.goods()).frozen).toBe(2);
      shop.now += 1;
      expect((await shop.goods()).frozen).toBe(0);
    },
  },
  {
    sentence: "the time of one SKU is not the time of another",
    run: async (shop) => {
      await shop.put(5, "sofa");
      shop.now += 20 * MINUTE;
      await shop.put(5);
      shop.now = START;
      expect(await shop.hold("ann", 1, { sku: "sofa" })).toEqual(held(1, DEADLINE));
    },
  },
];

const stock: readonly Check[] = [
  {
    sentence: "goods are as they were put, and a later put replaces quantity and price",
    run: async (shop) => {
      const goods = { sku: LAMP, onHand: 5, frozen: 0, pending: 0, sold: 0, stocked: 5, priceCents: 9_990, clock: START };
      expect(await shop.put(5)).toEqual({ kind: "stocked", goods });
      expect(await shop.goods()).toEqual(goods);
      const [reply] = await shop.ledger.stock([{ verb: "stock", mode: "put", sku: LAMP, onHand: 7, priceCents: 1 }], shop.now);
      expect(reply).toEqual({ kind: "stocked", goods: { ...goods, onHand: 7, stocked: 7, priceCents: 1 } });
      expect(await shop.ledger.goods(["nothing of the kind" as Sku, LAMP], shop.now)).toMatchObject([null, { onHand: 7 }]);
    },
  },
  {
    sentence: "update needs goods that exist",
    run: async (shop) => {
      expect(await shop.put(5, LAMP, "update")).toEqual(refused("unknown-goods"));
      await shop.put(5);
      expect(await shop.put(6, LAMP, "update")).toMatchObject({ kind: "stocked", goods: { onHand: 6 } });
    },
  },
  {
    sentence: "stock cannot be set below what is frozen, and the reply names the smallest possible value",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      await shop.hold("bob", 1);
      await shop.place("bob", "order 1");
      const refusal = { kind: "refused", reason: "frozen", onHandMin: 3 } as const;
      expect(await shop.put(2)).toEqual(refusal);
      expect(await shop.put(2, LAMP, "update")).toEqual(refusal);
      expect(await shop.removeGoods()).toEqual(refusal);
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 3, sold: 0 });
      expect(await shop.put(3)).toMatchObject({ kind: "stocked", goods: { onHand: 3, frozen: 3 } });
      expect(await shop.hold("cem", 1)).toEqual(refused("sold-out"));
    },
  },
  {
    sentence: "goods with lapsed holds can be removed, and come back with nothing frozen",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 5);
      shop.now = DEADLINE;
      expect(await shop.removeGoods()).toEqual({ kind: "removed" });
      expect(await shop.ledger.goods([LAMP], shop.now)).toEqual([null]);
      expect(await shop.removeGoods()).toEqual({ kind: "removed" });
      expect(await shop.hold("ann", 1)).toEqual(refused("unknown-goods"));
      expect(await shop.cart("ann")).toEqual([]);
      await shop.put(5);
      expect(figures(await shop.goods())).toEqual({ onHand: 5, frozen: 0, sold: 0 });
      expect(await shop.hold("ann", 5)).toEqual(held(5, DEADLINE + FROZEN_FOR));
    },
  },
  {
    sentence: "what was sold stays sold when stock is set anew",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2);
      await shop.place("ann", "order 1");
      await shop.pay("order 1");
      expect(await shop.put(10)).toMatchObject({ goods: { onHand: 10, sold: 2, stocked: 12 } });
      expect(await shop.goods()).toMatchObject({ onHand: 10, sold: 2, stocked: 12 });
    },
  },
];

export const timeChecks: readonly Check[] = [...deadlines, ...clock, ...stock];
