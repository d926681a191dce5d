import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PRICE_MAX } from "../limits.ts";
import { centsOf, priceOf } from "./money.ts";

describe("a price", () => {
  test("keeps every cent on its way through the wire, over the whole range", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: PRICE_MAX * 100 }), (cents) => {
        expect(centsOf(priceOf(cents))).toBe(cents);
        expect(centsOf(JSON.parse(JSON.stringify(priceOf(cents))))).toBe(cents);
      }),
      { numRuns: 5_000, seed: 1 },
    );
  });

  test("is what its decimal text says", () => {
    fc.assert(
      fc.property(fc.nat({ max: PRICE_MAX - 1 }), fc.nat({ max: 99 }), (whole, cents) => {
        expect(centsOf(JSON.parse(`${whole}.${String(cents).padStart(2, "0")}`))).toBe(whole * 100 + cents);
      }),
      { numRuns: 5_000, seed: 2 },
    );
  });

  test("with more than two decimals is none", () => {
    fc.assert(
      fc.property(fc.nat({ max: PRICE_MAX - 1 }), fc.integer({ min: 0, max: 99_999 }), (whole, fraction) => {
        const text = `${whole}.${String(fraction).padStart(5, "0")}`;
        expect(centsOf(JSON.parse(text))).toBe(fraction % 1_000 === 0 ? whole * 100 + fraction / 1_000 : null);
      }),
      { numRuns: 5_000, seed: 3 },
    );
  });

  test("of the seeds is exact", () => {
    expect([99.9, 45.9, 99, 0, 0.01, 19.99, 1.1, PRICE_MAX].map(centsOf)).toEqual([9_990, 4_590, 9_900, 0, 1, 1_999, 110, PRICE_MAX * 100]);
  });
});
