/**
 * Payments through Stripe: one PaymentIntent per order. Requests and signatures are the official library's work; here is only which of its
 * calls mean what. Our intents are marked (`metadata.source`), because an account may serve other shops, and their money is none of our business.
 */
import Stripe from "stripe";
import Type from "typebox";
import { Compile } from "typebox/compile";
import { Failure } from "../core/failure.ts";
import { ID_PATTERN, type OrderId } from "../core/ids.ts";
import type { Clock } from "../core/time.ts";
import type { Payment } from "../ledger/ledger.ts";
import {
  NOTICE_AGE_SECONDS_MAX,
  PAYMENT_AMOUNT_MAX,
  PAYMENT_ID_CHARS_MAX,
  PAYMENT_STARTS_IN_FLIGHT_MAX,
  PROVIDER_RETRIES_MAX,
  PROVIDER_TIMEOUT_MS,
} from "../limits.ts";
import {
  type Fetch,
  type Notice,
  type PaymentProvider,
  type PaymentRequest,
  type PaymentStart,
  providerFailure,
  providerRefusal,
} from "./provider.ts";

export interface StripeSettings {
  readonly secretKey: string;
  /** Endpoint secrets, `whsec_...`. Several while one is being replaced. */
  readonly webhookSecrets: readonly string[];
  /** `null`: Stripe itself. A proxy or a double otherwise: scheme, host and port. */
  readonly baseUrl: URL | null;
}

const SOURCE = "doorbuster";

export class StripeProvider implements PaymentProvider {
  readonly name = "stripe";
  readonly canRefund = true;
  readonly #stripe: Stripe;
  readonly #secrets: readonly string[];
  readonly #clock: Clock;
  #starting = 0;

  constructor({ secretKey, webhookSecrets, baseUrl }: StripeSettings, fetch: Fetch, clock: Clock) {
    this.#stripe = new Stripe(secretKey, {
      // Its type asks for the whole of `fetch`; it calls it and does nothing else.
      httpClient: Stripe.createFetchHttpClient(fetch as typeof globalThis.fetch),
      maxNetworkRetries: PROVIDER_RETRIES_MAX,
      timeout: PROVIDER_TIMEOUT_MS,
      telemetry: false,
      ...(baseUrl && addressOf(baseUrl)),
    });
    this.#secrets = webhookSecrets;
    this.#clock = clock;
  }

  async start({ orderId, amountCents, currency }: PaymentRequest): Promise<PaymentStart> {
    if (this.#starting >= PAYMENT_STARTS_IN_FLIGHT_MAX)
      throw new Failure("overloaded", "too many payments are being started; try again in a second", true);
    this.#starting += 1;
    try {
      const intent = await this.#stripe.paymentIntents.create(
        { amount: amountCents, currency, automatic_payment_methods: { enabled: true }, metadata: { orderID: orderId, source: SOURCE } },
        { idempotencyKey: `order-${orderId}` },
      );
      if (intent.client_secret === null) throw new Error("the payment intent has no client secret");
      return { provider: this.name, paymentId: intent.id, clientSecret: intent.client_secret };
    } catch (cause) {
      throw isRefusal(cause) ? providerRefusal(this.name, cause) : providerFailure(this.name, isOutcomeKnown(cause), cause);
    } finally {
      this.#starting -= 1;
    }
  }

  async readNotification(rawBody: string, headers: { get(name: string): string | null }): Promise<Notice | { readonly refusal: string }> {
    const signature = headers.get("stripe-signature");
    if (signature === null) return { refusal: "the header Stripe-Signature is missing" };
    for (const secret of this.#secrets) {
      try {
        const event = await this.#stripe.webhooks.constructEventAsync(
          rawBody,
          signature,
          secret,
          NOTICE_AGE_SECONDS_MAX,
          undefined,
          this.#clock.now(),
        );
        return noticeOf(event);
      } catch (cause) {
        if (cause instanceof Stripe.errors.StripeSignatureVerificationError) continue;
        return { refusal: "the body is no event of Stripe's" };
      }
    }
    return { refusal: "the signature is not one of this endpoint's, or is too old" };
  }

  async refund(payment: Payment, orderId: OrderId): Promise<void> {
    try {
      const refund = await this.#stripe.refunds.create(
        { payment_intent: payment.paymentId, metadata: { orderID: orderId, source: SOURCE } },
        { idempotencyKey: `refund-${payment.paymentId}` },
      );
      if (refund.status === "failed" || refund.status === "canceled") throw new Error(`the refund ${refund.id} is ${refund.status}`);
    } catch (cause) {
      // Stripe forgets idempotency keys after a day; that the money is back is what was asked for.
      if (cause instanceof Stripe.errors.StripeError && cause.code === "charge_already_refunded") return;
      throw providerFailure(this.name, isOutcomeKnown(cause), cause);
    }
  }
}

function addressOf({ protocol, hostname, port }: URL): { protocol: "http" | "https"; host: string; port: string } {
  const isPlain = protocol === "http:";
  return { protocol: isPlain ? "http" : "https", host: hostname, port: port || (isPlain ? "80" : "443") };
}

/** A signature proves who wrote a document, and not that it has the form that this version of the library declares. */
const ourIntent = Compile(
  Type.Object({ metadata: Type.Object({ source: Type.Literal(SOURCE), orderID: Type.String({ pattern: ID_PATTERN }) }) }),
);
const paidIntent = Compile(
  Type.Object({
    id: Type.String({ pattern: `^[\\x21-\\x7e]{1,${PAYMENT_ID_CHARS_MAX}}$` }),
    amount_received: Type.Integer({ minimum: 0, maximum: PAYMENT_AMOUNT_MAX * 100 }),
    currency: Type.String({ pattern: "^[a-z]{3}$" }),
  }),
);

function noticeOf({ type, data }: Stripe.Event): Notice | { readonly refusal: string } {
  const intent: unknown = data?.object;
  if (typeof intent !== "object" || intent === null) return { refusal: "the event is about nothing" };
  if (!/^payment_intent\.(succeeded|payment_failed|canceled)$/.test(type) || !ourIntent.Check(intent)) return { kind: "other" };
  const orderId = intent.metadata.orderID as OrderId;
  if (type !== "payment_intent.succeeded") return { kind: "failed", orderId };
  const paid: unknown = intent;
  if (!paidIntent.Check(paid)) return { refusal: "the payment intent has no usable id, amount_received or currency" };
  const payment = { provider: "stripe", paymentId: paid.id, amountCents: paid.amount_received, currency: paid.currency };
  return { kind: "paid", orderId, payment };
}

/** Stripe has understood, and will never take this payment: the amount is too small for it, for one. */
const isRefusal = (cause: unknown): boolean =>
  cause instanceof Stripe.errors.StripeError && (cause.statusCode === 400 || cause.statusCode === 402);

/** Stripe said no before it did anything. Whatever else went wrong may have happened after it had. */
function isOutcomeKnown(cause: unknown): boolean {
  return cause instanceof Stripe.errors.StripeError && cause.statusCode !== undefined && cause.statusCode < 500 && cause.statusCode !== 409;
}
