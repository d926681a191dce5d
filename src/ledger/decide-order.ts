/** The three verbs of an order: `place`, `pay`, `cancel`. The states are described in `ledger.ts`; transitions go by state, never by arrival. */
import { assert } from "../core/assert.ts";
import type { UnixMs } from "../core/time.ts";
import { PAYMENT_WINDOW_MS_MAX } from "../limits.ts";
import {
  availableOf,
  type Changes,
  type Decision,
  exceeds,
  goodsWith,
  lineOrdered,
  lineWith,
  refuse,
  unchanged,
  type View,
} from "./decision.ts";
import type { CancelCommand, Goods, Line, Order, OrderState, PayCommand, PlaceCommand } from "./ledger.ts";

export function decidePlace({ goods, line, order }: View, command: PlaceCommand, at: UnixMs): Decision {
  // The order id is the key: asking again gets the order as it is now.
  if (order) return order.userId === command.userId ? unchanged({ kind: "order", order }) : refuse("key-reused");
  if (!goods) return refuse("unknown-goods");
  if (line.held === 0) return refuse("no-hold");
  const placed: Order = {
    orderId: command.orderId,
    sku: command.sku,
    userId: command.userId,
    quantity: line.held,
    state: "payment-pending",
    payUntil: at + Math.min(command.windowMs, PAYMENT_WINDOW_MS_MAX),
    heldUntil: line.heldUntil,
    since: at,
  };
  return {
    reply: { kind: "order", order: placed },
    changes: { goods: goodsWith(goods, goods.frozen, at), line: lineWith(line, 0, 0, line.pending + line.held), order: placed },
  };
}

export function decidePay({ goods, line, order }: View, command: PayCommand, at: UnixMs): Decision {
  if (!order) return refuse("unknown-order");
  switch (order.state) {
    case "payment-pending":
      assert(goods !== null, "goods with an unpaid order cannot be removed");
      return sell(
        order,
        goodsWith(goods, goods.frozen - order.quantity, at),
        lineWith(line, line.held, line.heldUntil, line.pending - order.quantity),
        at,
      );
    case "expired": {
      const limitAllows = !exceeds(command.limit, line, line.held + order.quantity);
      if (goods && limitAllows && availableOf(goods) >= order.quantity) return sell(order, goods, line, at);
      return ended(order, "refund-due", {}, at);
    }
    case "cancelled":
      // Whoever cancelled does not want the goods: money that still came goes back.
      return ended(order, "refund-due", {}, at);
    case "paid":
    case "refund-due":
      return unchanged({ kind: "order", order });
  }
}

export function decideCancel({ goods, line, order }: View, command: CancelCommand, at: UnixMs): Decision {
  if (!order) return refuse("unknown-order");
  if (order.state === "cancelled") return unchanged({ kind: "order", order });
  if (order.state !== "payment-pending") return unchanged({ kind: "refused", reason: "order-ended", state: order.state });
  assert(goods !== null, "goods with an unpaid order cannot be removed");
  const pending = line.pending - order.quantity;
  if (command.to === "held" && order.heldUntil > at) {
    // Back to held with the deadline it had. If the user has made another hold meanwhile, the two become one, and the earlier deadline counts.
    const heldUntil = line.held > 0 ? Math.min(line.heldUntil, order.heldUntil) : order.heldUntil;
    const changes = { goods: goodsWith(goods, goods.frozen, at), line: lineWith(line, line.held + order.quantity, heldUntil, pending) };
    return ended(order, "cancelled", changes, at);
  }
  const changes = { goods: goodsWith(goods, goods.frozen - order.quantity, at), line: lineWith(line, line.held, line.heldUntil, pending) };
  return ended(order, "cancelled", changes, at);
}

/** Takes the goods out of stock and counts them as ordered, in one step. */
function sell(order: Order, goods: Goods, line: Line, at: UnixMs): Decision {
  const changes = {
    goods: { ...goods, onHand: goods.onHand - order.quantity, sold: goods.sold + order.quantity, clock: at },
    line: lineOrdered(line, line.ordered + order.quantity, line.userLevel ?? 0),
  };
  return ended(order, "paid", changes, at);
}

function ended(order: Order, state: OrderState, changes: Changes, at: UnixMs): Decision {
  const next: Order = { ...order, state, since: at };
  return { reply: { kind: "order", order: next }, changes: { ...changes, order: next } };
}
