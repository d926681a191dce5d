/**
 * What the embedded ledger needs from whatever makes it durable. The ledger decides in memory; a journal saves the records that changed, all
 * those of one turn in one transaction, and gives them back after a restart.
 */
import type { OrderId, SessionId, Sku, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import type { FoundOrders, Goods, KeptReply, Line, Order, OrderSearch } from "../ledger.ts";
import type { ReplyLocation } from "./reply-index.ts";

/** Goods as they are saved. What is frozen of them is not: it is what their live holds and unpaid orders add up to. */
export type SavedGoods = Omit<Goods, "frozen" | "pending">;

/** What a line's row says of its hold. */
export type SavedHold = Pick<Line, "held" | "heldUntil">;

/** An order, and the row that it has. */
export interface SavedOrder {
  readonly row: number;
  readonly order: Order;
}

/** Receives everything that memory needs: all goods first, then lines, unpaid orders and replies. */
export interface Restored {
  goods(goods: SavedGoods): void;
  line(rowId: number, sku: Sku, userId: UserId, line: Line, at: UnixMs): void;
  order(saved: SavedOrder): void;
  replies(row: number, hashes: Uint32Array): void;
}

export interface Journal {
  restore(into: Restored): void;

  /** Runs `work` in this turn's transaction; resolves with what it returned once the transaction is durable. Rejects with `Failure`
   *  when it is not, and from then on every further call does. `isCollected`: the work is a whole turn's, and need not wait for more. */
  turn<T>(work: () => T, isCollected?: boolean): Promise<T>;
  /** `flush` runs at the end of every turn, inside its transaction. */
  beforeCommit(flush: () => void): void;

  // The rest is called within a turn only, but for the readers at the end.
  saveGoods(goods: SavedGoods): void;
  removeGoods(sku: Sku): void;
  /** A line is saved without its `pending`, which is the sum of its unpaid orders, and with its SKU's clock. */
  addLine(rowId: number, sku: Sku, userId: UserId, line: Line, sessionId: SessionId | null, at: UnixMs): void;
  /** Keeps the session that made the hold unless another is given. */
  changeLine(rowId: number, line: Line, sessionId: SessionId | null, at: UnixMs): void;
  removeLine(rowId: number): void;
  /** Returns its row. */
  addOrder(order: Order): number;
  /** Saves the state to which an order has come, since when, and its payment. */
  endOrder(row: number, order: Order): void;
  /** Walks on through the orders, oldest first, and removes those that ended before `before`; one whose refund is due stays, and one that has not
   *  ended so long ago ends the walk. Returns how many it has passed. */
  removeSomeOrders(before: UnixMs, ordersMax: number): number;
  /** Saves a row of replies of this turn, with the hashes of their keys in the same order. */
  saveReplies(row: number, at: UnixMs, hashes: Uint32Array, replies: readonly KeptReply[]): void;
  /** Removes some rows of replies that are older than `before`; returns the first row that is left. */
  removeSomeReplies(before: UnixMs, rowsMax: number): { readonly oldestRow: number; readonly removed: number };

  /** 32 bits, seeded once per store, so that nobody outside can choose keys or ids that collide. */
  hashOf(text: string): number;
  readReply(location: ReplyLocation): KeptReply | null;
  sessionOf(rowId: number): SessionId | null;
  readHold(rowId: number): SavedHold;
  readOrder(orderId: OrderId): SavedOrder | null;
  /** Also within the turn that saved it. */
  orderPaidWith(provider: string, paymentId: string): OrderId | null;
  /** As they were saved, the last placed first, from behind `after`. */
  ordersOf(userId: UserId, after: OrderId | null, limit: number): readonly Order[];
  /** As `Ledger.findOrders` promises. */
  findOrders(search: OrderSearch, now: UnixMs): FoundOrders;
  listSkus(after: Sku | null, limit: number): Sku[];
  listRecords(after: { readonly userId: UserId; readonly sku: Sku } | null, limit: number): { userId: UserId; sku: Sku }[];
}
