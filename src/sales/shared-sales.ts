/** Sales that several processes share. */
import type { SaleId } from "../core/ids.ts";
import { SALE_LOG_ENTRIES_MAX, SALE_ROWS_PER_LOOK } from "../limits/tables.ts";
import { SharedTable, type SharedTableFormat, type SharedTableIo } from "../tables/shared-table.ts";
import type { SaleRecord } from "./announcements.ts";
import type { SaleEvent } from "./sale.ts";
import { SaleShelf } from "./sale-shelf.ts";
import type { SaleTable } from "./sale-table.ts";

export const SALES_TABLE = "sales";

const rowOf = (_: string, text: string): SaleRecord => JSON.parse(text) as SaleRecord;

const FORMAT: SharedTableFormat<SaleShelf, SaleRecord, SaleId> = {
  name: SALES_TABLE,
  logEntriesMax: SALE_LOG_ENTRIES_MAX,
  rowsPerLook: SALE_ROWS_PER_LOOK,
  idOf: (id) => id,
  keyOf: (id) => id as SaleId,
  keyOfRow: ({ sale }) => sale.id,
  textOf: (record) => JSON.stringify(record),
  rowOf,
  endsAt: () => null,
  emptyView: () => new SaleShelf(),
};

export interface SharedSales extends SaleTable {
  readonly table: SharedTable<SaleShelf, SaleRecord, SaleId, SaleEvent>;
}

/** @throws Failure when the sales are not in memory in time */
export async function openSharedSales(io: SharedTableIo): Promise<SharedSales> {
  const table = await SharedTable.open<SaleShelf, SaleRecord, SaleId, SaleEvent>(FORMAT, io);
  return { table, list: async (after, limit) => (await table.rows(after, limit)).map(({ id, text }) => rowOf(id, text)) };
}
