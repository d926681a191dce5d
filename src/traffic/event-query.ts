/**
 * A search as statements, one for each segment: first the rows, by numbers alone, then everything about them. Values go in as values; what is put
 * into the text are numbers of our own.
 */
import { parseCidrRange, parseIpAddress } from "../core/ip-address.ts";
import type { Cell, Question } from "../core/segment-database.ts";
import type { TrafficEvent } from "./event.ts";
import { addressWords, NO_TEXT, searchHash } from "./event-rows.ts";
import { shapeOfRow } from "./event-shape.ts";
import type { EventQuery } from "./event-store.ts";

/** Where a page ended. Rows are numbered in the order in which they arrived. */
export interface Cursor {
  readonly segment: number;
  readonly row: number;
}

/** A row, and the page that its texts are in. */
export interface FoundRow {
  readonly row: number;
  readonly page: number;
}

export interface FoundEvent {
  readonly cursor: Cursor;
  readonly event: TrafficEvent;
}

/** The reason by which what went well is searched. */
export const HELD = "held";
const LAST_STEP = "string_split(steps, chr(10))[-1]";
/** The reply to a repeated key has no reason either, but does not come to the cart. */
const HAS_HELD = `${LAST_STEP} = 'cart'`;
const NO_TRACE = "0".repeat(32);

export const cursorText = ({ segment, row }: Cursor): string => `${segment}.${row}`;

/** `null`: no page ends with this. */
export function cursorOf(text: string): Cursor | null {
  const match = /^(\d{1,9})\.(\d{1,12})$/.exec(text);
  return match && { segment: Number(match[1]), row: Number(match[2]) };
}

/** The last of these rows of a segment that fit the query as far as numbers tell: those from `first` until before `end`. */
export function searchRows(segment: number, query: EventQuery, first: number, end: number, limit: number): Question {
  const conditions = [`rowid >= ${first} and rowid < ${end}`];
  const values: (number | bigint | string)[] = [];
  const must = (condition: string, ...given: (number | bigint | string)[]): void => {
    conditions.push(condition);
    values.push(...given);
  };
  if (query.traceId !== undefined) {
    must("trace_low = ?::ubigint", BigInt(`0x${query.traceId.slice(16)}`));
    must("trace_high = ?::ubigint", BigInt(`0x${query.traceId.slice(0, 16)}`));
  }
  if (query.userId !== undefined) must("user_hash = ?::uinteger", searchHash(query.userId));
  if (query.sku !== undefined) must("sku_hash = ?::uinteger", searchHash(query.sku));
  if (query.clientIp !== undefined) mustBeAddress(query.clientIp, must);
  const shapes = shapeCondition(segment, query);
  if (shapes !== null) must(shapes.sql, ...shapes.values);
  if (query.fromMs !== undefined) must("seen_at >= epoch_ms(?::bigint)", query.fromMs);
  if (query.untilMs !== undefined) must("seen_at < epoch_ms(?::bigint)", query.untilMs);
  return { sql: `select rowid, page from s${segment}.events where ${conditions.join(" and ")} order by rowid desc limit ${limit}`, values };
}

function mustBeAddress(text: string, must: (condition: string, ...values: bigint[]) => void): void {
  const range = parseCidrRange(text);
  const words = addressWords(range === null ? text : (text.split("/")[0] as string));
  const bits = range?.prefixBits ?? 128;
  for (const [name, high, low, kept] of [
    ["ip_low", words[2], words[3], Math.max(0, bits - 64)],
    ["ip_high", words[0], words[1], Math.min(64, bits)],
  ] as const) {
    const rest = (1n << BigInt(64 - kept)) - 1n;
    const first = ((BigInt(high) << 32n) | BigInt(low)) & ~rest;
    if (kept === 64) must(`${name} = ?::ubigint`, first);
    else if (kept > 0) must(`${name} between ?::ubigint and ?::ubigint`, first, first | rest);
  }
}

function shapeCondition(segment: number, { reason, step }: EventQuery): Question | null {
  const conditions: string[] = [];
  const values: string[] = [];
  if (reason !== undefined) {
    conditions.push("reason = ?");
    values.push(reason === HELD ? "" : reason);
    if (reason === HELD) conditions.push(HAS_HELD);
  }
  if (step !== undefined) {
    conditions.push(`${LAST_STEP} = ?`);
    values.push(step);
  }
  if (conditions.length === 0) return null;
  return { sql: `shape in (select shape from s${segment}.shapes where ${conditions.join(" and ")})`, values };
}

/** Everything about these rows, the last first. */
export function readRows(segment: number, found: readonly FoundRow[]): Question {
  const s = `s${segment}`;
  const rows = found.map(({ row }) => row);
  const pages = new Set(found.map(({ page }) => page));
  return {
    sql: `select e.rowid, epoch_ms(e.seen_at), format('{:016x}{:016x}', e.trace_high, e.trace_low), format('{:016x}{:016x}', e.ip_high, e.ip_low),
        string_split(t.users, chr(10))[e.line + 1], string_split(t.skus, chr(10))[e.line + 1], e.quantity, e.total_us,
        e.us_1, e.us_2, e.us_3, e.us_4, e.us_5, f.instance, f.kind, f.status, f.reason, f.steps, f.outcomes
      from (select rowid, * from ${s}.events where rowid between ${rows.at(-1)} and ${rows[0]} and rowid in (${rows.join(", ")})) e
        join (select * from ${s}.texts where page in (${[...pages].join(", ")})) t using (page)
        join ${s}.shapes f using (shape)
      order by e.rowid desc`,
    values: [],
  };
}

export function eventOfRow(segment: number, cells: readonly Cell[]): FoundEvent {
  const [row, at, trace, ip, user, sku, quantity, totalUs, us1, us2, us3, us4, us5, instance, kind, status, reason, steps, outcomes] =
    cells as readonly [number, number, string, string, string, string, ...number[], string, string, number, string, string, string];
  const shape = shapeOfRow({ instance, kind, status, reason, steps, outcomes } as never, [us1, us2, us3, us4, us5] as number[]);
  const event: TrafficEvent = {
    ...shape,
    at,
    traceId: trace === NO_TRACE ? null : trace,
    clientIp: parseIpAddress((ip.match(/.{4}/g) ?? []).join(":")) ?? "",
    userId: textOf(user),
    sku: textOf(sku),
    quantity: quantity as number,
    totalUs: totalUs as number,
  };
  return { cursor: { segment, row }, event };
}

const textOf = (text: string): string | null => (text === NO_TEXT ? null : text);

/** Two texts may have the same number: whether the event is really of whom was asked for. */
export const isAskedFor = ({ userId, sku }: EventQuery, event: TrafficEvent): boolean =>
  (userId === undefined || userId === event.userId) && (sku === undefined || sku === event.sku);
