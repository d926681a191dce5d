/** The terms of one SKU in all its sales, in the order of their windows. Windows of one SKU never overlap, so at most one is open at a time. */
import type { SaleId } from "../core/ids.ts";
import type { UnixMs } from "../core/time.ts";
import type { SaleTerms } from "./sale.ts";

export type Timeline = readonly SaleTerms[];

/** The terms that count at `now`: those of the open window, else of the next to open, else of the last one. A timeline is never empty. */
export function termsAt(timeline: Timeline, now: UnixMs): SaleTerms {
  const index = firstNotOver(timeline, now);
  return timeline[Math.min(index, timeline.length - 1)] as SaleTerms;
}

/** The terms of the open window, else of the last one that was open: what was put into a cart in it is paid on them. `null` before the first
 *  window. */
export function boughtAt(timeline: Timeline, now: UnixMs): SaleTerms | null {
  const index = firstNotOver(timeline, now);
  const next = timeline[index];
  return next !== undefined && next.opensAt <= now ? next : (timeline[index - 1] ?? null);
}

/** The terms of another sale than `own` whose window has a moment in common with this one. Windows are half-open: one may begin when
 *  another ends. */
export function overlapIn(timeline: Timeline, window: { readonly startsAt: UnixMs; readonly endsAt: UnixMs }, own: SaleId | null) {
  return timeline.find(({ saleId, opensAt, closesAt }) => saleId !== own && opensAt < window.endsAt && window.startsAt < closesAt) ?? null;
}

/** The timeline with these terms, which take the place of those of the same sale. */
export function withTerms(timeline: Timeline, terms: SaleTerms): Timeline {
  return [...withoutSale(timeline, terms.saleId), terms].sort((a, b) => a.opensAt - b.opensAt);
}

export const withoutSale = (timeline: Timeline, id: SaleId): Timeline => timeline.filter(({ saleId }) => saleId !== id);

/** Where the first window stands that has not closed at `now`; behind the last when all have. A binary search: a SKU that is on sale every
 *  day has hundreds. */
function firstNotOver(timeline: Timeline, now: UnixMs): number {
  let low = 0;
  let high = timeline.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timeline[middle] as SaleTerms).closesAt <= now) low = middle + 1;
    else high = middle;
  }
  return low;
}
