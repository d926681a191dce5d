/** What a shopper reads: a message of its own for every outcome. */
import { describe, expect, test } from "bun:test";
import { LANGUAGES } from "../../core/language.ts";
import { STEPS } from "../../core/reason.ts";
import { refusalText, successText } from "./messages.ts";

describe("a message", () => {
  const sales = ["not-started", "ended", "paused"];
  const reasons = ["throttled", "blacklisted", ...sales, "level-too-low", "limit-reached", "unknown-goods", "sold-out"];

  test("is another one for every reason, for a failure and for a success, in each language", () => {
    const texts = LANGUAGES.flatMap((language) => [
      ...reasons.map((reason) => refusalText(reason, language)),
      refusalText("cart-unavailable", language),
      successText(1_800_000, language),
    ]);
    expect(new Set(texts).size).toBe(2 * (reasons.length + 2));
  });

  test("is Chinese when Chinese was asked for, and has no Chinese in it otherwise", () => {
    const everyReason = [...reasons, ...STEPS.map((step) => `${step}-unavailable`)];
    for (const reason of everyReason) {
      expect(refusalText(reason, "zh")).toMatch(/^[^a-z]*\p{Script=Han}/u);
      expect(refusalText(reason, "en")).toMatch(/^[ -~]+$/);
    }
  });

  test("says what the contract says to a blacklisted shopper", () => {
    expect(refusalText("blacklisted", "en")).toBe("Bad guy! Bye-Bye!");
  });

  const spans: readonly (readonly [number, string, string])[] = [
    [1_800_000, "30 minutes", "30分钟"],
    [60_000, "1 minute", "1分钟"],
    [3_600_000, "1 hour", "1小时"],
    [86_400_000, "24 hours", "24小时"],
    [5_400_000, "90 minutes", "90分钟"],
    [90_000, "90 seconds", "90秒"],
    [1_000, "1 second", "1秒"],
    // Rounded down to whole seconds, but not to nothing.
    [2_500, "2 seconds", "2秒"],
    [200, "1 second", "1秒"],
  ];
  test.each(spans)("of a success says that %i ms are %s, %s", (ms, en, zh) => {
    expect(successText(ms, "en")).toContain(` for ${en}. `);
    expect(successText(ms, "zh")).toContain(`保留${zh}，`);
  });
});
