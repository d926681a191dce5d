/**
 * How the stock of each SKU has gone since the process began to look, so that a page that is opened late shows the whole drop; and when it will be gone.
 * Pure: points come in with their time.
 */
import type { UnixMs } from "../core/time.ts";
import { CURVE_POINTS_MAX, CURVE_SKUS_MAX, PROJECTION_LOOK_BACK_MS } from "../limits/console.ts";

/** What there is of a SKU at one instant; all that was stocked is in one of the four. */
export interface StockFigures {
  readonly available: number;
  /** Frozen in carts. */
  readonly held: number;
  /** Frozen in orders that wait for payment. */
  readonly paymentPending: number;
  readonly sold: number;
}
export interface StockPoint extends StockFigures {
  readonly at: UnixMs;
}

/** When nothing is left to buy: it was so since `at`, or will be at `at` if things go on as they did lately. */
export interface SellOut {
  readonly at: UnixMs;
  readonly isProjected: boolean;
}

/** A rate over less than this says nothing. */
const PROJECTION_SPAN_MS_MIN = 3_000;

export class StockCurves {
  readonly #curves = new Map<string, StockPoint[]>();

  /** @param stock by SKU, those that matter most first: only so many are followed */
  record(at: UnixMs, stock: ReadonlyMap<string, StockFigures>): void {
    for (const [sku, figures] of stock) {
      const curve = this.#curves.get(sku);
      if (curve !== undefined) append(curve, { at, ...figures });
      else if (this.#curves.size < CURVE_SKUS_MAX) this.#curves.set(sku, [{ at, ...figures }]);
    }
  }

  /** From the oldest to the newest. */
  of(sku: string): readonly StockPoint[] {
    return this.#curves.get(sku) ?? [];
  }

  sellOutOf(sku: string): SellOut | null {
    return sellOut(this.of(sku));
  }

  get skus(): readonly string[] {
    return [...this.#curves.keys()];
  }
}

/** Equal points in a row are kept as the first and the last of them: a quiet hour takes no more room than a moment. */
function append(curve: StockPoint[], point: StockPoint): void {
  const [last, beforeLast] = [curve.at(-1), curve.at(-2)];
  // A clock that was set back: time in a curve only goes on.
  if (last !== undefined && point.at <= last.at) return;
  if (last !== undefined && beforeLast !== undefined && isSame(last, point) && isSame(beforeLast, point)) curve.pop();
  curve.push(point);
  if (curve.length > CURVE_POINTS_MAX) curve.splice(0, curve.length - CURVE_POINTS_MAX);
}

const isSame = (one: StockFigures, other: StockFigures): boolean =>
  one.available === other.available && one.held === other.held && one.paymentPending === other.paymentPending && one.sold === other.sold;

export function sellOut(curve: readonly StockPoint[]): SellOut | null {
  const last = curve.at(-1);
  if (last === undefined) return null;
  if (last.available <= 0) return { at: emptySince(curve), isProjected: false };
  const first = curve.find(({ at }) => at >= last.at - PROJECTION_LOOK_BACK_MS) ?? last;
  const spanMs = last.at - first.at;
  const gone = first.available - last.available;
  if (spanMs < PROJECTION_SPAN_MS_MIN || gone <= 0) return null;
  return { at: Math.round(last.at + (last.available * spanMs) / gone), isProjected: true };
}

function emptySince(curve: readonly StockPoint[]): UnixMs {
  let since = curve.at(-1) as StockPoint;
  for (const point of curve.toReversed()) {
    if (point.available > 0) break;
    since = point;
  }
  return since.at;
}
