/**
 * The embedded ledger's records: goods, lines and orders, how they are found, and what is due when. It applies what was decided and tells the
 * journal; it decides nothing.
 *
 * A user's lines hang together as a list (a user has few, `LINES_PER_USER_MAX` at most), so that one map serves all users and all SKUs.
 */
import { assert } from "../../core/assert.ts";
import type { OrderId, SessionId, Sku, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import { goodsWith, isEmptyLine, ledgerTime } from "../decision.ts";
import { expireHold, expireOrder } from "../expire.ts";
import type { Goods, Line, Order } from "../ledger.ts";
import { DeadlineHeap } from "./deadline-heap.ts";
import type { Journal } from "./journal.ts";

/** One user's line of one SKU, in the list of that user's lines. It is the line's values itself: a million holds are a million objects less. */
export class Row implements Line {
  heapIndex = -1;
  /** Its row in the journal; 0 when nothing of it is saved. */
  rowId = 0;
  held = 0;
  heldUntil: UnixMs = 0;
  pending = 0;
  ordered = 0;
  userLevel: number | null = null;
  readonly userId: UserId;
  readonly sku: Sku;
  next: Row | null;
  constructor(userId: UserId, sku: Sku, line: Line, next: Row | null) {
    this.userId = userId;
    this.sku = sku;
    this.next = next;
    this.set(line);
  }

  set(line: Line): void {
    this.held = line.held;
    this.heldUntil = line.heldUntil;
    this.pending = line.pending;
    this.ordered = line.ordered;
    this.userLevel = line.userLevel;
  }
}

class OrderRow {
  heapIndex = -1;
  order: Order;
  constructor(order: Order) {
    this.order = order;
  }
}

class Shelf {
  goods: Goods;
  readonly due = new DeadlineHeap<Row | OrderRow>();
  constructor(goods: Goods) {
    this.goods = goods;
  }
}

// A tab cannot be part of an id.
const orderKey = (orderId: OrderId, sku: Sku): string => `${orderId}\t${sku}`;
// An unpaid order keeps its line's row, and with it the session of the hold, which comes back if the payment fails.
const needsRow = (line: Line): boolean => !isEmptyLine(line);

export class Shelves {
  readonly #journal: Journal;
  readonly #shelves = new Map<Sku, Shelf>();
  readonly #users = new Map<UserId, Row>();
  readonly #orders = new Map<string, OrderRow>();
  /** Goods that changed in this turn; saved once at its end. */
  readonly #changed = new Set<Shelf>();
  /** What a deadline has ended and the journal still has. */
  #ended: (Row | OrderRow)[] = [];
  #lastRowId = 0;
  #linesWalked = 0;
  #shelfCursor = this.#shelves.values();
  #orderCursor = this.#orders.values();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  get size(): number {
    return this.#shelves.size;
  }
  get users(): number {
    return this.#users.size;
  }
  get endedRows(): number {
    return this.#ended.length;
  }
  /** How many lines the last `find` that found nothing has passed: all that the user has. */
  get linesWalked(): number {
    return this.#linesWalked;
  }

  /** The goods at `now`, after everything due has ended. */
  goodsAt(sku: Sku, now: UnixMs): Goods | null {
    const shelf = this.#shelves.get(sku);
    if (!shelf) return null;
    const at = ledgerTime(shelf.goods, now);
    if (shelf.due.earliest() <= at) this.#expireDue(shelf, at);
    return shelf.goods;
  }

  find(userId: UserId, sku: Sku): Row | null {
    this.#linesWalked = 0;
    for (let row = this.firstOf(userId); row; row = row.next) {
      if (row.sku === sku) return row;
      this.#linesWalked += 1;
    }
    return null;
  }

  /** How many SKUs the user has a line of at `now`; what has ended and was not swept yet does not count. */
  liveLinesOf(userId: UserId, now: UnixMs): number {
    let live = 0;
    for (let row = this.firstOf(userId); row; row = row.next) {
      this.goodsAt(row.sku, now);
      if (!isEmptyLine(row)) live += 1;
    }
    return live;
  }

  firstOf(userId: UserId): Row | null {
    return this.#users.get(userId) ?? null;
  }

  orderOf(orderId: OrderId, sku: Sku): OrderRow | null {
    return this.#orders.get(orderKey(orderId, sku)) ?? null;
  }

  setGoods(sku: Sku, goods: Goods | null): void {
    const shelf = this.#shelves.get(sku);
    if (goods === null) {
      if (!shelf) return;
      assert(shelf.due.size === 0, "goods with holds or unpaid orders are not removed");
      // What has lapsed is dead by these goods' clock alone; if they come back, theirs may be earlier.
      this.#removeEndedOf(sku);
      this.#shelves.delete(sku);
      this.#changed.delete(shelf);
      this.#journal.removeGoods(sku);
      return;
    }
    assert(goods.frozen >= 0 && goods.frozen <= goods.onHand, "frozen is between nothing and all on hand");
    assert(goods.sold + goods.onHand === goods.stocked, "sold and on hand are what was stocked");
    if (shelf) {
      shelf.goods = goods;
      this.#changed.add(shelf);
    } else {
      const added = new Shelf(goods);
      this.#shelves.set(sku, added);
      this.#changed.add(added);
    }
  }

  /** @param row the user's line as `find` has found it */
  setLine(sku: Sku, userId: UserId, row: Row | null, line: Line, sessionId: SessionId | null): void {
    const heldBefore = row?.held ?? 0;
    const heldUntilBefore = row?.heldUntil ?? 0;
    const target = row ?? this.#addRow(sku, userId, line);
    target.set(line);
    if (heldUntilBefore !== line.heldUntil) this.#schedule(target, line.heldUntil);
    if (!needsRow(line)) {
      if (target.rowId !== 0) this.#journal.removeLine(target.rowId);
      target.rowId = 0;
    } else if (target.rowId === 0) {
      this.#lastRowId += 1;
      target.rowId = this.#lastRowId;
      this.#journal.addLine(target.rowId, sku, userId, line, sessionId);
    } else {
      // A hold that is added to keeps the session that began it.
      const beginsHold = line.held > 0 && heldBefore === 0;
      this.#journal.changeLine(target.rowId, line, beginsHold ? sessionId : null);
    }
    if (isEmptyLine(line)) this.#removeRow(target);
  }

  setOrder(order: Order): void {
    const key = orderKey(order.orderId, order.sku);
    const row = this.#orders.get(key) ?? new OrderRow(order);
    row.order = order;
    this.#orders.set(key, row);
    this.#scheduleOrder(row);
    this.#journal.saveOrder(order);
  }

  /** Saves the goods that changed in this turn. */
  saveGoods(): void {
    if (this.#changed.size === 0) return;
    for (const shelf of this.#changed) this.#journal.saveGoods(shelf.goods);
    this.#changed.clear();
  }

  // --- After a restart -----------------------------------------------------------------------------------------------------

  restoreGoods(goods: Goods): void {
    this.#shelves.set(goods.sku, new Shelf(goods));
  }

  restoreLine(rowId: number, sku: Sku, userId: UserId, line: Line): void {
    const row = this.#addRow(sku, userId, line);
    row.rowId = rowId;
    this.#lastRowId = Math.max(this.#lastRowId, rowId);
    if (line.held === 0) return;
    const clock = this.#shelves.get(sku)?.goods.clock ?? Number.POSITIVE_INFINITY;
    if (line.heldUntil <= clock) this.#endHold(row, clock);
    else this.#schedule(row, line.heldUntil);
  }

  restoreOrder(order: Order): void {
    const row = new OrderRow(order);
    this.#orders.set(orderKey(order.orderId, order.sku), row);
    if (order.state !== "payment-pending") return;
    const pendingRow =
      this.find(order.userId, order.sku) ??
      this.#addRow(order.sku, order.userId, { held: 0, heldUntil: 0, pending: 0, ordered: 0, userLevel: null });
    pendingRow.pending += order.quantity;
    const clock = this.#shelves.get(order.sku)?.goods.clock ?? Number.POSITIVE_INFINITY;
    if (order.payUntil <= clock) this.#endOrder(row, clock);
    else this.#scheduleOrder(row);
  }

  /** The saved `frozen` of all goods must be what their live holds and unpaid orders add up to. */
  checkRestored(): void {
    const frozen = new Map<Sku, number>();
    for (const first of this.#users.values()) {
      for (let row: Row | null = first; row; row = row.next) {
        const quantity = row.held + row.pending;
        if (quantity > 0) frozen.set(row.sku, (frozen.get(row.sku) ?? 0) + quantity);
      }
    }
    for (const { goods } of this.#shelves.values()) {
      assert(goods.frozen === (frozen.get(goods.sku) ?? 0), `frozen of ${goods.sku} is the sum of its live holds and unpaid orders`);
      assert(goods.frozen <= goods.onHand, `frozen of ${goods.sku} never exceeds what is on hand`);
      assert(goods.sold + goods.onHand === goods.stocked, `sold and on hand of ${goods.sku} are what was stocked`);
    }
  }

  // --- What is due ---------------------------------------------------------------------------------------------------------

  /** Ends what is due for the next so many SKUs, round and round. */
  expireSome(now: UnixMs, skusMax: number): void {
    for (let count = Math.min(skusMax, this.#shelves.size); count > 0; count -= 1) {
      let next = this.#shelfCursor.next();
      if (next.done) {
        this.#shelfCursor = this.#shelves.values();
        next = this.#shelfCursor.next();
      }
      if (!next.done) this.goodsAt(next.value.goods.sku, now);
    }
  }

  /** Removes the rows of up to `rowsMax` holds and orders that their deadline has ended; returns how many. Within a turn. */
  removeEnded(rowsMax: number): number {
    let removed = 0;
    while (removed < rowsMax) {
      const ended = this.#ended.pop();
      if (!ended) break;
      removed += 1;
      this.#removeOneEnded(ended);
    }
    return removed;
  }

  #removeOneEnded(ended: Row | OrderRow): void {
    if (ended instanceof OrderRow) this.#saveEndedOrder(ended);
    // The user may have a new hold by now, and then the row is its row.
    else if (ended.held === 0) this.setLine(ended.sku, ended.userId, ended, ended, null);
  }

  #removeEndedOf(sku: Sku): void {
    const others = this.#ended.filter((ended) => (ended instanceof OrderRow ? ended.order.sku : ended.sku) !== sku);
    if (others.length === this.#ended.length) return;
    for (const ended of this.#ended) if ((ended instanceof OrderRow ? ended.order.sku : ended.sku) === sku) this.#removeOneEnded(ended);
    this.#ended = others;
  }

  /** Forgets orders that ended before `before`, looking at `ordersMax` of them, round and round. */
  forgetSomeOrders(before: UnixMs, ordersMax: number): void {
    for (let count = Math.min(ordersMax, this.#orders.size); count > 0; count -= 1) {
      let next = this.#orderCursor.next();
      if (next.done) {
        this.#orderCursor = this.#orders.values();
        next = this.#orderCursor.next();
      }
      if (next.done) return;
      const { order } = next.value;
      // A refund that is due stays until somebody has acted on it.
      if (order.state === "payment-pending" || order.state === "refund-due" || order.since >= before) continue;
      this.#orders.delete(orderKey(order.orderId, order.sku));
      this.#ended.push(next.value);
    }
  }

  #expireDue(shelf: Shelf, at: UnixMs): void {
    let freed = 0;
    while (shelf.due.earliest() <= at) {
      const due = shelf.due.pop();
      freed += due instanceof OrderRow ? this.#endOrder(due, at) : this.#endHold(due, at);
    }
    this.setGoods(shelf.goods.sku, goodsWith(shelf.goods, shelf.goods.frozen - freed, at));
  }

  #endHold(row: Row, at: UnixMs): number {
    const freed = row.held;
    row.set(expireHold(row, at));
    this.#ended.push(row);
    return freed;
  }

  #endOrder(orderRow: OrderRow, at: UnixMs): number {
    const { order } = orderRow;
    const row = this.find(order.userId, order.sku);
    assert(row !== null && row.pending >= order.quantity, "an unpaid order counts as pending for its user");
    const expired = expireOrder(row, order, at);
    row.set(expired.line);
    orderRow.order = expired.order;
    this.#ended.push(orderRow, row);
    return order.quantity;
  }

  #saveEndedOrder(row: OrderRow): void {
    const { order } = row;
    // Its id may name a new order by now, and then what is on disk is that one's.
    if ((this.#orders.get(orderKey(order.orderId, order.sku)) ?? row) !== row) return;
    const isKept = this.#orders.has(orderKey(order.orderId, order.sku));
    if (isKept) this.#journal.saveOrder(order);
    else this.#journal.removeOrder(order.orderId, order.sku);
  }

  #schedule(row: Row, heldUntil: UnixMs): void {
    const due = this.#shelves.get(row.sku)?.due;
    if (row.heapIndex >= 0) due?.remove(row);
    if (heldUntil > 0) {
      assert(due !== undefined, "only goods that exist are held");
      due.push(row, heldUntil);
    }
  }

  #scheduleOrder(row: OrderRow): void {
    const due = this.#shelves.get(row.order.sku)?.due;
    if (row.heapIndex >= 0) due?.remove(row);
    if (row.order.state === "payment-pending") due?.push(row, row.order.payUntil);
  }

  #addRow(sku: Sku, userId: UserId, line: Line): Row {
    // One string per SKU, whichever request it came from: a million holds share it.
    const shared = this.#shelves.get(sku)?.goods.sku ?? sku;
    const row = new Row(userId, shared, line, this.#users.get(userId) ?? null);
    this.#users.set(userId, row);
    return row;
  }

  #removeRow(row: Row): void {
    const first = this.#users.get(row.userId) as Row;
    if (first === row) {
      if (row.next) this.#users.set(row.userId, row.next);
      else this.#users.delete(row.userId);
      return;
    }
    let before: Row | null = first;
    while (before && before.next !== row) before = before.next;
    if (before) before.next = row.next;
  }
}
