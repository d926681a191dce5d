/** Checks of what the ledger remembers: idempotency keys, order records, carts and lists. */
import { expect } from "bun:test";
import type { SessionId, Sku, UserId } from "../../core/ids.ts";
import type { KeptPurchase, KeptResponse } from "../ledger.ts";
import { type Check, DEADLINE, held, holdCommand, keptHold, keyOf, LAMP, MINUTE, refused, repeatedHold, START } from "./shop.ts";

const DAY = 24 * 60 * MINUTE;

const keys: readonly Check[] = [
  {
    sentence: "the same key gets the first reply and freezes nothing twice",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 1);
      expect(await shop.hold("ann", 2, { key: keyOf("k") })).toEqual(held(3));
      shop.now += MINUTE;
      expect(await shop.hold("ann", 2, { key: keyOf("k"), sessionId: "another session" })).toEqual(repeatedHold(3));
      expect((await shop.goods()).frozen).toBe(3);
    },
  },
  {
    sentence: "the same key gets the first reply when goods, limit and stock have all gone since",
    run: async (shop) => {
      await shop.put(2);
      await shop.hold("ann", 2, { key: keyOf("k"), limit: 2 });
      expect(await shop.hold("ann", 2, { key: keyOf("k"), limit: 2 })).toEqual(repeatedHold(2));
      await shop.release("ann");
      await shop.hold("bob", 2);
      await shop.record("ann", 99);
      expect(await shop.hold("ann", 2, { key: keyOf("k"), limit: 2 })).toEqual(repeatedHold(2));
      shop.now = DEADLINE;
      await shop.removeGoods();
      expect(await shop.hold("ann", 2, { key: keyOf("k"), limit: 2 })).toEqual(repeatedHold(2));
    },
  },
  ...(["unknown-goods", "limit-reached", "sold-out"] as const).map(
    (reason): Check => ({
      sentence: `the same key hears ${reason} again, even when it would be allowed by now`,
      run: async (shop) => {
        if (reason !== "unknown-goods") await shop.put(reason === "sold-out" ? 0 : 5);
        const limit = reason === "limit-reached" ? 1 : 0;
        expect(await shop.hold("ann", 2, { key: keyOf("k"), limit })).toEqual(refused(reason));
        await shop.put(5);
        expect(await shop.hold("ann", 2, { key: keyOf("k") })).toEqual({
          kind: "repeated",
          reply: { ...keptHold(2), reason, heldUntil: 0 },
        });
        expect((await shop.goods()).frozen).toBe(0);
      },
    }),
  ),
  {
    sentence: "the same key with another body is refused, on whatever SKU, and changes nothing",
    run: async (shop) => {
      await shop.put(5);
      await shop.put(5, "sofa");
      await shop.hold("ann", 2, { key: keyOf("k") });
      expect(await shop.hold("ann", 1, { key: keyOf("k", "other body") })).toEqual(refused("key-reused"));
      expect(await shop.hold("bob", 1, { key: keyOf("k", "third body"), sku: "sofa" })).toEqual(refused("key-reused"));
      expect(await shop.hold("ann", 2, { key: keyOf("k") })).toEqual(repeatedHold(2));
      expect([(await shop.goods()).frozen, (await shop.goods("sofa")).frozen]).toEqual([2, 0]);
    },
  },
  {
    sentence: "the same key twice in one batch, and twenty times at once, freezes once",
    run: async (shop) => {
      await shop.put(5);
      const command = holdCommand("ann", 2, { key: keyOf("k") });
      expect(await shop.ledger.hold([command, command], shop.now)).toEqual([held(2), repeatedHold(2)]);
      await Promise.all(Array.from({ length: 20 }, () => shop.hold("bob", 1, { key: keyOf("bob's") })));
      expect((await shop.goods()).frozen).toBe(3);
    },
  },
  {
    sentence: "a purchase without a key is remembered by none",
    run: async (shop) => {
      await shop.put(5);
      expect(await shop.hold("ann", 2)).toEqual(held(2));
      expect(await shop.hold("ann", 2)).toEqual(held(4));
    },
  },
  {
    sentence: "a key is recalled for a day at least, and one that was never used is null",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 2, { key: keyOf("k") });
      expect(await shop.ledger.recall([keyOf("new"), keyOf("k", "whatever body")], shop.now)).toEqual([null, keptHold(2)]);
      shop.now += DAY - 1;
      await shop.sweep();
      expect(await shop.ledger.recall([keyOf("k")], shop.now)).toEqual([keptHold(2)]);
      expect(await shop.hold("ann", 2, { key: keyOf("k") })).toEqual(repeatedHold(2));
    },
  },
  {
    sentence: "a reply that was given without the ledger is remembered, and the first one stays",
    run: async (shop) => {
      await shop.put(5);
      const refusal: KeptPurchase = { ...keptHold(1), step: "policy", reason: "level-too-low", heldUntil: 0 };
      const later: KeptPurchase = { ...refusal, step: "protect", reason: "blacklisted" };
      expect(await shop.ledger.remember([refusal, later], shop.now)).toEqual([refusal, refusal]);
      expect(await shop.ledger.remember([later], shop.now)).toEqual([refusal]);
      expect(await shop.ledger.recall([keyOf("k")], shop.now)).toEqual([refusal]);
      expect(await shop.hold("ann", 1, { key: keyOf("k") })).toEqual({ kind: "repeated", reply: refusal });
      await shop.hold("ann", 2, { key: keyOf("k2") });
      const [kept] = await shop.ledger.remember([{ ...later, key: keyOf("k2") }], shop.now);
      expect(kept).toEqual(keptHold(2, "k2"));
    },
  },
  {
    sentence: "a reply to any other request is remembered word for word, beside those to purchases",
    run: async (shop) => {
      const response: KeptResponse = { kind: "response", key: keyOf("k"), status: 201, body: '{"orderID":"ö 1"}' };
      expect(await shop.ledger.recall([keyOf("k")], shop.now)).toEqual([null]);
      expect(await shop.ledger.remember([response, keptHold(1, "k2")], shop.now)).toEqual([response, keptHold(1, "k2")]);
      expect(await shop.ledger.remember([{ ...response, status: 409, body: "" }], shop.now)).toEqual([response]);
      expect(await shop.ledger.recall([keyOf("k2"), keyOf("k")], shop.now)).toEqual([keptHold(1, "k2"), response]);
    },
  },
  {
    sentence: "a key that another request has used is no purchase's, and the other way round",
    run: async (shop) => {
      await shop.put(5);
      await shop.ledger.remember([{ kind: "response", key: keyOf("k"), status: 200, body: "{}" }], shop.now);
      expect(await shop.hold("ann", 1, { key: keyOf("k") })).toEqual(refused("key-reused"));
      await shop.hold("ann", 2, { key: keyOf("k2") });
      const [kept] = await shop.ledger.remember([{ kind: "response", key: keyOf("k2"), status: 200, body: "{}" }], shop.now);
      expect(kept).toEqual(keptHold(2, "k2"));
      expect((await shop.goods()).frozen).toBe(2);
    },
  },
  {
    sentence: "a reply that is longer than any may be is a bug, and changes nothing",
    run: async (shop) => {
      const long: KeptResponse = { kind: "response", key: keyOf("k"), status: 200, body: "x".repeat(65_537) };
      await expect(shop.ledger.remember([long], shop.now)).rejects.toThrow();
      const longest = { ...long, body: "x".repeat(65_536) };
      expect(await shop.ledger.remember([longest], shop.now)).toEqual([longest]);
    },
  },
];

const records: readonly Check[] = [
  {
    sentence: "an order record is put, updated and removed, and update needs one",
    run: async (shop) => {
      expect(await shop.record("ann", 3, { mode: "update" })).toEqual(refused("no-record"));
      const line = { held: 0, heldUntil: 0, pending: 0, ordered: 3, userLevel: 5 };
      expect(await shop.record("ann", 3, { userLevel: 5 })).toEqual({ kind: "recorded", line });
      expect(await shop.record("ann", 4, { mode: "update", userLevel: 6 })).toEqual({
        kind: "recorded",
        line: { ...line, ordered: 4, userLevel: 6 },
      });
      expect(await shop.line("ann")).toEqual({ ...line, ordered: 4, userLevel: 6 });
      expect(await shop.removeRecord("ann")).toEqual({ kind: "removed" });
      expect(await shop.removeRecord("ann")).toEqual({ kind: "removed" });
      expect(await shop.line("ann")).toEqual({ held: 0, heldUntil: 0, pending: 0, ordered: 0, userLevel: null });
    },
  },
  {
    sentence: "what is on record counts against the limit, and leaves holds and orders alone",
    run: async (shop) => {
      await shop.put(9);
      await shop.hold("ann", 2);
      await shop.record("ann", 3);
      expect(await shop.hold("ann", 2, { limit: 6 })).toEqual(refused("limit-reached"));
      expect(await shop.hold("ann", 1, { limit: 6 })).toEqual(held(3));
      await shop.removeRecord("ann");
      expect(await shop.hold("ann", 3, { limit: 6 })).toEqual(held(6));
      expect((await shop.goods()).frozen).toBe(6);
    },
  },
  {
    sentence: "a payment adds to what is on record and keeps the level",
    run: async (shop) => {
      await shop.put(9);
      await shop.record("ann", 3, { userLevel: 5 });
      await shop.hold("ann", 2);
      await shop.place("ann", "order 1");
      await shop.pay("order 1");
      expect(await shop.line("ann")).toMatchObject({ ordered: 5, userLevel: 5 });
      expect(await shop.ledger.listRecords(null, 10)).toEqual([{ userId: "ann" as UserId, sku: LAMP, userLevel: 5, ordered: 5 }]);
    },
  },
];

/** In the order of their UTF-8 bytes. By UTF-16 units the last two would change places. */
const NAMES = ["A", "a", "a b", "b", "é", "鞋", "ﬁ", "😀"];
const shuffled = ["ﬁ", "b", "😀", "a", "é", "A", "鞋", "a b"];

const lists: readonly Check[] = [
  {
    sentence: "goods are listed in the order of their bytes, page by page, each once",
    run: async (shop) => {
      for (const name of shuffled) await shop.put(1, name);
      expect(await shop.ledger.countGoods()).toBe(shuffled.length);
      const seen: string[] = [];
      for (let after: Sku | null = null; ; ) {
        const page = await shop.ledger.listGoods(after, 3, shop.now);
        seen.push(...page.map(({ sku }) => sku));
        if (page.length < 3) break;
        after = page.at(-1)?.sku ?? null;
      }
      expect(seen).toEqual(NAMES);
      expect(await shop.ledger.listGoods("aa" as Sku, 1, shop.now)).toMatchObject([{ sku: "b", onHand: 1 }]);
    },
  },
  {
    sentence: "order records are listed by user, then SKU, page by page, each once; a hold alone is no record",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("a hold alone", 1);
      for (const user of shuffled) for (const sku of ["y", "x"]) await shop.record(user, 1, { sku });
      await shop.removeRecord("b", "x");
      const expected = NAMES.flatMap((user) => ["x", "y"].map((sku) => `${user}/${sku}`)).filter((name) => name !== "b/x");
      const seen: string[] = [];
      for (let after: { userId: UserId; sku: Sku } | null = null; ; ) {
        const page = await shop.ledger.listRecords(after, 4);
        seen.push(...page.map(({ userId, sku }) => `${userId}/${sku}`));
        after = page.at(-1) ?? null;
        if (page.length < 4) break;
      }
      expect(seen).toEqual(expected);
    },
  },
  {
    sentence: "a cart shows live holds with the session that began each",
    run: async (shop) => {
      expect(await shop.cart("ann")).toEqual([]);
      await shop.put(5);
      await shop.put(5, "sofa");
      await shop.hold("ann", 1, { sessionId: "first" });
      await shop.hold("ann", 1, { sessionId: "second" });
      await shop.hold("ann", 1, { sku: "sofa", sessionId: "third", frozenForMs: MINUTE });
      await shop.hold("bob", 1);
      const lamp = { sku: LAMP, userId: "ann" as UserId, quantity: 2, heldUntil: DEADLINE, sessionId: "first" as SessionId };
      const sofa = { sku: "sofa" as Sku, userId: "ann" as UserId, quantity: 1, heldUntil: START + MINUTE, sessionId: "third" as SessionId };
      expect(await shop.cart("ann")).toEqual([lamp, sofa]);
      await shop.change("ann", 1);
      shop.now += MINUTE;
      expect(await shop.cart("ann")).toEqual([{ ...lamp, quantity: 1 }]);
    },
  },
  {
    sentence: "the hold after a lapsed one shows the session of its own purchase",
    run: async (shop) => {
      await shop.put(5);
      await shop.hold("ann", 1, { sessionId: "first" });
      shop.now = DEADLINE;
      await shop.hold("ann", 1, { sessionId: "second" });
      expect(await shop.cart("ann")).toMatchObject([{ quantity: 1, sessionId: "second" }]);
      await shop.release("ann");
      await shop.hold("ann", 1, { sessionId: "third" });
      expect(await shop.cart("ann")).toMatchObject([{ quantity: 1, sessionId: "third" }]);
    },
  },
];

export const recordChecks: readonly Check[] = [...keys, ...records, ...lists];
