/**
 * What the two doors of orders have in common, the shopper's and the operators': from a request to the reply, idempotent by its key. A reply
 * that decides something is kept for 24 hours and given again word for word; one that says "try again" is not.
 */
import { type HttpReply, json } from "../core/endpoint.ts";
import { keyReused } from "../core/idempotency-key.ts";
import type { OrderId, Sku } from "../core/ids.ts";
import { problem } from "../core/problem.ts";
import type { Order } from "../ledger/ledger.ts";
import { ORDER_ITEMS_MAX } from "../limits.ts";
import type { Cashier } from "./cashier.ts";
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
}

/** 201 with the order and what its payment needs; 409 when there is nothing to order. */
export async function placeOrder({ desk, cashier }: Checkout, { customer, skus, provider, orderId }: OrderWish): Promise<HttpReply> {
  if (provider !== undefined && !cashier.providers.has(provider)) return unknownProvider(provider);
  const reply = await desk.place(customer, skus, orderId);
  if (reply.kind === "placed") return startPayment(cashier, reply.order, provider, 201);
  switch (reply.reason) {
    case "empty-cart":
      return problem(409, "the cart is empty: what was in it has lapsed or was ordered; buy first, then order", {
        fields: { reason: "empty-cart" },
      });
    case "no-hold": {
      const detail = `not in the cart, or no longer: ${reply.skus.join(", ")}; nothing was ordered`;
      return problem(409, detail, { fields: { reason: "no-hold", goodsSKUs: reply.skus } });
    }
    case "too-many-items":
      return problem(409, `an order has at most ${ORDER_ITEMS_MAX} different goods; name some of them in goodsSKUs`, {
        fields: { reason: "too-many-items" },
      });
    case "amount-too-large":
      return problem(409, "this is more than one payment can be; order some of the goods by naming them in goodsSKUs", {
        fields: { reason: "amount-too-large" },
      });
    case "key-reused":
      return keyReused();
  }
}

/** The order with what its payment needs. When the provider cannot be asked, the order stands and the payment can be started again. */
export async function startPayment(cashier: Cashier, order: Order, provider: string | undefined, status: 200 | 201): Promise<HttpReply> {
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
      if (started.reason === "order-ended") return endedOrder(started.order, cashier.currency);
      return started.reason === "unknown-provider" ? unknownProvider(provider ?? "") : refusedPayment(order, cashier.currency);
    case "failed": {
      const detail = `order ${order.orderId} stands until its deadline, but its payment could not be started (${started.failure.message}); ask again with the same Idempotency-Key`;
      return problem(503, detail, { headers: { "retry-after": "1" }, fields: { order: orderBody(order, cashier.currency) } });
    }
  }
}

export async function cancelOrder({ desk, cashier }: Checkout, orderId: OrderId): Promise<HttpReply> {
  const reply = await desk.cancel(orderId);
  if (reply.kind === "cancelled") return json(orderBody(reply.order, cashier.currency));
  return reply.reason === "order-ended" ? endedOrder(reply.order, cashier.currency) : unknownOrder(orderId);
}

export const unknownOrder = (orderId: OrderId): HttpReply => problem(404, `there is no order ${orderId}`);

const endedOrder = (order: Order, currency: string): HttpReply =>
  problem(409, `order ${order.orderId} has ended before: it is ${order.state}`, {
    fields: { reason: "order-ended", state: order.state, order: orderBody(order, currency) },
  });

const refusedPayment = (order: Order, currency: string): HttpReply =>
  problem(409, `the payment provider does not take the payment of order ${order.orderId}; cancel it, or choose another provider`, {
    fields: { reason: "payment-refused", order: orderBody(order, currency) },
  });

const unknownProvider = (name: string): HttpReply =>
  problem(400, `there is no payment provider ${name} here`, { errors: [{ pointer: "#/provider", detail: "is not configured" }] });
