import { describe, expect, test } from "bun:test";
import { CURVE_POINTS_MAX, CURVE_SKUS_MAX, PROJECTION_LOOK_BACK_MS } from "../limits/console.ts";
import { StockCurves, type StockFigures, type StockPoint, sellOut } from "./stock-curve.ts";

const stock = (available: number, held = 0): StockFigures => ({ available, held, paymentPending: 0, sold: 0 });
const one = (figures: StockFigures): ReadonlyMap<string, StockFigures> => new Map([["A", figures]]);

describe("the curve of a SKU", () => {
  test("has what was seen, in its order", () => {
    const curves = new StockCurves();
    for (const [second, left] of [100, 80, 30, 0].entries()) curves.record(second * 1_000, one(stock(left, 100 - left)));
    expect(curves.of("A").map(({ at, available }) => [at, available])).toEqual([
      [0, 100],
      [1_000, 80],
      [2_000, 30],
      [3_000, 0],
    ]);
  });

  test("of a quiet hour is two points, and what comes behind them is drawn from the last", () => {
    const curves = new StockCurves();
    for (let second = 0; second < 3_600; second += 1) curves.record(second * 1_000, one(stock(100)));
    curves.record(3_600_000, one(stock(99, 1)));
    expect(curves.of("A").map(({ at, available }) => [at, available])).toEqual([
      [0, 100],
      [3_599_000, 100],
      [3_600_000, 99],
    ]);
  });

  test("never grows beyond its bound: the oldest points go", () => {
    const curves = new StockCurves();
    for (let second = 0; second <= CURVE_POINTS_MAX; second += 1) curves.record(second * 1_000, one(stock(second)));
    expect(curves.of("A")).toHaveLength(CURVE_POINTS_MAX);
    expect(curves.of("A")[0]?.available).toBe(1);
  });

  test("does not go back in time, whatever the clock does", () => {
    const curves = new StockCurves();
    for (const at of [2_000, 1_000, 2_000, 3_000]) curves.record(at, one(stock(at)));
    expect(curves.of("A").map(({ at }) => at)).toEqual([2_000, 3_000]);
  });

  test("is kept for so many SKUs, the first ones", () => {
    const curves = new StockCurves();
    const many = new Map(Array.from({ length: CURVE_SKUS_MAX + 1 }, (_, index) => [`SKU${index}`, stock(1)]));
    curves.record(0, many);
    expect(curves.skus).toHaveLength(CURVE_SKUS_MAX);
    expect(curves.of(`SKU${CURVE_SKUS_MAX}`)).toEqual([]);
  });
});

describe("the end of the stock", () => {
  const curve = (...points: readonly (readonly [at: number, available: number])[]): StockPoint[] =>
    points.map(([at, available]) => ({ at, ...stock(available) }));

  test("is foretold from how fast it went lately", () => {
    expect(sellOut(curve([0, 100], [10_000, 50]))).toEqual({ at: 20_000, isProjected: true });
  });

  test("is foretold from the last while only: a slow morning does not count", () => {
    const long = curve([0, 1_000], [3_600_000, 1_000], [3_600_000 + PROJECTION_LOOK_BACK_MS, 500]);
    expect(sellOut(long)).toEqual({ at: 3_600_000 + 2 * PROJECTION_LOOK_BACK_MS, isProjected: true });
  });

  test("is known when it has come, and since when", () => {
    expect(sellOut(curve([0, 10], [1_000, 0], [9_000, 0]))).toEqual({ at: 1_000, isProjected: false });
  });

  test("of goods that came back is not the first end but the last", () => {
    expect(sellOut(curve([0, 1], [1_000, 0], [2_000, 1], [3_000, 0]))).toEqual({ at: 3_000, isProjected: false });
  });

  test.each([
    ["nothing was seen", curve()],
    ["nothing is sold", curve([0, 100], [60_000, 100])],
    ["goods come back", curve([0, 50], [10_000, 100])],
    ["it was looked at for a moment only", curve([0, 100], [1_000, 90])],
  ])("is not in sight when %s", (_, points) => {
    expect(sellOut(points)).toBeNull();
  });
});
