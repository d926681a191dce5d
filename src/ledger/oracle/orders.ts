/** What the oracle knows of orders: the only ends to which each may come. */
import type { Sku } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import type { CancelCommand, LedgerRefusal, Order, OrderCommand, OrderItem, OrderReply, PayCommand, PlaceCommand } from "../ledger.ts";
import { type Books, isOf, type Paper } from "./books.ts";

const HOUR_MS = 3_600_000;
const ITEMS_MAX = 100;

const no = (reason: Exclude<LedgerRefusal["reason"], "frozen" | "order-ended">): LedgerRefusal => ({ kind: "refused", reason });
const yes = (order: Order): OrderReply => ({ kind: "order", order });

/** An order is one thing: all its goods are looked at, at the latest time that any of them has seen. */
export function applyToOrder(books: Books, command: OrderCommand, now: UnixMs): OrderReply {
  const paper = books.paperOf(command.orderId);
  const wanted = command.verb === "place" ? command.items.filter(({ sku }, n, all) => all.findIndex((item) => item.sku === sku) === n) : [];
  const skus = (paper?.order.items ?? wanted).map(({ sku }) => sku);
  const at = books.latest(skus, now);
  for (const sku of skus) books.timeOf(sku, at);
  return books.watching(skus, at, () => {
    if (command.verb === "place") return paper ? placeAgain(paper, command, wanted) : place(books, command, wanted, at);
    if (!paper) return no("unknown-order");
    return command.verb === "pay" ? pay(books, paper, command, at) : cancel(books, paper, command, at);
  });
}

function placeAgain({ order }: Paper, { userId }: PlaceCommand, wanted: PlaceCommand["items"]): OrderReply {
  const namesOf = (items: readonly { readonly sku: Sku }[]): string => JSON.stringify(items.map(({ sku }) => sku).sort());
  return order.userId === userId && namesOf(order.items) === namesOf(wanted) ? yes(order) : no("key-reused");
}

function place(
  books: Books,
  { orderId, userId, userLevel, windowMs }: PlaceCommand,
  wanted: PlaceCommand["items"],
  at: UnixMs,
): OrderReply {
  if (wanted.length > ITEMS_MAX) return no("too-many-items");
  const items = wanted.flatMap(({ sku, priceCents }): OrderItem[] => {
    const hold = books.holdOf({ sku, userId });
    return hold ? [{ sku, quantity: hold.quantity, priceCents, heldUntil: hold.until }] : [];
  });
  if (items.length === 0 || items.length < wanted.length) return no("no-hold");
  const payUntil = at + Math.min(windowMs, HOUR_MS);
  const order: Order = { orderId, userId, userLevel, items, state: "payment-pending", placedAt: at, payUntil, since: at, payment: null };
  for (const { sku } of items) {
    books.dropHold({ sku, userId });
    books.happened(sku, at);
  }
  books.papers.push({ order });
  books.tell({ type: "order.placed", at, order });
  return yes(order);
}

function pay(books: Books, paper: Paper, { payment, isAmountRight, limits }: PayCommand, at: UnixMs): OrderReply {
  const { state, items, userId } = paper.order;
  const isThis = ({ order }: Paper): boolean =>
    order.payment?.provider === payment.provider && order.payment.paymentId === payment.paymentId;
  if (books.papers.some((other) => other !== paper && isThis(other))) return no("payment-used");
  if (state === "paid" || state === "refund-due") return yes(paper.order);
  const canBeHad = ({ sku, quantity }: OrderItem): boolean => {
    const limit = limits.get(sku) ?? 0;
    return books.free(sku) >= quantity && (limit === 0 || books.everything({ sku, userId }) + quantity <= limit);
  };
  const isSold = isAmountRight && (state === "payment-pending" || (state === "expired" && items.every(canBeHad)));
  if (isSold || state === "payment-pending") for (const { sku } of items) books.happened(sku, at);
  if (!isSold) return yes(books.end(paper, "refund-due", at, payment));
  for (const { sku, quantity } of items) {
    books.sales.push({ sku, quantity });
    books.possessions.push({ sku, userId, quantity });
    if (!books.levels.some(isOf({ sku, userId }))) books.levels.push({ sku, userId, userLevel: paper.order.userLevel });
  }
  return yes(books.end(paper, "paid", at, payment));
}

function cancel(books: Books, paper: Paper, { to }: CancelCommand, at: UnixMs): OrderReply {
  const { state, items, userId } = paper.order;
  if (state === "cancelled") return yes(paper.order);
  if (state !== "payment-pending") return { kind: "refused", reason: "order-ended", state };
  const order = books.end(paper, "cancelled", at);
  for (const { sku, quantity, heldUntil } of items) {
    books.happened(sku, at);
    if (to === "free" || heldUntil <= at) continue;
    const hold = books.holdOf({ sku, userId });
    if (hold) Object.assign(hold, { quantity: hold.quantity + quantity, until: Math.min(hold.until, heldUntil) });
    else books.holds.push({ sku, userId, quantity, until: heldUntil, sessionId: books.sessionOf({ sku, userId }) });
    const now = books.holdOf({ sku, userId });
    const type = hold ? "hold.changed" : "hold.created";
    books.tell({ type, at, sku, userId, sessionId: null, quantity: now?.quantity ?? 0, heldUntil: now?.until ?? 0 });
  }
  return yes(order);
}
