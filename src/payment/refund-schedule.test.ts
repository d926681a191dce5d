/** When a refund is asked for again: the waits, and the end of them. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { OrderId } from "../core/ids.ts";
import { REFUND_ERROR_CHARS_MAX, REFUND_RETRY_MS_MAX, REFUND_RETRY_MS_MIN, REFUND_TRIED_FOR_MS } from "../limits.ts";
import { afterFailure, begun, type Refund, triedAgain } from "./refund-schedule.ts";

const START = 1_800_000_000_000;
const payment = { provider: "stripe", paymentId: "pi_1", amountCents: 9_990, currency: "eur" };
const fresh: Refund = { id: 1, ...begun(payment, "O1" as OrderId, true, START) };
const next = ({ nextAt }: Refund): number => nextAt ?? Number.NaN;

/** Every attempt fails at the moment it is made. */
function failAlways(chance: () => number): Refund[] {
  const history = [fresh];
  for (let refund = fresh; refund.state === "due"; ) {
    refund = afterFailure(refund, "no", next(refund), chance());
    history.push(refund);
  }
  return history;
}

describe("a refund that fails", () => {
  test("is asked for at once, then after waits that double up to an hour", () => {
    expect(fresh.nextAt).toBe(START);
    const waits = failAlways(() => 0.999_999_999).flatMap((refund, i, all) =>
      i === 0 || refund.nextAt === null ? [] : next(refund) - next(all[i - 1]!),
    );
    expect(waits.slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000]);
    expect(Math.max(...waits)).toBe(REFUND_RETRY_MS_MAX);
  });

  test("waits within the bounds, spread by chance, and is given up 72 hours after it was requested, not before and not later", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 0.999_999, noNaN: true })), (chances) => {
        const history = failAlways(() => chances.next().value);
        const last = history.at(-1)!;
        expect(last).toMatchObject({ state: "given-up", nextAt: null, since: START + REFUND_TRIED_FOR_MS });
        for (const [i, refund] of history.entries()) {
          if (i === 0 || refund.nextAt === null || refund.nextAt === refund.tryUntil) continue;
          const wait = next(refund) - next(history[i - 1]!);
          expect(wait).toBeGreaterThanOrEqual(REFUND_RETRY_MS_MIN);
          expect(wait).toBeLessThanOrEqual(REFUND_RETRY_MS_MAX);
        }
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test("gets its attempt after an outage longer than 72 hours, before it is given up", () => {
    const late = START + 2 * REFUND_TRIED_FOR_MS;
    expect(next(fresh)).toBeLessThan(late);
    expect(afterFailure(fresh, "no", late, 0).state).toBe("given-up");
  });

  test("keeps what the provider said, cut to its bound", () => {
    expect(afterFailure(fresh, "x".repeat(10_000), START, 0).lastError).toHaveLength(REFUND_ERROR_CHARS_MAX);
  });

  test("gets 72 hours more when the operator asks for it", () => {
    const again = triedAgain(failAlways(() => 0.5).at(-1)!, START * 2);
    expect(again).toMatchObject({ state: "due", attempts: 0, nextAt: START * 2, tryUntil: START * 2 + REFUND_TRIED_FOR_MS });
  });

  test("waits for the operator, and for nobody else, when its provider has no way to make it", () => {
    expect(begun(payment, "O1" as OrderId, false, START)).toMatchObject({ state: "due", nextAt: null });
  });
});
