/** An order as the wire carries it. */
import { priceOf } from "../core/money.ts";
import type { Order, Payment } from "../ledger/ledger.ts";
import { totalCents } from "../payment/settlement.ts";

export const orderBody = (order: Order, currency: string): object => ({
  orderID: order.orderId,
  userID: order.userId,
  items: order.items.map(({ sku, quantity, priceCents }) => ({ goodsSKU: sku, goodsQuantity: quantity, goodsPrice: priceOf(priceCents) })),
  amount: priceOf(totalCents(order.items)),
  currency,
  state: order.state,
  placedAt: order.placedAt,
  payUntil: order.payUntil,
  since: order.since,
  paidWith: order.payment && paymentBody(order.payment),
});

export const paymentBody = ({ provider, paymentId, amountCents, currency }: Payment): object => ({
  provider,
  paymentID: paymentId,
  amount: priceOf(amountCents),
  currency,
});
