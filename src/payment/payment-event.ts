/** What the operator is told about money that has to go back. */
import type { OrderId } from "../core/ids.ts";
import type { UnixMs } from "../core/time.ts";
import type { Payment } from "../ledger/ledger.ts";

export interface PaymentEvent {
  /** `payment.refund-failed`: somebody has to act, the system will not try any more. */
  readonly type: "payment.refund-requested" | "payment.refunded" | "payment.refund-failed";
  readonly at: UnixMs;
  readonly orderId: OrderId;
  readonly payment: Payment;
  /** What happened and what to do next, for a person. */
  readonly detail: string;
}
