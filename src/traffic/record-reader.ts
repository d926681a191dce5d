/**
 * From a page of access records to events. Records of purchases are written by ourselves, with their keys in a fixed order, so they are not parsed
 * but walked over: what the records of one turn have in common (time, instance, steps) is compared with the record before and taken from it, and
 * the rest are a few texts between known words. Whatever does not look exactly so goes to `JSON.parse` and the schema.
 */
import { parseIsoTime } from "../core/iso-time.ts";
import type { UnixMs } from "../core/time.ts";
import { type EventStep, RecordCheck, type TrafficEvent } from "./event.ts";

const TIME = '{"time":"';
const ISO_CHARS = 24;
const INSTANCE = '","instance":"';
const TRACE_ID = '","traceId":"';
const CLIENT_IP = '","clientIP":"';
const USER_ID = '","userID":"';
const SKU = '","goodsSKU":"';
const QUANTITY = '","goodsQuantity":';
const STEPS = ',"steps":[';
const REASON = '],"reason":';
const TOTAL = ',"totalUs":';
const NO_STEPS: readonly EventStep[] = [];

export class RecordReader {
  readonly #check = new RecordCheck();
  /** The record before: everything in front of the trace id, and what it means. */
  #head = "";
  #at: UnixMs = 0;
  #instance = "";
  /** The record before: everything from the steps to the total, and what it means. */
  #ending = "";
  #steps: readonly EventStep[] = NO_STEPS;
  #reason: string | null = null;
  /** Of the page that is read: where a backslash stands next. A text before it has no escapes. */
  #nextEscape = -1;
  #position = 0;
  #unreadable = 0;

  /** Lines so far that were no records. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** @param page whole lines, each with its line feed */
  read(page: string): TrafficEvent[] {
    const events: TrafficEvent[] = [];
    this.#nextEscape = -1;
    for (let start = 0; start < page.length; ) {
      const event = this.#purchase(page, start);
      if (event !== null) {
        events.push(event);
        start = this.#position;
        continue;
      }
      const feed = page.indexOf("\n", start);
      const end = feed < 0 ? page.length : feed;
      const read = this.#check.eventOf(page.slice(start, end));
      if (read !== null) events.push(read);
      else if (end > start) this.#unreadable += 1;
      start = end + 1;
    }
    return events;
  }

  /** `null`: not as expected. Leaves the position behind the line feed. */
  #purchase(page: string, start: number): TrafficEvent | null {
    if (!page.startsWith(this.#head, start) || this.#head === "") {
      if (!this.#readHead(page, start)) return null;
    }
    let from = start + this.#head.length;
    let to = page.indexOf('"', from);
    if (to < 0 || !page.startsWith(CLIENT_IP, to)) return null;
    const traceId = page.slice(from, to);
    from = to + CLIENT_IP.length;
    to = page.indexOf('"', from);
    if (to < 0 || !page.startsWith(USER_ID, to)) return null;
    const clientIp = page.slice(from, to);
    from = to + USER_ID.length;
    to = page.indexOf('"', from);
    if (to < 0 || !page.startsWith(SKU, to)) return null;
    const userId = page.slice(from, to);
    from = to + SKU.length;
    to = page.indexOf('"', from);
    if (to < 0 || !page.startsWith(QUANTITY, to)) return null;
    const sku = page.slice(from, to);
    from = to + QUANTITY.length;
    const quantity = this.#digits(page, from);
    if (quantity < 0) return null;
    from = this.#position;
    if (!page.startsWith(this.#ending, from) || this.#ending === "") {
      if (!this.#readEnding(page, from)) return null;
    }
    from += this.#ending.length;
    const totalUs = this.#digits(page, from);
    if (totalUs < 0 || !page.startsWith("}\n", this.#position)) return null;
    this.#position += 2;
    if (this.#hasEscape(page, start, this.#position)) return null;
    return {
      at: this.#at,
      instance: this.#instance,
      traceId,
      clientIp,
      userId,
      sku,
      quantity,
      steps: this.#steps,
      reason: this.#reason,
      totalUs,
      request: null,
      status: null,
    };
  }

  #readHead(page: string, start: number): boolean {
    const timeAt = start + TIME.length;
    if (!page.startsWith(TIME, start) || !page.startsWith(INSTANCE, timeAt + ISO_CHARS)) return false;
    const at = parseIsoTime(page.slice(timeAt, timeAt + ISO_CHARS));
    const instanceAt = timeAt + ISO_CHARS + INSTANCE.length;
    const instanceEnd = page.indexOf('"', instanceAt);
    if (at === null || instanceEnd < 0 || !page.startsWith(TRACE_ID, instanceEnd)) return false;
    const end = instanceEnd + TRACE_ID.length;
    if (this.#hasEscape(page, start, end)) return false;
    this.#head = page.slice(start, end);
    this.#at = at;
    this.#instance = page.slice(instanceAt, instanceEnd);
    return true;
  }

  /** Steps and reason, which all who leave a turn together share. */
  #readEnding(page: string, start: number): boolean {
    const feed = page.indexOf("\n", start);
    const total = page.indexOf(TOTAL, start);
    if (!page.startsWith(STEPS, start) || total < 0 || feed < total) return false;
    const ending = page.slice(start, total + TOTAL.length);
    const read = this.#check.eventOf(`${SAMPLE}${ending}0}`);
    // One reason behind the steps, and nothing else: the shape is ours.
    if (read === null || ending.split(REASON).length !== 2) return false;
    this.#ending = ending;
    this.#steps = read.steps.length === 0 ? NO_STEPS : read.steps;
    this.#reason = read.reason;
    return true;
  }

  #hasEscape(page: string, from: number, to: number): boolean {
    if (this.#nextEscape < from) {
      const found = page.indexOf("\\", from);
      this.#nextEscape = found < 0 ? Number.POSITIVE_INFINITY : found;
    }
    return this.#nextEscape < to;
  }

  /** A whole number as JSON writes it, at most fifteen digits; -1: none. Leaves the position behind it. */
  #digits(page: string, start: number): number {
    let value = 0;
    let at = start;
    for (; at < page.length && at - start <= 15; at += 1) {
      const digit = page.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.#position = at;
    const isNumber = at > start && at - start <= 15 && (at === start + 1 || page.charCodeAt(start) !== 48);
    return isNumber ? value : -1;
  }
}

/** A record up to its steps. */
const SAMPLE = '{"time":"2026-01-01T00:00:00.000Z","instance":"","traceId":"","clientIP":"","userID":"","goodsSKU":"","goodsQuantity":1';
