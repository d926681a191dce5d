/**
 * What money that arrived means for its order. Pure, and by state: the same notification twice, late, or before anything else gives the same end.
 *
 * `pay` is an offer to the ledger, which alone decides whether the goods are still there. Ask the same question again of the order that the
 * ledger gives back: an order that became `refund-due`, or that another payment won meanwhile, then answers `refund`.
 */
import type { Cents } from "../core/money.ts";
import type { OrderState, Payment } from "../ledger/ledger.ts";

/** As much of an order as the decision needs. */
export interface OwedOrder {
  readonly state: OrderState;
  readonly items: readonly { readonly quantity: number; readonly priceCents: Cents }[];
  /** The money that made it `paid` or `refund-due`. */
  readonly payment: Payment | null;
}

export type Settlement =
  | { readonly kind: "pay"; readonly isAmountRight: boolean }
  | { readonly kind: "refund"; readonly why: "unknown-order" | "paid-by-another" }
  | { readonly kind: "nothing" };

export const totalCents = (items: OwedOrder["items"]): Cents =>
  items.reduce((total, { quantity, priceCents }) => total + quantity * priceCents, 0);

/** @param order `null` when there is no such order @param currency the one that prices are in */
export function decideSettlement(order: OwedOrder | null, payment: Payment, currency: string): Settlement {
  // Nobody can be given goods for it, and keeping it would be theft.
  if (order === null) return { kind: "refund", why: "unknown-order" };
  switch (order.state) {
    case "paid":
      return isSame(order.payment, payment) ? { kind: "nothing" } : { kind: "refund", why: "paid-by-another" };
    case "refund-due":
      // The same one was asked back in the commit that made the order so.
      return isSame(order.payment, payment) ? { kind: "nothing" } : { kind: "refund", why: "paid-by-another" };
    case "payment-pending":
    case "expired":
    case "cancelled":
      return { kind: "pay", isAmountRight: payment.currency === currency && payment.amountCents === totalCents(order.items) };
  }
}

const isSame = (a: Payment | null, b: Payment): boolean => a !== null && a.provider === b.provider && a.paymentId === b.paymentId;
