/**
 * The orders that memory must know: those that are unpaid, and those that their deadline has ended while the journal still calls them unpaid. All
 * others are at their end, and are read from the journal when somebody asks; so memory and a restart cost what is unpaid, not what was ever
 * sold.
 */
import { assert } from "../../core/assert.ts";
import type { OrderId, Sku } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import { expireOrder } from "../expire.ts";
import type { LedgerEvent, Order } from "../ledger.ts";
import type { DeadlineHeap } from "./deadline-heap.ts";
import type { Journal, SavedOrder } from "./journal.ts";

export type Emit = (event: LedgerEvent) => void;

interface Entry {
  readonly row: number;
  order: Order;
  readonly items: readonly Due[];
}

/** One item of an unpaid order among the deadlines of its SKU. */
interface Due {
  readonly entry: Entry;
  readonly number: number;
  readonly heap: DeadlineHeap;
  heapIndex: number;
}

export class OrderBook {
  readonly #journal: Journal;
  readonly #emit: Emit | null;
  readonly #byId = new Map<OrderId, Entry>();
  readonly #byNumber = new Map<number, Due>();
  /** Expired in memory, unpaid on disk. */
  #expired: Entry[] = [];
  #lastNumber = 0;

  constructor(journal: Journal, emit: Emit | null) {
    this.#journal = journal;
    this.#emit = emit;
  }

  /** Orders whose end is not saved yet. */
  get endedRows(): number {
    return this.#expired.length;
  }

  /** The order as memory or else the journal has it; whether it is due by now, its SKUs' shelves know. */
  find(orderId: OrderId): Order | null {
    return this.#byId.get(orderId)?.order ?? this.#journal.readOrder(orderId)?.order ?? null;
  }

  /** @param heapOf where the deadlines of a SKU are; an item stands in it as `-1 - number` */
  place(order: Order, heapOf: (sku: Sku) => DeadlineHeap): void {
    this.restore({ row: this.#journal.addOrder(order), order }, heapOf);
    this.#tell(order);
  }

  restore({ row, order }: SavedOrder, heapOf: (sku: Sku) => DeadlineHeap): void {
    assert(order.state === "payment-pending", "only an unpaid order is kept in memory");
    const items: Due[] = [];
    const entry: Entry = { row, order, items };
    for (const { sku } of order.items) {
      this.#lastNumber += 1;
      items.push({ entry, number: this.#lastNumber, heap: heapOf(sku), heapIndex: -1 });
    }
    this.#byId.set(order.orderId, entry);
    for (const due of items) {
      this.#byNumber.set(due.number, due);
      due.heap.push(-1 - due.number, order.payUntil);
    }
  }

  /** The order has come to an end by a command. Within a turn. */
  end(order: Order): void {
    const entry = this.#byId.get(order.orderId);
    if (entry) {
      if (entry.order.state === "expired") this.#tell(entry.order);
      else this.#leaveHeaps(entry);
      this.#byId.delete(order.orderId);
    }
    this.#journal.endOrder(entry?.row ?? this.#savedRowOf(order), order);
    this.#tell(order);
  }

  /** The item's SKU has seen its deadline: the order expires as a whole. Returns it as it is then.
   *  @param number of the item, which has left its own heap */
  expire(number: number, at: UnixMs): Order {
    const { entry } = this.#byNumber.get(number) as Due;
    this.#leaveHeaps(entry);
    entry.order = expireOrder(entry.order, at);
    this.#expired.push(entry);
    return entry.order;
  }

  /** Hears where an item stands in its heap; -1 when it has left. */
  moved(number: number, heapIndex: number): void {
    const due = this.#byNumber.get(number);
    if (due) due.heapIndex = heapIndex;
  }

  /** Saves up to `rowsMax` orders that their deadline has ended; returns how many. Within a turn. */
  saveExpired(rowsMax: number): number {
    // In the order in which they ended, so that two orders of one user are told of in theirs.
    const oldest = this.#expired.splice(0, rowsMax);
    for (const entry of oldest) this.#save(entry);
    return oldest.length;
  }

  /** The same for all of one SKU. */
  saveExpiredOf(sku: Sku): void {
    const isOfSku = ({ order }: Entry): boolean => order.items.some((item) => item.sku === sku);
    for (const entry of this.#expired) if (isOfSku(entry)) this.#save(entry);
    this.#expired = this.#expired.filter((entry) => !isOfSku(entry));
  }

  #savedRowOf({ orderId }: Order): number {
    const saved = this.#journal.readOrder(orderId);
    assert(saved !== null, "an order that was shown is saved");
    return saved.row;
  }

  #save(entry: Entry): void {
    const { row, order } = entry;
    // Money may have come since, and then its end was saved with that.
    if (this.#byId.get(order.orderId) !== entry) return;
    this.#byId.delete(order.orderId);
    this.#journal.endOrder(row, order);
    this.#tell(order);
  }

  #leaveHeaps({ items }: Entry): void {
    for (const { number, heap, heapIndex } of items) {
      if (heapIndex >= 0) heap.removeAt(heapIndex);
      this.#byNumber.delete(number);
    }
  }

  #tell(order: Order): void {
    if (!this.#emit) return;
    const type = order.state === "payment-pending" ? "order.placed" : (`order.${order.state}` as const);
    this.#emit({ type, at: order.since, order });
  }
}
