/** Orders as Postgres keeps them. */
import { assert } from "../../core/assert.ts";
import type { OrderId, UserId } from "../../core/ids.ts";
import type { Sql, Tx } from "../../core/sql.ts";
import type { UnixMs } from "../../core/time.ts";
import type { CancelCommand, FoundOrders, Order, OrderItem, OrderSearch, OrderState, Payment } from "../ledger.ts";
import { orderAt } from "../order-search.ts";

/** What Redis still has to give back of an order that has ended. */
export type GiveBack = CancelCommand["to"];

interface OrderRow {
  readonly order_id: OrderId;
  readonly user_id: UserId;
  readonly user_level: number;
  readonly items: string;
  readonly state: OrderState;
  readonly placed_at: UnixMs;
  readonly pay_until: UnixMs;
  readonly since: UnixMs;
  readonly provider: string | null;
  readonly payment_id: string | null;
  readonly amount_cents: number | null;
  readonly currency: string | null;
  readonly give_back: GiveBack | null;
}

/** Two numbers that nobody else on this database takes advisory locks with: "ORDR", "PAYM". */
const ORDER_LOCKS = 0x4f524452;
const PAYMENT_LOCKS = 0x5041594d;

/** Nobody else moves this order, or makes one of this id, until the transaction ends. */
export async function lockOrder(tx: Tx, orderId: OrderId): Promise<void> {
  await tx`select pg_advisory_xact_lock(${ORDER_LOCKS}, hashtext(${orderId}))`;
}
/** The same without waiting. @returns whether it was to be had */
export async function tryLockOrder(tx: Tx, orderId: OrderId): Promise<boolean> {
  const [row] = await tx<{ is_locked: boolean }>`select pg_try_advisory_xact_lock(${ORDER_LOCKS}, hashtext(${orderId})) as is_locked`;
  return row?.is_locked === true;
}

/** @returns the order that this payment has made paid or refund-due; nobody else can use it until the transaction ends */
export async function lockPayment(tx: Tx, { provider, paymentId }: Payment): Promise<OrderId | null> {
  await tx`select pg_advisory_xact_lock(${PAYMENT_LOCKS}, hashtext(${`${provider}\n${paymentId}`}))`;
  return paidWith(tx, { provider, paymentId });
}

export async function paidWith(sql: Sql, { provider, paymentId }: Pick<Payment, "provider" | "paymentId">): Promise<OrderId | null> {
  const [row] = await sql<{ order_id: OrderId }>`select order_id from orders where provider = ${provider} and payment_id = ${paymentId}`;
  return row?.order_id ?? null;
}

export async function readOrder(sql: Sql, orderId: OrderId): Promise<Order | null> {
  const [row] = await sql<OrderRow>`select * from orders where order_id = ${orderId}`;
  return row ? orderOf(row) : null;
}

/** Up to `limit` orders of a user, the last placed first, from behind `after`. */
export async function readOrdersOf(sql: Sql, userId: UserId, after: OrderId | null, limit: number): Promise<readonly Order[]> {
  const rows =
    after === null
      ? await sql<OrderRow>`select * from orders where user_id = ${userId} order by seq desc limit ${limit}`
      : await sql<OrderRow>`select * from orders where user_id = ${userId}
          and seq < (select seq from orders where order_id = ${after} and user_id = ${userId}) order by seq desc limit ${limit}`;
  return rows.map(orderOf);
}

/** Walks back from the newest. The conditions are those of `order-search.ts`. */
export async function searchOrders(sql: Sql, search: OrderSearch, now: UnixMs): Promise<FoundOrders> {
  const { state, isPaidLate, after, limit, passedMax } = search;
  const [from] =
    after === null
      ? await sql<{ seq: number }>`select coalesce(max(seq), 0) + 1 as seq from orders`
      : await sql<{ seq: number }>`select seq from orders where order_id = ${after}`;
  if (from === undefined) return { orders: [], next: null };
  const [last] = await sql<Pick<OrderRow, "order_id"> & { seq: number }>`
    select order_id, seq from orders where seq < ${from.seq} order by seq desc limit 1 offset ${passedMax - 1}`;
  const rows = await sql<OrderRow>`select * from orders where seq < ${from.seq} and seq >= ${last?.seq ?? 0}
    and (${state}::text is null or case when state = 'payment-pending' and pay_until <= ${now} then 'expired' else state end = ${state})
    and (not ${isPaidLate}::boolean or (payment_id is not null and since >= pay_until)) order by seq desc limit ${limit}`;
  const next = rows.length === limit ? rows.at(-1) : last;
  return { orders: rows.map((row) => orderAt(orderOf(row), now)), next: next?.order_id ?? null };
}

export async function addOrder(tx: Tx, order: Order): Promise<void> {
  const { orderId, userId, userLevel, items, state, placedAt, payUntil, since } = order;
  await tx`insert into orders (order_id, user_id, user_level, items, state, placed_at, pay_until, since)
    values (${orderId}, ${userId}, ${userLevel}, ${JSON.stringify(items)}, ${state}, ${placedAt}, ${payUntil}, ${since})`;
}

/** @param from the state in which it was read under its lock */
export async function endOrder(tx: Tx, order: Order, from: OrderState, giveBack: GiveBack | null): Promise<void> {
  const { provider = null, paymentId = null, amountCents = null, currency = null } = order.payment ?? {};
  const done = await tx`update orders set state = ${order.state}, since = ${order.since}, provider = ${provider}, payment_id = ${paymentId},
    amount_cents = ${amountCents}, currency = ${currency}, give_back = ${giveBack} where order_id = ${order.orderId} and state = ${from}`;
  assert(done.affectedRows === 1, "an order that is locked does not move");
}

/** Those of these orders that still waited for payment, as they are now: expired. One that somebody is moving is left to them. */
export async function expireOrders(tx: Tx, orderIds: readonly OrderId[]): Promise<readonly Order[]> {
  const rows = await tx<OrderRow & { readonly seq: number }>`
    update orders set state = 'expired', since = pay_until, give_back = 'free' where order_id in (
      select order_id from orders where order_id = any(${orderIds}::text[]) and state = 'payment-pending'
        and pg_try_advisory_xact_lock(${ORDER_LOCKS}, hashtext(order_id))
    ) and state = 'payment-pending' returning *`;
  return [...rows].sort((a, b) => a.pay_until - b.pay_until || a.seq - b.seq).map(orderOf);
}

export async function isGivenBack(tx: Tx, orderIds: readonly OrderId[]): Promise<void> {
  await tx`update orders set give_back = null where order_id = any(${orderIds}::text[])`;
}

/** Orders of which Redis has to give something back, oldest first. */
export async function readToGiveBack(sql: Sql, before: UnixMs, limit: number): Promise<readonly (readonly [Order, GiveBack])[]> {
  const rows = await sql<OrderRow>`select * from orders where give_back is not null and since < ${before} order by seq limit ${limit}`;
  return rows.map((row) => [orderOf(row), row.give_back as GiveBack]);
}

/** Unpaid orders in the order of their ids, from behind `after`. @param before only those whose deadline was earlier */
export async function readUnpaid(sql: Sql, after: OrderId | null, before: UnixMs, limit: number): Promise<readonly Order[]> {
  const rows = await sql<OrderRow>`select * from orders where state = 'payment-pending' and order_id > ${after ?? ""}
    and pay_until < ${before} order by order_id limit ${limit}`;
  return rows.map(orderOf);
}

/** Orders that were paid at `since` or later, in the order of their ids, from behind `after`. */
export async function readPaid(sql: Sql, after: OrderId | null, since: UnixMs, limit: number): Promise<readonly Order[]> {
  const rows = await sql<OrderRow>`select * from orders where state = 'paid' and since >= ${since} and order_id > ${after ?? ""}
    order by order_id limit ${limit}`;
  return rows.map(orderOf);
}

/** Those of these that are in this state. */
export async function readThose(sql: Sql, orderIds: readonly OrderId[], state: OrderState): Promise<readonly Order[]> {
  const rows = await sql<OrderRow>`select * from orders where order_id = any(${orderIds}::text[]) and state = ${state} order by order_id`;
  return rows.map(orderOf);
}

/** The states of those that there are. */
export async function readStates(sql: Sql, orderIds: readonly OrderId[]): Promise<ReadonlyMap<OrderId, OrderState>> {
  const rows = await sql<Pick<OrderRow, "order_id" | "state">>`
    select order_id, state from orders where order_id = any(${orderIds}::text[])`;
  return new Map(rows.map(({ order_id, state }) => [order_id, state]));
}

/** Removes up to `limit` orders that ended before `before`; one whose refund is due stays. Returns how many. */
export async function removeEnded(tx: Tx, before: UnixMs, limit: number): Promise<number> {
  const done = await tx`delete from orders where order_id in (
    select order_id from orders where state in ('paid', 'cancelled', 'expired') and since < ${before} and give_back is null limit ${limit})`;
  return done.affectedRows;
}

function orderOf(row: OrderRow): Order {
  const { provider, payment_id, amount_cents, currency } = row;
  const isPaid = provider !== null && payment_id !== null && amount_cents !== null && currency !== null;
  return {
    orderId: row.order_id,
    userId: row.user_id,
    userLevel: row.user_level,
    items: JSON.parse(row.items) as readonly OrderItem[],
    state: row.state,
    placedAt: row.placed_at,
    payUntil: row.pay_until,
    since: row.since,
    payment: isPaid ? { provider, paymentId: payment_id, amountCents: amount_cents, currency } : null,
  };
}
