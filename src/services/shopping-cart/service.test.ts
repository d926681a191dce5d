/** ShoppingCart over a ledger in memory: its verdicts, and that what is throttled changes nothing. */
import { describe, expect, test } from "bun:test";
import { NO_SALES } from "../../../test/sale-desk.ts";
import type { SaleId, SessionId, Sku, UserId } from "../../core/ids.ts";
import { Throttle } from "../../core/throttle.ts";
import { EmbeddedLedger } from "../../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../../ledger/embedded/memory-journal.ts";
import type { Key } from "../../ledger/ledger.ts";
import type { SaleTerms } from "../../sales/sale.ts";
import { type CartAdd, ShoppingCart } from "./service.ts";

type Sales = { termsOf(): SaleTerms | null };
const SKU = "SKU1" as Sku;
const NOW = 1_000;
const FROZEN_FOR_MS = 60_000;
const HELD_UNTIL = NOW + FROZEN_FOR_MS;
const user = (text: string) => text as UserId;
const keyed = (text: string, fingerprint = "body"): Key => ({ text, fingerprint });
const add = (userId: string, given: Partial<CartAdd> = {}): CartAdd => ({
  sessionId: `session of ${userId}` as SessionId,
  ...{ userId: user(userId), sku: SKU, quantity: 1, quantityLimit: 0, sale: null, key: null },
  ...given,
});

/** Sales that say the same of every SKU. */
const saying = (terms: Partial<SaleTerms>) => ({
  termsOf: (): SaleTerms => ({
    ...{ saleId: "s" as SaleId, opensAt: 0, closesAt: NOW + 1, priceCents: 1, quantityLimit: 0 },
    ...{ frozenForMs: 5_000, paymentWindowMs: null, isPaused: false, ...terms },
  }),
});

async function openCart({ onHand = 10, burst = null, sales = NO_SALES }: { onHand?: number; burst?: number | null; sales?: Sales } = {}) {
  const clock = { now: () => NOW, monotonicUs: () => 0 };
  const ledger = new EmbeddedLedger(new MemoryJournal());
  await ledger.stock([{ verb: "stock", mode: "put", sku: SKU, onHand, priceCents: 1 }], NOW);
  const throttle = new Throttle({ ratePerSecond: burst === null ? null : 1, burst: burst ?? 1 }, clock);
  const frozen = async () => (await ledger.goods([SKU], NOW))[0]?.frozen;
  return { ledger, cart: new ShoppingCart(ledger, throttle, clock, FROZEN_FOR_MS, sales), frozen };
}

describe("a batch of adds", () => {
  test("gets one verdict for each, in order", async () => {
    const { cart } = await openCart({ onHand: 3 });
    const adds = [add("A", { quantity: 2 }), add("A", { quantityLimit: 2 }), add("B", { sku: "none" as Sku }), add("B"), add("C")];
    expect(await cart.add(adds)).toEqual([
      { allowed: true, quantity: 2, heldUntil: HELD_UNTIL },
      { allowed: false, reason: "limit-reached" },
      { allowed: false, reason: "unknown-goods" },
      { allowed: true, quantity: 1, heldUntil: HELD_UNTIL },
      { allowed: false, reason: "sold-out" },
    ]);
  });

  test("that is throttled in the middle freezes for the first, and nothing for the rest, whose keys stay free", async () => {
    const { cart, ledger, frozen } = await openCart({ burst: 2 });
    const keys = ["K0", "K1", "K2", "K3"].map((text) => keyed(text));
    const verdicts = await cart.add(keys.map((key, index) => add(`U${index}`, { key })));
    expect(verdicts).toEqual([
      { allowed: true, quantity: 1, heldUntil: HELD_UNTIL },
      { allowed: true, quantity: 1, heldUntil: HELD_UNTIL },
      { allowed: false, reason: "throttled" },
      { allowed: false, reason: "throttled" },
    ]);
    expect(await frozen()).toBe(2);
    expect((await ledger.recall(keys, NOW)).map((kept) => kept !== null)).toEqual([true, true, false, false]);
  });

  test("that is throttled wholly does not ask the ledger", async () => {
    const { cart, frozen } = await openCart({ burst: 1 });
    await cart.add([add("A")]);
    expect(await cart.add([add("B"), add("C")])).toEqual([
      { allowed: false, reason: "throttled" },
      { allowed: false, reason: "throttled" },
    ]);
    expect(await frozen()).toBe(1);
  });

  test("with a key that was used before gets its first reply, or hears that the key is another's", async () => {
    const { cart, frozen } = await openCart();
    await cart.add([add("A", { key: keyed("K") })]);
    const verdicts = await cart.add([add("A", { key: keyed("K") }), add("A", { key: keyed("K", "other") })]);
    expect(verdicts).toMatchObject([
      { allowed: false, reason: "repeated", kept: { reason: null, quantity: 1, heldUntil: HELD_UNTIL, sessionId: "session of A" } },
      { allowed: false, reason: "key-reused" },
    ]);
    expect(await frozen()).toBe(1);
  });
});

describe("a change", () => {
  test("sets a live hold, is refused as the ledger refuses it, and needs a hold", async () => {
    const { cart, frozen } = await openCart({ onHand: 5 });
    await cart.add([add("A", { quantity: 2 })]);
    expect(await cart.change(user("A"), SKU, 4, 4)).toEqual({ allowed: true, quantity: 4, heldUntil: HELD_UNTIL });
    expect(await cart.change(user("A"), SKU, 5, 4)).toEqual({ allowed: false, reason: "limit-reached" });
    expect(await cart.change(user("A"), SKU, 6, 0)).toEqual({ allowed: false, reason: "sold-out" });
    expect(await cart.change(user("B"), SKU, 1, 0)).toEqual({ allowed: false, reason: "no-hold" });
    expect(await frozen()).toBe(4);
  });

  test("that is throttled changes nothing; removing needs no permission", async () => {
    const { cart, frozen } = await openCart({ burst: 1 });
    await cart.add([add("A", { quantity: 2 })]);
    expect(await cart.change(user("A"), SKU, 4, 0)).toEqual({ allowed: false, reason: "throttled" });
    expect(await frozen()).toBe(2);
    await cart.remove(user("A"), SKU);
    expect([await frozen(), await cart.lines(user("A"))]).toEqual([0, []]);
  });
});

describe("a cart that is filled beside the gate", () => {
  const direct = { sessionId: "s" as SessionId, userId: user("A"), sku: SKU, quantity: 1, quantityLimit: 0, key: null };
  const rows: readonly (readonly [string, Partial<SaleTerms>])[] = [
    ["not-started", { opensAt: NOW + 1 }],
    ["ended", { closesAt: NOW }],
    ["paused", { isPaused: true }],
  ];
  test.each(rows)("keeps to the sale: %s", async (reason, terms) => {
    const { cart, frozen } = await openCart({ sales: saying(terms) });
    expect(await cart.addDirectly(direct)).toEqual({ allowed: false, reason: reason as "ended" });
    expect(await frozen()).toBe(0);
  });

  test("stays frozen for the sale's own time", async () => {
    const { cart } = await openCart({ sales: saying({}) });
    expect(await cart.addDirectly(direct)).toEqual({ allowed: true, quantity: 1, heldUntil: NOW + 5_000 });
  });

  test("cannot grow after the sale, and can always shrink", async () => {
    const { cart, frozen } = await openCart({ sales: saying({ closesAt: NOW }) });
    await cart.add([add("A", { quantity: 2 })]);
    expect(await cart.change(user("A"), SKU, 3, 0)).toEqual({ allowed: false, reason: "ended" });
    expect(await cart.change(user("A"), SKU, 1, 0)).toMatchObject({ allowed: true, quantity: 1 });
    expect(await frozen()).toBe(1);
  });
});
