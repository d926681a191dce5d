/**
 * The journal that survives: a few tables of a SQLite file. Lines, orders and replies are appended by rowid, so that a million users cost a
 * purchase no more page writes than ten; while selling, nothing is searched for in them but an order that is not in memory.
 */
import type { Database, Statement } from "bun:sqlite";
import type { OrderId, SessionId, Sku, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import type { FoundOrders, KeptReply, Line, Order, OrderSearch } from "../ledger.ts";
import { decodeReplies, encodeReplies } from "../reply-record.ts";
import type { Journal, Restored, SavedGoods, SavedHold, SavedOrder } from "./journal.ts";
import type { ReplyLocation } from "./reply-index.ts";
import { ORDERS_SCHEMA, SqliteOrders } from "./sqlite-orders.ts";

export const LEDGER_SCHEMA = `
-- What is frozen is not here: it is what live holds and unpaid orders add up to. put_at_ms: since when these goods are sold; orders paid before
-- were of goods that have been removed.
create table goods (
  sku text primary key, on_hand integer not null, sold integer not null, stocked integer not null, price_cents integer not null,
  clock_ms integer not null, put_at_ms integer not null
) strict, without rowid;
-- What a user has of a SKU. A SKU's time is the latest of goods.clock_ms and its lines' clock_ms; a hold is alive while held_until_ms lies
-- behind it. user_level is null without an order record.
create table lines (
  id integer primary key, sku text not null, user_id text not null, held integer not null, held_until_ms integer not null,
  session_id text, ordered integer not null, user_level integer, clock_ms integer not null
) strict;
create index order_records on lines (user_id, sku) where user_level is not null;
${ORDERS_SCHEMA.trim()}
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

export class SqliteJournal implements Journal {
  readonly #db: Database;
  readonly #turns: Turns;
  readonly #seed: number;
  readonly #orders: SqliteOrders;
  readonly #sql: Record<
    | "saveGoods"
    | "removeGoods"
    | "addLine"
    | "changeLine"
    | "beginHold"
    | "removeLine"
    | "saveReplies"
    | "readReply"
    | "sessionOf"
    | "readHold",
    Statement
  >;

  constructor(db: Database, turns: Turns) {
    this.#db = db;
    this.#turns = turns;
    this.#orders = new SqliteOrders(db);
    this.#seed = (db.query("select seed from reply_hash").get() as { seed: number }).seed;
    this.#sql = {
      saveGoods: db.query(
        `insert into goods values (?1, ?2, ?3, ?4, ?5, ?6, ?6) on conflict (sku) do update
         set on_hand = ?2, sold = ?3, stocked = ?4, price_cents = ?5, clock_ms = ?6`,
      ),
      removeGoods: db.query("delete from goods where sku = ?"),
      addLine: db.query("insert into lines values (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      changeLine: db.query("update lines set held = ?, held_until_ms = ?, ordered = ?, user_level = ?, clock_ms = ? where id = ?"),
      beginHold: db.query(
        "update lines set held = ?, held_until_ms = ?, ordered = ?, user_level = ?, clock_ms = ?, session_id = ? where id = ?",
      ),
      removeLine: db.query("delete from lines where id = ?"),
      saveReplies: db.query("insert into replies values (?, ?, ?, ?)"),
      readReply: db.query("select entries from replies where id = ?"),
      sessionOf: db.query("select session_id from lines where id = ?"),
      readHold: db.query("select held, held_until_ms as heldUntil from lines where id = ?"),
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
    for (const saved of this.#orders.unpaid()) into.order(saved);
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

  addOrder(order: Order): number {
    return this.#orders.add(order);
  }
  endOrder(row: number, order: Order): void {
    this.#orders.end(row, order);
  }
  removeSomeOrders(before: UnixMs, ordersMax: number): number {
    return this.#orders.removeSome(before, ordersMax);
  }
  orderPaidWith(provider: string, paymentId: string): OrderId | null {
    return this.#orders.paidWith(provider, paymentId);
  }

  readOrder(orderId: OrderId): SavedOrder | null {
    return this.#orders.read(orderId);
  }
  ordersOf(userId: UserId, after: OrderId | null, limit: number): readonly Order[] {
    return this.#orders.ofUser(userId, after, limit);
  }
  findOrders(search: OrderSearch, now: UnixMs): FoundOrders {
    return this.#orders.find(search, now);
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

  readHold(rowId: number): SavedHold {
    return this.#sql.readHold.get(rowId) as SavedHold;
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
