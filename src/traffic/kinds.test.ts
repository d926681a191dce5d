import { expect, test } from "bun:test";
import type { TrafficEvent } from "./event.ts";
import { KIND, kindOf } from "./kinds.ts";

const purchase = (reason: string | null): TrafficEvent => ({
  ...{ at: 0, instance: "gate", traceId: null, clientIp: "203.0.113.7", userId: "ANN", sku: "A", quantity: 1 },
  ...{ steps: [{ step: "cart", outcome: reason ?? "allowed", us: 1 }], reason, totalUs: 1, request: null, status: null },
});

test.each(["cart-unavailable", "inventory-unavailable", "protect-unavailable"])(
  "an outage is no evidence: %s says nothing about who asks again and again",
  (reason) => {
    expect(kindOf(purchase(reason))).toBe(KIND.other);
  },
);

test("a request that we could not answer says nothing either", () => {
  expect(kindOf({ ...purchase("failed"), request: "POST /orders", steps: [] })).toBe(KIND.other);
});

test.each([
  [null, KIND.held],
  ["sold-out", KIND.excused],
  ["limit-reached", KIND.refused],
  ["not-started", KIND.early],
  ["blacklisted", KIND.blocked],
] as const)("%s is what it says", (reason, kind) => {
  expect(kindOf(purchase(reason))).toBe(kind);
});
