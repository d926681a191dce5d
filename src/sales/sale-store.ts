/** Where sales survive: a row per sale, and a row per SKU in it. */
import type { Database } from "bun:sqlite";
import type { SaleId } from "../core/ids.ts";
import { EmbeddedTable, type RowStore, type Turns } from "../tables/embedded-table.ts";
import type { Announced, SaleRecord } from "./announcements.ts";
import type { Sale, SaleEvent, SaleItem } from "./sale.ts";
import { SaleShelf } from "./sale-shelf.ts";
import type { SaleTable } from "./sale-table.ts";

export const SALES_SCHEMA = `
-- One row per sale. Times in unix ms; announced: 'nothing', 'start', or 'end' of it has gone to the events.
create table sales (id text primary key, name text not null, starts_at integer not null, ends_at integer not null, frozen_for_ms integer, payment_window_ms integer, is_paused integer not null, announced text not null) strict, without rowid;
-- One row per SKU of a sale, in the order the operator gave them. No quantity limit: null.
create table sale_items (sale_id text not null, position integer not null, sku text not null, price_cents integer not null, quantity_limit integer, primary key (sale_id, position)) strict, without rowid;
`;

interface SaleRow {
  readonly id: SaleId;
  readonly name: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly frozenForMs: number | null;
  readonly paymentWindowMs: number | null;
  readonly isPaused: number;
  readonly announced: Announced;
}

/** The sales of the embedded store, read into memory. */
export interface EmbeddedSales extends SaleTable {
  readonly table: EmbeddedTable<SaleShelf, SaleRecord, SaleId, SaleEvent>;
}

/** @param emit takes an event, inside the turn whose commit saves the change */
export function embeddedSales(db: Database, turns: Turns, emit: (event: SaleEvent) => void): EmbeddedSales {
  const rows = new SaleStore(db);
  const view = new SaleShelf();
  for (const record of rows.all()) view.add(record);
  return {
    table: new EmbeddedTable({ rows, turns, view, emit }),
    list: (after, limit) => rows.listIds(after, limit).flatMap((id) => view.record(id) ?? []),
  };
}

export class SaleStore implements RowStore<SaleRecord, SaleId> {
  readonly #db: Database;
  /** What stands in the file, so that a mark that moves costs one field and not a hundred items. */
  readonly #written = new Map<SaleId, Sale>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Within a turn. Replaces the sale of the same id. */
  save({ sale, announced }: SaleRecord): void {
    const { id, name, startsAt, endsAt, frozenForMs, paymentWindowMs, isPaused, items } = sale;
    if (this.#written.get(id) === sale) {
      this.#db.query("update sales set announced = ? where id = ?").run(announced, id);
      return;
    }
    this.remove(id);
    this.#written.set(id, sale);
    this.#db
      .query("insert into sales values (?, ?, ?, ?, ?, ?, ?, ?)")
      .run(id, name, startsAt, endsAt, frozenForMs, paymentWindowMs, Number(isPaused), announced);
    const addItem = this.#db.query("insert into sale_items values (?, ?, ?, ?, ?)");
    items.forEach(({ sku, salePriceCents, quantityLimit }, position) => {
      addItem.run(id, position, sku, salePriceCents, quantityLimit);
    });
  }

  /** Within a turn. */
  remove(id: SaleId): void {
    this.#written.delete(id);
    this.#db.query("delete from sales where id = ?").run(id);
    this.#db.query("delete from sale_items where sale_id = ?").run(id);
  }

  *all(): Iterable<SaleRecord> {
    const rows = this.#db.query<SaleRow, []>(
      "select id, name, starts_at as startsAt, ends_at as endsAt, frozen_for_ms as frozenForMs, payment_window_ms as paymentWindowMs, is_paused as isPaused, announced from sales",
    );
    const items = this.#db.query<SaleItem, [SaleId]>(
      "select sku, price_cents as salePriceCents, quantity_limit as quantityLimit from sale_items where sale_id = ? order by position",
    );
    for (const { announced, isPaused, ...row } of rows.all()) {
      const sale: Sale = { ...row, isPaused: isPaused === 1, items: items.all(row.id) };
      this.#written.set(sale.id, sale);
      yield { announced, sale };
    }
  }

  /** Up to `limit` ids of sales in the order of their UTF-8 bytes, from behind `after`. */
  listIds(after: SaleId | null, limit: number): readonly SaleId[] {
    return this.#db
      .query<{ id: SaleId }, [string, number]>("select id from sales where id > ? order by id limit ?")
      .all(after ?? "", limit)
      .map(({ id }) => id);
  }
}
