/** The decision about orders with one deliberate mistake, of the kind that flash-sale systems have really made. */
import { decideOrder } from "../decide-order.ts";
import type { OrderChanges, OrderDecision, OrderPart, OrderView } from "../decision.ts";
import type { Goods, Line, Order, OrderCommand, PayCommand } from "../ledger.ts";

type DecideOrder = typeof decideOrder;
type Part = OrderChanges["parts"][number];

/** A mistake in one verb: what it is shown is altered before the real decision, or what was decided is altered after it. */
const before =
  <V extends OrderCommand["verb"]>(
    verb: V,
    alter: (view: OrderView, command: Extract<OrderCommand, { readonly verb: V }>, now: number) => OrderView,
  ): DecideOrder =>
  (view, command, now) =>
    decideOrder(command.verb === verb ? alter(view, command as Extract<OrderCommand, { readonly verb: V }>, now) : view, command, now);
const after =
  <V extends OrderCommand["verb"]>(
    verb: V,
    alter: (decision: OrderDecision, view: OrderView, command: Extract<OrderCommand, { readonly verb: V }>, now: number) => OrderDecision,
  ): DecideOrder =>
  (view, command, now) => {
    const decision = decideOrder(view, command, now);
    return command.verb === verb ? alter(decision, view, command as Extract<OrderCommand, { readonly verb: V }>, now) : decision;
  };
const otherPay =
  (alter: (command: PayCommand) => PayCommand): DecideOrder =>
  (view, command, now) =>
    decideOrder(view, command.verb === "pay" ? alter(command) : command, now);

const withOrder = (decision: OrderDecision, alter: (order: Order) => Order): OrderDecision => {
  if (!decision.changes) return decision;
  const order = alter(decision.changes.order);
  return { reply: { kind: "order", order }, changes: { ...decision.changes, order } };
};
const withParts = (decision: OrderDecision, alter: (part: Part, n: number) => Part): OrderDecision =>
  decision.changes ? { ...decision, changes: { ...decision.changes, parts: decision.changes.parts.map(alter) } } : decision;
const withLines = (decision: OrderDecision, alter: (line: Line, n: number) => Line): OrderDecision =>
  withParts(decision, ({ goods, line }, n) => ({ goods, line: alter(line, n) }));
const withGoods = (decision: OrderDecision, alter: (goods: Goods, n: number) => Goods): OrderDecision =>
  withParts(decision, ({ goods, line }, n) => ({ goods: alter(goods, n), line }));

const asIfState = (view: OrderView, state: Order["state"]): OrderView => (view.order ? { ...view, order: { ...view.order, state } } : view);
const partOf = (view: OrderView, n: number): OrderPart => view.parts[n] as OrderPart;

/** Decides a late payment as if there were more of the SKUs that `isMeant`, and puts the true figures back into what was decided. */
const asIfMoreWhenLate =
  (isMeant: (n: number) => boolean): DecideOrder =>
  (view, command, now) => {
    if (command.verb !== "pay" || view.order?.state !== "expired") return decideOrder(view, command, now);
    const more = (n: number): number => (isMeant(n) ? 1_000 : 0);
    const parts = view.parts.map(({ goods, line }, n) => ({
      line,
      goods: goods && { ...goods, onHand: goods.onHand + more(n), stocked: goods.stocked + more(n) },
    }));
    return withGoods(decideOrder({ ...view, parts }, command, now), (goods, n) => ({
      ...goods,
      onHand: goods.onHand - more(n),
      stocked: goods.stocked - more(n),
    }));
  };

export const orderMutants: Readonly<Record<string, DecideOrder>> = {
  "ends an order one millisecond late": after("place", (decision) =>
    withOrder(decision, (order) => ({ ...order, payUntil: order.payUntil + 1 })),
  ),
  "has no cap on the payment window": after("place", (decision, _view, command, now) =>
    withOrder(decision, (order) => ({ ...order, payUntil: now + command.windowMs })),
  ),
  "takes a second hold for the same order id": before("place", (view) =>
    view.parts.some(({ line }) => line.held > 0) && view.order?.items.length === 1 ? { ...view, order: null } : view,
  ),
  "orders what is held and leaves out what is not": (view, command, now) => {
    if (command.verb !== "place" || view.order) return decideOrder(view, command, now);
    const isHeld = view.parts.map(({ line }) => line.held > 0);
    const items = command.items.filter(({ sku }, n) => command.items.findIndex((item) => item.sku === sku) === n);
    const kept = items.filter((_, n) => isHeld[n]);
    const parts = view.parts.filter((_, n) => isHeld[n]);
    const isPrefix = isHeld.slice(0, kept.length).every(Boolean);
    return isPrefix ? decideOrder({ ...view, parts }, { ...command, items: kept }, now) : decideOrder(view, command, now);
  },
  "takes any SKUs for the same order": (view, command, now) =>
    command.verb === "place" && view.order?.userId === command.userId
      ? { reply: { kind: "order", order: view.order }, changes: null }
      : decideOrder(view, command, now),
  "shows anybody's order to whoever knows its id": (view, command, now) =>
    decideOrder(view, command.verb === "place" && view.order ? { ...command, userId: view.order.userId } : command, now),
  "does not count what is ordered as unpaid": after("place", (decision, view) =>
    withGoods(decision, (goods, n) => ({ ...goods, pending: partOf(view, n).goods?.pending ?? 0 })),
  ),
  "forgets the price": after("place", (decision) =>
    withOrder(decision, (order) => ({ ...order, items: order.items.map((item) => ({ ...item, priceCents: 0 })) })),
  ),
  "lets the first deadline count for all items": after("place", (decision) =>
    withOrder(decision, (order) => ({
      ...order,
      items: order.items.map((item) => ({ ...item, heldUntil: order.items[0]?.heldUntil ?? 0 })),
    })),
  ),
  "begins the deadline anew when a payment fails": after("cancel", (decision, _view, _command, now) =>
    withLines(decision, (line) => (line.held > 0 ? { ...line, heldUntil: now + 1_800_000 } : line)),
  ),
  "lets the later deadline count when two holds become one": after("cancel", (decision, view) =>
    withLines(decision, (line, n) => {
      const was = partOf(view, n).line;
      const isJoined = was.held > 0 && line.held > was.held;
      return isJoined ? { ...line, heldUntil: Math.max(was.heldUntil, view.order?.items[n]?.heldUntil ?? 0) } : line;
    }),
  ),
  "revives a hold whose deadline passed during the payment": before("cancel", (view, command, now) => {
    if (command.to !== "held" || !view.order) return view;
    const items = view.order.items.map((item) => (item.heldUntil <= now ? { ...item, heldUntil: now + 1_000 } : item));
    return { ...view, order: { ...view.order, items } };
  }),
  "sells twice when paid twice": before("pay", (view) => (view.order?.state === "paid" ? asIfState(view, "expired") : view)),
  "lets a second payment take the place of the first": after("pay", (decision, view, command) =>
    view.order?.state === "paid"
      ? { reply: { kind: "order", order: { ...view.order, payment: command.payment } }, changes: null }
      : decision,
  ),
  "forgets the payment": after("pay", (decision) => withOrder(decision, (order) => ({ ...order, payment: null }))),
  "forgets what was ordered when it is paid": after("pay", (decision, view) =>
    withLines(decision, (line, n) => ({ ...line, ordered: partOf(view, n).line.ordered })),
  ),
  "sells the first item only": after("pay", (decision, view) =>
    withParts(decision, (part, n) => {
      const was = partOf(view, n).goods;
      return n > 0 && was ? { ...part, goods: { ...part.goods, onHand: was.onHand, sold: was.sold } } : part;
    }),
  ),
  "takes any amount": otherPay((command) => ({ ...command, isAmountRight: true })),
  "takes any amount when the payment is late": (view, command, now) =>
    decideOrder(view, command.verb === "pay" && view.order?.state === "expired" ? { ...command, isAmountRight: true } : command, now),
  "keeps the goods of a wrong amount": after("pay", (decision, view, command) =>
    decision.changes && !command.isAmountRight && view.order?.state === "payment-pending"
      ? withParts(decision, ({ line }, n) => ({ line, goods: partOf(view, n).goods as Goods }))
      : decision,
  ),
  "ignores the stock when the payment is late": asIfMoreWhenLate(() => true),
  "asks only the first SKU's stock when the payment is late": asIfMoreWhenLate((n) => n > 0),
  "ignores the limit when the payment is late": otherPay((command) => ({ ...command, limits: new Map() })),
  "asks only the first SKU's limit when the payment is late": (view, command, now) => {
    const first = view.order?.items[0]?.sku;
    const limits = (of: PayCommand["limits"]) => new Map([...of].filter(([sku]) => sku === first));
    return decideOrder(view, command.verb === "pay" ? { ...command, limits: limits(command.limits) } : command, now);
  },
  "keeps silent about money that came too late": after("pay", (decision, view) =>
    decision.changes?.order.state === "refund-due" && view.order
      ? { reply: { kind: "order", order: view.order }, changes: null }
      : decision,
  ),
  "sells what was cancelled": before("pay", (view) => (view.order?.state === "cancelled" ? asIfState(view, "expired") : view)),
  "forgets to give the stock back at a cancellation": after("cancel", (decision, view) =>
    withParts(decision, ({ line }, n) => ({ line, goods: partOf(view, n).goods as Goods })),
  ),
  "gives the first item's stock back and forgets the others": after("cancel", (decision, view) =>
    withParts(decision, (part, n) => (n > 0 ? { line: part.line, goods: partOf(view, n).goods as Goods } : part)),
  ),
  "gives the stock back at every cancellation": before("cancel", (view) => {
    const canGive = view.parts.every(({ goods }, n) => goods !== null && goods.frozen >= (view.order?.items[n]?.quantity ?? 0));
    return view.order?.state === "cancelled" && canGive ? asIfState(view, "payment-pending") : view;
  }),
  "lets the time of an order go back with the clock": after("place", (decision, view) =>
    withGoods(decision, (goods, n) => ({ ...goods, clock: partOf(view, n).goods?.clock ?? 0 })),
  ),
};
