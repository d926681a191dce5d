/**
 * Any other payment provider, through two addresses and a shared secret (docs/adr/0012-payment.md has the protocol):
 *
 * - the shopper is sent to a pay page whose address is made from a template; its `{signature}` lets the page trust the amount;
 * - the page's owner sends a signed notification when the money is there (Standard Webhooks);
 * - a refund is a signed POST to the refund address, always with the same key for the same payment.
 */
import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { ID_PATTERN, type OrderId } from "../core/ids.ts";
import { centsOf, priceOf } from "../core/money.ts";
import type { Clock } from "../core/time.ts";
import type { Payment } from "../ledger/ledger.ts";
import { PAYMENT_AMOUNT_MAX, PAYMENT_ID_CHARS_MAX, PROVIDER_TIMEOUT_MS } from "../limits.ts";
import { type Fetch, type Notice, type PaymentProvider, type PaymentRequest, type PaymentStart, providerFailure } from "./provider.ts";
import { Signer } from "./signed-text.ts";

export interface GenericSettings {
  /** Under which name the provider stands in `POST /payments/{provider}`. */
  readonly name: string;
  /** Checked by `redirectTemplateFault`. */
  readonly redirectTemplate: string;
  /** Base64, with or without `whsec_`. The first signs addresses; all sign refunds, and any may sign notifications. */
  readonly secrets: readonly [string, ...string[]];
  /** `null`: refunds are made by hand. */
  readonly refundUrl: string | null;
}

const FIELDS = ["orderID", "amount", "amountCents", "currency", "payUntil", "signature"] as const;
type Field = (typeof FIELDS)[number];

/** What is wrong with a template for the address of the pay page; `null` when nothing is. */
export function redirectTemplateFault(template: string): string | null {
  for (const [placeholder, name] of template.matchAll(/\{([^}]*)\}/g)) {
    if (!FIELDS.includes(name as Field))
      return `${placeholder.slice(0, 32)} is unknown; there are ${FIELDS.map((field) => `{${field}}`).join(" ")}`;
  }
  if (!template.includes("{orderID}")) return "does not name {orderID}";
  if (!/^https?:\/\/[^{}]+([/?].*)?$/.test(template.replaceAll(/\{[^}]*\}/g, "x"))) return "is no http or https address";
  return /^https?:\/\/[^/?]*\{/.test(template) ? "has a placeholder in its host" : null;
}

/** The bytes of a secret as the settings carry it. */
export const keyOf = (secret: string): Uint8Array => Buffer.from(secret.replace(/^whsec_/, ""), "base64");

/** What the page needs to trust the rest of its address: nobody else can ask for another amount. URL-safe base64 of HMAC-SHA256. */
export function signatureOf({ orderId, amountCents, currency, payUntil }: PaymentRequest, key: Uint8Array): string {
  // The order id comes last: it is the only one that can contain a dot.
  const text = `${amountCents}.${currency}.${payUntil}.${orderId}`;
  // Every order is signed, and this takes a third of what the same costs through `node:crypto`.
  return new Bun.CryptoHasher("sha256", key).update(text).digest("base64url");
}

const Notification = Type.Object({
  type: Type.String(),
  data: Type.Object({
    orderID: Type.String({ pattern: ID_PATTERN }),
    paymentID: Type.String({ pattern: `^[\\x21-\\x7e]{1,${PAYMENT_ID_CHARS_MAX}}$` }),
    amount: Type.Number({ minimum: 0, maximum: PAYMENT_AMOUNT_MAX }),
    currency: Type.String({ pattern: "^[A-Za-z]{3}$" }),
  }),
});
const Failed = Type.Object({ data: Type.Object({ orderID: Type.String({ pattern: ID_PATTERN }) }) });

export class GenericProvider implements PaymentProvider {
  readonly name: string;
  readonly canRefund: boolean;
  readonly #settings: GenericSettings;
  readonly #signer: Signer;
  readonly #addressKey: Uint8Array;
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #paid = Compile(Notification);
  readonly #failed = Compile(Failed);

  constructor(settings: GenericSettings, fetch: Fetch, clock: Clock) {
    this.name = settings.name;
    this.canRefund = settings.refundUrl !== null;
    this.#settings = settings;
    this.#signer = new Signer(settings.secrets);
    this.#addressKey = keyOf(settings.secrets[0]);
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** Asks nobody: the address says everything, and the same order gets the same address. */
  start(request: PaymentRequest): Promise<PaymentStart> {
    const { orderId, amountCents, currency, payUntil } = request;
    const values: Readonly<Record<Field, string>> = {
      orderID: orderId,
      amount: priceOf(amountCents).toFixed(2),
      amountCents: String(amountCents),
      currency,
      payUntil: String(payUntil),
      signature: signatureOf(request, this.#addressKey),
    };
    const redirectUrl = this.#settings.redirectTemplate.replaceAll(/\{([^}]*)\}/g, (_, name: Field) => encodeURIComponent(values[name]));
    return Promise.resolve({ provider: this.name, paymentId: null, redirectUrl });
  }

  readNotification(rawBody: string, headers: { get(name: string): string | null }): Notice | { readonly refusal: string } {
    const fault = this.#signer.faultIn(rawBody, headers);
    if (fault !== null) return { refusal: `the signature does not hold: ${fault}` };
    const message = parsed(rawBody);
    if (typeof message !== "object" || message === null || !("type" in message))
      return { refusal: "the body is no JSON object with a type" };
    if (message.type === "payment.paid") return this.#paidNotice(message);
    if (message.type !== "payment.failed") return { kind: "other" };
    if (!this.#failed.Check(message)) return { refusal: "data.orderID is missing" };
    return { kind: "failed", orderId: message.data.orderID as OrderId };
  }

  #paidNotice(message: object): Notice | { readonly refusal: string } {
    if (!this.#paid.Check(message)) return { refusal: "data needs orderID, paymentID, amount and currency" };
    const { orderID, paymentID, amount, currency }: Static<typeof Notification>["data"] = message.data;
    const amountCents = centsOf(amount);
    if (amountCents === null) return { refusal: "data.amount has more than two decimals" };
    const payment = { provider: this.name, paymentId: paymentID, amountCents, currency: currency.toLowerCase() };
    return { kind: "paid", orderId: orderID as OrderId, payment };
  }

  async refund(payment: Payment, orderId: OrderId): Promise<void> {
    const { refundUrl } = this.#settings;
    if (refundUrl === null) throw providerFailure(this.name, true, new Error("no refund address is configured"));
    const { paymentId, amountCents, currency } = payment;
    const key = `refund-${paymentId}`;
    const data = { orderID: orderId, paymentID: paymentId, amount: priceOf(amountCents), currency };
    const body = JSON.stringify({ type: "refund.requested", data });
    const headers = {
      "content-type": "application/json",
      "idempotency-key": key,
      ...this.#signer.headersFor(body, key, this.#clock.now()),
    };
    let status: number;
    try {
      // A redirect is not followed: it would send what we signed to an address that nobody configured.
      const signal = AbortSignal.timeout(PROVIDER_TIMEOUT_MS);
      const response = await this.#fetch(refundUrl, { method: "POST", headers, body, redirect: "manual", signal });
      status = response.status;
      await response.body?.cancel();
    } catch (cause) {
      throw providerFailure(this.name, false, cause);
    }
    if (status < 200 || status > 299) throw providerFailure(this.name, status < 500, new Error(`the refund address answered ${status}`));
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
