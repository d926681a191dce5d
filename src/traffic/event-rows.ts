/**
 * A page of events as columns, the form in which they go to the database: numbers of a fixed width, which cost nanoseconds to write and are
 * searched fast. Users and SKUs are searched by a number made of them; the texts themselves lie beside, a page to a row. Everything about an
 * event that many share (instance, steps and outcomes, reason) is its shape, and the event has its number.
 */
import { groupsOf, ipv4Bits, parseIpAddress } from "../core/ip-address.ts";
import type { Column, TableRows } from "../core/segment-database.ts";
import type { UnixMs } from "../core/time.ts";
import { EVENT_PAGE_ROWS } from "../limits/event-store.ts";
import type { TrafficEvent } from "./event.ts";
import { isSameShape, type Shape, shapeKey, shapeOf } from "./event-shape.ts";

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
  #users: string[] = [];
  #skus: string[] = [];
  /** The texts of a page that is sealed. Pieces of the records that they came in would keep all of those in memory. */
  #texts: { readonly users: string; readonly skus: string } | null = null;
  readonly #shapes: Shape[] = [];
  readonly #shapeNumbers = new Map<string, number>();
  #lastShape: Shape | null = null;
  #lastShapeNumber = 0;
  #lastTraceHead = "";
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
    const row = this.#count;
    this.#count += 1;
    if (event.at < this.#firstAt) this.#firstAt = event.at;
    if (event.at > this.#lastAt) this.#lastAt = event.at;
    this.#addTime(row, event.at);
    this.#addTrace(row, event.traceId);
    this.#addAddress(row, event.clientIp);
    this.#userHash[row] = event.userId === null ? NO_HASH : searchHash(event.userId);
    this.#skuHash[row] = event.sku === null ? NO_HASH : searchHash(event.sku);
    this.#users.push(event.userId ?? NO_TEXT);
    this.#skus.push(event.sku ?? NO_TEXT);
    this.#quantity[row] = event.quantity;
    this.#shape[row] = this.#shapeNumber(event);
    this.#totalUs[row] = Math.min(event.totalUs, UINT32_MAX);
    const { steps } = event;
    for (let step = 0; step < STEP_TIMES; step += 1) {
      const us = steps[step]?.us ?? 0;
      (this.#stepUs[step] as Uint32Array)[row] = us < UINT32_MAX ? us : UINT32_MAX;
    }
  }

  /** Nothing more comes into the page. */
  seal(): void {
    this.#texts = { users: lines(this.#users), skus: lines(this.#skus) };
    this.#users = [];
    this.#skus = [];
  }

  /**
   * The rows of a sealed page.
   * @param page the number of the page in its segment
   * @param numbers what each of `shapes` is called in that segment
   */
  tables(page: number, numbers: readonly number[]): readonly TableRows[] {
    for (let row = 0; row < this.#count; row += 1) this.#shape[row] = numbers[this.#shape[row] as number] as number;
    this.#page.fill(page);
    const { users, skus } = this.#texts as { users: string; skus: string };
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
    this.#users = [];
    this.#skus = [];
    this.#texts = null;
    this.#shapes.length = 0;
    this.#shapeNumbers.clear();
    this.#lastShape = null;
    this.#lastTraceHead = "";
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

  /** Ids of one process begin alike, so the first half is seldom read. */
  #addTrace(row: number, traceId: string | null): void {
    const [head, low] = [this.#traceHigh, this.#traceLow];
    if (traceId === null || traceId.length !== 32) {
      head[2 * row] = head[2 * row + 1] = low[2 * row] = low[2 * row + 1] = 0;
      this.#lastTraceHead = "";
      return;
    }
    if (this.#lastTraceHead !== "" && traceId.startsWith(this.#lastTraceHead)) {
      head[2 * row] = head[2 * row - 2] as number;
      head[2 * row + 1] = head[2 * row - 1] as number;
    } else {
      head[2 * row + 1] = hexWord(traceId, 0);
      head[2 * row] = hexWord(traceId, 8);
      this.#lastTraceHead = ` ${traceId.slice(0, 16)}`.slice(1);
    }
    low[2 * row + 1] = hexWord(traceId, 16);
    low[2 * row] = hexWord(traceId, 24);
  }

  #addAddress(row: number, clientIp: string): void {
    const [high, low] = [this.#ipHigh, this.#ipLow];
    const bits = ipv4Bits(clientIp);
    if (bits !== null) {
      high[2 * row] = high[2 * row + 1] = 0;
      low[2 * row + 1] = 0xffff;
      low[2 * row] = bits;
      return;
    }
    const words = addressWords(clientIp);
    high[2 * row + 1] = words[0];
    high[2 * row] = words[1];
    low[2 * row + 1] = words[2];
    low[2 * row] = words[3];
  }

  /** All who leave a turn of the gate together have the same one, and the very same list of steps. */
  #shapeNumber(event: TrafficEvent): number {
    if (this.#lastShape !== null && isSameShape(this.#lastShape, event)) return this.#lastShapeNumber;
    const shape = shapeOf(event);
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
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  hash = (hash ^ (hash >>> 13)) >>> 0;
  return hash === NO_HASH ? 1 : hash;
}

/** Eight lower-case hex digits; others become nonsense, and no error. */
function hexWord(text: string, from: number): number {
  let word = 0;
  for (let i = from; i < from + 8; i += 1) {
    const code = text.charCodeAt(i);
    word = (word << 4) | ((code < 58 ? code - 48 : code - 87) & 15);
  }
  return word;
}

/** Ids have no control characters; a record that was tampered with may. It must not move the lines of the others. */
function lines(texts: string[]): string {
  const joined = texts.join("\n");
  return lineFeeds(joined) < texts.length ? joined : texts.map((text) => text.replaceAll("\n", " ")).join("\n");
}

function lineFeeds(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}
