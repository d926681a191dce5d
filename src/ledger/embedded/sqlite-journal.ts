/**
 * The journal that survives: four tables of a SQLite file. Lines and replies are appended by rowid, so that a million users cost a purchase
 * no more page writes than ten; everything is found through the ledger's memory, never by searching the tables while selling.
 */
import type { Database, Statement } from "bun:sqlite";
import type { OrderId, SessionId, Sku, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import type { KeptReply, Line, Order, OrderState } from "../ledger.ts";
import type { Journal, Restored, SavedGoods } from "./journal.ts";
import type { ReplyLocation } from "./reply-index.ts";
import { decodeReplies, encodeReplies } from "./reply-record.ts";

export const LEDGER_SCHEMA = `
-- What is frozen is not here: it is what live holds and unpaid orders add up to.
create table goods (
  sku text primary key, on_hand integer not null, sold integer not null, stocked integer not null, price_cents integer not null,
  clock_ms integer not null
) strict, without rowid;
-- What a user has of a SKU. A SKU's time is the latest of goods.clock_ms and its lines' clock_ms; a hold is alive while held_until_ms lies
-- behind it. user_level is null without an order record.
create table lines (
  id integer primary key, sku text not null, user_id text not null, held integer not null, held_until_ms integer not null,
  session_id text, ordered integer not null, user_level integer, clock_ms integer not null
) strict;
create index order_records on lines (user_id, sku) where user_level is not null;
create table orders (
  order_id text not null, sku text not null, user_id text not null, quantity integer not null, state text not null,
  pay_until_ms integer not null, held_until_ms integer not null, since_ms integer not null, primary key (order_id, sku)
) strict, without rowid;
-- First replies to idempotency keys, a few in a row: a JSON array, and the 32-bit hashes of the keys in the same order.
create table replies (id integer primary key, at_ms integer not null, hashes blob not null, entries text not null) strict;
create table reply_hash (seed integer not null) strict;
insert into reply_hash values (abs(random()) % 4294967296);
`;

/** Shares the transaction of a turn with whatever else is kept in the same file. */
export interface Turns {
  turn<T>(work: () => T, isCollected?: boolean): Promise<T>;
  beforeCommit(flush: () => void): void;
}

type GoodsRow = [Sku, number, number, number, number, UnixMs];
type LineRow = [number, Sku, UserId, number, UnixMs, number, number | null, UnixMs];
type OrderRow = [OrderId, Sku, UserId, number, OrderState, UnixMs, UnixMs, UnixMs];

export class SqliteJournal implements Journal {
  readonly #db: Database;
  readonly #turns: Turns;
  readonly #seed: number;
  readonly #sql: Record<
    | "saveGoods"
    | "removeGoods"
    | "addLine"
    | "changeLine"
    | "beginHold"
    | "removeLine"
    | "saveOrder"
    | "removeOrder"
    | "saveReplies"
    | "readReply"
    | "sessionOf",
    Statement
  >;

  constructor(db: Database, turns: Turns) {
    this.#db = db;
    this.#turns = turns;
    this.#seed = (db.query("select seed from reply_hash").get() as { seed: number }).seed;
    this.#sql = {
      saveGoods: db.query("insert or replace into goods values (?, ?, ?, ?, ?, ?)"),
      removeGoods: db.query("delete from goods where sku = ?"),
      addLine: db.query("insert into lines values (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      changeLine: db.query("update lines set held = ?, held_until_ms = ?, ordered = ?, user_level = ?, clock_ms = ? where id = ?"),
      beginHold: db.query(
        "update lines set held = ?, held_until_ms = ?, ordered = ?, user_level = ?, clock_ms = ?, session_id = ? where id = ?",
      ),
      removeLine: db.query("delete from lines where id = ?"),
      saveOrder: db.query("insert or replace into orders values (?, ?, ?, ?, ?, ?, ?, ?)"),
      removeOrder: db.query("delete from orders where order_id = ? and sku = ?"),
      saveReplies: db.query("insert into replies values (?, ?, ?, ?)"),
      readReply: db.query("select entries from replies where id = ?"),
      sessionOf: db.query("select session_id from lines where id = ?"),
    };
  }

  restore(into: Restored): void {
    const goods = this.#db.query<SavedGoods, []>(
      "select sku, on_hand as onHand, sold, stocked, price_cents as priceCents, clock_ms as clock from goods",
    );
    for (const row of goods.iterate()) into.goods(row);
    this.#pages<LineRow>(
      "select id, sku, user_id, held, held_until_ms, ordered, user_level, clock_ms from lines where id > ? order by id limit ?",
      (row) => {
        const [id, sku, userId, held, heldUntil, ordered, userLevel, clock] = row;
        into.line(id, sku, userId, { held, heldUntil, pending: 0, ordered, userLevel }, clock);
        return id;
      },
    );
    const orders = this.#db.query<Order, []>(
      "select order_id as orderId, sku, user_id as userId, quantity, state, pay_until_ms as payUntil, held_until_ms as heldUntil, since_ms as since from orders",
    );
    for (const row of orders.iterate()) into.order(row);
    this.#pages<[number, Uint8Array]>("select id, hashes from replies where id > ? order by id limit ?", ([id, hashes]) => {
      into.replies(id, new Uint32Array(hashes.slice().buffer));
      return id;
    });
  }

  turn<T>(work: () => T, isCollected = false): Promise<T> {
    return this.#turns.turn(work, isCollected);
  }
  beforeCommit(flush: () => void): void {
    this.#turns.beforeCommit(flush);
  }

  saveGoods(goods: SavedGoods): void {
    const row: GoodsRow = [goods.sku, goods.onHand, goods.sold, goods.stocked, goods.priceCents, goods.clock];
    this.#sql.saveGoods.run(...row);
  }
  removeGoods(sku: Sku): void {
    this.#sql.removeGoods.run(sku);
  }
  addLine(rowId: number, sku: Sku, userId: UserId, line: Line, sessionId: SessionId | null, at: UnixMs): void {
    this.#sql.addLine.run(rowId, sku, userId, line.held, line.heldUntil, sessionId, line.ordered, line.userLevel, at);
  }
  changeLine(rowId: number, line: Line, sessionId: SessionId | null, at: UnixMs): void {
    if (sessionId === null) this.#sql.changeLine.run(line.held, line.heldUntil, line.ordered, line.userLevel, at, rowId);
    else this.#sql.beginHold.run(line.held, line.heldUntil, line.ordered, line.userLevel, at, sessionId, rowId);
  }
  removeLine(rowId: number): void {
    this.#sql.removeLine.run(rowId);
  }
  saveOrder(order: Order): void {
    const row: OrderRow = [
      order.orderId,
      order.sku,
      order.userId,
      order.quantity,
      order.state,
      order.payUntil,
      order.heldUntil,
      order.since,
    ];
    this.#sql.saveOrder.run(...row);
  }
  removeOrder(orderId: OrderId, sku: Sku): void {
    this.#sql.removeOrder.run(orderId, sku);
  }

  saveReplies(row: number, at: UnixMs, hashes: Uint32Array, replies: readonly KeptReply[]): void {
    this.#sql.saveReplies.run(row, at, new Uint8Array(hashes.buffer), encodeReplies(replies));
  }

  removeSomeReplies(before: UnixMs, rowsMax: number): { oldestRow: number; removed: number } {
    // Rows are in order of time, so the oldest come first and the search ends at the first that stays.
    const { changes } = this.#db
      .query("delete from replies where id in (select id from (select id, at_ms from replies order by id limit ?2) where at_ms < ?1)")
      .run(before, rowsMax);
    const oldest = this.#db.query<{ id: number | null }, []>("select min(id) as id from replies").get();
    return { oldestRow: oldest?.id ?? 1, removed: changes };
  }

  hashOf(text: string): number {
    return Bun.hash.xxHash32(text, this.#seed);
  }

  readReply({ row, position }: ReplyLocation): KeptReply | null {
    const found = this.#sql.readReply.get(row) as { entries: string } | null;
    return (found && decodeReplies(found.entries)[position]) ?? null;
  }

  sessionOf(rowId: number): SessionId | null {
    const row = this.#sql.sessionOf.get(rowId) as { session_id: SessionId | null } | null;
    return row?.session_id ?? null;
  }

  listSkus(after: Sku | null, limit: number): Sku[] {
    const rows = this.#db
      .query<{ sku: Sku }, [string, number]>("select sku from goods where sku > ? order by sku limit ?")
      .all(after ?? "", limit);
    return rows.map(({ sku }) => sku);
  }

  listRecords(after: { readonly userId: UserId; readonly sku: Sku } | null, limit: number): { userId: UserId; sku: Sku }[] {
    const query =
      "select user_id as userId, sku from lines where user_level is not null and (user_id, sku) > (?, ?) order by user_id, sku limit ?";
    return this.#db.query<{ userId: UserId; sku: Sku }, [string, string, number]>(query).all(after?.userId ?? "", after?.sku ?? "", limit);
  }

  /** Reads a table page by page, so that a restart needs memory for one page and not for the table twice. */
  #pages<R extends unknown[]>(sql: string, visit: (row: R) => number): void {
    const query = this.#db.query(sql);
    const rowsPerPage = 20_000;
    for (let after = 0, count = rowsPerPage; count === rowsPerPage; ) {
      const rows = query.values(after, rowsPerPage) as R[];
      for (const row of rows) after = visit(row);
      count = rows.length;
    }
  }
}
