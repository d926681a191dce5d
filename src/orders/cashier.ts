/**
 * The cashier: starts the payment of an order at its provider, and does what a provider's notification asks for. Notifications may come twice,
 * late, out of order, or before the answer of the call that caused them, so nothing here goes by arrival: the ledger decides by the state of
 * the order, and money that buys nothing goes back.
 *
 * A notification is acknowledged only when all that follows from it is durable; until then the provider sends it again.
 */

import type { Answer } from "../core/answer.ts";
import { Failure } from "../core/failure.ts";
import type { OrderId, Sku } from "../core/ids.ts";
import type { Clock } from "../core/time.ts";
import type { Ledger, Order, Payment } from "../ledger/ledger.ts";
import type { Notice, PaymentStart, Providers } from "../payment/provider.ts";
import { decideSettlement, totalCents } from "../payment/settlement.ts";

export type StartReply =
  | { readonly kind: "started"; readonly start: PaymentStart; readonly order: Order }
  /** Nothing to pay, or no provider: the order is complete as it is, or is paid by means that we do not know. */
  | { readonly kind: "none"; readonly order: Order }
  | { readonly kind: "refused"; readonly reason: "order-ended"; readonly order: Order }
  | { readonly kind: "refused"; readonly reason: "unknown-provider" }
  /** The provider will never take this payment. */
  | { readonly kind: "refused"; readonly reason: "payment-refused" }
  | { readonly kind: "failed"; readonly failure: Failure };

export interface CashierParts {
  readonly ledger: Pick<Ledger, "order" | "orderPaidWith" | "pay">;
  /** By name; the first is the one that is taken when nobody chooses. */
  readonly providers: Providers;
  /** Lower-case ISO 4217. */
  readonly currency: string;
  /** The limit that counts when this order is paid late: of its user's level, and of the sale that it was placed in; 0 means none. */
  readonly limitOf: (sku: Sku, order: Order) => number;
  /** Whether a refund of this payment was requested: then it can buy nothing any more. */
  readonly isGoingBack: (payment: Payment) => Answer<boolean>;
  /** Makes a refund durable; asking twice for one payment asks once. */
  readonly requestRefund: (payment: Payment, orderId: OrderId) => Promise<void>;
  readonly clock: Clock;
}

/** What an order of nothing but free goods is paid with. */
const FREE = "free";

export class Cashier {
  readonly #parts: CashierParts;

  constructor(parts: CashierParts) {
    this.#parts = parts;
  }

  get currency(): string {
    return this.#parts.currency;
  }

  get providers(): Providers {
    return this.#parts.providers;
  }

  /** Starts the payment, or finds the one that was started: providers are asked with the order as the key. No lock is held meanwhile. */
  async start(order: Order, providerName: string | undefined): Promise<StartReply> {
    const { providers, currency } = this.#parts;
    if (order.state !== "payment-pending") return { kind: "refused", reason: "order-ended", order };
    const amountCents = totalCents(order.items);
    if (amountCents === 0)
      return {
        kind: "none",
        order: (await this.#pay(order, { provider: FREE, paymentId: order.orderId, amountCents, currency }, true)) ?? order,
      };
    const [first] = providers.values();
    const provider = providerName === undefined ? first : providers.get(providerName);
    if (!provider) return providerName === undefined ? { kind: "none", order } : { kind: "refused", reason: "unknown-provider" };
    try {
      const start = await provider.start({ orderId: order.orderId, amountCents, currency, payUntil: order.payUntil });
      return await this.#lastLook(order, start);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return error.code === "provider-refused" ? { kind: "refused", reason: "payment-refused" } : { kind: "failed", failure: error };
    }
  }

  /** While the provider was asked, the order may have been cancelled, or even paid: nobody is asked to pay for what has ended. */
  async #lastLook(before: Order, start: PaymentStart): Promise<StartReply> {
    const order = (await this.#parts.ledger.order(before.orderId, this.#parts.clock.now())) ?? before;
    if (order.state === "payment-pending") return { kind: "started", start, order };
    return order.state === "paid" ? { kind: "none", order } : { kind: "refused", reason: "order-ended", order };
  }

  /**
   * Resolves when everything that follows from the notice is durable. One payment is for one order: where a provider reports it for another too,
   * nothing is done, and the refusal says so to whoever reads the provider's log.
   */
  async settle(notice: Notice): Promise<{ readonly refusal: string } | null> {
    // A failed attempt is not the end of an order: the shopper may try again until its deadline.
    if (notice.kind !== "paid") return null;
    const { ledger, currency, isGoingBack, requestRefund, clock } = this.#parts;
    const { orderId, payment } = notice;
    const usedFor = await ledger.orderPaidWith(payment);
    if (usedFor !== null && usedFor !== orderId) return used(payment, usedFor);
    const order = await ledger.order(orderId, clock.now());
    const settlement = decideSettlement(order, payment, currency);
    if (settlement.kind === "pay" && (await isGoingBack(payment))) return { refusal: `payment ${payment.paymentId} is on its way back` };
    // What the ledger made of it decides again: another payment may have won meanwhile, or the goods are gone.
    let last = settlement;
    if (order && settlement.kind === "pay") {
      const paid = await this.#pay(order, payment, settlement.isAmountRight);
      if (paid === null) return used(payment, "another");
      last = decideSettlement(paid, payment, currency);
    }
    if (last.kind === "refund") await requestRefund(payment, orderId);
    return null;
  }

  /** `null`: a notice that came at the same time has used the payment for another order. */
  async #pay(order: Order, payment: Payment, isAmountRight: boolean): Promise<Order | null> {
    const { ledger, limitOf, clock } = this.#parts;
    const limits = new Map(order.items.map(({ sku }) => [sku, limitOf(sku, order)] as const));
    const [reply] = await ledger.pay([{ verb: "pay", orderId: order.orderId, payment, isAmountRight, limits }], clock.now());
    if (reply?.kind === "order") return reply.order;
    if (reply?.reason === "payment-used") return null;
    throw new Failure("store-stopped", `the ledger no longer knows order ${order.orderId}, which it showed a moment ago`, false);
  }
}

const used = ({ paymentId }: Payment, orderId: string): { readonly refusal: string } => ({
  refusal: `payment ${paymentId} has been reported for order ${orderId} before; one payment is for one order`,
});
