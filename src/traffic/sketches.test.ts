/** The sketches against exact counts, within the bounds that their authors have published. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DISTINCT_STANDARD_ERROR, DistinctCount } from "./distinct-count.ts";
import { HeavyKeys } from "./heavy-keys.ts";
import { STAMPED_SECONDS_MAX, StampedCells } from "./stamped-cells.ts";
import { hashText } from "./text-hash.ts";

describe("distinct counts", () => {
  const countOf = (from: number, to: number, seed: number): DistinctCount => {
    const count = new DistinctCount();
    for (let i = from; i < to; i += 1) count.add(hashText(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, seed));
    return count;
  };

  test("are right within the published standard error, over many sets of one size", () => {
    for (const size of [1, 100, 3_000, 10_000, 40_000]) {
      const errors = Array.from({ length: 40 }, (_, seed) => countOf(0, size, seed * 7_919).estimate() / size - 1);
      const standardError = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
      // Forty samples tell a standard error within a quarter or so.
      expect([size, standardError]).toEqual([size, expect.any(Number)]);
      expect(standardError).toBeLessThan(1.4 * DISTINCT_STANDARD_ERROR);
      expect(Math.max(...errors.map(Math.abs))).toBeLessThan(4 * DISTINCT_STANDARD_ERROR);
    }
  });

  test("of two sets that overlap become that of both together, exactly as if one had seen all", () => {
    fc.assert(
      fc.property(fc.nat(5_000), fc.nat(5_000), fc.nat(5_000), fc.integer(), (a, b, c, seed) => {
        const merged = countOf(a, a + b, seed);
        merged.merge(countOf(a + (b >> 1), a + b + c, seed));
        expect(merged.registers).toEqual(countOf(a, a + Math.max(b, b + c), seed).registers);
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  test("are nothing for nothing, and never more than the memory that they began with", () => {
    expect(new DistinctCount().estimate()).toBe(0);
    const full = new DistinctCount();
    full.registers.fill(21);
    expect(full.estimate()).toBeGreaterThan(1e8);
  });
});

describe("heavy keys", () => {
  const kept = 8;
  // Few keys that come often among many that come once, in an order that does its worst to whatever makes room.
  const stream = fc.array(
    fc.oneof({ weight: 2, arbitrary: fc.integer({ min: 0, max: 12 }) }, { weight: 3, arbitrary: fc.integer({ min: 0, max: 1_000 }) }),
    { maxLength: 600 },
  );
  const counted = (...streams: readonly (readonly number[])[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const key of streams.flat()) counts.set(`k${key}`, (counts.get(`k${key}`) ?? 0) + 1);
    return counts;
  };
  const sketched = (keys: readonly number[]): HeavyKeys => {
    const heavy = new HeavyKeys(kept);
    for (const key of keys) heavy.add(`k${key}`, 1);
    return heavy;
  };
  function expectBounds(heavy: HeavyKeys, exact: ReadonlyMap<string, number>, total: number): void {
    const shown = heavy.top(2 * kept);
    expect(heavy.size).toBeLessThan(2 * kept);
    expect(heavy.total).toBe(total);
    expect(heavy.floor * kept).toBeLessThanOrEqual(total);
    for (const { key, count, error } of shown) {
      const truth = exact.get(key) ?? 0;
      expect(count).toBeGreaterThanOrEqual(truth);
      expect(count - error).toBeLessThanOrEqual(truth);
      expect(error * kept).toBeLessThanOrEqual(total);
    }
    const names = new Set(shown.map(({ key }) => key));
    for (const [key, truth] of exact) if (!names.has(key)) expect(truth).toBeLessThanOrEqual(heavy.floor);
  }

  test("are within Space-Saving's bounds: no count too small, none too large by more than its error, nobody heavy left out", () => {
    fc.assert(
      fc.property(stream, (keys) => expectBounds(sketched(keys), counted(keys), keys.length)),
      { numRuns: 500, seed: 2 },
    );
  });

  test("of two streams, put together, keep the bounds of both", () => {
    fc.assert(
      fc.property(stream, stream, stream, (a, b, c) => {
        const merged = sketched(a);
        merged.merge(sketched(b));
        merged.merge(sketched(c));
        expectBounds(merged, counted(a, b, c), a.length + b.length + c.length);
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  test("filled from exact counts keep them too", () => {
    fc.assert(
      fc.property(stream, stream, (a, b) => {
        const exact = counted(a);
        const filled = new HeavyKeys(kept);
        const keys = [...exact.keys()];
        filled.fill((index) => keys[index] as string, Uint32Array.from(exact.values()), new Uint32Array(exact.size));
        expectBounds(filled, exact, a.length);
        filled.merge(sketched(b));
        expectBounds(filled, counted(a, b), a.length + b.length);
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});

describe("who came along", () => {
  const cells = 256;
  const marking = fc.record({ other: fc.nat(400), wait: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(400)), late: fc.nat(4) });

  test("is counted over a window that slides, within three standard errors of linear counting", () => {
    fc.assert(
      fc.property(fc.array(marking, { maxLength: 300 }), fc.nat(1_000), fc.integer({ min: 1, max: 60 }), (marks, start, window) => {
        const stamped = new StampedCells(2, cells);
        const lastSeen = new Map<number, number>();
        let second = 1_000 + start;
        for (const { other, wait, late } of marks) {
          second += wait;
          const at = second - Math.min(late, 2);
          stamped.mark(1, hashText(String(other), 1), at);
          lastSeen.set(other, Math.max(at, lastSeen.get(other) ?? 0));
        }
        const newest = Math.max(0, ...lastSeen.values());
        const since = newest - window + 1;
        const truth = [...lastSeen.values()].filter((at) => at >= since).length;
        expect(stamped.distinctMin(1, since)).toBeLessThanOrEqual(truth);
        expect(stamped.distinctMax(1, since)).toBeGreaterThanOrEqual(truth);
        expect(stamped.distinctMin(0, since)).toBe(0);
      }),
      { numRuns: 500, seed: 4 },
    );
  });

  test("is never overestimated by old marks that look young, however long it goes on", () => {
    const stamped = new StampedCells(1, cells);
    for (let second = 1; second < 3_000; second += 1) {
      // One comes all the time, the others once each, and long ago.
      stamped.mark(0, 7, second);
      if (second % 70 === 0) stamped.mark(0, second, second);
      const recent = Math.min(1, Math.floor(second / 70) - Math.floor((second - 10) / 70));
      expect(stamped.distinctMin(0, second - 9)).toBeLessThanOrEqual(1 + recent);
    }
    expect(STAMPED_SECONDS_MAX).toBeLessThan(125);
  });

  test("many thousands are told apart from a few hundred with certainty", () => {
    const stamped = new StampedCells(1, 1_024);
    for (let other = 0; other < 600; other += 1) stamped.mark(0, hashText(`u${other}`, 3), 100);
    expect(stamped.distinctMax(0, 50)).toBeLessThan(750);
    for (let other = 0; other < 5_000; other += 1) stamped.mark(0, hashText(`u${other}`, 3), 101);
    expect(stamped.distinctMin(0, 50)).toBeGreaterThan(3_000);
  });
});
