/**
 * The board: the sales as the public sees them, with what is left of their goods. Everything is served from snapshots, which are made when
 * somebody asks and no older than `BOARD_AGE_MS_MAX`, so that a million refreshes cost the ledger ten looks a second. A snapshot belongs to
 * its sale object: a change of the sale makes a new object, and the old snapshot is gone with the old one; an id that nobody sells under
 * leaves no trace.
 */
import type { Answer } from "../core/answer.ts";
import type { HttpReply } from "../core/endpoint.ts";
import type { SaleId, Sku } from "../core/ids.ts";
import type { Clock, UnixMs } from "../core/time.ts";
import { availableOf } from "../ledger/decision.ts";
import type { Goods, Ledger } from "../ledger/ledger.ts";
import { BOARD_AGE_MS_MAX, BOARD_ENDED_SHOWN_MS, BOARD_FEW_SHARE, BOARD_FEW_UNITS, BOARD_SALES_MAX } from "../limits.ts";
import { Page, type Snapshot } from "./board-page.ts";
import { nextBoundaryOf, type Sale } from "./sale.ts";
import type { SaleBook } from "./sale-book.ts";
import { itemBody, saleHead } from "./sale-json.ts";

/** How the board tells what is left: a number, or `many`, `few`, `none`. */
export type AvailabilityShown = "exact" | "rough";

export interface SaleBoardParts {
  readonly book: Pick<SaleBook, "sale" | "all">;
  readonly ledger: Pick<Ledger, "goods">;
  readonly clock: Clock;
  readonly availability: AvailabilityShown;
}

export class SaleBoard {
  readonly #parts: SaleBoardParts;
  readonly #pages = new WeakMap<Sale, Page>();
  readonly #list: Page;

  constructor(parts: SaleBoardParts) {
    this.#parts = parts;
    this.#list = new Page((now) => mapped(this.#listText(now), (text) => ({ text, goodUntil: now + BOARD_AGE_MS_MAX })));
  }

  /** The sales that are on, those to come, and those that ended lately. @param ifNoneMatch the request's header of that name */
  all(ifNoneMatch: string | null): Answer<HttpReply> {
    return this.#list.reply(ifNoneMatch, this.#parts.clock.now());
  }

  /** The snapshot itself, for a gate that keeps a copy; `id` null: of the list. */
  snapshot(id: string | null): Answer<Snapshot | null> {
    const now = this.#parts.clock.now();
    if (id === null) return this.#list.snapshot(now);
    const sale = this.#parts.book.sale(id as SaleId);
    return sale && this.#pageOf(sale).snapshot(now);
  }

  /** One sale, `null` when there is none. */
  one(id: string, ifNoneMatch: string | null): Answer<HttpReply | null> {
    const sale = this.#parts.book.sale(id as SaleId);
    return sale && this.#pageOf(sale).reply(ifNoneMatch, this.#parts.clock.now());
  }

  #pageOf(sale: Sale): Page {
    const known = this.#pages.get(sale);
    if (known) return known;
    const page = new Page((now) =>
      mapped(this.#saleText(sale, now), (text) => ({ text, goodUntil: Math.min(now + BOARD_AGE_MS_MAX, nextBoundaryOf(sale, now)) })),
    );
    this.#pages.set(sale, page);
    return page;
  }

  #saleText(sale: Sale, now: UnixMs): Answer<string> {
    return mapped(this.#parts.ledger.goods(skusOf(sale), now), (goods) => JSON.stringify(this.#shown(sale, goods, now)).slice(1));
  }

  #listText(now: UnixMs): Answer<string> {
    const sales = salesShown(this.#parts.book.all(), now);
    return mapped(this.#parts.ledger.goods(sales.flatMap(skusOf), now), (goods) => {
      let next = 0;
      const shown = sales.map((sale) => {
        const from = next;
        next += sale.items.length;
        return this.#shown(sale, goods.slice(from, next), now);
      });
      return `"sales":${JSON.stringify(shown)}}`;
    });
  }

  #shown(sale: Sale, goods: readonly (Goods | null)[], now: UnixMs): object {
    const items = sale.items.map((item, index) => ({ ...itemBody(item), availability: this.#availability(goods[index] ?? null) }));
    return { ...saleHead(sale, now), items };
  }

  #availability(goods: Goods | null): number | "many" | "few" | "none" {
    const available = goods ? availableOf(goods) : 0;
    if (this.#parts.availability === "exact") return available;
    if (goods === null || available === 0) return "none";
    return available <= Math.max(BOARD_FEW_UNITS, goods.stocked * BOARD_FEW_SHARE) ? "few" : "many";
  }
}

const mapped = <T, R>(answer: Answer<T>, map: (value: T) => R): Answer<R> => (answer instanceof Promise ? answer.then(map) : map(answer));
const skusOf = (sale: Sale): readonly Sku[] => sale.items.map(({ sku }) => sku);

/** The sales that the list shows, the most interesting first: what is on, by its end; what is to come, by its start; what ended last. */
export function salesShown(sales: Iterable<Sale>, now: UnixMs): readonly Sale[] {
  const open: Sale[] = [];
  const toCome: Sale[] = [];
  const ended: Sale[] = [];
  for (const sale of sales) {
    if (now < sale.startsAt) toCome.push(sale);
    else if (now < sale.endsAt) open.push(sale);
    else if (now - sale.endsAt < BOARD_ENDED_SHOWN_MS) ended.push(sale);
  }
  open.sort((a, b) => a.endsAt - b.endsAt);
  toCome.sort((a, b) => a.startsAt - b.startsAt);
  ended.sort((a, b) => b.endsAt - a.endsAt);
  return [...open, ...toCome, ...ended].slice(0, BOARD_SALES_MAX);
}
