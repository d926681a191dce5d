/**
 * An event as JSON, with the contract's names. It is written once, when it happens, and without its id, which it gets when its turn is
 * committed: `{"type":"order.paid","timestamp":"2026-11-22T04:31:42.000Z","data":{...}}`.
 */
import { jsonText } from "../core/json-text.ts";
import type { UnixMs } from "../core/time.ts";
import type { HoldEvent } from "../ledger/ledger.ts";
import { orderBody, paymentBody } from "../orders/order-body.ts";
import type { DoorbusterEvent } from "./event.ts";

export class EventTexts {
  readonly #currency: string;
  #at: UnixMs = Number.NaN;
  #timestamp = "";

  /** @param currency of all prices, lower-case ISO 4217 */
  constructor(currency: string) {
    this.#currency = currency;
  }

  /** One line: JSON has no line break of its own. */
  of(event: DoorbusterEvent): string {
    return `{"type":"${event.type}","timestamp":"${this.#timestampOf(event.at)}","data":${dataText(event, this.#currency)}}`;
  }

  /** The events of a turn share their millisecond, and telling it as text costs more than the rest of a hold's event. */
  #timestampOf(at: UnixMs): string {
    if (at !== this.#at) {
      this.#timestamp = new Date(at).toISOString();
      this.#at = at;
    }
    return this.#timestamp;
  }
}

/** Nothing of a hold has a price. */
export function holdTexts(holds: readonly HoldEvent[]): readonly string[] {
  const texts = new EventTexts("");
  return holds.map((hold) => texts.of(hold));
}

/** Holds are put together by hand, for each purchase makes one; everything else is rare. */
function dataText(event: DoorbusterEvent, currency: string): string {
  switch (event.type) {
    case "hold.created":
    case "hold.changed":
      return `{"goodsSKU":${jsonText(event.sku)},"userID":${jsonText(event.userId)},"goodsQuantity":${event.quantity},"sessionID":${
        event.sessionId === null ? "null" : jsonText(event.sessionId)
      },"expiresAt":${event.heldUntil}}`;
    case "hold.released":
    case "hold.expired":
      return `{"goodsSKU":${jsonText(event.sku)},"userID":${jsonText(event.userId)},"goodsQuantity":${event.quantity}}`;
    case "goods.sold-out":
      return `{"goodsSKU":${jsonText(event.sku)}}`;
    case "order.placed":
    case "order.paid":
    case "order.cancelled":
    case "order.expired":
    case "order.refund-due":
      return JSON.stringify({ order: orderBody(event.order, currency) });
    case "sale.started":
    case "sale.ended":
    case "sale.paused":
    case "sale.resumed":
      return JSON.stringify({ saleID: event.saleId, name: event.name, goodsSKUs: event.skus });
    case "payment.refund-requested":
    case "payment.refunded":
    case "payment.refund-failed":
      return JSON.stringify({ orderID: event.orderId, payment: paymentBody(event.payment), detail: event.detail });
  }
}
