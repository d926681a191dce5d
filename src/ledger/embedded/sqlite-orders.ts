/**
 * Orders in the SQLite file: one row each, appended, with its items as JSON, so that the orders of a turn share their pages. Whoever ends an
 * unpaid one knows its row from memory. Called within a turn, but for the readers.
 */
import type { Database, Statement } from "bun:sqlite";
import type { OrderId, Sku, UserId } from "../../core/ids.ts";
import type { Cents } from "../../core/money.ts";
import type { UnixMs } from "../../core/time.ts";
import type { FoundOrders, Order, OrderItem, OrderSearch, OrderState, Payment } from "../ledger.ts";
import { orderAt } from "../order-search.ts";
import type { SavedOrder } from "./journal.ts";

export const ORDERS_SCHEMA = `
-- Orders at their end stay for months; only those that are unpaid are read at start. The items are a JSON array of arrays: SKU, quantity, price in
-- cents, the deadline that the hold had. The payment is the one that made an order paid or refund-due.
create table orders (
  id integer primary key, order_id text not null, user_id text not null, user_level integer not null, items text not null,
  placed_at_ms integer not null, pay_until_ms integer not null, state text not null, since_ms integer not null,
  provider text, payment_id text, amount_cents integer, currency text
) strict;
create unique index orders_by_order_id on orders (order_id);
create index orders_by_user on orders (user_id);
create unique index orders_by_payment on orders (payment_id, provider) where payment_id is not null;
`;

interface Row {
  readonly id: number;
  readonly orderId: OrderId;
  readonly userId: UserId;
  readonly userLevel: number;
  readonly items: string;
  readonly placedAt: UnixMs;
  readonly payUntil: UnixMs;
  readonly state: OrderState;
  readonly since: UnixMs;
  readonly provider: string | null;
  readonly paymentId: string | null;
  readonly amountCents: number | null;
  readonly currency: string | null;
}
type ItemFields = [sku: Sku, quantity: number, priceCents: Cents, heldUntil: UnixMs];

const ROWS = `select id, order_id as orderId, user_id as userId, user_level as userLevel, items, placed_at_ms as placedAt, pay_until_ms as payUntil, state,
  since_ms as since, provider, payment_id as paymentId, amount_cents as amountCents, currency from orders`;

export class SqliteOrders {
  readonly #db: Database;
  readonly #sql: Record<"add" | "end" | "read" | "paidWith" | "oldest" | "remove", Statement>;
  /** Rows are never used again while somebody may remember them. */
  #lastRow: number;
  /** All rows up to here are gone, or stay for good. */
  #walkedTo = 0;

  constructor(db: Database) {
    this.#db = db;
    this.#lastRow = db.query<{ id: number | null }, []>("select max(id) as id from orders").get()?.id ?? 0;
    this.#sql = {
      add: db.query("insert into orders values (?, ?, ?, ?, ?, ?, ?, ?, ?, null, null, null, null)"),
      end: db.query("update orders set state = ?, since_ms = ?, provider = ?, payment_id = ?, amount_cents = ?, currency = ? where id = ?"),
      read: db.query(`${ROWS} where order_id = ?`),
      paidWith: db.query("select order_id as orderId from orders where payment_id = ? and provider = ?"),
      oldest: db.query("select id, state, since_ms as since from orders where id > ? order by id limit ?"),
      remove: db.query("delete from orders where id = ?"),
    };
  }

  add({ orderId, userId, userLevel, items, placedAt, payUntil, state, since }: Order): number {
    this.#lastRow += 1;
    this.#sql.add.run(this.#lastRow, orderId, userId, userLevel, itemsText(items), placedAt, payUntil, state, since);
    return this.#lastRow;
  }

  end(row: number, { state, since, payment }: Order): void {
    if (payment === null) this.#sql.end.run(state, since, null, null, null, null, row);
    else this.#sql.end.run(state, since, payment.provider, payment.paymentId, payment.amountCents, payment.currency, row);
  }

  removeSome(before: UnixMs, ordersMax: number): number {
    const oldest = this.#sql.oldest.all(this.#walkedTo, ordersMax) as Pick<Row, "id" | "state" | "since">[];
    let walked = 0;
    for (const { id, state, since } of oldest) {
      if (state === "payment-pending" || (state !== "refund-due" && since >= before)) break;
      if (state !== "refund-due") this.#sql.remove.run(id);
      this.#walkedTo = id;
      walked += 1;
    }
    return walked;
  }

  *unpaid(): Iterable<SavedOrder> {
    // A look at every row, once, is cheaper than an index by state, which would take its share of every order twice.
    for (const row of this.#db.query<Row, []>(`${ROWS} where state = 'payment-pending'`).iterate()) yield savedOrderOf(row);
  }

  read(orderId: OrderId): SavedOrder | null {
    const row = this.#sql.read.get(orderId) as Row | null;
    return row && savedOrderOf(row);
  }

  paidWith(provider: string, paymentId: string): OrderId | null {
    return (this.#sql.paidWith.get(paymentId, provider) as Pick<Row, "orderId"> | null)?.orderId ?? null;
  }

  ofUser(userId: UserId, after: OrderId | null, limit: number): Order[] {
    const newestFirst = "order by id desc limit ?";
    const rows =
      after === null
        ? this.#db.query<Row, [string, number]>(`${ROWS} where user_id = ? ${newestFirst}`).all(userId, limit)
        : this.#db
            .query<Row, [string, string, number]>(
              `${ROWS} where user_id = ? and id < (select id from orders where order_id = ?) ${newestFirst}`,
            )
            .all(userId, after, limit);
    return rows.map((row) => savedOrderOf(row).order);
  }

  /** Walks back from the newest by row: an index by state would take its share of every order twice, for a look that somebody takes now and then. */
  find({ state, isPaidLate, after, limit, passedMax }: OrderSearch, now: UnixMs): FoundOrders {
    const before = after === null ? this.#lastRow + 1 : (this.read(after)?.row ?? 0);
    const [last] = this.#db.query<Pick<Row, "id" | "orderId">, [number, number]>(PASSED).all(before, passedMax - 1);
    const rows = this.#db
      .query<Row, [number, number, OrderState | null, UnixMs, boolean, number]>(WANTED)
      .all(before, last?.id ?? 0, state, now, isPaidLate, limit);
    const orders = rows.map((row) => orderAt(savedOrderOf(row).order, now));
    return { orders, next: rows.length === limit ? (rows.at(-1)?.orderId ?? null) : (last?.orderId ?? null) };
  }
}

/** The last order of those that a look passes, where there are so many. */
const PASSED = "select id, order_id as orderId from orders where id < ? order by id desc limit 1 offset ?";
/** The conditions are those of `order-search.ts`. */
const WANTED = `${ROWS} where id < ?1 and id >= ?2
  and (?3 is null or case when state = 'payment-pending' and pay_until_ms <= ?4 then 'expired' else state end = ?3)
  and (not ?5 or (payment_id is not null and since_ms >= pay_until_ms)) order by id desc limit ?6`;

const itemsText = (items: readonly OrderItem[]): string =>
  JSON.stringify(items.map(({ sku, quantity, priceCents, heldUntil }): ItemFields => [sku, quantity, priceCents, heldUntil]));

/** Reads what `itemsText` has written; the file is ours alone and was checked when it was opened. */
const itemsOf = (text: string): OrderItem[] =>
  (JSON.parse(text) as ItemFields[]).map(([sku, quantity, priceCents, heldUntil]) => ({ sku, quantity, priceCents, heldUntil }));

function savedOrderOf({ id, items, provider, paymentId, amountCents, currency, ...rest }: Row): SavedOrder {
  const hasPayment = provider !== null && paymentId !== null && amountCents !== null && currency !== null;
  const payment: Payment | null = hasPayment ? { provider, paymentId, amountCents, currency } : null;
  return { row: id, order: { ...rest, items: itemsOf(items), payment } };
}
