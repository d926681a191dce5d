/** One purchase through the five steps: the real services over a ledger in memory, asked in turns as the gate asks them. */
import { describe, expect, test } from "bun:test";
import { type Bursts, FROZEN_FOR_MS, held, keyed, refused, Shop, SKU, user, type Wish } from "../test/purchase-desk.ts";
import { Failure } from "./core/failure.ts";
import type { SessionId, Sku } from "./core/ids.ts";
import { STEPS, type Step } from "./core/reason.ts";
import type { KeptPurchase } from "./ledger/ledger.ts";
import type { Outcome } from "./purchase.ts";

/** A shop in which each user that is named after a step is refused there: all of SKU1 is there but for the greedy, and U1 may buy. */
async function strictShop(bursts: Bursts = {}): Promise<Shop> {
  const shop = new Shop(bursts);
  await shop.stock(10);
  await shop.protector.decide({ scope: "account", value: "bad", action: "block" }, undefined, "");
  await shop.policies.put(SKU, { userLevel: 1, quantityLimit: 20 }, "add");
  return shop;
}
const REFUSALS: readonly (readonly [Step, string, Wish])[] = [
  ["protect", "blacklisted", { user: "bad" }],
  ["policy", "level-too-low", { level: 0 }],
  ["policy", "limit-reached", { quantity: 21 }],
  ["inventory", "unknown-goods", { sku: "SKU2" as Sku }],
  ["inventory", "sold-out", { quantity: 11 }],
];

describe("a purchase", () => {
  test("goes through the five steps in their order and ends held, with the time that each step took", async () => {
    const shop = await strictShop();
    const { ends, courses } = await shop.buy({ quantity: 2 });
    expect(ends).toEqual([held(shop, 2) as Outcome]);
    expect(shop.asked).toEqual([
      ["protect", "U1"],
      ["policy", "U1"],
      ["inventory", "U1"],
      ["cart", "U1"],
    ]);
    expect(courses[0]?.steps).toEqual([...STEPS]);
    expect(courses[0]?.stepUs.every((us) => us > 0)).toBe(true);
    expect(await shop.ledger.cart(user("U1"), shop.nowMs)).toMatchObject([{ sku: SKU, quantity: 2, sessionId: "trace1" }]);
  });

  test.each(REFUSALS)("that %s refuses with %s leaves no trace in later steps", async (step, reason, wish) => {
    const shop = await strictShop();
    const { ends, courses } = await shop.buy(wish);
    expect(ends).toEqual([refused(step, reason) as Outcome]);
    const stepsGone = STEPS.slice(0, STEPS.indexOf(step) + 1);
    expect(courses[0]?.steps).toEqual(stepsGone);
    expect(["throttle", ...shop.asked.map(([name]) => name)]).toEqual(stepsGone);
    expect(await shop.frozen()).toBe(0);
  });

  test.each(STEPS)("that %s throttles leaves no trace in later steps", async (step) => {
    const shop = await strictShop({ [step]: 1 });
    expect(await shop.buyOne({ user: "first" })).toMatchObject({ kind: "held" });
    shop.asked.length = 0;
    expect(await shop.buyOne({ user: "second" })).toEqual(refused(step, "throttled") as Outcome);
    expect(["throttle", ...shop.asked.map(([name]) => name)]).toEqual(STEPS.slice(0, STEPS.indexOf(step) + 1));
    expect(await shop.frozen()).toBe(1);
  });

  test("by a user whose limit others of the same turn have used up is refused by the cart, whatever the policy step has seen", async () => {
    const shop = await strictShop();
    await shop.policies.put(SKU, { userLevel: 1, quantityLimit: 2 }, "update");
    const { ends } = await shop.buy({}, {}, {}, { user: "U2" });
    expect(ends).toEqual([held(shop, 1), held(shop, 2), refused("cart", "limit-reached"), held(shop, 1)] as Outcome[]);
  });
});

describe("a turn", () => {
  test("asks each step once, about those who still stand, and tells each purchase its own end", async () => {
    const shop = await strictShop();
    const wishes = REFUSALS.map(([, , wish], index) => ({ user: `R${index}`, ...wish }));
    const { ends } = await shop.buy({ user: "A" }, ...wishes, { user: "B" });
    expect(ends).toEqual([held(shop, 1), ...REFUSALS.map(([step, reason]) => refused(step, reason)), held(shop, 1)] as Outcome[]);
    expect(shop.asked).toEqual([
      ["protect", "A", "bad", "R1", "R2", "R3", "R4", "B"],
      ["policy", "A", "R1", "R2", "R3", "R4", "B"],
      ["inventory", "A", "R3", "R4", "B"],
      ["cart", "A", "B"],
    ]);
  });

  test("serves in order of arrival: the first get the goods, the rest hear that they are sold out", async () => {
    const shop = await strictShop();
    await shop.stock(2);
    const { ends } = await shop.buy({ user: "A" }, { user: "B" }, { user: "C" }, { user: "D" });
    expect(ends).toEqual([held(shop, 1), held(shop, 1), refused("cart", "sold-out"), refused("cart", "sold-out")] as Outcome[]);
  });

  test("that is throttled in the middle lets its first purchases through, at every step", async () => {
    const shop = await strictShop({ throttle: 5, protect: 4, policy: 3, inventory: 2, cart: 1 });
    const { ends } = await shop.buy(...Array.from({ length: 6 }, (_, index) => ({ user: `U${index}` })));
    const throttled = (["cart", "inventory", "policy", "protect", "throttle"] as const).map((step) => refused(step, "throttled"));
    expect(ends).toEqual([held(shop, 1), ...throttled] as Outcome[]);
  });
});

describe("a step that cannot answer", () => {
  const down = (): Promise<never> => Promise.reject(new Failure("store-stopped", "gone", true));
  const takeDown = (shop: Shop, step: Step): void => {
    const { services } = shop;
    if (step === "protect") shop.services = { ...services, safeProtector: { validate: down } };
    else if (step === "policy") shop.services = { ...services, policyController: { validate: down } };
    else if (step === "inventory") shop.services = { ...services, inventoryManager: { validate: down } };
    else shop.services = { ...services, shoppingCart: { add: down, frozenForMs: FROZEN_FOR_MS } };
  };

  test.each(STEPS.slice(1))("%s: everyone who stands hears that it is unavailable, and nothing is frozen", async (step) => {
    const shop = await strictShop();
    const { services } = shop;
    takeDown(shop, step);
    const wish = { key: keyed("K") };
    const { ends } = await shop.buy(wish, { user: "U2" });
    expect(ends).toEqual([refused(step, `${step}-unavailable`), refused(step, `${step}-unavailable`)] as Outcome[]);
    expect(shop.asked.map(([name]) => name)).toEqual(STEPS.slice(1, STEPS.indexOf(step)));
    expect(await shop.frozen()).toBe(0);
    // A failure is not remembered: the same key buys as soon as the step answers again.
    shop.services = services;
    expect(await shop.buyOne(wish)).toEqual(held(shop, 1) as Outcome);
  });

  test("is the same when it throws at once instead of answering later", async () => {
    const shop = await strictShop();
    const validate = (): never => {
      throw new Failure("store-stopped", "gone", true);
    };
    shop.services = { ...shop.services, safeProtector: { validate } };
    expect(await shop.buyOne()).toEqual(refused("protect", "protect-unavailable") as Outcome);
  });

  test("does not harm those whom an earlier step has refused", async () => {
    const shop = await strictShop();
    takeDown(shop, "policy");
    const { ends } = await shop.buy({ user: "bad" }, {});
    expect(ends).toEqual([refused("protect", "blacklisted"), refused("policy", "policy-unavailable")] as Outcome[]);
  });

  test("and whose outcome is unknown may have frozen: the hold ends at its deadline, and the same key gets the true answer", async () => {
    const shop = await strictShop();
    const { shoppingCart, ...others } = shop.services;
    const add = async (adds: Parameters<typeof shoppingCart.add>[0]) => {
      await shoppingCart.add(adds);
      throw new Failure("commit-failed", "the answer was lost", false);
    };
    shop.services = { ...others, shoppingCart: { add, frozenForMs: FROZEN_FOR_MS } };
    expect(await shop.buyOne({ key: keyed("K") })).toEqual(refused("cart", "cart-unavailable") as Outcome);
    expect(await shop.frozen()).toBe(1);
    shop.services = { ...others, shoppingCart };
    expect(await shop.buyOne({ key: keyed("K") })).toMatchObject({ kind: "repeated", reply: { reason: null, quantity: 1 } });
    shop.nowMs += FROZEN_FOR_MS;
    expect(await shop.frozen()).toBe(0);
  });

  test("is told apart from a bug, which goes on up and is nobody's answer", async () => {
    const shop = await strictShop();
    const bug = new TypeError("undefined is not a function");
    shop.services = { ...shop.services, safeProtector: { validate: () => Promise.reject(bug) } };
    // `buy` would find that nobody has settled, so it is the bug itself that comes up here.
    await expect(shop.buy({}, { user: "U2" })).rejects.toBe(bug);
    expect(await shop.frozen()).toBe(0);
  });
});

describe("a key", () => {
  const K = { key: keyed("K") };

  test("that has bought gets its first answer again, from the gate, and freezes nothing twice", async () => {
    const shop = await strictShop();
    expect(await shop.buyOne(K)).toEqual(held(shop, 1) as Outcome);
    const heldUntil = shop.nowMs + FROZEN_FOR_MS;
    shop.asked.length = 0;
    shop.nowMs += 5;
    const { ends, courses } = await shop.buy(K, { user: "U2" });
    expect(ends[0]).toEqual({
      kind: "repeated",
      reply: {
        ...{ kind: "purchase", key: K.key, sessionId: "trace1" as SessionId, step: "cart", reason: null, sku: SKU },
        ...{ quantity: 1, heldUntil, frozenForMs: FROZEN_FOR_MS },
      },
    });
    expect([ends[1], courses[0]?.steps]).toEqual([held(shop, 1) as Outcome, ["throttle"]]);
    expect(shop.asked.map(([, ...users]) => users)).toEqual([["U2"], ["U2"], ["U2"], ["U2"]]);
    expect(await shop.frozen()).toBe(2);
  });

  test.each(REFUSALS)("that %s has refused with %s gets that again, also when the reason is gone", async (step, reason, wish) => {
    const shop = await strictShop();
    expect(await shop.buyOne({ ...wish, ...K })).toEqual(refused(step, reason) as Outcome);
    await shop.protector.unblock("account", "bad");
    await shop.policies.remove(SKU);
    await shop.stock(100);
    await shop.stock(100, "SKU2" as Sku);
    expect(await shop.buyOne({ ...wish, ...K })).toMatchObject({ kind: "repeated", reply: { step, reason, sessionId: "trace1" } });
    expect(await shop.frozen()).toBe(0);
    expect(await shop.buyOne({ ...wish, key: keyed("another") })).toMatchObject({ kind: "held" });
  });

  test("that the cart has refused gets that again, also when goods have come back", async () => {
    const shop = await strictShop();
    await shop.stock(1);
    const { ends } = await shop.buy({ user: "first" }, K);
    expect(ends[1]).toEqual(refused("cart", "sold-out") as Outcome);
    await shop.stock(10);
    expect(await shop.buyOne(K)).toMatchObject({ kind: "repeated", reply: { step: "cart", reason: "sold-out" } });
    expect(await shop.frozen()).toBe(1);
  });

  test.each(STEPS)("that %s has throttled is free, and buys at the next try", async (step) => {
    const shop = await strictShop({ [step]: 1 });
    await shop.buyOne({ user: "first" });
    expect(await shop.buyOne(K)).toEqual(refused(step, "throttled") as Outcome);
    shop.monotonicUs += 1_000_000;
    expect(await shop.buyOne(K)).toEqual(held(shop, 1) as Outcome);
  });

  test("of another request is told so, whether that one has bought or was refused, and nothing is frozen for it", async () => {
    const shop = await strictShop();
    await shop.buy(K, { user: "bad", key: keyed("L") });
    shop.asked.length = 0;
    expect((await shop.buy({ key: keyed("K", "other") }, { key: keyed("L", "other") })).ends).toEqual([
      { kind: "key-reused" },
      { kind: "key-reused" },
    ]);
    expect([shop.asked, await shop.frozen()]).toEqual([[], 1]);
  });

  test("twice in one turn freezes once, and refuses once", async () => {
    const shop = await strictShop();
    const { ends } = await shop.buy(K, K, { key: keyed("K", "other") });
    expect(ends).toMatchObject([{ kind: "held" }, { kind: "repeated", reply: { sessionId: "trace1" } }, { kind: "key-reused" }]);
    const bad = { user: "bad", key: keyed("L") };
    expect((await shop.buy(bad, bad)).ends).toMatchObject([
      { kind: "refused", reason: "blacklisted" },
      { kind: "repeated", reply: { reason: "blacklisted", sessionId: "trace4" } },
    ]);
    expect(await shop.frozen()).toBe(1);
  });

  test("that nobody can look up might have bought already, so it must not buy now; without a key the shopper is served", async () => {
    const shop = await strictShop();
    const recall = () => Promise.reject(new Failure("store-stopped", "gone", true));
    shop.services = { ...shop.services, replies: { ...shop.services.replies, recall } };
    const { ends } = await shop.buy(K, { user: "U2" });
    expect(ends).toEqual([refused("cart", "cart-unavailable"), held(shop, 1)] as Outcome[]);
    expect(await shop.frozen()).toBe(1);
  });

  test("whose refusal cannot be made durable hears that its step is unavailable, never a refusal that could change", async () => {
    const shop = await strictShop();
    const remember = () => Promise.reject(new Failure("commit-failed", "disk full", false));
    shop.services = { ...shop.services, replies: { recall: () => [null], remember } };
    expect(await shop.buyOne({ user: "bad", key: keyed("K") })).toEqual(refused("protect", "protect-unavailable") as Outcome);
    // Without a key there is nothing to make durable.
    expect(await shop.buyOne({ user: "bad" })).toEqual(refused("protect", "blacklisted") as Outcome);
  });

  test("for which there is no room is a failure, and nothing is frozen; without a key the shopper is served", async () => {
    const shop = await strictShop();
    const reply = {
      kind: "purchase",
      sessionId: "trace0" as SessionId,
      step: "cart",
      reason: null,
      sku: SKU,
      quantity: 1,
      heldUntil: 0,
      frozenForMs: 0,
    } as const;
    for (let isFull = false, from = 0; !isFull; from += 200) {
      const replies = Array.from({ length: 200 }, (_, index): KeptPurchase => ({ ...reply, key: keyed(`full ${from + index}`) }));
      isFull = (await shop.ledger.remember(replies, shop.nowMs)).every((kept) => kept === null);
    }
    expect(await shop.buyOne({ user: "bad", key: keyed("L") })).toEqual(refused("protect", "protect-unavailable") as Outcome);
    expect(await shop.buyOne(K)).toEqual(refused("cart", "cart-unavailable") as Outcome);
    expect(await shop.frozen()).toBe(0);
    expect(await shop.buyOne()).toEqual(held(shop, 1) as Outcome);
  });
});
