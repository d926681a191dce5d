/** Orders in the SQLite file: a row for each, and one for each of its items. Called within a turn, but for the readers. */
import type { Database, Statement } from "bun:sqlite";
import type { OrderId, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import type { Order, OrderItem, OrderState, Payment } from "../ledger.ts";

interface Head {
  readonly orderId: OrderId;
  readonly userId: UserId;
  readonly userLevel: number;
  readonly state: OrderState;
  readonly placedAt: UnixMs;
  readonly payUntil: UnixMs;
  readonly since: UnixMs;
  readonly provider: string | null;
  readonly paymentId: string | null;
  readonly amountCents: number | null;
  readonly currency: string | null;
}

const HEAD = `select order_id as orderId, user_id as userId, user_level as userLevel, state, placed_at_ms as placedAt, pay_until_ms as payUntil, since_ms as since, provider,
  payment_id as paymentId, amount_cents as amountCents, currency from orders`;
const ITEMS = `select sku, quantity, price_cents as priceCents, held_until_ms as heldUntil from order_items where order_id = ? order by position`;

export class SqliteOrders {
  readonly #db: Database;
  readonly #sql: Record<"add" | "addItem" | "end" | "read" | "readItems" | "over" | "remove" | "removeItems", Statement>;

  constructor(db: Database) {
    this.#db = db;
    this.#sql = {
      add: db.query("insert into orders values (?, ?, ?, ?, ?, ?, ?, null, null, null, null)"),
      addItem: db.query("insert into order_items values (?, ?, ?, ?, ?, ?)"),
      end: db.query(
        "update orders set state = ?, since_ms = ?, provider = ?, payment_id = ?, amount_cents = ?, currency = ? where order_id = ?",
      ),
      read: db.query(`${HEAD} where order_id = ?`),
      readItems: db.query(ITEMS),
      over: db.query("select order_id as orderId from orders where state in ('paid', 'cancelled', 'expired') and since_ms < ? limit ?"),
      remove: db.query("delete from orders where order_id = ?"),
      removeItems: db.query("delete from order_items where order_id = ?"),
    };
  }

  add({ orderId, userId, userLevel, items, state, placedAt, payUntil, since }: Order): void {
    this.#sql.add.run(orderId, userId, userLevel, state, placedAt, payUntil, since);
    for (const [position, { sku, quantity, priceCents, heldUntil }] of items.entries())
      this.#sql.addItem.run(orderId, position, sku, quantity, priceCents, heldUntil);
  }

  end({ orderId, state, since, payment }: Order): void {
    const { provider = null, paymentId = null, amountCents = null, currency = null } = payment ?? {};
    this.#sql.end.run(state, since, provider, paymentId, amountCents, currency, orderId);
  }

  /** Removes some of those that ended before `before`, whose refund is not due; returns how many. */
  removeSome(before: UnixMs, ordersMax: number): number {
    const over = this.#sql.over.all(before, ordersMax) as { orderId: OrderId }[];
    for (const { orderId } of over) {
      this.#sql.removeItems.run(orderId);
      this.#sql.remove.run(orderId);
    }
    return over.length;
  }

  *unpaid(): Iterable<Order> {
    const heads = this.#db.query<Head, []>(`${HEAD} where state = 'payment-pending'`);
    for (const head of heads.iterate()) yield this.#orderOf(head);
  }

  read(orderId: OrderId): Order | null {
    const head = this.#sql.read.get(orderId) as Head | null;
    return head && this.#orderOf(head);
  }

  ofUser(userId: UserId, after: Order | null, limit: number): Order[] {
    const newestFirst = "order by placed_at_ms desc, order_id desc limit ?";
    const heads = after
      ? this.#db
          .query<Head, [string, UnixMs, string, number]>(`${HEAD} where user_id = ? and (placed_at_ms, order_id) < (?, ?) ${newestFirst}`)
          .all(userId, after.placedAt, after.orderId, limit)
      : this.#db.query<Head, [string, number]>(`${HEAD} where user_id = ? ${newestFirst}`).all(userId, limit);
    return heads.map((head) => this.#orderOf(head));
  }

  #orderOf({ orderId, userId, userLevel, state, placedAt, payUntil, since, provider, paymentId, amountCents, currency }: Head): Order {
    const items = this.#sql.readItems.all(orderId) as OrderItem[];
    const hasPayment = provider !== null && paymentId !== null && amountCents !== null && currency !== null;
    const payment: Payment | null = hasPayment ? { provider, paymentId, amountCents, currency } : null;
    return { orderId, userId, userLevel, items, state, placedAt, payUntil, since, payment };
  }
}
