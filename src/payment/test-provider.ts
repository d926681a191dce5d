/**
 * The payment provider of the demo, with a pay page of its own. It is a generic provider whose other side is in this process too: its page is
 * reached through a signed address, and tells the shop through a signed notification, on the way that all of them take. It keeps nothing:
 * what it shows is the order as it is.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Answer } from "../core/answer.ts";
import { type HttpReply, on, type Route } from "../core/endpoint.ts";
import { Failure } from "../core/failure.ts";
import type { OrderId } from "../core/ids.ts";
import { languageOf } from "../core/language.ts";
import { type Cents, priceOf } from "../core/money.ts";
import type { Clock, UnixMs } from "../core/time.ts";
import type { Payment } from "../ledger/ledger.ts";
import { payPageApi as api, type PayChoice } from "./api.ts";
import { GenericProvider, keyOf, signatureOf } from "./generic-provider.ts";
import type { Notification } from "./notifications.ts";
import { type PayableOrder, payMessageReply, payPageReply } from "./pay-page.ts";
import type { Fetch, Notice, PaymentProvider, PaymentRequest, PaymentStart } from "./provider.ts";
import { Signer } from "./signed-text.ts";

export interface TestProviderParts {
  /** The gate's address as the shopper reaches it, without a slash at its end. */
  readonly gateUrl: string;
  /** Base64 of random bytes that only this process knows. */
  readonly secret: string;
  readonly order: (orderId: OrderId) => Answer<PayableOrder | null>;
  /** What `POST /payments/{provider}` does with a notification. */
  readonly notify: (notification: Notification) => Answer<HttpReply>;
  readonly clock: Clock;
}

/** What the address of the pay page says. */
interface Bill {
  readonly amountCents: Cents;
  readonly currency: string;
  readonly payUntil: UnixMs;
  readonly signature: string;
}

const NAME = "test";
const BILL = "amountCents={amountCents}&currency={currency}&payUntil={payUntil}&signature={signature}";

export class TestProvider implements PaymentProvider {
  readonly name = NAME;
  readonly canRefund = true;
  readonly #parts: TestProviderParts;
  readonly #ours: GenericProvider;
  readonly #signer: Signer;

  constructor(parts: TestProviderParts) {
    const { gateUrl, secret, clock } = parts;
    this.#parts = parts;
    const settings = { name: NAME, redirectTemplate: `${gateUrl}/pay/{orderID}?${BILL}`, secrets: [secret], refundUrl: null } as const;
    this.#ours = new GenericProvider(settings, noNetwork, clock);
    this.#signer = new Signer([secret]);
  }

  start(request: PaymentRequest): Promise<PaymentStart> {
    return this.#ours.start(request);
  }

  readNotification(rawBody: string, headers: { get(name: string): string | null }): Notice | { readonly refusal: string } {
    return this.#ours.readNotification(rawBody, headers);
  }

  /** No money has moved, so none has to go back. */
  refund(_payment: Payment): Promise<void> {
    return Promise.resolve();
  }

  async page(orderId: OrderId, bill: Bill, wasDeclined: boolean, acceptLanguage: string | null): Promise<HttpReply> {
    const language = languageOf(acceptLanguage);
    if (!this.#isOurs(orderId, bill)) return payMessageReply(403, language, "badLink");
    const order = await this.#parts.order(orderId);
    if (!order) return payMessageReply(404, language, "unknownOrder");
    return payPageReply({
      language,
      orderId,
      order,
      amountCents: bill.amountCents,
      currency: bill.currency,
      leftMs: bill.payUntil - this.#parts.clock.now(),
      wasDeclined,
      actionOf: (choice) => `?${billText(bill)}&choice=${choice}`,
    });
  }

  /** Tells the shop, then sends the shopper back to the page, which shows what became of the order and can be loaded again without harm. */
  async choose(orderId: OrderId, bill: Bill, choice: PayChoice, acceptLanguage: string | null): Promise<HttpReply> {
    const language = languageOf(acceptLanguage);
    if (!this.#isOurs(orderId, bill)) return payMessageReply(403, language, "badLink");
    const rawBody = notificationText(orderId, bill, choice);
    const headers = new Headers(this.#signer.headersFor(rawBody, `${choice}-${paymentIdOf(orderId)}`, this.#parts.clock.now()));
    if (!(await this.#wasTaken({ provider: NAME, rawBody, headers }))) return payMessageReply(503, language, "notTaken");
    const outcome = choice === "decline" ? "&outcome=declined" : "";
    const location = `/pay/${encodeURIComponent(orderId)}?${billText(bill)}${outcome}`;
    return { status: 303, body: "", headers: { location, "cache-control": "no-store" } };
  }

  async #wasTaken(notification: Notification): Promise<boolean> {
    try {
      return (await this.#parts.notify(notification)).status < 300;
    } catch (error) {
      // A shopper is shown a page, whatever happened; a real provider would send the notification again.
      if (error instanceof Failure) return false;
      throw error;
    }
  }

  #isOurs(orderId: OrderId, bill: Bill): boolean {
    const expected = Buffer.from(signatureOf({ orderId, ...bill }, keyOf(this.#parts.secret)));
    const given = Buffer.from(bill.signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

/** The demo's pay page, served by the gate. */
export function payPageRoutes(provider: TestProvider): Route[] {
  return [
    on(api.showPayPage, ({ params, query, headers }) =>
      provider.page(params.orderID, query, query.outcome === "declined", headers.get("accept-language")),
    ),
    on(api.pay, ({ params, query, headers }) => provider.choose(params.orderID, query, query.choice, headers.get("accept-language"))),
  ];
}

function notificationText(orderId: OrderId, { amountCents, currency }: Bill, choice: PayChoice): string {
  const amount = priceOf(choice === "wrong-amount" ? amountCents + 1 : amountCents);
  const type = choice === "decline" ? "payment.failed" : "payment.paid";
  return JSON.stringify({ type, data: { orderID: orderId, paymentID: paymentIdOf(orderId), amount, currency } });
}

/** One payment per order, in characters that every provider allows. */
const paymentIdOf = (orderId: OrderId): string => `test-${createHash("sha256").update(orderId).digest("hex").slice(0, 32)}`;

const billText = ({ amountCents, currency, payUntil, signature }: Bill): string =>
  String(new URLSearchParams({ amountCents: String(amountCents), currency, payUntil: String(payUntil), signature }));

/** The generic provider uses the network for refunds only, and this one makes its own. */
const noNetwork: Fetch = () => Promise.reject(new Error("the demo has no network"));
