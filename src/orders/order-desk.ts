/**
 * Orders: a shopper's live holds become one order with one payment deadline and prices fixed at that moment. What an order is and how it ends
 * is the ledger's (`src/ledger/ledger.ts`); this file asks it, with the prices, windows and limits that count. The money is `cashier.ts`'s.
 */
import type { Answer } from "../core/answer.ts";
import type { OrderId, Sku, UserId } from "../core/ids.ts";
import type { Cents } from "../core/money.ts";
import type { Clock, DurationMs, UnixMs } from "../core/time.ts";
import type { FoundOrders, Ledger, Order, OrderSearch } from "../ledger/ledger.ts";
import { isWanted } from "../ledger/order-search.ts";
import { LIST_CHUNK_ROWS, ORDERS_PASSED_PER_LOOK, PAYMENT_AMOUNT_MAX } from "../limits.ts";

/** Who places an order. The level decides which limit counts if the payment comes late. */
export interface Customer {
  readonly userId: UserId;
  readonly userLevel: number;
}

/** What the sale that a hold was bought under says of its payment. */
export interface SaleTermsOfPayment {
  readonly priceCents: Cents;
  /** `null`: the general payment window. */
  readonly paymentWindowMs: DurationMs | null;
}

export type PlaceReply =
  | { readonly kind: "placed"; readonly order: Order }
  | { readonly kind: "refused"; readonly reason: "empty-cart" | "key-reused" | "too-many-items" | "amount-too-large" }
  /** These SKUs are not in the cart, or no longer. */
  | { readonly kind: "refused"; readonly reason: "no-hold"; readonly skus: readonly Sku[] };

export type CancelReply =
  | { readonly kind: "cancelled"; readonly order: Order }
  | { readonly kind: "refused"; readonly reason: "unknown-order" }
  /** It had ended before, and this is how. */
  | { readonly kind: "refused"; readonly reason: "order-ended"; readonly order: Order };

/** Which orders an operator looks for. */
export interface OrdersWanted extends Pick<OrderSearch, "state" | "isPaidLate"> {
  /** `null`: everybody's. */
  readonly userId: UserId | null;
}

export interface OrderDeskParts {
  readonly ledger: Pick<Ledger, "held" | "goods" | "place" | "cancel" | "order" | "ordersOf" | "findOrders">;
  /** The sale that goods held by somebody at `now` were bought under; `null`: none, the goods' own price counts. */
  readonly boughtUnder: (sku: Sku, now: UnixMs) => SaleTermsOfPayment | null;
  readonly paymentWindowMs: DurationMs;
  readonly clock: Clock;
}

export class OrderDesk {
  readonly #parts: OrderDeskParts;

  constructor(parts: OrderDeskParts) {
    this.#parts = parts;
  }

  /**
   * Makes one order of the customer's holds: of all, or of the SKUs named. The same id gets the same order again: that order has emptied the
   * cart, so only where the cart does not have what is wanted, or the ledger has the id for other goods, is it worth asking which order it is.
   *
   * @param skus `null` means the whole cart
   */
  async place(customer: Customer, skus: readonly Sku[] | null, orderId: OrderId): Promise<PlaceReply> {
    const first = await this.#look(customer);
    const reply = await this.#placeOf(first, customer, skus, orderId);
    if (reply.kind !== "refused" || (reply.reason !== "empty-cart" && reply.reason !== "no-hold")) return reply;
    // An order of this id that was begun elsewhere and came to nothing may have given the holds back between the two looks, or begins once more.
    const second = await this.#look(customer);
    // What has left the cart meanwhile was wanted, too.
    return hasAll(second, first) ? this.#placeOf(second, customer, skus, orderId) : reply;
  }

  async #look({ userId }: Customer): Promise<Held> {
    const held = await this.#parts.ledger.held(userId, this.#parts.clock.now());
    return new Map(held.map(({ sku, quantity }) => [sku, quantity]));
  }

  async #placeOf(held: Held, customer: Customer, skus: readonly Sku[] | null, orderId: OrderId): Promise<PlaceReply> {
    const { ledger, clock, boughtUnder, paymentWindowMs } = this.#parts;
    const now = clock.now();
    const wanted = skus === null ? [...held.keys()] : [...new Set(skus)];
    if (wanted.length === 0) return (await this.#again(customer, skus, orderId)) ?? { kind: "refused", reason: "empty-cart" };
    const missing = wanted.filter((sku) => !held.has(sku));
    if (missing.length > 0) return (await this.#again(customer, skus, orderId)) ?? { kind: "refused", reason: "no-hold", skus: missing };

    const prices = await this.pricesOf(wanted, now);
    const gone = wanted.filter((_, index) => prices[index] === null);
    if (gone.length > 0) return { kind: "refused", reason: "no-hold", skus: gone };
    const items = wanted.map((sku, index) => ({ sku, priceCents: prices[index] as Cents }));
    const amountCents = items.reduce((sum, { sku, priceCents }) => sum + priceCents * (held.get(sku) as number), 0);
    if (amountCents > PAYMENT_AMOUNT_MAX * 100) return { kind: "refused", reason: "amount-too-large" };
    // Goods of several sales are paid in one go, so the shortest of their windows counts.
    const windowMs = Math.min(...wanted.map((sku) => boughtUnder(sku, now)?.paymentWindowMs ?? paymentWindowMs));
    const [reply] = await ledger.place(
      [{ verb: "place", orderId, userId: customer.userId, userLevel: customer.userLevel, items, windowMs }],
      now,
    );
    if (reply?.kind === "order") return { kind: "placed", order: reply.order };
    if (reply?.reason === "too-many-items") return { kind: "refused", reason: "too-many-items" };
    if (reply?.reason === "key-reused") return (await this.#again(customer, skus, orderId)) ?? { kind: "refused", reason: "key-reused" };
    // Between the look at the cart and the step that decides, a deadline has passed.
    return { kind: "refused", reason: "no-hold", skus: wanted };
  }

  /** What is said of an order that was placed before; `null`: there is none. */
  async #again(customer: Customer, skus: readonly Sku[] | null, orderId: OrderId): Promise<PlaceReply | null> {
    const { ledger, clock } = this.#parts;
    const known = await ledger.order(orderId, clock.now());
    // The holds may have gone into an order that was begun under this id and is not finished yet: only the ledger can say that there is none.
    const order = known ?? (await this.#begun(customer, orderId));
    if (!order) return null;
    return isSameRequest(order, customer, skus) ? { kind: "placed", order } : { kind: "refused", reason: "key-reused" };
  }

  /** The order of this id; `null`: there is none, and none is under way. @throws Failure when there may yet be one */
  async #begun({ userId, userLevel }: Customer, orderId: OrderId): Promise<Order | null> {
    const { ledger, clock, paymentWindowMs: windowMs } = this.#parts;
    const [reply] = await ledger.place([{ verb: "place", orderId, userId, userLevel, items: [], windowMs }], clock.now());
    if (reply?.kind === "order") return reply.order;
    // The ledger was asked for no goods at all, so an order that has come about since the look is another one to it.
    return reply?.reason === "key-reused" ? ledger.order(orderId, clock.now()) : null;
  }

  /**
   * What each SKU costs somebody who holds it: the price of the sale that it was bought under, or its own. `null`: since whoever asks has looked at
   * the cart, the hold was given back and the goods were removed, which others can do between two looks.
   */
  async pricesOf(skus: readonly Sku[], now: UnixMs): Promise<readonly (Cents | null)[]> {
    const goods = await this.#parts.ledger.goods(skus, now);
    return skus.map((sku, index) => {
      const own = goods[index]?.priceCents;
      return own === undefined ? null : (this.#parts.boughtUnder(sku, now)?.priceCents ?? own);
    });
  }

  /** Ends an unpaid order; its goods are free at that instant. */
  async cancel(orderId: OrderId): Promise<CancelReply> {
    const { ledger, clock } = this.#parts;
    const [reply] = await ledger.cancel([{ verb: "cancel", orderId, to: "free" }], clock.now());
    if (reply?.kind === "order") return { kind: "cancelled", order: reply.order };
    const order = reply?.reason === "order-ended" ? await ledger.order(orderId, clock.now()) : null;
    return order ? { kind: "refused", reason: "order-ended", order } : { kind: "refused", reason: "unknown-order" };
  }

  order(orderId: OrderId): Answer<Order | null> {
    return this.#parts.ledger.order(orderId, this.#parts.clock.now());
  }

  /** Orders that operators look for, newest first, from behind `after`: of one user or of all, as far as one look goes. */
  async find({ userId, state, isPaidLate }: OrdersWanted, after: OrderId | null, limit: number): Promise<FoundOrders> {
    const { ledger, clock } = this.#parts;
    const now = clock.now();
    if (userId === null) return ledger.findOrders({ state, isPaidLate, after, limit, passedMax: ORDERS_PASSED_PER_LOOK }, now);
    const passed = await ledger.ordersOf(userId, after, LIST_CHUNK_ROWS, now);
    const orders = passed.filter((order) => isWanted(order, { state, isPaidLate })).slice(0, limit);
    const last = orders.length === limit ? orders.at(-1) : passed.length === LIST_CHUNK_ROWS ? passed.at(-1) : undefined;
    return { orders, next: last?.orderId ?? null };
  }

  /** A user's orders, newest first, from behind `after`. */
  ordersOf(userId: UserId, after: OrderId | null, limit: number): Answer<readonly Order[]> {
    return this.#parts.ledger.ordersOf(userId, after, limit, this.#parts.clock.now());
  }
}

/** A whole cart is the same request whatever was in it: when it is asked for again, the first order has emptied it. */
const isSameRequest = (order: Order, { userId }: Customer, skus: readonly Sku[] | null): boolean =>
  order.userId === userId &&
  (skus === null || (new Set(skus).size === order.items.length && order.items.every(({ sku }) => skus.includes(sku))));

/** What somebody holds, by SKU. */
type Held = ReadonlyMap<Sku, number>;

const hasAll = (cart: Held, before: Held): boolean => [...before.keys()].every((sku) => cart.has(sku));
