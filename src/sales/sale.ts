/**
 * A sale: some SKUs, a window, a price for each, rules. Pure: every question is asked with `now`.
 *
 * - *scheduled*: before `startsAt`. Nothing of it is sold yet, and everything of it can be changed.
 * - *live*: from `startsAt` on, that millisecond included, until `endsAt`, that one excluded. Its goods are sold at its prices.
 * - *paused*: live by the clock, and an operator has stopped it. Pausing a scheduled sale lets it begin paused.
 * - *ended*: from `endsAt` on. This is an end: nothing of it changes any more.
 *
 * What shoppers have been promised stands: once a sale has begun, no item leaves it and no price of it changes (docs/adr/0010).
 */
import type { SaleId, Sku } from "../core/ids.ts";
import type { Cents } from "../core/money.ts";
import type { DurationMs, UnixMs } from "../core/time.ts";

export interface SaleItem {
  readonly sku: Sku;
  readonly salePriceCents: Cents;
  /** The most that one user may have of it, whatever the level; `null`: what the tiers say. */
  readonly quantityLimit: number | null;
}

export interface Sale {
  readonly id: SaleId;
  readonly name: string;
  readonly startsAt: UnixMs;
  readonly endsAt: UnixMs;
  readonly items: readonly SaleItem[];
  /** How long its goods stay frozen and how long its orders wait for payment; `null`: as everywhere else. */
  readonly frozenForMs: DurationMs | null;
  readonly paymentWindowMs: DurationMs | null;
  readonly isPaused: boolean;
}

/** What an operator decides of a sale when it is made or replaced. */
export type SalePlan = Omit<Sale, "id" | "isPaused">;

/** What a sale says of one SKU: one shared object per sale and SKU, so that a purchase costs no allocation. */
export interface SaleTerms {
  readonly saleId: SaleId;
  readonly opensAt: UnixMs;
  readonly closesAt: UnixMs;
  readonly priceCents: Cents;
  /** 0: none. */
  readonly quantityLimit: number;
  readonly frozenForMs: DurationMs | null;
  readonly paymentWindowMs: DurationMs | null;
  readonly isPaused: boolean;
}

/** What happened to a sale. */
export interface SaleEvent {
  readonly type: "sale.started" | "sale.ended" | "sale.paused" | "sale.resumed";
  readonly at: UnixMs;
  readonly saleId: SaleId;
  readonly name: string;
  readonly skus: readonly Sku[];
}

export type SaleStatus = "scheduled" | "live" | "paused" | "ended";

export function statusOf({ startsAt, endsAt, isPaused }: Sale, now: UnixMs): SaleStatus {
  if (now >= endsAt) return "ended";
  if (now < startsAt) return "scheduled";
  return isPaused ? "paused" : "live";
}

export type TermsRefusal = "ended" | "not-started" | "paused";

/** Why nothing can be bought on these terms at this moment; `null`: it can. In this order, because the end is final and a pause is not. */
export function refusalOf({ opensAt, closesAt, isPaused }: SaleTerms, now: UnixMs): TermsRefusal | null {
  if (now >= closesAt) return "ended";
  if (now < opensAt) return "not-started";
  return isPaused ? "paused" : null;
}

export const termsOf = (sale: Sale, item: SaleItem): SaleTerms => ({
  saleId: sale.id,
  opensAt: sale.startsAt,
  closesAt: sale.endsAt,
  priceCents: item.salePriceCents,
  quantityLimit: item.quantityLimit ?? 0,
  frozenForMs: sale.frozenForMs,
  paymentWindowMs: sale.paymentWindowMs,
  isPaused: sale.isPaused,
});

/** The next time after `now` at which the clock alone changes the sale's status; infinite when there is none. */
export function nextBoundaryOf({ startsAt, endsAt }: Sale, now: UnixMs): UnixMs {
  if (now < startsAt) return startsAt;
  return now < endsAt ? endsAt : Number.POSITIVE_INFINITY;
}

export type PlanRefusal =
  /** It would be over before anybody could buy. */
  | { readonly reason: "over-at-once" }
  /** The sale that it would replace has ended. */
  | { readonly reason: "has-ended" }
  /** The sale that it would replace has begun, and so has its window. */
  | { readonly reason: "has-begun" }
  /** Shoppers were promised this item at its price. */
  | { readonly reason: "item-promised"; readonly sku: Sku };

/** Whether a plan can be carried out at `now`: it must not rewrite the past. @param current the sale it replaces, `null` for a new one */
export function refusalOfPlan(plan: SalePlan, current: Sale | null, now: UnixMs): PlanRefusal | null {
  if (current !== null && now >= current.endsAt) return { reason: "has-ended" };
  if (plan.endsAt <= now) return { reason: "over-at-once" };
  if (current === null || now < current.startsAt) return null;
  if (plan.startsAt !== current.startsAt) return { reason: "has-begun" };
  for (const { sku, salePriceCents } of current.items) {
    const planned = plan.items.find((item) => item.sku === sku);
    if (planned?.salePriceCents !== salePriceCents) return { reason: "item-promised", sku };
  }
  return null;
}
