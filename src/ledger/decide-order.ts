/**
 * The three verbs of an order: `place`, `pay`, `cancel`, each decided over all SKUs of the order at once, all or nothing. The states are described
 * in `ledger.ts`; transitions go by state, never by arrival.
 */
import { assert } from "../core/assert.ts";
import type { Sku } from "../core/ids.ts";
import type { UnixMs } from "../core/time.ts";
import { ORDER_ITEMS_MAX, PAYMENT_WINDOW_MS_MAX } from "../limits.ts";
import {
  availableOf,
  exceeds,
  goodsWith,
  lineOrdered,
  lineWith,
  type OrderChanges,
  type OrderDecision,
  type OrderPart,
  type OrderView,
  type PlainReason,
} from "./decision.ts";
import type {
  CancelCommand,
  Goods,
  Line,
  Order,
  OrderCommand,
  OrderItem,
  OrderState,
  PayCommand,
  Payment,
  PlaceCommand,
} from "./ledger.ts";

/** One part after the decision. */
type Part = OrderChanges["parts"][number];

/** @param at the latest time that the order's SKUs have seen; what is due by then has ended */
export function decideOrder(view: OrderView, command: OrderCommand, at: UnixMs): OrderDecision {
  switch (command.verb) {
    case "place":
      return decidePlace(view, command, at);
    case "pay":
      return decidePay(view, command, at);
    case "cancel":
      return decideCancel(view, command, at);
  }
}

/** The items that a command asks for: a SKU that it names twice counts once. */
export function itemsAsked({ items }: PlaceCommand): PlaceCommand["items"] {
  const seen = new Set<Sku>();
  return items.filter(({ sku }) => !seen.has(sku) && seen.add(sku));
}

function decidePlace({ order, parts }: OrderView, command: PlaceCommand, at: UnixMs): OrderDecision {
  const asked = itemsAsked(command);
  // The order id is the key: asking again gets the order as it is now.
  if (order) return isSameOrder(order, command, asked) ? unchanged(order) : refuse("key-reused");
  if (asked.length > ORDER_ITEMS_MAX) return refuse("too-many-items");
  if (asked.length === 0 || parts.some(({ line }) => line.held === 0)) return refuse("no-hold");
  const { orderId, userId, userLevel, windowMs } = command;
  const placed: Order = {
    orderId,
    userId,
    userLevel,
    items: asked.map(({ sku, priceCents }, n): OrderItem => {
      const { held, heldUntil } = (parts[n] as OrderPart).line;
      return { sku, quantity: held, priceCents, heldUntil };
    }),
    state: "payment-pending",
    placedAt: at,
    payUntil: at + Math.min(windowMs, PAYMENT_WINDOW_MS_MAX),
    since: at,
    payment: null,
  };
  const after = parts.map(({ goods, line }): Part => {
    const present = existing(goods);
    return {
      goods: goodsWith(present, present.frozen, at, present.pending + line.held),
      line: lineWith(line, 0, 0, line.pending + line.held),
    };
  });
  return changed(placed, after);
}

function decidePay({ order, paymentUsedFor, parts }: OrderView, command: PayCommand, at: UnixMs): OrderDecision {
  if (!order) return refuse("unknown-order");
  if (paymentUsedFor !== null && paymentUsedFor !== order.orderId) return refuse("payment-used");
  const { payment, isAmountRight } = command;
  const sell = (available: readonly OrderPart[]): OrderDecision => {
    const after = eachPart(order, available, (item, goods, line) => sold(item, goods, line, order.userLevel, at));
    return end(order, "paid", payment, after, at);
  };
  switch (order.state) {
    case "payment-pending": {
      const available = eachPart(order, parts, (item, goods, line) => given(item, goods, line, at));
      return isAmountRight ? sell(available) : end(order, "refund-due", payment, available, at);
    }
    case "expired": {
      const isSold = isAmountRight && canTakeAgain(order, parts, command.limits);
      return isSold ? sell(parts) : end(order, "refund-due", payment, [], at);
    }
    case "cancelled":
      // Whoever cancelled does not want the goods: money that still came goes back.
      return end(order, "refund-due", payment, [], at);
    case "paid":
    case "refund-due":
      return unchanged(order);
  }
}

function decideCancel({ order, parts }: OrderView, command: CancelCommand, at: UnixMs): OrderDecision {
  if (!order) return refuse("unknown-order");
  if (order.state === "cancelled") return unchanged(order);
  if (order.state !== "payment-pending") return { reply: { kind: "refused", reason: "order-ended", state: order.state }, changes: null };
  const after = eachPart(order, parts, (item, goods, line): Part => {
    if (command.to === "free" || item.heldUntil <= at) return given(item, goods, line, at);
    // Back to held with the deadline it had. If the user has made another hold meanwhile, the two become one, and the earlier deadline counts.
    const heldUntil = line.held > 0 ? Math.min(line.heldUntil, item.heldUntil) : item.heldUntil;
    return {
      goods: goodsWith(goods, goods.frozen, at, goods.pending - item.quantity),
      line: lineWith(line, line.held + item.quantity, heldUntil, line.pending - item.quantity),
    };
  });
  return end(order, "cancelled", null, after, at);
}

/** The same user, and the same SKUs in whatever order. */
function isSameOrder(order: Order, { userId }: PlaceCommand, asked: PlaceCommand["items"]): boolean {
  if (order.userId !== userId || order.items.length !== asked.length) return false;
  const skus = new Set(asked.map(({ sku }) => sku));
  return order.items.every(({ sku }) => skus.has(sku));
}

/** Whether there is enough of every SKU, and every limit allows it beside all that the user has got meanwhile. */
function canTakeAgain(order: Order, parts: readonly OrderPart[], limits: PayCommand["limits"]): boolean {
  return order.items.every(({ sku, quantity }, n) => {
    const { goods, line } = parts[n] as OrderPart;
    return goods !== null && availableOf(goods) >= quantity && !exceeds(limits.get(sku) ?? 0, line, line.held + quantity);
  });
}

/** What was pending of one item is on the shelf again. */
const given = ({ quantity }: OrderItem, goods: Goods, line: Line, at: UnixMs): Part => ({
  goods: goodsWith(goods, goods.frozen - quantity, at, goods.pending - quantity),
  line: lineWith(line, line.held, line.heldUntil, line.pending - quantity),
});

/** One item leaves the stock and counts as ordered, in one step, as if an operator had added it to the record. */
const sold = ({ quantity }: OrderItem, goods: Goods, line: Line, userLevel: number, at: UnixMs): Part => ({
  goods: { ...goods, onHand: goods.onHand - quantity, sold: goods.sold + quantity, clock: at },
  line: lineOrdered(line, line.ordered + quantity, line.userLevel ?? userLevel),
});

const eachPart = (order: Order, parts: readonly OrderPart[], change: (item: OrderItem, goods: Goods, line: Line) => Part): Part[] =>
  order.items.map((item, n) => {
    const { goods, line } = parts[n] as OrderPart;
    return change(item, existing(goods), line);
  });

function existing(goods: Goods | null): Goods {
  assert(goods !== null, "goods of which something is held or unpaid cannot be removed");
  return goods;
}

const refuse = (reason: PlainReason): OrderDecision => ({ reply: { kind: "refused", reason }, changes: null });
const unchanged = (order: Order): OrderDecision => ({ reply: { kind: "order", order }, changes: null });
const changed = (order: Order, parts: readonly Part[]): OrderDecision => ({ reply: { kind: "order", order }, changes: { order, parts } });

/** @param parts empty when the goods stay as they are */
const end = (order: Order, state: OrderState, payment: Payment | null, parts: readonly Part[], at: UnixMs): OrderDecision =>
  changed({ ...order, state, since: at, payment }, parts);
