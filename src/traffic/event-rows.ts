/**
 * A page of events as columns, the form in which they go to the database: numbers of a fixed width, which cost nanoseconds to write and are
 * searched fast. Users and SKUs are searched by a number made of them; the texts themselves lie beside, a page to a row. Everything about an
 * event that many share (instance, steps and outcomes, reason) is its shape, and the event has its number.
 */
import { groupsOf, ipv4Bits, ipv4BitsOf, parseIpAddress } from "../core/ip-address.ts";
import type { Column, TableRows } from "../core/segment-database.ts";
import type { UnixMs } from "../core/time.ts";
import { EVENT_PAGE_ROWS } from "../limits/event-store.ts";
import type { TrafficEvent } from "./event.ts";
import { isSameShape, type Shape, shapeKey, shapeOf } from "./event-shape.ts";
import type { ReadEvents } from "./read-events.ts";
import { TextLines } from "./text-lines.ts";
import { hexWords } from "./trace-words.ts";

/** A purchase has five steps; what has more keeps the times of the first. */
export const STEP_TIMES = 5;
/** The tables of a segment. */
export const EVENT_TABLES = {
  events: {
    seen_at: "TIMESTAMP_MS",
    trace_high: "UBIGINT",
    trace_low: "UBIGINT",
    ip_high: "UBIGINT",
    ip_low: "UBIGINT",
    user_hash: "UINTEGER",
    sku_hash: "UINTEGER",
    quantity: "UINTEGER",
    shape: "USMALLINT",
    total_us: "UINTEGER",
    us_1: "UINTEGER",
    us_2: "UINTEGER",
    us_3: "UINTEGER",
    us_4: "UINTEGER",
    us_5: "UINTEGER",
    page: "UINTEGER",
    line: "USMALLINT",
  },
  /** The users and SKUs of a page, a line for each event. */
  texts: { page: "UINTEGER", users: "VARCHAR", skus: "VARCHAR" },
  /** `kind` is `purchase` or what was requested; `status` 0 is none; `steps` and `outcomes` have a line for each step. */
  shapes: {
    shape: "USMALLINT",
    instance: "VARCHAR",
    kind: "VARCHAR",
    status: "UINTEGER",
    reason: "VARCHAR",
    steps: "VARCHAR",
    outcomes: "VARCHAR",
  },
} as const satisfies Record<string, Record<string, string>>;

/** Marks a text that is none; no id has it, because it is a control character. */
export const NO_TEXT = "\u0001";
/** No text has this number. */
export const NO_HASH = 0;

const UINT32_MAX = 0xffffffff;

export class EventRows {
  readonly #at = new Uint32Array(2 * EVENT_PAGE_ROWS);
  readonly #traceHigh = new Uint32Array(2 * EVENT_PAGE_ROWS);
  readonly #traceLow = new Uint32Array(2 * EVENT_PAGE_ROWS);
  readonly #ipHigh = new Uint32Array(2 * EVENT_PAGE_ROWS);
  readonly #ipLow = new Uint32Array(2 * EVENT_PAGE_ROWS);
  readonly #userHash = new Uint32Array(EVENT_PAGE_ROWS);
  readonly #skuHash = new Uint32Array(EVENT_PAGE_ROWS);
  readonly #quantity = new Uint32Array(EVENT_PAGE_ROWS);
  /** While the page fills, where the shape stands in `#shapes`. */
  readonly #shape = new Uint16Array(EVENT_PAGE_ROWS);
  readonly #totalUs = new Uint32Array(EVENT_PAGE_ROWS);
  readonly #stepUs = Array.from({ length: STEP_TIMES }, () => new Uint32Array(EVENT_PAGE_ROWS));
  readonly #page = new Uint32Array(EVENT_PAGE_ROWS);
  readonly #line = Uint16Array.from({ length: EVENT_PAGE_ROWS }, (_, line) => line);
  readonly #users = new TextLines();
  readonly #skus = new TextLines();
  readonly #shapes: Shape[] = [];
  readonly #shapeNumbers = new Map<string, number>();
  #lastShape: Shape | null = null;
  #lastShapeNumber = 0;
  readonly #trace = new Uint32Array(4);
  #lastTime: UnixMs = 0;
  #timeLow = 0;
  #timeHigh = 0;
  #count = 0;
  #firstAt = Number.POSITIVE_INFINITY;
  #lastAt = Number.NEGATIVE_INFINITY;

  get count(): number {
    return this.#count;
  }
  get isFull(): boolean {
    return this.#count === EVENT_PAGE_ROWS;
  }
  /** The earliest and the latest event. */
  get firstAt(): number {
    return this.#firstAt;
  }
  get lastAt(): number {
    return this.#lastAt;
  }
  get shapes(): readonly Shape[] {
    return this.#shapes;
  }

  add(event: TrafficEvent): void {
    const { at, traceId, clientIp, userId, sku, quantity, totalUs } = event;
    const row = this.#begin(at, event);
    hexWords(traceId, this.#trace, 0);
    this.#addTrace(row, this.#trace, 0);
    this.#addAddress(row, ipv4Bits(clientIp), clientIp);
    this.#userHash[row] = userId === null ? NO_HASH : searchHash(userId);
    this.#skuHash[row] = sku === null ? NO_HASH : searchHash(sku);
    this.#users.addText(userId ?? NO_TEXT);
    this.#skus.addText(sku ?? NO_TEXT);
    this.#quantity[row] = quantity;
    this.#totalUs[row] = Math.min(totalUs, UINT32_MAX);
  }

  /** The same of a purchase in the columns of a page. */
  addRow(page: ReadEvents, from: number): void {
    const { bytes, address, user, sku } = page;
    const { instance, steps, reason } = page.batchOf(from);
    const row = this.#begin(page.at[from] as UnixMs, { instance, steps, reason, request: null, status: null });
    this.#addTrace(row, page.trace, 4 * from);
    const ipv4 = ipv4BitsOf(bytes, address[2 * from] as number, address[2 * from + 1] as number);
    this.#addAddress(row, ipv4, ipv4 === null ? page.textAt(address, from) : "");
    const [userFrom, userTo] = [user[2 * from] as number, user[2 * from + 1] as number];
    const [skuFrom, skuTo] = [sku[2 * from] as number, sku[2 * from + 1] as number];
    this.#userHash[row] = searchHashOf(bytes, userFrom, userTo);
    this.#skuHash[row] = searchHashOf(bytes, skuFrom, skuTo);
    this.#users.add(bytes, userFrom, userTo);
    this.#skus.add(bytes, skuFrom, skuTo);
    this.#quantity[row] = page.quantity[from] as number;
    this.#totalUs[row] = Math.min(page.totalUs[from] as number, UINT32_MAX);
  }

  /**
   * The rows of the page, into which nothing more comes.
   * @param page the number of the page in its segment
   * @param numbers what each of `shapes` is called in that segment
   */
  tables(page: number, numbers: readonly number[]): readonly TableRows[] {
    for (let row = 0; row < this.#count; row += 1) this.#shape[row] = numbers[this.#shape[row] as number] as number;
    this.#page.fill(page);
    const [users, skus] = [this.#users.text(), this.#skus.text()];
    const u32 = (bytes: Uint32Array): Column => ({ type: "u32", bytes });
    const u64 = (bytes: Uint32Array): Column => ({ type: "u64", bytes });
    const u16 = (bytes: Uint16Array): Column => ({ type: "u16", bytes });
    const who = [u64(this.#traceHigh), u64(this.#traceLow), u64(this.#ipHigh), u64(this.#ipLow), u32(this.#userHash), u32(this.#skuHash)];
    const what = [u32(this.#quantity), u16(this.#shape), u32(this.#totalUs), ...this.#stepUs.map(u32)];
    const columns = [{ type: "time", bytes: this.#at } as const, ...who, ...what, u32(this.#page), u16(this.#line)];
    const texts = [u32(Uint32Array.of(page)), { type: "text", texts: [users] }, { type: "text", texts: [skus] }] as const;
    return [
      { table: "events", count: this.#count, columns },
      { table: "texts", count: 1, columns: texts },
    ];
  }

  /** The page is empty again. */
  clear(): void {
    this.#count = 0;
    this.#firstAt = Number.POSITIVE_INFINITY;
    this.#lastAt = Number.NEGATIVE_INFINITY;
    this.#users.clear();
    this.#skus.clear();
    this.#shapes.length = 0;
    this.#shapeNumbers.clear();
    this.#lastShape = null;
  }

  #begin(at: UnixMs, shape: Shape): number {
    const row = this.#count;
    this.#count += 1;
    if (at < this.#firstAt) this.#firstAt = at;
    if (at > this.#lastAt) this.#lastAt = at;
    this.#addTime(row, at);
    this.#shape[row] = this.#shapeNumber(shape);
    const { steps } = shape;
    for (let step = 0; step < STEP_TIMES; step += 1) {
      const us = steps[step]?.us ?? 0;
      (this.#stepUs[step] as Uint32Array)[row] = us < UINT32_MAX ? us : UINT32_MAX;
    }
    return row;
  }

  /** All who leave a turn of the gate together have the same time. */
  #addTime(row: number, at: UnixMs): void {
    if (at !== this.#lastTime) {
      this.#lastTime = at;
      this.#timeLow = at % 2 ** 32;
      this.#timeHigh = Math.floor(at / 2 ** 32);
    }
    this.#at[2 * row] = this.#timeLow;
    this.#at[2 * row + 1] = this.#timeHigh;
  }

  #addTrace(row: number, words: Uint32Array, at: number): void {
    this.#traceHigh[2 * row + 1] = words[at] as number;
    this.#traceHigh[2 * row] = words[at + 1] as number;
    this.#traceLow[2 * row + 1] = words[at + 2] as number;
    this.#traceLow[2 * row] = words[at + 3] as number;
  }

  /** @param text looked at only where it is no IPv4 address */
  #addAddress(row: number, ipv4: number | null, text: string): void {
    const [high, low] = [this.#ipHigh, this.#ipLow];
    if (ipv4 !== null) {
      high[2 * row] = high[2 * row + 1] = 0;
      low[2 * row + 1] = 0xffff;
      low[2 * row] = ipv4;
      return;
    }
    const words = addressWords(text);
    high[2 * row + 1] = words[0];
    high[2 * row] = words[1];
    low[2 * row + 1] = words[2];
    low[2 * row] = words[3];
  }

  /** All who leave a turn of the gate together have the same one, and the very same list of steps. */
  #shapeNumber(of: Shape): number {
    if (this.#lastShape !== null && isSameShape(this.#lastShape, of)) return this.#lastShapeNumber;
    const shape = shapeOf(of);
    const key = shapeKey(shape);
    let number = this.#shapeNumbers.get(key);
    if (number === undefined) {
      number = this.#shapes.push(shape) - 1;
      this.#shapeNumbers.set(key, number);
    }
    this.#lastShape = shape;
    this.#lastShapeNumber = number;
    return number;
  }
}

/** An address as four words of 32 bits, the highest first; IPv4 in its mapped form; all zero when it is none. */
export function addressWords(text: string): readonly [number, number, number, number] {
  const address = parseIpAddress(text);
  if (address === null) return [0, 0, 0, 0];
  const groups = groupsOf(address);
  const word = (at: number): number => (((groups[at] as number) << 16) | (groups[at + 1] as number)) >>> 0;
  return [word(0), word(2), word(4), word(6)];
}

/** The number by which a text is searched. Two texts may share one: whoever has found it compares the texts. */
export function searchHash(text: string): number {
  const bytes = Buffer.from(text);
  return searchHashOf(bytes, 0, bytes.length);
}

/** The same of the UTF-8 between these two places. */
function searchHashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  hash = (hash ^ (hash >>> 13)) >>> 0;
  return hash === NO_HASH ? 1 : hash;
}
