/**
 * From a page of access records to events. Records of purchases are written by ourselves, with their keys in a fixed order, so they are not parsed but
 * walked over, byte by byte: what the records of one turn have in common (time, instance, steps) is compared with the record before and taken from it,
 * and the rest are a few texts between known words. Whatever does not look exactly so goes to `JSON.parse` and the schema.
 */
import { parseIsoTime } from "../core/iso-time.ts";
import type { UnixMs } from "../core/time.ts";
import { type EventStep, RecordCheck } from "./event.ts";
import { kindOf } from "./kinds.ts";
import type { ReadEvents } from "./read-events.ts";
import { readHex } from "./trace-words.ts";

const encoder = new TextEncoder();
const bytesOf = (text: string): Uint8Array => encoder.encode(text);

const TIME = bytesOf('{"time":"');
const INSTANCE = bytesOf('","instance":"');
const TRACE_ID = bytesOf('","traceId":"');
const CLIENT_IP = bytesOf('","clientIP":"');
const USER_ID = bytesOf('","userID":"');
const SKU = bytesOf('","goodsSKU":"');
const QUANTITY = bytesOf('","goodsQuantity":');
const END = bytesOf("}\n");
const STEPS = ',"steps":[';
const REASON = '],"reason":';
const TOTAL = ',"totalUs":';
const ISO_CHARS = 24;
const TRACE_CHARS = 32;
const DIGITS_MAX = 15;
const [QUOTE, BACKSLASH, LINE_FEED, FIRST_PRINTABLE, ZERO] = [0x22, 0x5c, 0x0a, 0x20, 0x30];
const NOTHING = new Uint8Array(0);
const NO_STEPS: readonly EventStep[] = [];

export class RecordReader {
  readonly #check = new RecordCheck();
  readonly #decoder = new TextDecoder();
  /** The record before: everything in front of the trace id, and what it means. */
  #head: Uint8Array = NOTHING;
  #at: UnixMs = 0;
  #instance = "";
  /** The record before: everything from the steps to the total, and what it means. */
  #ending: Uint8Array = NOTHING;
  #steps: readonly EventStep[] = NO_STEPS;
  #reason: string | null = null;
  /** Whether the last batch of the page is not that of these. */
  #isOtherBatch = true;
  #position = 0;
  #number = 0;
  #unreadable = 0;

  /** Lines so far that were no records. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** @param bytes whole lines, each with its line feed */
  read(bytes: Uint8Array, page: ReadEvents): void {
    page.begin(bytes);
    this.#isOtherBatch = true;
    for (let start = 0; start < bytes.length; ) {
      if (!page.isFull && this.#purchase(page, start)) {
        start = this.#position;
        continue;
      }
      const feed = bytes.indexOf(LINE_FEED, start);
      const end = feed < 0 ? bytes.length : feed;
      const read = this.#check.eventOf(this.#decoder.decode(bytes.subarray(start, end)));
      if (read !== null) page.rest.push(read);
      else if (end > start) this.#unreadable += 1;
      start = end + 1;
    }
  }

  /** Adds a row and leaves the position behind the line feed. False: not as expected, and nothing is added. */
  #purchase(page: ReadEvents, start: number): boolean {
    const { bytes, count: row } = page;
    if ((this.#head.length === 0 || !isAt(bytes, start, this.#head)) && !this.#readHead(bytes, start)) return false;
    const traceAt = start + this.#head.length;
    if (!readHex(bytes, traceAt, page.trace, 4 * row)) return false;
    this.#position = traceAt + TRACE_CHARS;
    if (!this.#text(bytes, CLIENT_IP, page.address, row)) return false;
    if (!this.#text(bytes, USER_ID, page.user, row)) return false;
    if (!this.#text(bytes, SKU, page.sku, row)) return false;
    if (!this.#word(bytes, QUANTITY) || !this.#digits(bytes)) return false;
    page.quantity[row] = this.#number;
    const endingAt = this.#position;
    if ((this.#ending.length === 0 || !isAt(bytes, endingAt, this.#ending)) && !this.#readEnding(bytes, endingAt)) return false;
    this.#position = endingAt + this.#ending.length;
    if (!this.#digits(bytes) || !this.#word(bytes, END)) return false;
    page.totalUs[row] = this.#number;
    page.at[row] = this.#at;
    if (this.#isOtherBatch) this.#beginBatch(page);
    page.batch[row] = page.batches.length - 1;
    page.count = row + 1;
    return true;
  }

  #beginBatch(page: ReadEvents): void {
    const [instance, steps, reason] = [this.#instance, this.#steps, this.#reason];
    page.batches.push({ instance, steps, reason, kind: kindOf({ request: null, reason, steps }) });
    this.#isOtherBatch = false;
  }

  #readHead(bytes: Uint8Array, start: number): boolean {
    this.#position = start;
    if (!this.#word(bytes, TIME)) return false;
    const time = this.#decoder.decode(bytes.subarray(this.#position, this.#position + ISO_CHARS));
    const at = parseIsoTime(time);
    this.#position += ISO_CHARS;
    if (at === null || !this.#text(bytes, INSTANCE, this.#place, 0) || !this.#word(bytes, TRACE_ID)) return false;
    const instance = this.#decoder.decode(bytes.subarray(this.#place[0], this.#place[1]));
    if (instance !== this.#instance) this.#isOtherBatch = true;
    this.#head = bytes.slice(start, this.#position);
    this.#at = at;
    this.#instance = instance;
    return true;
  }
  readonly #place = new Uint32Array(2);

  /** Steps and reason, which all who leave a turn together share. */
  #readEnding(bytes: Uint8Array, start: number): boolean {
    const feed = bytes.indexOf(LINE_FEED, start);
    const text = this.#decoder.decode(bytes.subarray(start, feed < 0 ? bytes.length : feed));
    const total = text.indexOf(TOTAL);
    if (!text.startsWith(STEPS) || total < 0 || text.includes("\\")) return false;
    const ending = text.slice(0, total + TOTAL.length);
    const read = this.#check.eventOf(`${SAMPLE}${ending}0}`);
    // One reason behind the steps, and nothing else: the shape is ours.
    if (read === null || ending.split(REASON).length !== 2) return false;
    this.#ending = bytesOf(ending);
    this.#steps = read.steps.length === 0 ? NO_STEPS : read.steps;
    this.#reason = read.reason;
    this.#isOtherBatch = true;
    return true;
  }

  /** Whether this word is next; the position goes behind it. */
  #word(bytes: Uint8Array, word: Uint8Array): boolean {
    if (!isAt(bytes, this.#position, word)) return false;
    this.#position += word.length;
    return true;
  }

  /** The text behind this word, up to its quotation mark, which is next. What is escaped in it is not read here. */
  #text(bytes: Uint8Array, word: Uint8Array, places: Uint32Array, row: number): boolean {
    if (!this.#word(bytes, word)) return false;
    const from = this.#position;
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        places[2 * row] = from;
        places[2 * row + 1] = at;
        this.#position = at;
        return true;
      }
      if (byte === BACKSLASH || byte < FIRST_PRINTABLE) return false;
    }
    return false;
  }

  /** A whole number as JSON writes it, at most fifteen digits. The position goes behind it. */
  #digits(bytes: Uint8Array): boolean {
    const start = this.#position;
    let value = 0;
    let at = start;
    for (; at < bytes.length && at - start <= DIGITS_MAX; at += 1) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.#position = at;
    this.#number = value;
    return at > start && at - start <= DIGITS_MAX && (at === start + 1 || bytes[start] !== ZERO);
  }
}

function isAt(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  if (at + word.length > bytes.length) return false;
  // From the end: that is where two texts of a kind differ.
  for (let n = word.length - 1; n >= 0; n -= 1) if (bytes[at + n] !== word[n]) return false;
  return true;
}

/** A record up to its steps. */
const SAMPLE = '{"time":"2026-01-01T00:00:00.000Z","instance":"","traceId":"","clientIP":"","userID":"","goodsSKU":"","goodsQuantity":1';
