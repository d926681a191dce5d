import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatDuration, parseDuration } from "./time.ts";

describe("a duration", () => {
  const examples: readonly (readonly [string, number | null])[] = [
    ["1500ms", 1_500],
    ["30s", 30_000],
    ["30m", 1_800_000],
    ["24h", 86_400_000],
    ["2d", 172_800_000],
    ["90", 90_000],
    ["0", 0],
    ["007s", 7_000],
    [" 5s ", 5_000],
    ["999999999999d", 999_999_999_999 * 86_400_000],
    ["", null],
    [" ", null],
    ["s", null],
    ["-5s", null],
    ["+5s", null],
    ["1.5s", null],
    ["1e3", null],
    ["5 s", null],
    ["5S", null],
    ["5w", null],
    ["5sm", null],
    ["1h30m", null],
    ["0x10", null],
    ["1000000000000", null],
    ["5s\n5s", null],
    ["٣s", null],
  ];
  for (const [text, ms] of examples)
    test(`${JSON.stringify(text)} is ${ms === null ? "none" : `${ms} ms`}`, () => expect(parseDuration(text)).toBe(ms));

  test("is written in the largest unit that is exact", () => {
    expect([1_500, 90_000, 1_800_000, 5_400_000, 86_400_000, 999, 0].map(formatDuration)).toEqual([
      "1500ms",
      "90s",
      "30m",
      "90m",
      "1d",
      "999ms",
      "0ms",
    ]);
  });

  test("reads back what was written", () => {
    const unit = fc.constantFrom(1, 1_000, 60_000, 3_600_000, 86_400_000);
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), unit, (count, ms) => {
        expect(parseDuration(formatDuration(count * ms))).toBe(count * ms);
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });

  test("that is no text of ours is none, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0123456789mshd .-+e_"), maxLength: 8 }), (text) => {
        const trimmed = text.trim();
        const isOurs = trimmed !== "" && /^[0-9]+$/.test(trimmed.replace(/(ms|s|m|h|d)$/, ""));
        expect(parseDuration(text) !== null).toBe(isOurs);
      }),
      { numRuns: 2_000, seed: 2 },
    );
  });
});
