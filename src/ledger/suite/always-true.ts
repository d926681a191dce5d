/** What is true of every ledger at every moment, told from what can be seen of it alone. */
import { expect } from "bun:test";
import type { Goods, Line, Order, OrderState, Reply } from "../ledger.ts";
import { type Batch, SKUS, USERS } from "./histories.ts";

/** What is seen of the small world that histories are about. */
interface Seen {
  readonly goods: readonly (Goods | null)[];
  readonly lines: readonly Line[];
  readonly orders: readonly (Order | null)[];
}

const LINES = USERS.flatMap((userId) => SKUS.map((sku) => ({ userId, sku })));

/** Where an order may be found later, given where it is. */
const LATER: Readonly<Record<OrderState, readonly OrderState[]>> = {
  "payment-pending": ["payment-pending", "paid", "cancelled", "expired", "refund-due"],
  paid: ["paid"],
  cancelled: ["cancelled", "refund-due"],
  expired: ["expired", "paid", "refund-due"],
  "refund-due": ["refund-due"],
};

/** @param before what was seen earlier, if anybody looked; anything may have happened in between */
export function checkAlwaysTrue(before: Seen | null, after: Seen): void {
  for (const [n, sku] of SKUS.entries()) {
    const mine = after.lines.filter((_, m) => LINES[m]?.sku === sku);
    const frozen = mine.reduce((sum, { held, pending }) => sum + held + pending, 0);
    const goods = after.goods[n];
    if (!goods) {
      expect(frozen).toBe(0);
      continue;
    }
    expect(goods.frozen).toBe(frozen);
    expect(goods.pending).toBe(mine.reduce((sum, { pending }) => sum + pending, 0));
    expect(goods.frozen).toBeGreaterThanOrEqual(0);
    expect(goods.frozen).toBeLessThanOrEqual(goods.onHand);
    expect(goods.sold + goods.onHand).toBe(goods.stocked);
    for (const { held, heldUntil } of mine) expect(held > 0 ? heldUntil > goods.clock : heldUntil === 0).toBe(true);
  }
  for (const [n, line] of after.lines.entries()) {
    const { userId, sku } = LINES[n] as (typeof LINES)[number];
    const unpaid = after.orders.filter((order) => order?.userId === userId && order.state === "payment-pending");
    const items = unpaid.flatMap((order) => order?.items.filter((item) => item.sku === sku) ?? []);
    expect(line.pending).toBe(items.reduce((sum, item) => sum + item.quantity, 0));
  }
  for (const [n, order] of after.orders.entries()) {
    const was = before?.orders[n];
    if (was) expect(LATER[was.state]).toContain(order?.state as OrderState);
    if (!order) continue;
    // Once placed, nothing about an order changes but its end.
    if (was) expect({ ...order, state: 0, since: 0, payment: 0 }).toEqual({ ...was, state: 0, since: 0, payment: 0 });
    expect(order.payment !== null).toBe(order.state === "paid" || order.state === "refund-due");
  }
}

/** Checks one batch between two looks: what it may have done to deadlines and limits. */
export function checkSingleBatch(before: Seen, after: Seen, batch: Batch, replies: readonly Reply[]): void {
  for (const [n, line] of after.lines.entries()) {
    const was = before.lines[n] as Line;
    const clock = after.goods[SKUS.indexOf((LINES[n] as (typeof LINES)[number]).sku)]?.clock ?? 0;
    const isSameHold = was.held > 0 && was.heldUntil > clock && line.held > 0;
    if (isSameHold) expect(line.heldUntil).toBeLessThanOrEqual(was.heldUntil);
  }
  for (const [n, command] of batch.entries()) {
    if (command.verb !== "hold" || command.limit === 0 || replies[n]?.kind !== "held") continue;
    const isOfSameLine = (other: Batch[number]): boolean =>
      other.verb === "hold" && other.sku === command.sku && other.userId === command.userId;
    if (batch.slice(n + 1).some(isOfSameLine)) continue;
    const line = after.lines[LINES.findIndex(({ userId, sku }) => userId === command.userId && sku === command.sku)] as Line;
    expect(line.ordered + line.pending + line.held).toBeLessThanOrEqual(command.limit);
  }
}
