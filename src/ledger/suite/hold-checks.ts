/** Checks of a hold's life: how it is made, changed and given back, and how it ends by itself. */
import { expect } from "bun:test";
import type { UserId } from "../../core/ids.ts";
import { type Check, FROZEN_FOR, figures, held, holdCommand, keyOf, LAMP, MINUTE, refused, type Shop, START } from "./shop.ts";

const outcomes = (replies: readonly { readonly kind: string; readonly reason?: string }[]): string[] =>
  replies.map((reply) => reply.reason ?? reply.kind);

const oneStep: readonly Check[] = [
  {
    sentence: "of two buyers who reach for the last one at once, one gets it",
    run: async (shop) => {
      await shop.put(1);
      const replies = await Promise.all([shop.hold("ann", 1), shop.hold("bob", 1)]);
      expect(outcomes(replies).sort()).toEqual(["held", "sold-out"]);
      expect(figures(await shop.goods())).toEqual({ onHand: 1, frozen: 1, sold: 0 });
    },
  },
  {
    sentence: "of sixty buyers at once for ten lamps, ten get one",
    run: async (shop) => {
      await shop.put(10);
      const replies = await Promise.all(Array.from({ length: 60 }, (_, n) => shop.hold(`buyer ${n}`, 1)));
      expect(replies.filter(({ kind }) => kind === "held")).toHaveLength(10);
      expect(figures(await shop.goods())).toEqual({ onHand: 10, frozen: 10, sold: 0 });
    },
  },
  {
    sentence: "the same SKU twice in one batch is not checked against the same stock",
    run: async (shop) => {
      await shop.put(3);
      const replies = await shop.ledger.hold([holdCommand("ann", 2), holdCommand("bob", 2), holdCommand("cem", 1)], shop.now);
      expect(replies).toEqual([held(2), refused("sold-out"), held(1)]);
    },
  },
  {
    sentence: "the same user twice in one batch is not checked against the same limit",
    run: async (shop) => {
      await shop.put(9);
      const replies = await shop.ledger.hold(
        [holdCommand("ann", 2, { limit: 3 }), holdCommand("ann", 2, { limit: 3 }), holdCommand("ann", 1, { limit: 3 })],
        shop.now,
      );
      expect(replies).toEqual([held(2), refused("limit-reached"), held(3)]);
    },
  },
  {
    sentence: "fifty requests of one user at once do not get past the limit",
    run: async (shop) => {
      await shop.put(50);
      await Promise.all(Array.from({ length: 50 }, () => shop.hold("ann", 1, { limit: 3 })));
      expect((await shop.line("ann")).held).toBe(3);
      expect((await shop.goods()).frozen).toBe(3);
    },
  },
  {
    sentence: "a batch over several SKUs is answered in its order",
    run: async (shop) => {
      await shop.put(1, "a");
      await shop.put(5, "b");
      const commands = [
        holdCommand("ann", 5, { sku: "b" }),
        holdCommand("ann", 2, { sku: "a" }),
        holdCommand("ann", 1, { sku: "c" }),
        holdCommand("ann", 1, { sku: "a" }),
      ];
      expect(outcomes(await shop.ledger.hold(commands, shop.now))).toEqual(["held", "sold-out", "unknown-goods", "held"]);
      expect(await shop.ledger.hold([], shop.now)).toEqual([]);
    },
  },
  {
    sentence: "what one user holds is no other user's and of no other SKU",
    run: async (shop) => {
      await shop.put(5);
      await shop.put(5, "sofa");
      await shop.hold("ann", 2);
      expect(await shop.hold("bob", 3, { limit: 3 })).toEqual(held(3));
      expect(await shop.hold("ann", 3, { sku: "sofa", limit: 3 })).toEqual(held(3));
      expect(await shop.line("ann")).toEqual({ held: 2, heldUntil: START + FROZEN_FOR, pending: 0, ordered: 0, userLevel: null });
    },
  },
  {
    sentence: "the largest purchase there may be is one hold",
    run: async (shop) => {
      await shop.put(1_000_000_000);
      expect(await shop.hold("ann", 1_000_000, { limit: 1_000_000 })).toEqual(held(1_000_000));
      expect(figures(await shop.goods())).toEqual({ onHand: 1_000_000_000, frozen: 1_000_000, sold: 0 });
    },
  },
];

/** Each situation breaks the rule that it is named after and every later one, so the order of the rules is tested too. */
const order: readonly Check[] = [
  {
    sentence: "hold refuses for a reused key before unknown goods, the limit and the stock",
    run: async (shop) => {
      await shop.hold("ann", 1, { key: keyOf("k", "first body") });
      await shop.record("ann", 9);
      expect(await shop.hold("ann", 2, { key: keyOf("k", "other body"), limit: 1 })).toEqual(refused("key-reused"));
      await shop.put(0);
      expect(await shop.hold("ann", 2, { key: keyOf("k", "other body"), limit: 1 })).toEqual(refused("key-reused"));
    },
  },
  {
    sentence: "hold refuses for unknown goods before the limit",
    run: async (shop) => {
      await shop.record("ann", 9);
      expect(await shop.hold("ann", 2, { limit: 1 })).toEqual(refused("unknown-goods"));
    },
  },
  {
    sentence: "hold refuses for the limit before the stock, and for the stock last",
    run: async (shop) => {
      await shop.put(1);
      expect(await shop.hold("ann", 3, { limit: 2 })).toEqual(refused("limit-reached"));
      expect(await shop.hold("ann", 2, { limit: 2 })).toEqual(refused("sold-out"));
      expect(await shop.hold("ann", 1, { limit: 2 })).toEqual(held(1));
    },
  },
  {
    sentence: "change refuses for unknown goods, no hold, the limit, the stock, in this order",
    run: async (shop) => {
      expect(await shop.change("ann", 9, { limit: 1 })).toEqual(refused("unknown-goods"));
      await shop.put(3);
      expect(await shop.change("ann", 9, { limit: 1 })).toEqual(refused("no-hold"));
      await shop.hold("ann", 1);
      expect(await shop.change("ann", 9, { limit: 8 })).toEqual(refused("limit-reached"));
      expect(await shop.change("ann", 9, { limit: 9 })).toEqual(refused("sold-out"));
      expect(await shop.change("ann", 3, { limit: 3 })).toEqual(held(3));
    },
  },
  {
    sentence: "a refusal changes nothing",
    run: async (shop) => {
      await shop.put(2);
      await shop.hold("ann", 1, { limit: 1 });
      const before = [await shop.goods(), await shop.line("ann"), await shop.cart("ann")];
      await shop.hold("ann", 1, { limit: 1 });
      await shop.hold("ann", 2);
      await shop.change("ann", 3);
      await shop.change("ann", 2, { limit: 1 });
      expect([await shop.goods(), await shop.line("ann"), await shop.cart("ann")]).toEqual(before);
      expect(await shop.line("bob")).toEqual({ held: 0, heldUntil: 0, pending: 0, ordered: 0, userLevel: null });
    },
  },
];

const ownHold: readonly Check[] = [
  {
    sentence: "a user's own hold does not stand in the way of a change of it",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 3);
      expect(await shop.change("ann", 5, { limit: 5 })).toEqual(held(5));
      expect(await shop.change("ann", 5, { limit: 5 })).toEqual(held(5));
      expect(await shop.change("ann", 2, { limit: 5 })).toEqual(held(2));
      expect((await shop.goods()).frozen).toBe(2);
    },
  },
  {
    sentence: "what is added counts together with what was held",
    run: async (shop) => {
      await shop.put(9);
      await shop.hold("ann", 2, { limit: 4 });
      expect(await shop.hold("ann", 3, { limit: 4 })).toEqual(refused("limit-reached"));
      expect(await shop.hold("ann", 2, { limit: 4 })).toEqual(held(4));
    },
  },
  {
    sentence: "giving some back is possible under a limit that has been lowered since",
    run: async (shop) => {
      await shop.put(9);
      await shop.hold("ann", 6);
      expect(await shop.change("ann", 5, { limit: 2 })).toEqual(held(5));
      expect(await shop.change("ann", 6, { limit: 2 })).toEqual(refused("limit-reached"));
      expect((await shop.goods()).frozen).toBe(5);
    },
  },
  {
    sentence: "release is always possible, gives everything back, and does so once",
    run: async (shop) => {
      await shop.put(4);
      await shop.hold("ann", 3);
      expect(await shop.release("ann")).toEqual({ kind: "released", quantity: 3 });
      expect(await shop.release("ann")).toEqual(refused("no-hold"));
      expect(await shop.release("ann", "nothing of the kind")).toEqual(refused("no-hold"));
      expect(figures(await shop.goods())).toEqual({ onHand: 4, frozen: 0, sold: 0 });
      expect(await shop.hold("bob", 4)).toEqual(held(4));
    },
  },
  {
    sentence: "ten releases of one hold at once give it back once",
    run: async (shop) => {
      await shop.put(4);
      await shop.hold("ann", 3);
      await shop.hold("bob", 1);
      const replies = await Promise.all(Array.from({ length: 10 }, () => shop.release("ann")));
      expect(replies.filter(({ kind }) => kind === "released")).toHaveLength(1);
      expect((await shop.goods()).frozen).toBe(1);
    },
  },
];

const thousandLines = (from: number) => Array.from({ length: 1_000 }, (_, n) => `sku ${from + n}`);

async function putAll(shop: Shop, skus: readonly string[]): Promise<void> {
  await shop.ledger.stock(
    skus.map((sku) => ({ verb: "stock", mode: "put", sku: sku as typeof LAMP, onHand: 5, priceCents: 1 })),
    shop.now,
  );
}

const bounds: readonly Check[] = [
  {
    sentence: "a user who has a thousand SKUs in hand gets no further one, but more of those",
    run: async (shop) => {
      const skus = thousandLines(0);
      await putAll(shop, skus);
      await shop.put(0);
      await shop.ledger.hold(
        skus.map((sku) => holdCommand("ann", 1, { sku })),
        shop.now,
      );
      expect(await shop.hold("ann", 1)).toEqual(refused("limit-reached"));
      expect(await shop.hold("ann", 1, { sku: "sku 17" })).toEqual(held(2));
      expect(await shop.cart("ann")).toHaveLength(1_000);
      await shop.put(1);
      await shop.release("ann", "sku 999");
      expect(await shop.hold("ann", 1)).toEqual(held(1));
    },
  },
  {
    sentence: "a thousand lapsed holds do not stand in a user's way, sweeper or not",
    run: async (shop) => {
      const skus = thousandLines(0);
      await putAll(shop, skus);
      await shop.put(1);
      await shop.ledger.hold(
        skus.map((sku) => holdCommand("ann", 1, { sku })),
        shop.now,
      );
      shop.now += FROZEN_FOR;
      expect(await shop.hold("ann", 1)).toEqual(held(1, shop.now + FROZEN_FOR));
    },
  },
  {
    sentence: "a thousand holds due in the same millisecond are free in that millisecond",
    run: async (shop) => {
      await shop.put(1_000);
      await shop.ledger.hold(
        Array.from({ length: 1_000 }, (_, n) => holdCommand(`buyer ${n}`, 1)),
        shop.now,
      );
      shop.now += FROZEN_FOR - 1;
      expect(await shop.hold("ann", 1)).toEqual(refused("sold-out"));
      shop.now += 1;
      expect(await shop.hold("ann", 1_000)).toEqual(held(1_000, shop.now + FROZEN_FOR));
      expect(await shop.ledger.lines([{ userId: "buyer 7" as UserId, sku: LAMP }], shop.now)).toMatchObject([{ held: 0, heldUntil: 0 }]);
    },
  },
  {
    sentence: "each hold ends at its own deadline, in whatever order they were made",
    run: async (shop) => {
      await shop.put(10);
      const minutes = [7, 3, 9, 1, 5, 2, 8, 10, 4, 6];
      for (const minute of minutes) await shop.hold(`buyer ${minute}`, 1, { frozenForMs: minute * MINUTE });
      await shop.release("buyer 5");
      for (let minute = 1; minute <= 10; minute += 1) {
        shop.now = START + minute * MINUTE;
        const stillHeld = minutes.filter((deadline) => deadline > minute && deadline !== 5).length;
        expect((await shop.goods()).frozen).toBe(stillHeld);
      }
    },
  },
];

export const holdChecks: readonly Check[] = [...oneStep, ...order, ...ownHold, ...bounds];
