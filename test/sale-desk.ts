/** A book of sales over a real store in memory, with a clock that a test moves by hand and a note of every event. */
import { Database } from "bun:sqlite";
import type { SaleId, Sku } from "../src/core/ids.ts";
import { GroupCommit } from "../src/edge/group-commit.ts";
import type { Sale, SaleEvent, SaleItem, SalePlan } from "../src/sales/sale.ts";
import { SaleBook, type SaleReply } from "../src/sales/sale-book.ts";
import { SALES_SCHEMA, SaleStore } from "../src/sales/sale-store.ts";

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

export class SaleDesk {
  now = NOON;
  readonly clock = { now: () => this.now, monotonicUs: () => 0 };
  readonly db = new Database(":memory:");
  readonly turns: GroupCommit;
  readonly events: SaleEvent[] = [];
  book: SaleBook;
  #ids = 0;

  constructor() {
    this.db.run(SALES_SCHEMA);
    this.turns = new GroupCommit(this.db, (failure) => {
      throw failure;
    });
    this.book = this.restart();
  }

  /** Another life over the same store. */
  restart(): SaleBook {
    this.book = new SaleBook({
      store: new SaleStore(this.db),
      turns: this.turns,
      clock: this.clock,
      newId: () => {
        this.#ids += 1;
        return idOf(`made-${this.#ids}`);
      },
      emit: (event) => {
        if (!this.db.inTransaction) throw new Error("an event was told outside the turn whose commit saves it");
        this.events.push(event);
      },
    });
    return this.book;
  }

  /** Makes a sale that must come about. */
  async open(id: string, changes: Partial<SalePlan> = {}): Promise<Sale> {
    return saved(await this.book.create(idOf(id), plan(changes)));
  }

  /** The type and the sale of every event so far. */
  told(): string[] {
    return this.events.map(({ type, saleId }) => `${type} ${saleId}`);
  }
}

export function saved(reply: SaleReply): Sale {
  if (reply.kind !== "saved") throw new Error(`refused: ${reply.reason}`);
  return reply.sale;
}
