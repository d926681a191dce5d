/** Every event as the outside sees it, with the contract's names. */
import { describe, expect, test } from "bun:test";
import type { OrderId, SaleId, SessionId, Sku, UserId } from "../core/ids.ts";
import type { Order } from "../ledger/ledger.ts";
import { type DoorbusterEvent, EVENT_TYPES, type EventType } from "./event.ts";
import { EventTexts } from "./event-text.ts";
import { StoredEvent } from "./stored-event.ts";

const at = Date.parse("2026-11-27T09:00:00.123Z");
const timestamp = "2026-11-27T09:00:00.123Z";
const sku = "SKU0001" as Sku;
const userId = "UID0000000001" as UserId;
const orderId = "O1" as OrderId;
const payment = { provider: "stripe", paymentId: "pi_1", amountCents: 29_970, currency: "eur" };
const order: Order = {
  ...{ orderId, userId, userLevel: 1, state: "paid", placedAt: 1, payUntil: 600_000, since: 2, payment: null },
  items: [
    { sku, quantity: 2, priceCents: 9_990, heldUntil: 3 },
    { sku: "SKU0002" as Sku, quantity: 1, priceCents: 9_990, heldUntil: 3 },
  ],
};
const orderBody = {
  ...{ orderID: "O1", userID: "UID0000000001", amount: 299.7, currency: "eur", state: "paid" },
  ...{ placedAt: 1, payUntil: 600_000, since: 2, paidWith: null },
  items: [
    { goodsSKU: "SKU0001", goodsQuantity: 2, goodsPrice: 99.9 },
    { goodsSKU: "SKU0002", goodsQuantity: 1, goodsPrice: 99.9 },
  ],
};
const paymentBody = { provider: "stripe", paymentID: "pi_1", amount: 299.7, currency: "eur" };
const hold = { at, sku, userId, sessionId: "abc" as SessionId, quantity: 2, heldUntil: 1_800_000 };
const ofHold = { goodsSKU: "SKU0001", userID: "UID0000000001", goodsQuantity: 2, sessionID: "abc", expiresAt: 1_800_000 };
const freed = { at, sku, userId, quantity: 2 };
const ofFreed = { goodsSKU: "SKU0001", userID: "UID0000000001", goodsQuantity: 2 };
const sale = { at, saleId: "drop" as SaleId, name: "The drop", skus: [sku, "SKU0002" as Sku] };
const ofSale = { saleID: "drop", name: "The drop", goodsSKUs: ["SKU0001", "SKU0002"] };
const refund = { at, orderId, payment, detail: "no route to the provider" };
const ofRefund = { orderID: "O1", payment: paymentBody, detail: "no route to the provider" };

/** The event, its data on the wire, and what it is ordered by. */
const samples: Record<EventType, readonly [DoorbusterEvent, object, readonly string[]]> = {
  "hold.created": [{ type: "hold.created", ...hold }, ofHold, ["SKU0001"]],
  "hold.changed": [{ type: "hold.changed", ...hold, sessionId: null }, { ...ofHold, sessionID: null }, ["SKU0001"]],
  "hold.released": [{ type: "hold.released", ...freed }, ofFreed, ["SKU0001"]],
  "hold.expired": [{ type: "hold.expired", ...freed }, ofFreed, ["SKU0001"]],
  "goods.sold-out": [{ type: "goods.sold-out", at, sku }, { goodsSKU: "SKU0001" }, ["SKU0001"]],
  "order.placed": [{ type: "order.placed", at, order }, { order: orderBody }, ["SKU0001", "SKU0002"]],
  "order.paid": [
    { type: "order.paid", at, order: { ...order, payment } },
    { order: { ...orderBody, paidWith: paymentBody } },
    ["SKU0001", "SKU0002"],
  ],
  "order.cancelled": [{ type: "order.cancelled", at, order }, { order: orderBody }, ["SKU0001", "SKU0002"]],
  "order.expired": [{ type: "order.expired", at, order }, { order: orderBody }, ["SKU0001", "SKU0002"]],
  "order.refund-due": [{ type: "order.refund-due", at, order }, { order: orderBody }, ["SKU0001", "SKU0002"]],
  "sale.started": [{ type: "sale.started", ...sale }, ofSale, ["SKU0001", "SKU0002"]],
  "sale.ended": [{ type: "sale.ended", ...sale }, ofSale, ["SKU0001", "SKU0002"]],
  "sale.paused": [{ type: "sale.paused", ...sale }, ofSale, ["SKU0001", "SKU0002"]],
  "sale.resumed": [{ type: "sale.resumed", ...sale }, ofSale, ["SKU0001", "SKU0002"]],
  "payment.refund-requested": [{ type: "payment.refund-requested", ...refund }, ofRefund, ["O1"]],
  "payment.refunded": [{ type: "payment.refunded", ...refund }, ofRefund, ["O1"]],
  "payment.refund-failed": [{ type: "payment.refund-failed", ...refund }, ofRefund, ["O1"]],
};

describe("an event on the wire", () => {
  test.each(EVENT_TYPES.map((type) => [type]))("%s has its id, type, time and the contract's names", (type) => {
    const [event, data, orderedBy] = samples[type];
    const stored = new StoredEvent(123, new EventTexts("eur").of(event));
    expect(JSON.parse(stored.text)).toEqual({ id: "123", type, timestamp, data });
    expect([stored.type, stored.orderedBy]).toEqual([type, orderedBy]);
  });

  test.each(['a"b\\c', "商品 🛒", "line\u2028separator"])("is one line of JSON whatever its names are: %j", (name) => {
    const named = { sku: name as Sku, userId: name as UserId, sessionId: name as SessionId };
    for (const [event] of Object.values(samples)) {
      const others: object = { saleId: name, name, skus: [name], orderId: name };
      const renamed = { ...event, ...named, ...others } as DoorbusterEvent;
      const text = new EventTexts("eur").of(renamed);
      expect(text).not.toContain("\n");
      expect(() => JSON.parse(text)).not.toThrow();
    }
    const held = new EventTexts("eur").of({ type: "hold.created", ...hold, ...named });
    expect(JSON.parse(held).data).toEqual({ ...ofHold, goodsSKU: name, userID: name, sessionID: name });
  });

  test("tells its own time, not that of the event before it", () => {
    const texts = new EventTexts("eur");
    const timeOf = (ms: number) => JSON.parse(texts.of({ type: "goods.sold-out", at: ms, sku })).timestamp;
    expect([timeOf(at), timeOf(at), timeOf(at + 1), timeOf(at)]).toEqual([
      ...[timestamp, timestamp],
      ...["2026-11-27T09:00:00.124Z", timestamp],
    ]);
  });
});
