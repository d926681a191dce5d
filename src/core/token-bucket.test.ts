import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TokenBucket } from "./token-bucket.ts";

const SECOND_US = 1_000_000;

describe("a token bucket", () => {
  test("is full at first and gives no more than its burst at one instant", () => {
    const bucket = new TokenBucket({ ratePerSecond: 10, burst: 5 });
    expect(bucket.take(3, 1_000)).toBe(3);
    expect(bucket.take(3, 1_000)).toBe(2);
    expect(bucket.take(1, 1_000)).toBe(0);
  });

  test("fills at its rate and never beyond its burst", () => {
    const bucket = new TokenBucket({ ratePerSecond: 10, burst: 5 });
    bucket.take(5, 0);
    expect(bucket.take(5, SECOND_US / 5)).toBe(2);
    expect(bucket.take(9, 1_000 * SECOND_US)).toBe(5);
  });

  test("gives everything when it has no rate", () => {
    const bucket = new TokenBucket({ ratePerSecond: null, burst: 1 });
    expect(bucket.take(1_000_000, 0)).toBe(1_000_000);
    expect(bucket.take(1_000_000, 0)).toBe(1_000_000);
  });

  test("gives nothing for a clock that stands still or goes back", () => {
    const bucket = new TokenBucket({ ratePerSecond: 10, burst: 5 });
    bucket.take(5, 10 * SECOND_US);
    expect(bucket.take(1, 10 * SECOND_US)).toBe(0);
    expect(bucket.take(1, 9 * SECOND_US)).toBe(0);
  });

  test("takes nothing when nothing is wanted", () => {
    const bucket = new TokenBucket({ ratePerSecond: 1, burst: 1 });
    expect(bucket.take(0, 0)).toBe(0);
    expect(bucket.take(1, 0)).toBe(1);
  });

  test("says how many whole seconds until there is a token, at least one", () => {
    const slow = new TokenBucket({ ratePerSecond: 0.1, burst: 1 });
    slow.take(1, 0);
    expect(slow.retryAfterSeconds()).toBe(10);
    slow.take(1, 4 * SECOND_US);
    expect(slow.retryAfterSeconds()).toBe(6);
    const fast = new TokenBucket({ ratePerSecond: 1_000, burst: 1 });
    fast.take(1, 0);
    expect(fast.retryAfterSeconds()).toBe(1);
  });

  test("has a token for whoever comes back after the seconds it named", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 50 }), (ratePerHundredSeconds, burst) => {
        const bucket = new TokenBucket({ ratePerSecond: ratePerHundredSeconds / 100, burst });
        bucket.take(burst, 0);
        // One microsecond of rounding is forgiven.
        expect(bucket.take(1, bucket.retryAfterSeconds() * SECOND_US + 1)).toBe(1);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test("over any stretch of time gives at most its burst and what flowed in, and no less when asked for everything", () => {
    const calls = fc.array(fc.record({ afterUs: fc.nat({ max: 3 * SECOND_US }), wanted: fc.nat({ max: 30 }) }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), calls, (ratePerSecond, burst, wishes) => {
        const bucket = new TokenBucket({ ratePerSecond, burst });
        const grants: { at: number; granted: number; wanted: number }[] = [];
        let at = 0;
        for (const { afterUs, wanted } of wishes) {
          at += afterUs;
          grants.push({ at, granted: bucket.take(wanted, at), wanted });
        }
        for (const [from, first] of grants.entries()) {
          let granted = 0;
          for (const later of grants.slice(from)) {
            granted += later.granted;
            expect(granted).toBeLessThanOrEqual(burst + ((later.at - first.at) * ratePerSecond) / SECOND_US + 1e-6);
          }
        }
        for (const { granted, wanted } of grants) expect(granted).toBeLessThanOrEqual(wanted);
        const total = grants.reduce((sum, { granted }) => sum + granted, 0);
        const last = bucket.take(burst, at);
        const asked = wishes.reduce((sum, { wanted }) => sum + wanted, 0);
        const firstAt = grants[0]?.at ?? 0;
        // Whoever asked for less than there was leaves it, up to the burst; nobody is refused while a token is there.
        if (asked > total)
          expect(total + last).toBeGreaterThanOrEqual(
            Math.min(asked, burst, Math.floor(burst + ((at - firstAt) * ratePerSecond) / SECOND_US - 1e-6)),
          );
      }),
      { numRuns: 400, seed: 2 },
    );
  });
});
