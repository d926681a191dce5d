/**
 * What the two doors of orders have in common, the shopper's and the operators': from a request to the reply, idempotent by its key. A reply
 * that decides something is kept for 24 hours and given again word for word; one that says "try again" is not.
 */
import { assert } from "../core/assert.ts";
import { type HttpReply, json } from "../core/endpoint.ts";
import { keyReused } from "../core/idempotency-key.ts";
import type { OrderId, Sku } from "../core/ids.ts";
import type { Language } from "../core/language.ts";
import { problem } from "../core/problem.ts";
import type { Order } from "../ledger/ledger.ts";
import type { Cashier } from "./cashier.ts";
import { ORDER_TEXTS } from "./messages.ts";
import { orderBody } from "./order-body.ts";
import type { Customer, OrderDesk } from "./order-desk.ts";

export interface Checkout {
  readonly desk: OrderDesk;
  readonly cashier: Cashier;
}

export interface OrderWish {
  readonly customer: Customer;
  /** `null`: the whole cart. */
  readonly skus: readonly Sku[] | null;
  readonly provider: string | undefined;
  readonly orderId: OrderId;
  /** In which the customer reads refusals. */
  readonly language?: Language;
}

/** What operators read, who come without a language. */
const OPERATORS: Language = "en";

/** 201 with the order and what its payment needs; 409 when there is nothing to order. */
export async function placeOrder({ desk, cashier }: Checkout, wish: OrderWish): Promise<HttpReply> {
  const { customer, skus, provider, orderId, language = OPERATORS } = wish;
  const texts = ORDER_TEXTS[language];
  if (provider !== undefined && !cashier.providers.has(provider)) return unknownProvider(provider);
  const reply = await desk.place(customer, skus, orderId);
  if (reply.kind === "placed") return startPayment(cashier, { order: reply.order, provider, language }, 201);
  switch (reply.reason) {
    case "empty-cart":
      return problem(409, texts.emptyCart, { fields: { reason: "empty-cart" } });
    case "no-hold":
      return problem(409, texts.noHold(reply.skus), { fields: { reason: "no-hold", goodsSKUs: reply.skus } });
    case "too-many-items":
      return problem(409, texts.tooManyItems, { fields: { reason: "too-many-items" } });
    case "amount-too-large":
      return problem(409, texts.amountTooLarge, { fields: { reason: "amount-too-large" } });
    case "key-reused":
      return keyReused();
  }
}

export interface PaymentWish {
  readonly order: Order;
  readonly provider: string | undefined;
  readonly language: Language;
}

/** The order with what its payment needs. When the provider cannot be asked, the order stands and the payment can be started again. */
export async function startPayment(cashier: Cashier, { order, provider, language }: PaymentWish, status: 200 | 201): Promise<HttpReply> {
  const started = await cashier.start(order, provider);
  switch (started.kind) {
    case "started": {
      const { provider: name, paymentId, clientSecret, redirectUrl } = started.start;
      const payment = { provider: name, paymentID: paymentId, ...(clientSecret && { clientSecret }), ...(redirectUrl && { redirectUrl }) };
      return json({ ...orderBody(started.order, cashier.currency), payment }, status);
    }
    case "none":
      return json({ ...orderBody(started.order, cashier.currency), payment: null }, status);
    case "refused":
      if (started.reason === "order-ended") return endedOrder(started.order, cashier.currency, language);
      return started.reason === "unknown-provider" ? unknownProvider(provider ?? "") : refusedPayment(order, cashier.currency, language);
    case "failed":
      return problem(503, ORDER_TEXTS[language].paymentNotStarted(order.orderId), {
        headers: { "retry-after": "1" },
        // What the shopper need not read, and whoever looks for the cause does.
        fields: { reason: "payment-not-started", cause: started.failure.message, order: orderBody(order, cashier.currency) },
      });
  }
}

export async function cancelOrder({ desk, cashier }: Checkout, orderId: OrderId, language: Language = OPERATORS): Promise<HttpReply> {
  const reply = await desk.cancel(orderId);
  if (reply.kind === "cancelled") return json(orderBody(reply.order, cashier.currency));
  return reply.reason === "order-ended" ? endedOrder(reply.order, cashier.currency, language) : unknownOrder(orderId, language);
}

export const unknownOrder = (orderId: OrderId, language: Language = OPERATORS): HttpReply =>
  problem(404, ORDER_TEXTS[language].unknownOrder(orderId));

function endedOrder(order: Order, currency: string, language: Language): HttpReply {
  const { orderId, state } = order;
  assert(state !== "payment-pending", "an order that has ended does not wait for its payment");
  return problem(409, ORDER_TEXTS[language].ended[state](orderId), {
    fields: { reason: "order-ended", state, order: orderBody(order, currency) },
  });
}

const refusedPayment = (order: Order, currency: string, language: Language): HttpReply =>
  problem(409, ORDER_TEXTS[language].paymentRefused(order.orderId), {
    fields: { reason: "payment-refused", order: orderBody(order, currency) },
  });

const unknownProvider = (name: string): HttpReply =>
  problem(400, `there is no payment provider ${name} here`, { errors: [{ pointer: "#/provider", detail: "is not configured" }] });
