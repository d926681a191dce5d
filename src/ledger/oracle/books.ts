/**
 * What the oracle has written down: lists of what happened, added up whenever somebody asks. It has no counters, no indexes and no sweeper, so
 * that it is plainly right.
 */
import type { OrderId, SessionId, Sku, UserId } from "../../core/ids.ts";
import type { Cents } from "../../core/money.ts";
import type { UnixMs } from "../../core/time.ts";
import type { LedgerEvent, Order, OrderState } from "../ledger.ts";

/** Something of one user and one SKU. */
export interface OfUser {
  readonly sku: Sku;
  readonly userId: UserId;
}
/** Goods in the window. What is left of them is `stocked` less everything sold. */
export interface Shelf {
  readonly sku: Sku;
  stocked: number;
  priceCents: Cents;
  /** Every moment at which something about these goods happened. */
  readonly moments: UnixMs[];
}
/** One user's hold of one SKU. */
interface Hold extends OfUser {
  quantity: number;
  until: UnixMs;
  readonly sessionId: SessionId;
}
/** An order; what is written on it changes. */
export interface Paper {
  order: Order;
}
interface Sale {
  readonly sku: Sku;
  readonly quantity: number;
}
/** Something a user has, bought or written down by an operator. */
interface Possession extends OfUser {
  readonly quantity: number;
}
/** A purchase that began a hold. */
interface Purchase extends OfUser {
  readonly sessionId: SessionId;
}
interface Level extends OfUser {
  readonly userLevel: number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
export const isOf =
  ({ sku, userId }: OfUser) =>
  (thing: OfUser): boolean =>
    thing.sku === sku && thing.userId === userId;

export class Books {
  shelves: Shelf[] = [];
  holds: Hold[] = [];
  papers: Paper[] = [];
  sales: Sale[] = [];
  possessions: Possession[] = [];
  levels: Level[] = [];
  readonly purchases: Purchase[] = [];
  /** Everything that somebody should have heard of. */
  readonly events: LedgerEvent[] = [];

  shelfOf = (sku: Sku): Shelf | undefined => this.shelves.find((shelf) => shelf.sku === sku);
  holdOf = (of: OfUser): Hold | undefined => this.holds.find(isOf(of));
  paperOf = (orderId: OrderId): Paper | undefined => this.papers.find(({ order }) => order.orderId === orderId);

  // --- Sums ----------------------------------------------------------------------------------------------------------------

  sold = (sku: Sku): number => sum(this.sales.filter((sale) => sale.sku === sku).map(({ quantity }) => quantity));
  onHand = (shelf: Shelf): number => shelf.stocked - this.sold(shelf.sku);
  free = (sku: Sku): number => {
    const shelf = this.shelfOf(sku);
    return shelf ? this.onHand(shelf) - this.frozen(sku) : 0;
  };
  ordered = (of: OfUser): number => sum(this.possessions.filter(isOf(of)).map(({ quantity }) => quantity));
  pending = (of: OfUser): number =>
    sum(
      this.#unpaid()
        .filter(isOf(of))
        .map(({ quantity }) => quantity),
    );
  unpaid(sku: Sku): number {
    return sum(
      this.#unpaid()
        .filter((part) => part.sku === sku)
        .map(({ quantity }) => quantity),
    );
  }
  frozen(sku: Sku): number {
    return sum([...this.holds, ...this.#unpaid()].filter((part) => part.sku === sku).map(({ quantity }) => quantity));
  }

  /** Whatever counts against a limit: paid, unpaid and frozen. */
  everything(of: OfUser): number {
    return (this.holdOf(of)?.quantity ?? 0) + this.pending(of) + this.ordered(of);
  }

  /** The SKUs of which this user has anything at `at`. */
  skusOf(userId: UserId, at: UnixMs): Sku[] {
    const holds = this.holds.filter(({ until }) => until > at);
    const unpaid = this.#unpaid().filter(({ payUntil }) => payUntil > at);
    const things: OfUser[] = [...holds, ...unpaid, ...this.possessions, ...this.levels];
    return [...new Set(things.filter((thing) => thing.userId === userId).map(({ sku }) => sku))];
  }

  /** The latest purchase that began a hold. */
  sessionOf(of: OfUser): SessionId {
    return (this.purchases.filter(isOf(of)).at(-1) as Purchase).sessionId;
  }

  /** Every item of every unpaid order. */
  #unpaid() {
    const orders = this.papers.map(({ order }) => order).filter(({ state }) => state === "payment-pending");
    return orders.flatMap(({ items, userId, payUntil }) => items.map(({ sku, quantity }) => ({ sku, userId, quantity, payUntil })));
  }

  // --- What happens --------------------------------------------------------------------------------------------------------

  tell(event: LedgerEvent): void {
    this.events.push(event);
  }

  /** Does something about these goods, and tells when the last of them went with it. */
  watching<T>(skus: readonly Sku[], at: UnixMs, act: () => T): T {
    const hadSome = skus.filter((sku) => this.free(sku) > 0);
    const result = act();
    for (const sku of hadSome) if (this.shelfOf(sku) && this.free(sku) === 0) this.tell({ type: "goods.sold-out", at, sku });
    return result;
  }

  dropHold(of: OfUser): void {
    this.holds = this.holds.filter((hold) => !isOf(of)(hold));
  }

  end(paper: Paper, state: OrderState, since: UnixMs, payment: Order["payment"] = null): Order {
    paper.order = { ...paper.order, state, since, payment };
    this.tell({ type: `order.${state as Exclude<OrderState, "payment-pending">}`, at: since, order: paper.order });
    return paper.order;
  }

  // --- Time ----------------------------------------------------------------------------------------------------------------

  happened(sku: Sku, at: UnixMs): void {
    this.shelfOf(sku)?.moments.push(at);
  }

  /** The latest time that any of these goods has seen. */
  latest = (skus: readonly Sku[], now: UnixMs): UnixMs => Math.max(now, ...skus.flatMap((sku) => this.shelfOf(sku)?.moments ?? []));

  /** What time it is for these goods; whatever is over by then is struck off the lists. Their time never goes back. */
  timeOf(sku: Sku, now: UnixMs): UnixMs {
    const at = this.latest([sku], now);
    const over = this.holds.filter((hold) => hold.sku === sku && hold.until <= at);
    const overdue = this.papers.filter(
      ({ order }) => order.state === "payment-pending" && order.payUntil <= at && order.items.some((item) => item.sku === sku),
    );
    if (overdue.length + over.length > 0) this.happened(sku, at);
    for (const paper of overdue) {
      this.end(paper, "expired", paper.order.payUntil);
      // An order is one thing: all its goods have seen its end.
      for (const item of paper.order.items) this.happened(item.sku, at);
    }
    for (const { userId, quantity, until } of over) this.tell({ type: "hold.expired", at: until, sku, userId, quantity });
    this.holds = this.holds.filter((hold) => !over.includes(hold));
    for (const { order } of overdue) for (const item of order.items) this.timeOf(item.sku, at);
    return at;
  }
}
