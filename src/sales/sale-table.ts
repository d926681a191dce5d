/** What the book of sales asks of a store: the sales in memory, and their list in order. */
import type { Answer } from "../core/answer.ts";
import type { SaleId } from "../core/ids.ts";
import type { Table } from "../tables/table.ts";
import type { SaleRecord } from "./announcements.ts";
import type { SaleEvent } from "./sale.ts";
import type { SaleShelf } from "./sale-shelf.ts";

export interface SaleTable {
  readonly table: Table<SaleShelf, SaleRecord, SaleId, SaleEvent>;
  /** Up to `limit` sales in the order of their ids' UTF-8 bytes, from behind `after`. */
  list(after: SaleId | null, limit: number): Answer<readonly SaleRecord[]>;
}
