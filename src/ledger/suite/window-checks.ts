/** Checks of a sale's window: the start and the end are exact by the SKU's own time. */
import { expect } from "bun:test";
import { type Check, FROZEN_FOR, held, holdCommand, keyOf, MINUTE, refused, START } from "./shop.ts";

const OPENS = START + 10 * MINUTE;
const CLOSES = START + 20 * MINUTE;
const inSale = { opensAt: OPENS, closesAt: CLOSES };

export const windowChecks: readonly Check[] = [
  {
    sentence: "nobody buys a millisecond before the start, and everybody from the start on",
    run: async (shop) => {
      await shop.put(5);
      shop.now = OPENS - 1;
      expect(await shop.hold("ann", 1, inSale)).toEqual(refused("not-started"));
      expect((await shop.goods()).frozen).toBe(0);
      shop.now = OPENS;
      expect(await shop.hold("ann", 1, inSale)).toEqual(held(1, OPENS + FROZEN_FOR));
    },
  },
  {
    sentence: "everybody buys until the last millisecond of a sale, and nobody at its end",
    run: async (shop) => {
      await shop.put(5);
      shop.now = CLOSES - 1;
      expect(await shop.hold("ann", 1, inSale)).toEqual(held(1, CLOSES - 1 + FROZEN_FOR));
      shop.now = CLOSES;
      expect(await shop.hold("bob", 1, inSale)).toEqual(refused("ended"));
      // What was bought in the sale can be given back, changed and ordered after it.
      expect(await shop.change("ann", 2)).toEqual(held(2, CLOSES - 1 + FROZEN_FOR));
      expect(await shop.place("ann", "order 1")).toMatchObject({ kind: "order" });
    },
  },
  {
    sentence: "a sale may have no start, or no end, or neither",
    run: async (shop) => {
      await shop.put(5);
      shop.now = CLOSES;
      expect(await shop.hold("ann", 1, { opensAt: OPENS })).toMatchObject({ kind: "held" });
      shop.now = OPENS - 1;
      await shop.put(5, "sofa");
      expect(await shop.hold("ann", 1, { sku: "sofa", closesAt: CLOSES })).toMatchObject({ kind: "held" });
      expect(await shop.hold("bob", 1, { sku: "sofa" })).toMatchObject({ kind: "held" });
    },
  },
  {
    sentence: "a clock that jumps back does not close a sale that these goods have seen open, and opens none again",
    run: async (shop) => {
      await shop.put(5);
      shop.now = OPENS;
      await shop.hold("ann", 1, inSale);
      shop.now = OPENS - 5;
      expect(await shop.hold("bob", 1, inSale)).toMatchObject({ kind: "held" });
      shop.now = CLOSES;
      await shop.hold("ann", 1);
      shop.now = OPENS;
      expect(await shop.hold("bob", 1, inSale)).toEqual(refused("ended"));
    },
  },
  {
    sentence: "a key that came too early may buy after the start; one that came too late hears it again",
    run: async (shop) => {
      await shop.put(5);
      const key = keyOf("k");
      expect(await shop.hold("ann", 1, { ...inSale, key })).toEqual(refused("not-started"));
      expect(await shop.ledger.recall([key], shop.now)).toEqual([null]);
      shop.now = OPENS;
      expect(await shop.hold("ann", 1, { ...inSale, key })).toEqual(held(1, OPENS + FROZEN_FOR));
      expect(await shop.hold("ann", 1, { ...inSale, key })).toMatchObject({ kind: "repeated", reply: { reason: null } });
      shop.now = CLOSES;
      expect(await shop.hold("ann", 1, { ...inSale, key })).toMatchObject({ kind: "repeated", reply: { reason: null } });
      expect(await shop.hold("bob", 1, { ...inSale, key: keyOf("k2") })).toEqual(refused("ended"));
      expect(await shop.hold("bob", 1, { key: keyOf("k2") })).toMatchObject({ kind: "repeated", reply: { reason: "ended" } });
    },
  },
  {
    sentence: "hold refuses for a reused key and unknown goods before the window, and for the window before the limit and the stock",
    run: async (shop) => {
      const wish = { ...inSale, limit: 1 };
      expect(await shop.hold("ann", 2, wish)).toEqual(refused("unknown-goods"));
      await shop.put(0);
      await shop.hold("ann", 2, { key: keyOf("k", "first body") });
      for (const [now, reason] of [[START, "not-started"] as const, [CLOSES, "ended"] as const]) {
        shop.now = now;
        expect(await shop.hold("ann", 2, { ...wish, key: keyOf("k", "other body") })).toEqual(refused("key-reused"));
        expect(await shop.hold("ann", 2, wish)).toEqual(refused(reason));
      }
      expect(await shop.hold("ann", 2, { limit: 1 })).toEqual(refused("limit-reached"));
    },
  },
  {
    sentence: "ten thousand who wait for the start are served in their order at the start",
    run: async (shop) => {
      await shop.put(300);
      const commands = Array.from({ length: 10_000 }, (_, n) => holdCommand(`buyer ${n}`, 1, inSale));
      expect(new Set((await shop.ledger.hold(commands, OPENS - 1)).map((reply) => "reason" in reply && reply.reason))).toEqual(
        new Set(["not-started"]),
      );
      const replies = await shop.ledger.hold(commands, OPENS);
      expect(replies.findIndex(({ kind }) => kind === "refused")).toBe(300);
      expect(replies.filter(({ kind }) => kind === "held")).toHaveLength(300);
    },
  },
];
