/**
 * Whatever purchase a gate takes, every link takes. The far end of a link refuses a request as a whole, so an item that does not fit would fail
 * everybody of its turn: no shopper can make one.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Compile } from "typebox/compile";
import { ownKey } from "../src/core/idempotency-key.ts";
import { traceIds } from "../src/core/trace-id.ts";
import { RequestHandler } from "../src/edge/request-handler.ts";
import { TrustedIdentity } from "../src/identity/trusted.ts";
import { IDEMPOTENCY_KEY_CHARS_MAX, PURCHASE_QUANTITY_MAX, STOCK_QUANTITY_MAX, USER_LEVEL_MAX } from "../src/limits.ts";
import type { LinkMethod } from "../src/links/method.ts";
import type { Purchase } from "../src/purchase.ts";
import { GateKeeper, routes } from "../src/services/gate-keeper/service.ts";
import { walkTurn } from "../src/services/gate-keeper/walk-link.ts";
import { validateInventory } from "../src/services/inventory-manager/link.ts";
import { validatePolicies } from "../src/services/policy-controller/link.ts";
import { validateSafely } from "../src/services/safe-protector/link.ts";
import { addToCart, recallReplies, rememberReplies } from "../src/services/shopping-cart/link.ts";

const taken: Purchase[] = [];
const bugs: unknown[] = [];
const clock = { now: () => 0, monotonicUs: () => 0 };
const gate = new GateKeeper({
  purchase: {
    admit: (wanted) => wanted,
    walk: async (admitted, course) => {
      for (const purchase of admitted) {
        taken.push(purchase);
        purchase.settle({ kind: "refused", step: "protect", reason: "blacklisted" }, course);
      }
    },
    clock,
  },
  ...{ frozenForMs: 1, clock, nextTraceId: traceIds("0".repeat(32)), instance: "gate", keysInFlight: new Set<string>() },
  nextTurn: (work) => work(),
  after: () => undefined,
  record: () => undefined,
  count: () => undefined,
  trace: null,
  retryAfterSeconds: () => 1,
  onBug: (error) => bugs.push(error),
  isIdentityProven: false,
});
const identity = new TrustedIdentity({ of: () => "1.1.1.1" as never } as never);
const door = new RequestHandler(
  { routes: routes(gate, identity), adminKey: null, onBug: (error) => bugs.push(error), onReply: () => undefined },
  () => "",
);

async function takes(body: unknown, key: string | null): Promise<Purchase | null> {
  taken.length = 0;
  const headers = { "content-type": "application/json", ...(key !== null && { "idempotency-key": key }) };
  await door.answerByPath(new Request("http://gate/buy", { method: "POST", headers, body: JSON.stringify(body) }));
  return taken[0] ?? null;
}

function accepts<Item>(method: Pick<LinkMethod<Item, never>, "item" | "wire">, item: Item): boolean {
  const crossed: unknown = JSON.parse(JSON.stringify(method.wire(item)));
  return Compile(method.item).Check(crossed);
}

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 140 }),
  fc.string({ unit: "grapheme", minLength: 120, maxLength: 129 }),
  fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 5 }),
  fc.constantFrom("\u{1f6d2}".repeat(128), "e\u0301".repeat(64), "\ufffd", "\ud800", "__proto__", "x".repeat(128)),
);
const anyBody = fc.record({
  userID: anyText,
  goodsSKU: anyText,
  clientIP: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("::ffff:1.2.3.4", "::1", "01.2.3.4")),
  userLevel: fc.oneof(fc.integer({ min: -1, max: USER_LEVEL_MAX + 1 }), fc.constantFrom(0, -0, 1.5, USER_LEVEL_MAX)),
  goodsQuantity: fc.oneof(fc.integer({ min: 0, max: PURCHASE_QUANTITY_MAX + 1 }), fc.constantFrom(1, PURCHASE_QUANTITY_MAX)),
});
const anyKey = fc.option(fc.string({ unit: fc.constantFrom("!", "~", "a", '"', "\\"), minLength: 1, maxLength: 255 }));

test("a key that belongs to its shopper alone, and is longer for it, has the form that links ask for", () => {
  const text = ownKey("\u{1f6d2}".repeat(128), "k".repeat(IDEMPOTENCY_KEY_CHARS_MAX));
  expect(accepts(recallReplies, { text, fingerprint: "" })).toBe(true);
});

test("every purchase that a gate takes has the form that each link's far end asks for", async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(anyBody, anyKey, fc.integer({ min: 0, max: STOCK_QUANTITY_MAX }), async (body, key, quantityLimit) => {
      const purchase = await takes(body, key);
      if (purchase === null) return;
      count += 1;
      purchase.quantityLimit = quantityLimit;
      expect(accepts(validateSafely, purchase)).toBe(true);
      expect(accepts(validatePolicies, purchase)).toBe(true);
      expect(accepts(validateInventory, purchase)).toBe(true);
      expect(accepts(addToCart, purchase)).toBe(true);
      expect(accepts(walkTurn, [purchase])).toBe(true);
      if (purchase.key === null) return;
      expect(accepts(recallReplies, purchase.key)).toBe(true);
      const { key: kept, sessionId, sku, quantity } = purchase;
      const reply = { kind: "purchase", key: kept, sessionId, sku, quantity, step: "protect", reason: "blacklisted" } as const;
      expect(accepts(rememberReplies, { ...reply, heldUntil: 0, frozenForMs: 1 })).toBe(true);
    }),
    { numRuns: 500 },
  );
  expect(bugs).toEqual([]);
  // A test in which nothing was taken would say nothing.
  expect(count).toBeGreaterThan(50);
});
