/** The book of sales over whichever table keeps them. */
import { randomBytes } from "node:crypto";
import type { SaleId } from "../core/ids.ts";
import type { Clock } from "../core/time.ts";
import { SaleBook } from "../sales/sale-book.ts";
import type { SaleTable } from "../sales/sale-table.ts";

export const saleBookOver = (sales: SaleTable, clock: Clock): SaleBook =>
  new SaleBook({ sales, clock, newId: () => randomBytes(8).toString("hex") as SaleId });
