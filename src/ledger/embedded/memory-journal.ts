/** A journal that keeps nothing beyond its process: the ledger for tests and for trying things out. */
import type { OrderId, SessionId, Sku, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import type { FoundOrders, KeptReply, Line, Order, OrderSearch } from "../ledger.ts";
import { isWanted, orderAt } from "../order-search.ts";
import type { Journal, SavedHold, SavedOrder } from "./journal.ts";
import type { ReplyLocation } from "./reply-index.ts";

interface SavedLine {
  readonly sku: Sku;
  readonly userId: UserId;
  readonly line: Line;
  readonly sessionId: SessionId | null;
}

// SQLite compares text by its UTF-8 bytes; UTF-16 units would order characters beyond U+FFFF differently.
const utf8 = new TextEncoder();
const byUtf8 = (a: string, b: string): number => Buffer.compare(utf8.encode(a), utf8.encode(b));

export class MemoryJournal implements Journal {
  readonly #flushes: (() => void)[] = [];
  readonly #skus = new Set<Sku>();
  readonly #lines = new Map<number, SavedLine>();
  /** In the order in which they were placed. */
  readonly #orders = new Map<OrderId, SavedOrder>();
  #lastOrderRow = 0;
  readonly #replies = new Map<number, { readonly at: UnixMs; readonly replies: readonly KeptReply[] }>();

  restore(): void {
    // Nothing was ever saved.
  }

  async turn<T>(work: () => T): Promise<T> {
    const result = work();
    for (const flush of this.#flushes) flush();
    return result;
  }

  beforeCommit(flush: () => void): void {
    this.#flushes.push(flush);
  }

  saveGoods({ sku }: { readonly sku: Sku }): void {
    this.#skus.add(sku);
  }
  removeGoods(sku: Sku): void {
    this.#skus.delete(sku);
  }
  addLine(rowId: number, sku: Sku, userId: UserId, line: Line, sessionId: SessionId | null): void {
    this.#lines.set(rowId, { sku, userId, line, sessionId });
  }
  changeLine(rowId: number, line: Line, sessionId: SessionId | null): void {
    const saved = this.#lines.get(rowId) as SavedLine;
    this.#lines.set(rowId, { ...saved, line, sessionId: sessionId ?? saved.sessionId });
  }
  removeLine(rowId: number): void {
    this.#lines.delete(rowId);
  }
  addOrder(order: Order): number {
    this.#lastOrderRow += 1;
    this.#orders.set(order.orderId, { row: this.#lastOrderRow, order });
    return this.#lastOrderRow;
  }
  endOrder(row: number, order: Order): void {
    this.#orders.set(order.orderId, { row, order });
  }

  removeSomeOrders(before: UnixMs, ordersMax: number): number {
    const mayGo = ({ order }: SavedOrder): boolean => order.state !== "refund-due";
    const isOver = ({ order }: SavedOrder): boolean => order.state !== "payment-pending" && order.since < before;
    let removed = 0;
    for (const saved of [...this.#orders.values()].filter(mayGo)) {
      if (removed === ordersMax || !isOver(saved)) break;
      this.#orders.delete(saved.order.orderId);
      removed += 1;
    }
    return removed;
  }

  saveReplies(row: number, at: UnixMs, _hashes: Uint32Array, replies: readonly KeptReply[]): void {
    this.#replies.set(row, { at, replies });
  }

  removeSomeReplies(before: UnixMs, rowsMax: number): { oldestRow: number; removed: number } {
    let removed = 0;
    let oldestRow = 1;
    for (const [row, { at }] of this.#replies) {
      oldestRow = row;
      if (at >= before || removed === rowsMax) return { oldestRow, removed };
      this.#replies.delete(row);
      removed += 1;
      oldestRow = row + 1;
    }
    return { oldestRow, removed };
  }

  hashOf(text: string): number {
    return Bun.hash.xxHash32(text, 1);
  }
  readReply({ row, position }: ReplyLocation): KeptReply | null {
    return this.#replies.get(row)?.replies[position] ?? null;
  }
  sessionOf(rowId: number): SessionId | null {
    return this.#lines.get(rowId)?.sessionId ?? null;
  }

  readHold(rowId: number): SavedHold {
    return (this.#lines.get(rowId) as SavedLine).line;
  }
  readOrder(orderId: OrderId): SavedOrder | null {
    return this.#orders.get(orderId) ?? null;
  }

  orderPaidWith(provider: string, paymentId: string): OrderId | null {
    const isIt = ({ order: { payment } }: SavedOrder) => payment?.provider === provider && payment.paymentId === paymentId;
    return [...this.#orders.values()].find(isIt)?.order.orderId ?? null;
  }

  ordersOf(userId: UserId, after: OrderId | null, limit: number): readonly Order[] {
    const placedBefore = after === null ? Number.POSITIVE_INFINITY : (this.#orders.get(after)?.row ?? 0);
    const orders = [...this.#orders.values()].filter(({ row, order }) => order.userId === userId && row < placedBefore);
    return orders
      .reverse()
      .slice(0, limit)
      .map(({ order }) => order);
  }

  findOrders(search: OrderSearch, now: UnixMs): FoundOrders {
    const { after, limit, passedMax } = search;
    const placedBefore = after === null ? Number.POSITIVE_INFINITY : (this.#orders.get(after)?.row ?? 0);
    const behind = [...this.#orders.values()].filter(({ row }) => row < placedBefore).reverse();
    const found: Order[] = [];
    for (const [passed, saved] of behind.entries()) {
      const order = orderAt(saved.order, now);
      if (isWanted(order, search)) found.push(order);
      if (found.length === limit || passed + 1 === passedMax) return { orders: found, next: order.orderId };
    }
    return { orders: found, next: null };
  }

  listSkus(after: Sku | null, limit: number): Sku[] {
    const skus = [...this.#skus].sort(byUtf8);
    return skus.filter((sku) => after === null || byUtf8(sku, after) > 0).slice(0, limit);
  }

  listRecords(after: { readonly userId: UserId; readonly sku: Sku } | null, limit: number): { userId: UserId; sku: Sku }[] {
    const byUserThenSku = (a: { userId: UserId; sku: Sku }, b: { userId: UserId; sku: Sku }) =>
      byUtf8(a.userId, b.userId) || byUtf8(a.sku, b.sku);
    const records = [...this.#lines.values()].filter(({ line }) => line.userLevel !== null).sort(byUserThenSku);
    return records.filter((record) => after === null || byUserThenSku(record, after) > 0).slice(0, limit);
  }
}
