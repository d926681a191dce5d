/** Everything that is told to the outside: what can happen, and which names each event goes by. */
import type { OrderId, SessionId, Sku, UserId } from "../core/ids.ts";
import type { Cents } from "../core/money.ts";
import type { UnixMs } from "../core/time.ts";

export interface OrderItem {
  readonly sku: Sku;
  readonly quantity: number;
  readonly priceCents: Cents;
  readonly heldUntil: UnixMs;
}

export interface Payment {
  readonly provider: string;
  readonly paymentId: string;
  readonly amountCents: Cents;
  readonly currency: string;
}

export interface Order {
  readonly orderId: OrderId;
  readonly userId: UserId;
  readonly items: readonly OrderItem[];
  readonly state: "payment-pending" | "paid" | "cancelled" | "expired" | "refund-due";
  readonly placedAt: UnixMs;
  readonly payUntil: UnixMs;
  readonly since: UnixMs;
  readonly payment: Payment | null;
}

export type LedgerEvent =
  | {
      readonly type: "hold.created" | "hold.changed";
      readonly at: UnixMs;
      readonly sku: Sku;
      readonly userId: UserId;
      readonly sessionId: SessionId | null;
      /** Frozen for this user now. */
      readonly quantity: number;
      readonly heldUntil: UnixMs;
    }
  | {
      readonly type: "hold.released" | "hold.expired";
      readonly at: UnixMs;
      readonly sku: Sku;
      readonly userId: UserId;
      /** What became free. */
      readonly quantity: number;
    }
  | { readonly type: "goods.sold-out"; readonly at: UnixMs; readonly sku: Sku }
  | {
      readonly type: "order.placed" | "order.paid" | "order.cancelled" | "order.expired" | "order.refund-due";
      readonly at: UnixMs;
      readonly order: Order;
    };

export type SaleId = string;

export interface SaleEvent {
  readonly type: "sale.started" | "sale.ended" | "sale.paused" | "sale.resumed";
  readonly at: UnixMs;
  readonly saleId: SaleId;
  readonly name: string;
  readonly skus: readonly Sku[];
}

export interface PaymentEvent {
  readonly type: "payment.refund-requested" | "payment.refunded" | "payment.refund-failed";
  readonly at: UnixMs;
  readonly orderId: OrderId;
  readonly payment: Payment;
  /** For an operator: what happened, and what is left to do. */
  readonly detail: string;
}

export type DoorbusterEvent = LedgerEvent | SaleEvent | PaymentEvent;
export type EventType = DoorbusterEvent["type"];

/** Each type once, in the order in which a shopper meets them. The compiler holds it complete. */
export const EVENT_TYPES = Object.keys({
  "sale.started": 0,
  "sale.paused": 0,
  "sale.resumed": 0,
  "sale.ended": 0,
  "hold.created": 0,
  "hold.changed": 0,
  "hold.released": 0,
  "hold.expired": 0,
  "goods.sold-out": 0,
  "order.placed": 0,
  "order.paid": 0,
  "order.cancelled": 0,
  "order.expired": 0,
  "order.refund-due": 0,
  "payment.refund-requested": 0,
  "payment.refunded": 0,
  "payment.refund-failed": 0,
} satisfies Record<EventType, 0>) as readonly EventType[];
