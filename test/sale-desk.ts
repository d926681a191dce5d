/** Books of sales for tests: with a clock that is moved by hand and a note of every event. */
import { Database } from "bun:sqlite";
import type { SaleId, Sku } from "../src/core/ids.ts";
import { GroupCommit } from "../src/edge/group-commit.ts";
import type { Sale, SaleEvent, SaleItem, SalePlan } from "../src/sales/sale.ts";
import { SaleBook, type SaleReply } from "../src/sales/sale-book.ts";
import { embeddedSales, SALES_SCHEMA } from "../src/sales/sale-store.ts";
import type { SaleTable } from "../src/sales/sale-table.ts";

/** Noon of a day in November. */
export const NOON = Date.UTC(2026, 10, 22, 12);
export const START = NOON + 60_000;
export const END = NOON + 120_000;
export const idOf = (text: string): SaleId => text as SaleId;
export const skuOf = (text: string): Sku => text as Sku;

export const item = (sku: string, salePriceCents = 990, quantityLimit: number | null = null): SaleItem => ({
  sku: skuOf(sku),
  salePriceCents,
  quantityLimit,
});

/** A sale of one SKU from START to END, but for what is said otherwise. */
export const plan = (changes: Partial<SalePlan> = {}): SalePlan => ({
  ...{ name: "Singles' Day", startsAt: START, endsAt: END, items: [item("SKU1")] },
  ...{ frozenForMs: null, paymentWindowMs: null },
  ...changes,
});

/** For a PolicyController that no sale concerns. */
export const NO_SALES = { termsOf: () => null };

/** A book of sales, and a clock that a test moves by hand. */
export abstract class AnySaleDesk {
  now = NOON;
  readonly clock = { now: () => this.now, monotonicUs: () => 0 };
  abstract book: SaleBook;
  #ids = 0;

  /** Makes a sale that must come about. */
  async open(id: string, changes: Partial<SalePlan> = {}): Promise<Sale> {
    return saved(await this.book.create(idOf(id), plan(changes)));
  }

  protected bookOf(sales: SaleTable): SaleBook {
    const newId = () => {
      this.#ids += 1;
      return idOf(`made-${this.#ids}`);
    };
    return new SaleBook({ sales, clock: this.clock, newId });
  }
}

/** Over the embedded store, in memory. */
export class SaleDesk extends AnySaleDesk {
  readonly db = new Database(":memory:");
  readonly turns: GroupCommit;
  readonly events: SaleEvent[] = [];
  book: SaleBook;

  constructor() {
    super();
    this.db.run(SALES_SCHEMA);
    this.turns = new GroupCommit(this.db, (failure) => {
      throw failure;
    });
    this.book = this.restart();
  }

  /** Another life over the same store. */
  restart(): SaleBook {
    this.book = this.bookOf(embeddedSales(this.db, this.turns, (event) => this.events.push(event)));
    return this.book;
  }

  /** The type and the sale of every event so far. */
  told(): string[] {
    return this.events.map(textOf);
  }
}

export const textOf = ({ type, saleId }: SaleEvent): string => `${type} ${saleId}`;

export function saved(reply: SaleReply): Sale {
  if (reply.kind !== "saved") throw new Error(`refused: ${reply.reason}`);
  return reply.sale;
}
