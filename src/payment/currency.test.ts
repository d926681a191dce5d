import { describe, expect, test } from "bun:test";
import { currencyOf } from "./currency.ts";

describe("the currency of the prices", () => {
  test("is an ISO 4217 code with two decimals, in either case", () => {
    expect(["EUR", "usd", "cny", "GBP"].map(currencyOf)).toEqual([
      { currency: "eur" },
      { currency: "usd" },
      { currency: "cny" },
      { currency: "gbp" },
    ]);
  });

  test("is refused when its prices have none, three or four decimals: a price of ours would be off by a hundred", () => {
    for (const code of ["JPY", "krw", "vnd", "isk", "KWD", "tnd", "bhd", "clf", "mga"])
      expect(currencyOf(code)).toEqual({ fault: expect.stringContaining("two decimals") });
  });

  test("is refused when it is none", () => {
    for (const code of ["", "euro", "EU", "qqq", "€", "constructor"])
      expect(currencyOf(code)).toEqual({ fault: expect.stringContaining("ISO 4217") });
  });
});
