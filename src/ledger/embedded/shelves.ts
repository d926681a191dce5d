/**
 * The embedded ledger's records: goods and lines, how they are found, and what is due when. It applies what was decided and tells the
 * journal; it decides nothing. Orders stand in `order-book.ts`; what they freeze stands here.
 *
 * What is frozen of a SKU is never saved: it is what the saved holds and unpaid orders add up to. So a hold writes one row, its own, which
 * also carries the SKU's clock; a purchase at one of a hundred thousand SKUs costs no more than one at the only one.
 *
 * A hold that its deadline has ended keeps its row until the line is saved again or swept, and the end is told then, because then it is durable.
 * Until then the line's row id is negative.
 */
import { assert } from "../../core/assert.ts";
import type { SessionId, Sku, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import { EMPTY_LINE, goodsWith, isEmptyLine, ledgerTime, lineWith } from "../decision.ts";
import type { Goods, Line, Order } from "../ledger.ts";
import { DeadlineHeap } from "./deadline-heap.ts";
import type { Journal, SavedGoods, SavedOrder } from "./journal.ts";
import { type LineId, LineTable, NO_LINE } from "./line-table.ts";
import { type Emit, OrderBook } from "./order-book.ts";

/** A SKU that has goods, or lines though it has none: an operator may record orders of anything. */
interface Shelf {
  readonly id: number;
  readonly sku: Sku;
  goods: Goods | null;
  /** Lines by number, items of unpaid orders by `-1 - number`. */
  readonly due: DeadlineHeap;
  lines: number;
}

export interface LineOfUser {
  readonly sku: Sku;
  readonly rowId: number;
  readonly line: Line;
}

export class Shelves {
  readonly orders: OrderBook;
  readonly #journal: Journal;
  readonly #emit: Emit | null;
  readonly #lines: LineTable;
  readonly #bySku = new Map<Sku, Shelf>();
  /** By number; the numbers of shelves that are gone are used again. */
  readonly #byId: (Shelf | null)[] = [];
  readonly #freeIds: number[] = [];
  /** Goods that changed in this turn; saved once at its end. */
  readonly #changed = new Set<Shelf>();
  /** What a deadline has ended and the journal still has. */
  #endedLines: LineId[] = [];
  #goodsCount = 0;
  #lastRowId = 0;
  #linesWalked = 0;
  #shelfCursor = 0;

  constructor(journal: Journal, emit: Emit | null) {
    this.#journal = journal;
    this.#emit = emit;
    this.orders = new OrderBook(journal, emit);
    this.#lines = new LineTable((text) => journal.hashOf(text));
  }

  /** SKUs that have goods. */
  get size(): number {
    return this.#goodsCount;
  }
  get users(): number {
    return this.#lines.users;
  }
  get endedRows(): number {
    return this.#endedLines.length + this.orders.endedRows;
  }
  /** How many lines the last `find` that found nothing has passed: all that the user has. */
  get linesWalked(): number {
    return this.#linesWalked;
  }

  /** The goods at `now`, after everything due has ended. */
  goodsAt(sku: Sku, now: UnixMs): Goods | null {
    const shelf = this.#bySku.get(sku);
    return shelf ? this.#goodsOf(shelf, now) : null;
  }

  find(userId: UserId, sku: Sku): LineId {
    this.#linesWalked = 0;
    const shelf = this.#bySku.get(sku);
    for (let line = this.#lines.firstOf(userId); line !== NO_LINE; line = this.#lines.nextOf(line)) {
      if (shelf?.id === this.#lines.shelfOf(line)) return line;
      this.#linesWalked += 1;
    }
    return NO_LINE;
  }

  lineOf(line: LineId): Line {
    return line === NO_LINE ? EMPTY_LINE : this.#lines.lineOf(line);
  }

  /** All lines of a user as they are at `now`, newest first; what has ended and was not swept yet may be among them, empty. */
  *linesOf(userId: UserId, now: UnixMs): Iterable<LineOfUser> {
    for (let id = this.#lines.firstOf(userId); id !== NO_LINE; id = this.#lines.nextOf(id)) {
      const shelf = this.#shelfOf(id);
      this.#goodsOf(shelf, now);
      yield { sku: shelf.sku, rowId: this.#lines.rowIdOf(id), line: this.#lines.lineOf(id) };
    }
  }

  /** The time of these SKUs together: the latest that any of them has seen. */
  timeOf(skus: readonly Sku[], now: UnixMs): UnixMs {
    return skus.reduce((latest, sku) => ledgerTime(this.#bySku.get(sku)?.goods ?? null, latest), now);
  }

  /** @param isSaved whether the goods' own row changes; a hold's row says all that a hold changes */
  setGoods(sku: Sku, goods: Goods | null, isSaved: boolean): void {
    if (goods === null) {
      this.#removeGoods(sku);
      return;
    }
    assert(goods.frozen >= 0 && goods.frozen <= goods.onHand, "frozen is between nothing and all on hand");
    assert(goods.pending >= 0 && goods.pending <= goods.frozen, "what is to be paid is frozen");
    assert(goods.sold + goods.onHand === goods.stocked, "sold and on hand are what was stocked");
    const shelf = this.#bySku.get(sku) ?? this.#addShelf(sku);
    if (shelf.goods === null) this.#goodsCount += 1;
    shelf.goods = goods;
    if (isSaved) this.#changed.add(shelf);
  }

  /** @param found the user's line as `find` has found it */
  setLine(sku: Sku, userId: UserId, found: LineId, line: Line, sessionId: SessionId | null): void {
    const before = this.lineOf(found);
    const id = found === NO_LINE ? this.#addLine(sku, userId) : found;
    this.#lines.setLine(id, line);
    if (before.heldUntil !== line.heldUntil) this.#schedule(id, line.heldUntil);
    this.#saveLine(id, line, before.held === 0 && line.held > 0 ? sessionId : null);
    if (isEmptyLine(line)) this.#removeLine(id);
  }

  placeOrder(order: Order): void {
    this.orders.place(order, this.#heapOf);
  }

  /** Saves the goods that changed in this turn. */
  saveGoods(): void {
    if (this.#changed.size === 0) return;
    for (const { goods } of this.#changed) if (goods) this.#journal.saveGoods(goods);
    this.#changed.clear();
  }

  // --- After a restart: goods first, then lines, then orders ----------------------------------------------------------------

  restoreGoods(saved: SavedGoods): void {
    const shelf = this.#addShelf(saved.sku);
    shelf.goods = { ...saved, frozen: 0, pending: 0 };
    this.#goodsCount += 1;
  }

  /** @param at the SKU's clock when the line was saved */
  restoreLine(rowId: number, sku: Sku, userId: UserId, line: Line, at: UnixMs): void {
    const id = this.#addLine(sku, userId);
    this.#lines.setLine(id, line);
    this.#lines.setRowId(id, rowId);
    this.#lastRowId = Math.max(this.#lastRowId, rowId);
    // The row of an order that was over, unless it still is unpaid; the sweeper finds out.
    if (isEmptyLine(line)) this.#endedLines.push(id);
    const shelf = this.#shelfOf(id);
    if (!shelf.goods) assert(line.held === 0, `what is held of ${sku} exists`);
    else if (line.held > 0) {
      shelf.goods = goodsWith(shelf.goods, shelf.goods.frozen + line.held, Math.max(shelf.goods.clock, at));
      this.#schedule(id, line.heldUntil);
    }
  }

  restoreOrder(saved: SavedOrder): void {
    const { order } = saved;
    for (const { sku, quantity } of order.items) {
      const found = this.find(order.userId, sku);
      const id = found === NO_LINE ? this.#addLine(sku, order.userId) : found;
      const line = this.#lines.lineOf(id);
      this.#lines.setLine(id, lineWith(line, line.held, line.heldUntil, line.pending + quantity));
      const shelf = this.#shelfOf(id);
      assert(shelf.goods !== null, `what is to be paid of ${sku} exists`);
      const { frozen, pending, clock } = shelf.goods;
      shelf.goods = goodsWith(shelf.goods, frozen + quantity, clock, pending + quantity);
    }
    this.orders.restore(saved, this.#heapOf);
  }

  /** Ends what was dead by its SKU's clock before, and checks what is left. */
  finishRestore(): void {
    const shelves = [...this.#bySku.values()];
    // One SKU's clock can end an order that freezes goods of another, so everything ends before anything is checked.
    for (const shelf of shelves) if (shelf.goods) this.#goodsOf(shelf, shelf.goods.clock);
    for (const { goods } of shelves) {
      if (!goods) continue;
      assert(goods.frozen <= goods.onHand, `frozen of ${goods.sku} never exceeds what is on hand`);
      assert(goods.sold + goods.onHand === goods.stocked, `sold and on hand of ${goods.sku} are what was stocked`);
    }
  }

  // --- What is due ---------------------------------------------------------------------------------------------------------

  /** Ends what is due for the next `skusMax` SKUs, round and round, stopping early once `endedMax` have ended. True: there is more. */
  expireSome(now: UnixMs, skusMax: number, endedMax: number): boolean {
    const endedBefore = this.endedRows;
    for (let count = Math.min(skusMax, this.#byId.length); count > 0; count -= 1) {
      this.#shelfCursor = (this.#shelfCursor + 1) % this.#byId.length;
      const shelf = this.#byId[this.#shelfCursor];
      if (shelf) this.#goodsOf(shelf, now);
      if (this.endedRows - endedBefore >= endedMax) return true;
    }
    return false;
  }

  /** Removes the rows of up to `rowsMax` holds and orders that their deadline has ended; returns how many. Within a turn. */
  removeEnded(rowsMax: number): number {
    let removed = this.orders.saveExpired(rowsMax);
    for (; removed < rowsMax && this.#endedLines.length > 0; removed += 1) this.#saveEndedLine(this.#endedLines.pop() as LineId);
    return removed;
  }

  #goodsOf(shelf: Shelf, now: UnixMs): Goods | null {
    const at = ledgerTime(shelf.goods, now);
    if (shelf.due.earliest() <= at) this.#expireDue(shelf, at);
    return shelf.goods;
  }

  /** Ends what is due of one SKU by `now`. An order that ends there ends as a whole, so its other SKUs have seen that time too, and what is due
   *  of those ends as well, and so on: it makes no difference which of them somebody has looked at. */
  #expireDue(first: Shelf, now: UnixMs): void {
    const seen = [first];
    for (const shelf of seen) {
      assert(shelf.goods !== null, "only goods that exist are held");
      const at = ledgerTime(shelf.goods, now);
      let held = 0;
      let pending = 0;
      shelf.due.takeDue(at, (item) => {
        if (item >= 0) held += this.#endHold(item);
        else pending += this.#endOrder(-1 - item, shelf, at, seen);
      });
      const { goods } = shelf;
      this.setGoods(shelf.sku, goodsWith(goods, goods.frozen - held - pending, at, goods.pending - pending), true);
    }
  }

  #endHold(id: LineId): number {
    this.#endedLines.push(id);
    this.#lines.setRowId(id, -this.#lines.rowIdOf(id));
    return this.#lines.endHold(id);
  }

  /** The deadline of an order has come at one of its shelves, `here`: all its items are free. Returns how many of those on that shelf.
   *  @param seen gets those of the order's other shelves that have not seen that time */
  #endOrder(itemNumber: number, here: Shelf, at: UnixMs, seen: Shelf[]): number {
    const { userId, items, payUntil } = this.orders.expire(itemNumber, at);
    let freed = 0;
    for (const { sku, quantity } of items) {
      const id = this.find(userId, sku);
      const line = this.lineOf(id);
      assert(line.pending >= quantity, "an unpaid order counts as pending for its user");
      this.#lines.setLine(id, lineWith(line, line.held, line.heldUntil, line.pending - quantity));
      this.#endedLines.push(id);
      const shelf = this.#shelfOf(id);
      if (shelf === here) {
        freed = quantity;
        continue;
      }
      assert(shelf.goods !== null, "goods with an unpaid order cannot be removed");
      const { frozen, pending, clock } = shelf.goods;
      this.setGoods(sku, goodsWith(shelf.goods, frozen - quantity, clock, pending - quantity), true);
      // After a restart the others may have seen it before; their time is their own then.
      if (shelf.goods.clock < payUntil) seen.push(shelf);
    }
    return freed;
  }

  #saveEndedLine(id: LineId): void {
    // The number may stand for another line by now, or for none; a user's new hold is saved already.
    if (this.#lines.isFree(id) || this.#lines.heldOf(id) > 0) return;
    const line = this.#lines.lineOf(id);
    this.#saveLine(id, line, null);
    if (isEmptyLine(line)) this.#removeLine(id);
  }

  #removeGoods(sku: Sku): void {
    const shelf = this.#bySku.get(sku);
    if (!shelf?.goods) return;
    assert(shelf.due.size === 0, "goods with holds or unpaid orders are not removed");
    // What has lapsed is dead by these goods' clock alone; if they come back, theirs may be earlier.
    const isOfThese = (id: LineId): boolean => !this.#lines.isFree(id) && this.#shelfOf(id) === shelf;
    const ended = this.#endedLines;
    this.#endedLines = ended.filter((id) => !isOfThese(id));
    for (const id of ended) if (isOfThese(id)) this.#saveEndedLine(id);
    this.orders.saveExpiredOf(sku);
    shelf.goods = null;
    this.#goodsCount -= 1;
    this.#changed.delete(shelf);
    this.#journal.removeGoods(sku);
    this.#dropIfUnused(shelf);
  }

  // --- Lines, orders and shelves as such -----------------------------------------------------------------------------------

  #saveLine(id: LineId, line: Line, sessionId: SessionId | null): void {
    const { sku, goods } = this.#shelfOf(id);
    const rowId = this.#rowAsOfNow(id, sku);
    const at = goods?.clock ?? 0;
    // An unpaid order keeps its line's row, and with it the session of the hold, which comes back if the payment fails.
    if (isEmptyLine(line)) {
      if (rowId !== 0) this.#journal.removeLine(rowId);
      this.#lines.setRowId(id, 0);
    } else if (rowId !== 0) this.#journal.changeLine(rowId, line, sessionId, at);
    else {
      this.#lastRowId += 1;
      this.#lines.setRowId(id, this.#lastRowId);
      this.#journal.addLine(this.#lastRowId, sku, this.#lines.userOf(id), line, sessionId, at);
    }
  }

  /** The line's row, 0 when there is none. If it still shows a hold that its deadline has ended, that is told now, because it is about to be
   *  overwritten. */
  #rowAsOfNow(id: LineId, sku: Sku): number {
    const rowId = this.#lines.rowIdOf(id);
    if (rowId >= 0) return rowId;
    this.#lines.setRowId(id, -rowId);
    if (this.#emit) {
      const { held, heldUntil } = this.#journal.readHold(-rowId);
      this.#emit({ type: "hold.expired", at: heldUntil, sku, userId: this.#lines.userOf(id), quantity: held });
    }
    return -rowId;
  }

  #addLine(sku: Sku, userId: UserId): LineId {
    const shelf = this.#bySku.get(sku) ?? this.#addShelf(sku);
    shelf.lines += 1;
    return this.#lines.add(userId, shelf.id);
  }

  #removeLine(id: LineId): void {
    const shelf = this.#shelfOf(id);
    this.#lines.remove(id);
    shelf.lines -= 1;
    this.#dropIfUnused(shelf);
  }

  #schedule(id: LineId, heldUntil: UnixMs): void {
    const { due } = this.#shelfOf(id);
    const index = this.#lines.heapIndexOf(id);
    if (index >= 0) due.removeAt(index);
    if (heldUntil > 0) due.push(id, heldUntil);
  }

  #shelfOf(id: LineId): Shelf {
    return this.#byId[this.#lines.shelfOf(id)] as Shelf;
  }

  #addShelf(sku: Sku): Shelf {
    const id = this.#freeIds.pop() ?? this.#byId.length;
    const due = new DeadlineHeap(this.#moved);
    const shelf: Shelf = { id, sku, goods: null, due, lines: 0 };
    this.#byId[id] = shelf;
    this.#bySku.set(sku, shelf);
    return shelf;
  }

  readonly #moved = (item: number, index: number): void => {
    if (item >= 0) this.#lines.setHeapIndex(item, index);
    else this.orders.moved(-1 - item, index);
  };

  readonly #heapOf = (sku: Sku): DeadlineHeap => {
    const shelf = this.#bySku.get(sku);
    assert(shelf !== undefined, "an unpaid order is of goods that exist");
    return shelf.due;
  };

  #dropIfUnused(shelf: Shelf): void {
    if (shelf.goods !== null || shelf.lines > 0) return;
    this.#bySku.delete(shelf.sku);
    this.#byId[shelf.id] = null;
    this.#freeIds.push(shelf.id);
  }
}
