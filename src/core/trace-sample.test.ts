/** The sample is a fair share of trace ids, wherever one looks, and the same in every process. */
import { describe, expect, test } from "bun:test";
import { traceIds } from "./trace-id.ts";
import { isSampled } from "./trace-sample.ts";

const idsOf = (randomHex: string, count: number): string[] => {
  const next = traceIds(randomHex);
  return Array.from({ length: count }, next);
};

describe("the sample", () => {
  test.each([0.001, 0.01, 0.25, 0.5, 0.9])("of the share %p is that share of the ids that a gate counts up", (share) => {
    const ids = idsOf("5eed".repeat(8), 200_000);
    const sampled = ids.filter((id) => isSampled(id, share)).length;
    // Five standard deviations of a fair draw.
    expect(Math.abs(sampled - share * ids.length)).toBeLessThan(5 * Math.sqrt(ids.length * share * (1 - share)));
  });

  test("is spread over time: no long run of purchases is left out", () => {
    const ids = idsOf("0".repeat(32), 50_000);
    for (let from = 0; from < ids.length; from += 1_000)
      expect(ids.slice(from, from + 1_000).filter((id) => isSampled(id, 0.1)).length).toBeWithin(50, 160);
  });

  test("of the share 0 is nobody, and of the share 1 everybody", () => {
    const ids = idsOf("f".repeat(32), 10_000);
    expect([ids.some((id) => isSampled(id, 0)), ids.every((id) => isSampled(id, 1))]).toEqual([false, true]);
  });

  test("of a larger share has everybody in it who is in that of a smaller one", () => {
    for (const id of idsOf("ab".repeat(16), 20_000).filter((one) => isSampled(one, 0.01))) expect(isSampled(id, 0.02)).toBe(true);
  });

  test("is the same in every version: processes of two releases agree", () => {
    expect(idsOf("0123456789abcdef".repeat(2), 1_000).flatMap((id, index) => (isSampled(id, 0.005) ? [index] : []))).toEqual([613, 927]);
  });
});
