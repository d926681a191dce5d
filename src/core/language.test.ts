/** The language that was asked for, among those that we speak. */
import { describe, expect, test } from "bun:test";
import { languageOf } from "./language.ts";

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
