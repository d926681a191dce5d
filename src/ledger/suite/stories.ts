/** The ledger's events as stories: what is told of one hold, of one order, of one SKU, each in its order. */
import { expect } from "bun:test";
import type { LedgerEvent } from "../ledger.ts";

/** Whose story an event belongs to. Between two stories the order is free, because an end by a deadline may be told late. */
function subjectOf(event: LedgerEvent): string {
  if ("order" in event) return `order ${event.order.orderId}`;
  return event.type === "goods.sold-out" ? `goods ${event.sku}` : `hold ${event.userId} ${event.sku}`;
}

export function storiesOf(events: readonly LedgerEvent[]): Readonly<Record<string, readonly LedgerEvent[]>> {
  const stories: Record<string, LedgerEvent[]> = {};
  for (const event of events) {
    const subject = subjectOf(event);
    stories[subject] = [...(stories[subject] ?? []), event];
  }
  return stories;
}

/** What may follow what in the story of an order. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  "": ["order.placed"],
  "order.placed": ["order.paid", "order.cancelled", "order.expired", "order.refund-due"],
  "order.expired": ["order.paid", "order.refund-due"],
  "order.cancelled": ["order.refund-due"],
  "order.paid": [],
  "order.refund-due": [],
};

/** Whether what is told can be true, without asking the oracle: no hold is ended that was not there, and no order ends twice. */
export function checkStory(events: readonly LedgerEvent[]): void {
  const frozen = new Map<string, number>();
  const orders = new Map<string, string>();
  for (const event of events) {
    if (event.type === "goods.sold-out") continue;
    if ("order" in event) {
      const { orderId, userId, items } = event.order;
      expect(NEXT[orders.get(orderId) ?? ""]).toContain(event.type);
      orders.set(orderId, event.type);
      // What was held is now part of the order.
      if (event.type === "order.placed") for (const { sku } of items) frozen.delete(`${userId} ${sku}`);
      continue;
    }
    const hold = `${event.userId} ${event.sku}`;
    const before = frozen.get(hold);
    if (event.type === "hold.created") expect(before).toBeUndefined();
    else if (event.type === "hold.changed") expect(before).not.toBe(event.quantity);
    else expect(before).toBe(event.quantity);
    if ("heldUntil" in event) frozen.set(hold, event.quantity);
    else frozen.delete(hold);
  }
}
