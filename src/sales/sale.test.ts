/** A sale's status and refusals at the very millisecond, and what of it may still be changed. */
import { describe, expect, test } from "bun:test";
import { END, idOf, item, NOON, plan, START } from "../../test/sale-desk.ts";
import { nextBoundaryOf, refusalOf, refusalOfPlan, type Sale, statusOf, termsOf } from "./sale.ts";

const sale = (isPaused: boolean): Sale => ({ ...plan(), id: idOf("S1"), isPaused });
const moments = [NOON, START - 1, START, START + 1, END - 1, END, END + 1];

describe("the status of a sale", () => {
  test("is live from the millisecond of its start to the one before its end", () => {
    expect(moments.map((now) => statusOf(sale(false), now))).toEqual([
      ...(["scheduled", "scheduled", "live", "live", "live", "ended", "ended"] as const),
    ]);
  });

  test("of a paused one is paused while it would be live, and only then", () => {
    expect(moments.map((now) => statusOf(sale(true), now))).toEqual([
      ...(["scheduled", "scheduled", "paused", "paused", "paused", "ended", "ended"] as const),
    ]);
  });

  test("is next changed by the clock at its start, then at its end, then never", () => {
    expect(moments.map((now) => nextBoundaryOf(sale(false), now))).toEqual([START, START, END, END, END, Infinity, Infinity]);
  });
});

describe("its terms refuse", () => {
  const termsOfSale = (isPaused: boolean) => termsOf(sale(isPaused), item("SKU1"));

  test("before the start and from the end on, to the millisecond", () => {
    expect(moments.map((now) => refusalOf(termsOfSale(false), now))).toEqual([
      ...["not-started" as const, "not-started" as const, null, null, null, "ended" as const, "ended" as const],
    ]);
  });

  test("in one order: ended, not started, paused; a pause is told only while nothing else is in the way", () => {
    expect(moments.map((now) => refusalOf(termsOfSale(true), now))).toEqual([
      ...(["not-started", "not-started", "paused", "paused", "paused", "ended", "ended"] as const),
    ]);
  });
});

describe("a plan", () => {
  const reasonOf = (changes: Parameters<typeof plan>[0], current: Sale | null, now: number) =>
    refusalOfPlan(plan(changes), current, now)?.reason ?? null;

  test("of a new sale must end in the future; it may have begun", () => {
    expect(reasonOf({}, null, END - 1)).toBeNull();
    expect(reasonOf({}, null, END)).toBe("over-at-once");
  });

  test("for a scheduled sale may change everything", () => {
    const other = { name: "x", startsAt: START - 50_000, endsAt: END + 5, items: [item("SKU2", 1, 1)], frozenForMs: 1, paymentWindowMs: 1 };
    expect(reasonOf(other, sale(false), START - 1)).toBeNull();
  });

  test("for a sale that has begun may change its name, end, limits and spans, and add items", () => {
    const changes = { name: "x", endsAt: END + 5, items: [item("SKU2"), item("SKU1", 990, 3)], frozenForMs: 1, paymentWindowMs: 1 };
    for (const isPaused of [false, true]) expect(reasonOf(changes, sale(isPaused), START)).toBeNull();
  });

  test("for a sale that has begun can end it, but only in the future", () => {
    expect(reasonOf({ endsAt: START + 11 }, sale(false), START + 10)).toBeNull();
    expect(reasonOf({ endsAt: START + 10 }, sale(false), START + 10)).toBe("over-at-once");
  });

  test("for a sale that has begun keeps its start, its items and their prices", () => {
    for (const now of [START, END - 1]) {
      expect(reasonOf({ startsAt: START + 1 }, sale(false), now)).toBe("has-begun");
      expect(reasonOf({ startsAt: START - 1 }, sale(false), now)).toBe("has-begun");
      expect(refusalOfPlan(plan({ items: [item("SKU1", 991)] }), sale(false), now)).toEqual({
        reason: "item-promised",
        sku: "SKU1" as never,
      });
      expect(refusalOfPlan(plan({ items: [item("SKU2")] }), sale(false), now)).toEqual({ reason: "item-promised", sku: "SKU1" as never });
    }
  });

  test("for a sale that has ended changes nothing, not even to what it is", () => {
    expect(reasonOf({}, sale(false), END)).toBe("has-ended");
    expect(reasonOf({ endsAt: END + 1_000 }, sale(false), END)).toBe("has-ended");
  });
});
