/** What a shopper reads: the language that was asked for, and a message of its own for every outcome. */
import { describe, expect, test } from "bun:test";
import { STEPS } from "../../core/reason.ts";
import { LANGUAGES, languageOf, refusalText, successText } from "./messages.ts";

describe("the language", () => {
  const rows: readonly (readonly [string | null, string])[] = [
    // Nothing said of those we speak: English.
    [null, "en"],
    ["", "en"],
    ["*", "en"],
    ["fr-FR, de;q=0.9", "en"],
    ["en-GB,en;q=0.9", "en"],
    // Chinese, in its many spellings.
    ["zh", "zh"],
    ["zh-CN", "zh"],
    ["ZH-hant-TW", "zh"],
    ["zh-CN,zh;q=0.9,en;q=0.8,en-GB;q=0.7,en-US;q=0.6", "zh"],
    // The weight decides, not the place; without one it is 1.
    ["en;q=0.8, zh;q=0.9", "zh"],
    ["zh;q=0.8, en;q=0.9", "en"],
    ["zh;q=0.9, en", "en"],
    ["en;q=0.9, zh", "zh"],
    ["zh;q=0.001, en;q=0", "zh"],
    // Of two that weigh the same, the first.
    ["en, zh", "en"],
    ["zh, en", "zh"],
    ["zh;q=0.5,en;q=0.5", "zh"],
    // What is not acceptable is not chosen.
    ["zh;q=0", "en"],
    ["zh;q=0.0, fr", "en"],
    // Somebody who prefers a language that we do not speak gets the next that we do.
    ["fr, zh;q=0.5", "zh"],
    ["fr, zh;q=0.4, en;q=0.5", "en"],
    // Blanks where RFC 9110 has them, and other parameters.
    ["  en ; q=0.2 ,\tzh-TW ; q=0.3", "zh"],
    ["zh;level=1;q=0.1, en;q=0.2", "en"],
    // What is malformed counts for nothing, and breaks nothing.
    ["zh;q=.., en;q=0.1", "en"],
    [",,;;q=1,zh", "zh"],
    [`${"x,".repeat(2_000)}zh`, "zh"],
  ];
  test.each(rows)("of %j is %s", (header, language) => expect(languageOf(header)).toBe(language as "en" | "zh"));
});

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
