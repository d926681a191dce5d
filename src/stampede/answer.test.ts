import { expect, test } from "bun:test";
import { type BuyAnswer, readAnswer } from "./answer.ts";

const held = { repResult: true, hold: { goodsSKU: "SKU0001", goodsQuantity: 2, expiresAt: 1_800_000 } };

const rows: readonly [string, number, unknown, BuyAnswer][] = [
  ["a success is a hold with its deadline", 200, held, { kind: "held", quantity: 2, expiresAt: 1_800_000 }],
  ["a refusal has its reason", 200, { repResult: false, reason: "sold-out" }, { kind: "refused", reason: "sold-out" }],
  ["throttling is a refusal", 429, { repResult: false, reason: "throttled" }, { kind: "refused", reason: "throttled" }],
  [
    "a step that is down is a failure",
    503,
    { repResult: false, reason: "cart-unavailable" },
    { kind: "failed", reason: "cart-unavailable" },
  ],
  ["a problem document is a rejection", 400, { title: "Bad Request" }, { kind: "rejected", status: 400 }],
  ["a success without a hold is strange", 200, { repResult: true }, { kind: "strange", status: 200 }],
  ["a hold without a deadline is strange", 200, { repResult: true, hold: { goodsQuantity: 1 } }, { kind: "strange", status: 200 }],
  ["a refusal without a reason is strange", 200, { repResult: false }, { kind: "strange", status: 200 }],
  ["a success with an error's status is strange", 500, held, { kind: "strange", status: 500 }],
  ["a list is strange", 200, [], { kind: "strange", status: 200 }],
];

for (const [name, status, body, answer] of rows) {
  test(name, () => expect(readAnswer(status, JSON.stringify(body))).toEqual(answer));
}

test("a reply that is no JSON is strange", () => expect(readAnswer(200, "<html>")).toEqual({ kind: "strange", status: 200 }));
