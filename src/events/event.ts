/** Everything that is told to the outside: what can happen, and which names each event goes by. */
import type { LedgerEvent } from "../ledger/ledger.ts";
import type { PaymentEvent } from "../payment/payment-event.ts";
import type { SaleEvent } from "../sales/sale.ts";

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
