/** A purchase of goods that are in a sale: its window to the millisecond, its limit, its time, and who may come again with the same key. */
import { describe, expect, test } from "bun:test";
import { keyed, refused, Shop, SKU } from "../test/purchase-desk.ts";
import { END, item, NOON, plan, SaleDesk, START } from "../test/sale-desk.ts";
import type { SalePlan } from "./sales/sale.ts";

/** A shop with ten of SKU1, which are in one sale from START to END. */
async function openShop(changes: Partial<SalePlan> = {}) {
  const desk = new SaleDesk();
  const made = await desk.book.create(null, plan(changes));
  if (made.kind !== "saved") throw new Error("the sale was refused");
  const shop = new Shop({}, desk.book);
  shop.nowMs = NOON;
  await shop.stock(10);
  const at = (now: number): Shop => {
    shop.nowMs = now;
    desk.now = now;
    return shop;
  };
  return { shop, at, book: desk.book, id: made.sale.id };
}

describe("the window", () => {
  test("opens with its first millisecond and closes with its last", async () => {
    const { at } = await openShop();
    const ends = [];
    for (const now of [START - 1, START, END - 1, END]) ends.push(await at(now).buyOne({ user: `at ${now}` }));
    expect(ends).toMatchObject([refused("policy", "not-started"), { kind: "held" }, { kind: "held" }, refused("policy", "ended")]);
  });

  test("is the ledger's word: who passes the policy step in the last millisecond and comes to the cart after it buys nothing", async () => {
    const { shop, at } = await openShop();
    const { policyController } = shop.services;
    const late = {
      validate: async (checks: Parameters<typeof policyController.validate>[0]) => {
        const verdicts = await policyController.validate(checks);
        at(END);
        return verdicts;
      },
    };
    shop.services = { ...shop.services, policyController: late };
    expect(await at(END - 1).buyOne()).toMatchObject(refused("cart", "ended"));
    expect(await shop.frozen()).toBe(0);
  });

  test("is the ledger's word at the start too: a policy step whose clock is ahead lets nobody in early", async () => {
    const { shop, at } = await openShop();
    const { policyController } = shop.services;
    const early = {
      validate: async (checks: Parameters<typeof policyController.validate>[0]) => {
        at(START);
        const verdicts = await policyController.validate(checks);
        at(START - 1);
        return verdicts;
      },
    };
    shop.services = { ...shop.services, policyController: early };
    expect(await at(START - 1).buyOne()).toMatchObject(refused("cart", "not-started"));
    expect(await shop.frozen()).toBe(0);
  });
});

describe("a key", () => {
  test("that came too early buys after the start", async () => {
    const { at } = await openShop();
    const key = keyed("K1");
    expect(await at(START - 1).buyOne({ key })).toMatchObject(refused("policy", "not-started"));
    expect(await at(START).buyOne({ key })).toMatchObject({ kind: "held" });
    expect(await at(START + 1).buyOne({ key })).toMatchObject({ kind: "repeated", reply: { reason: null } });
  });

  test("that came during a pause buys when it goes on", async () => {
    const { at, book, id } = await openShop();
    const key = keyed("K1");
    const shop = at(START);
    await book.setPaused(id, true);
    expect(await shop.buyOne({ key })).toMatchObject(refused("policy", "paused"));
    await book.setPaused(id, false);
    expect(await shop.buyOne({ key })).toMatchObject({ kind: "held" });
  });

  test("that came after the end gets that answer again", async () => {
    const { at } = await openShop();
    const key = keyed("K1");
    expect(await at(END).buyOne({ key })).toMatchObject(refused("policy", "ended"));
    expect(await at(END).buyOne({ key })).toMatchObject({ kind: "repeated", reply: { reason: "ended" } });
  });
});

test("goods stay frozen for the sale's own time", async () => {
  const { at } = await openShop({ frozenForMs: 5_000 });
  expect(await at(START).buyOne()).toMatchObject({ kind: "held", heldUntil: START + 5_000 });
});

test("the sale's limit binds where a tier allows more, and the tier's where the sale does", async () => {
  const { shop, at } = await openShop({ items: [item("SKU1", 990, 2)] });
  at(START);
  await shop.policies.put(SKU, { userLevel: 1, quantityLimit: 3 }, "add");
  expect((await shop.buy({ user: "A", quantity: 2 }, { user: "B", quantity: 3 })).ends).toMatchObject([
    { kind: "held" },
    refused("policy", "limit-reached"),
  ]);
  await shop.policies.put(SKU, { userLevel: 1, quantityLimit: 1 }, "update");
  expect(await shop.buyOne({ user: "C", quantity: 2 })).toMatchObject(refused("policy", "limit-reached"));
});
