/** What money that arrived means for its order, in every state the order can be in. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Payment } from "../ledger/ledger.ts";
import { PRICE_MAX, PURCHASE_QUANTITY_MAX } from "../limits.ts";
import { decideSettlement, type OwedOrder, totalCents } from "./settlement.ts";

const payment: Payment = { provider: "stripe", paymentId: "pi_1", amountCents: 19_980, currency: "eur" };
const order = (state: OwedOrder["state"], by: Payment | null = null): OwedOrder => ({
  state,
  items: [
    { quantity: 1, priceCents: 9_990 },
    { quantity: 2, priceCents: 4_995 },
  ],
  payment: by,
});

describe("money that arrives", () => {
  test("for an order that waits for it, is late, or was cancelled, is offered to the ledger, which decides about the goods", () => {
    for (const state of ["payment-pending", "expired", "cancelled"] as const)
      expect(decideSettlement(order(state), payment, "eur")).toEqual({ kind: "pay", isAmountRight: true });
  });

  test("twice for the same payment changes nothing", () => {
    expect(decideSettlement(order("paid", payment), { ...payment }, "eur")).toEqual({ kind: "nothing" });
  });

  test("for an order that another payment has paid goes back", () => {
    for (const other of [
      { ...payment, paymentId: "pi_2" },
      { ...payment, provider: "generic" },
    ])
      expect(decideSettlement(order("paid", payment), other, "eur")).toEqual({ kind: "refund", why: "paid-by-another" });
  });

  test("for an order whose refund is due: another payment goes back, and the same one was asked back in the commit that made it so", () => {
    expect(decideSettlement(order("refund-due", payment), payment, "eur")).toEqual({ kind: "nothing" });
    expect(decideSettlement(order("refund-due", payment), { ...payment, paymentId: "pi_2" }, "eur")).toMatchObject({ kind: "refund" });
  });

  test("for an order that does not exist goes back", () => {
    expect(decideSettlement(null, payment, "eur")).toEqual({ kind: "refund", why: "unknown-order" });
  });

  test("is right only to the cent and in the currency of the prices", () => {
    const wrong = { kind: "pay", isAmountRight: false } as const;
    expect(decideSettlement(order("payment-pending"), { ...payment, amountCents: 19_979 }, "eur")).toEqual(wrong);
    expect(decideSettlement(order("payment-pending"), { ...payment, amountCents: 19_981 }, "eur")).toEqual(wrong);
    expect(decideSettlement(order("payment-pending"), { ...payment, currency: "usd" }, "eur")).toEqual(wrong);
  });

  test("is compared with the exact sum of an order, whatever it holds", () => {
    const item = fc.record({ quantity: fc.integer({ min: 1, max: PURCHASE_QUANTITY_MAX }), priceCents: fc.nat({ max: PRICE_MAX }) });
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 100 }), (items) => {
        const exact = items.reduce((sum, { quantity, priceCents }) => sum + BigInt(quantity) * BigInt(priceCents), 0n);
        expect(BigInt(totalCents(items))).toBe(exact);
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});
