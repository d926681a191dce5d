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
    this.#list = new Page(
      (now) => this.#listText(now),
      () => Number.POSITIVE_INFINITY,
    );
  }

  /** The sales that are on, those to come, and those that ended lately. @param ifNoneMatch the request's header of that name */
  all(ifNoneMatch: string | null): Answer<HttpReply> {
    return this.#list.reply(ifNoneMatch, this.#parts.clock.now());
  }

  /** One sale, `null` when there is none. */
  one(id: string, ifNoneMatch: string | null): Answer<HttpReply | null> {
    const sale = this.#parts.book.sale(id as SaleId);
    return sale && this.#pageOf(sale).reply(ifNoneMatch, this.#parts.clock.now());
  }

  #pageOf(sale: Sale): Page {
    const known = this.#pages.get(sale);
    if (known) return known;
    const page = new Page(
      (now) => this.#saleText(sale, now),
      (now) => nextBoundaryOf(sale, now),
    );
    this.#pages.set(sale, page);
    return page;
  }

  #saleText(sale: Sale, now: UnixMs): Answer<string> {
    const text = (goods: readonly (Goods | null)[]) => JSON.stringify(this.#shown(sale, goods, now)).slice(1);
    const goods = this.#parts.ledger.goods(skusOf(sale), now);
    return goods instanceof Promise ? goods.then(text) : text(goods);
  }

  #listText(now: UnixMs): Answer<string> {
    const sales = salesShown(this.#parts.book.all(), now);
    const text = (goods: readonly (Goods | null)[]): string => {
      let next = 0;
      const shown = sales.map((sale) => {
        const from = next;
        next += sale.items.length;
        return this.#shown(sale, goods.slice(from, next), now);
      });
      return `"sales":${JSON.stringify(shown)}}`;
    };
    const goods = this.#parts.ledger.goods(sales.flatMap(skusOf), now);
    return goods instanceof Promise ? goods.then(text) : text(goods);
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

/** A text made at one moment, and how it is served until it is too old. */
interface Snapshot {
  readonly madeAt: UnixMs;
  /** It is served before this time, and not after it. */
  readonly goodUntil: UnixMs;
  /** The document without its opening brace: `serverNow` goes before it, fresh for every reply. */
  readonly text: string;
  /** The entity tag without the mark of weakness: a comparison does not look at that. */
  readonly tag: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The last 304, which serves all who ask within its millisecond. */
  unchanged: { readonly at: UnixMs; readonly reply: HttpReply } | null;
}

/** One document of the board. */
class Page {
  readonly #make: (now: UnixMs) => Answer<string>;
  readonly #boundaryAfter: (now: UnixMs) => UnixMs;
  #snapshot: Snapshot | null = null;
  /** The snapshot that is being made: whoever asks meanwhile waits for it, and makes no second one. */
  #coming: Promise<Snapshot> | null = null;

  /** @param boundaryAfter the time at which the clock alone makes the document untrue */
  constructor(make: (now: UnixMs) => Answer<string>, boundaryAfter: (now: UnixMs) => UnixMs) {
    this.#make = make;
    this.#boundaryAfter = boundaryAfter;
  }

  reply(ifNoneMatch: string | null, now: UnixMs): Answer<HttpReply> {
    const kept = this.#snapshot;
    // A clock that was set back makes a snapshot of the future, which nothing would make old.
    if (kept !== null && now < kept.goodUntil && now >= kept.madeAt) return replyOf(kept, ifNoneMatch, now);
    if (this.#coming !== null) return this.#coming.then((snapshot) => replyOf(snapshot, ifNoneMatch, now));
    const text = this.#make(now);
    if (!(text instanceof Promise)) return replyOf(this.#keep(text, now), ifNoneMatch, now);
    this.#coming = text
      .then((made) => this.#keep(made, now))
      .finally(() => {
        this.#coming = null;
      });
    return this.#coming.then((snapshot) => replyOf(snapshot, ifNoneMatch, now));
  }

  #keep(text: string, now: UnixMs): Snapshot {
    const tag = `"${Bun.hash(text).toString(36)}"`;
    // Weak, because serverNow differs. That is also why no browser may keep it: one that asks by itself whether its copy is still true would hand
    // its page an old serverNow. The tag is for clients that ask themselves.
    const headers = { etag: `W/${tag}`, "cache-control": "no-store" };
    const goodUntil = Math.min(now + BOARD_AGE_MS_MAX, this.#boundaryAfter(now));
    this.#snapshot = { madeAt: now, goodUntil, text, tag, headers, unchanged: null };
    return this.#snapshot;
  }
}

/** If-None-Match (RFC 9110, 13.1.2) is a list of quoted tags or a star. A tag has no quote in it, so that a quoted one is found by its text. */
function replyOf(snapshot: Snapshot, ifNoneMatch: string | null, now: UnixMs): HttpReply {
  if (ifNoneMatch !== null && (ifNoneMatch === "*" || ifNoneMatch.includes(snapshot.tag))) return notModified(snapshot, now);
  return { status: 200, body: `{"serverNow":${now},${snapshot.text}`, headers: snapshot.headers };
}

/** It has no body to say the time in, so a header says it: who polls with a tag sets its clock by every answer. */
function notModified(snapshot: Snapshot, now: UnixMs): HttpReply {
  if (snapshot.unchanged?.at !== now) {
    const headers = { ...snapshot.headers, "server-now": String(now) };
    snapshot.unchanged = { at: now, reply: { status: 304, body: "", headers } };
  }
  return snapshot.unchanged.reply;
}
