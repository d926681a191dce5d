/**
 * A payment provider in three verbs: start a payment, read a notification, refund. Notifications may come twice, late, out of order, or before
 * the answer of `start`; whoever acts on them goes by the state of the order (`settlement.ts`), never by arrival.
 */
import type { Answer } from "../core/answer.ts";
import { Failure } from "../core/failure.ts";
import type { OrderId } from "../core/ids.ts";
import type { Cents } from "../core/money.ts";
import type { UnixMs } from "../core/time.ts";
import type { Payment } from "../ledger/ledger.ts";

export interface PaymentRequest {
  readonly orderId: OrderId;
  readonly amountCents: Cents;
  /** Lower-case ISO 4217. */
  readonly currency: string;
  readonly payUntil: UnixMs;
}

/** What the shopper's browser needs to pay: a secret for the provider's own script, or an address to go to. */
export interface PaymentStart {
  readonly provider: string;
  /** `null`: the provider names the payment when it is made. */
  readonly paymentId: string | null;
  readonly clientSecret?: string;
  readonly redirectUrl?: string;
}

export type Notice =
  | { readonly kind: "paid"; readonly orderId: OrderId; readonly payment: Payment }
  /** This attempt failed. The order stays as it is until its deadline: the shopper may try again with another card. */
  | { readonly kind: "failed"; readonly orderId: OrderId }
  /** Verified, but nothing to do. */
  | { readonly kind: "other" };

export interface PaymentProvider {
  readonly name: string;
  /** Whether `refund` can succeed at all. Where it cannot, the operator has to pay back by hand. */
  readonly canRefund: boolean;
  /** Idempotent by order: asking again gives the same payment. Rejects with `Failure`. */
  start(request: PaymentRequest): Promise<PaymentStart>;
  /** Verifies the signature over the text as it came. A refusal says what is wrong with it. */
  readNotification(rawBody: string, headers: { get(name: string): string | null }): Answer<Notice | { readonly refusal: string }>;
  /** Returns the whole payment. Idempotent by payment. Rejects with `Failure` when it did not succeed; the outcome may be unknown. */
  refund(payment: Payment, orderId: OrderId): Promise<void>;
}

/** As much of `fetch` as a provider needs; given, because only the edge reaches the network. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export type Providers = ReadonlyMap<string, PaymentProvider>;

/** The provider will never take this payment, whoever asks again. */
export function providerRefusal(provider: string, cause: unknown): Failure {
  return new Failure("provider-refused", `the payment provider ${provider} does not take this payment`, true, cause);
}

/** The message is safe to show to a shopper; the cause is for the operator. */
export function providerFailure(provider: string, outcomeKnown: boolean, cause: unknown): Failure {
  return new Failure("provider-failed", `the payment provider ${provider} did not do what it was asked; try again`, outcomeKnown, cause);
}
