/** The terms of one SKU through many sales: against a model that looks through all of them. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { idOf } from "../../test/sale-desk.ts";
import type { SaleTerms } from "./sale.ts";
import { boughtAt, overlapIn, type Timeline, termsAt, withoutSale, withTerms } from "./timeline.ts";

const terms = (id: string, opensAt: number, closesAt: number, priceCents = opensAt): SaleTerms => ({
  ...{ saleId: idOf(id), opensAt, closesAt, priceCents },
  ...{ quantityLimit: 0, frozenForMs: null, paymentWindowMs: null, isPaused: false },
});
const timelineOf = (...all: SaleTerms[]): Timeline => all.reduce<Timeline>(withTerms, []);

/** Windows that do not overlap, each with a gap of 0 to 3 before it and a length of 1 to 4, given in any order. */
const anyTimeline = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 8 })
  .chain((spans) => {
    let at = 1;
    const all = spans.map(([gap, length], index) => {
      const opensAt = at + gap;
      at = opensAt + length;
      return terms(`S${index}`, opensAt, at);
    });
    return fc.shuffledSubarray(all, { minLength: 1 });
  });

describe("the terms that count for a SKU", () => {
  test("are those of the open window, else of the next to open, else of the last", () => {
    const timeline = timelineOf(terms("B", 20, 30), terms("A", 10, 20), terms("C", 40, 50));
    const saleAt = (now: number) => termsAt(timeline, now).saleId as string;
    expect([0, 9, 10, 19, 20, 29, 30, 39, 40, 49, 50, 99].map(saleAt)).toEqual([..."AAAABBCCCCCC"]);
  });

  test("and the price, are what a look through all windows finds", () => {
    fc.assert(
      fc.property(anyTimeline, fc.integer({ min: 0, max: 60 }), (all, now) => {
        const open = all.find(({ opensAt, closesAt }) => opensAt <= now && now < closesAt);
        const toCome = all.filter(({ opensAt }) => opensAt > now).sort((a, b) => a.opensAt - b.opensAt)[0];
        const last = all.filter(({ closesAt }) => closesAt <= now).sort((a, b) => b.closesAt - a.closesAt)[0];
        const timeline = timelineOf(...all);
        expect(termsAt(timeline, now)).toBe((open ?? toCome ?? last) as SaleTerms);
        expect(boughtAt(timeline, now)).toBe(open ?? last ?? null);
      }),
      { numRuns: 2_000, seed: 1 },
    );
  });
});

describe("two windows", () => {
  const timeline = timelineOf(terms("A", 10, 20), terms("B", 30, 40));

  test("overlap when they have one millisecond in common, and not when one begins as the other ends", () => {
    const overlapped = (startsAt: number, endsAt: number) => overlapIn(timeline, { startsAt, endsAt }, null)?.saleId ?? null;
    const rows = [
      [1, 10, null],
      [1, 11, "A"],
      [19, 20, "A"],
      [20, 30, null],
      [12, 13, "A"],
      [1, 100, "A"],
      [20, 31, "B"],
      [39, 50, "B"],
      [40, 50, null],
    ] as const;
    for (const [startsAt, endsAt, id] of rows)
      expect({ startsAt, endsAt, id: overlapped(startsAt, endsAt) as unknown }).toEqual({ startsAt, endsAt, id });
  });

  test("of one sale do not overlap: a sale may be moved over itself, but not over another", () => {
    expect(overlapIn(timeline, { startsAt: 15, endsAt: 25 }, idOf("A"))).toBeNull();
    expect(overlapIn(timeline, { startsAt: 15, endsAt: 35 }, idOf("A"))?.saleId).toBe(idOf("B"));
  });

  test("of the same sale replace each other, and leave nothing behind", () => {
    const moved = withTerms(timeline, terms("A", 50, 60));
    expect(moved.map(({ saleId, opensAt }) => `${saleId} ${opensAt}`)).toEqual(["B 30", "A 50"]);
    expect(withoutSale(moved, idOf("B")).length).toBe(1);
  });
});
