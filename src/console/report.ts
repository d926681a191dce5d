/** What happened in a drop, on one page: the traffic of all instances put together, the stock over time, refunds, and the invariants. Pure. */
import type { UnixMs } from "../core/time.ts";
import type { StockPoint } from "./stock-curve.ts";

type Counts = Readonly<Record<string, number>>;

/** As SafeProtector tells it at `/traffic/report`. */
export interface TrafficPart {
  readonly from: UnixMs;
  readonly until: UnixMs;
  readonly seen: { readonly first: UnixMs; readonly last: UnixMs } | null;
  readonly requests: number;
  readonly purchases: number;
  readonly held: number;
  readonly heldUnits: number;
  readonly failed: number;
  readonly funnel: readonly { readonly step: string; readonly entered: number; readonly refused: Counts }[];
  readonly other: Counts;
  readonly latencyUs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
  readonly distinct: { readonly users: number; readonly addresses: number };
  readonly blocked: readonly { readonly reason: string; readonly requests: number; readonly users: number; readonly addresses: number }[];
  readonly conversion: Counts;
  readonly bucketMs: number;
  readonly timeline: readonly TimelinePoint[];
  readonly skus: readonly {
    readonly goodsSKU: string;
    readonly purchases: number;
    readonly heldUnits: number;
    readonly heldOverTime: readonly number[];
  }[];
}
interface TimelinePoint {
  readonly at: UnixMs;
  readonly requests: number;
  readonly purchases: number;
  readonly held: number;
  readonly failed: number;
  readonly blocked: number;
}

/** What one instance says, or what several say together: counts add up; who was counted at two instances is counted twice, and percentiles are means by
 *  weight, so that both are estimates (`isEstimate`). */
export interface Traffic extends Omit<TrafficPart, "skus"> {
  readonly skus: readonly { readonly goodsSKU: string; readonly purchases: number; readonly heldUnits: number }[];
  readonly isEstimate: boolean;
}

export interface DropReport {
  readonly at: UnixMs;
  readonly from: UnixMs;
  readonly until: UnixMs;
  /** `null`: no traffic is kept. */
  readonly traffic: Traffic | null;
  readonly stock: readonly { readonly goodsSKU: string; readonly points: readonly StockPoint[] }[];
  readonly refunds: readonly { readonly state: string; readonly count: number; readonly amount: number }[];
  readonly invariant: unknown;
}

export function together(parts: readonly TrafficPart[]): Traffic | null {
  const seen = parts.filter((part) => part.seen !== null);
  const [first] = seen.length > 0 ? seen : parts;
  if (first === undefined) return null;
  if (seen.length <= 1) return { ...first, isEstimate: false };
  const purchases = sum(seen, (part) => part.purchases);
  const mean = (of: (part: TrafficPart) => number): number =>
    Math.round(sum(seen, (part) => of(part) * part.purchases) / Math.max(1, purchases));
  const bucketMs = Math.max(...seen.map((part) => part.bucketMs));
  return {
    ...{ from: first.from, until: first.until, purchases, bucketMs, isEstimate: true },
    seen: {
      first: Math.min(...seen.map((part) => part.seen?.first ?? 0)),
      last: Math.max(...seen.map((part) => part.seen?.last ?? 0)),
    },
    requests: sum(seen, (part) => part.requests),
    held: sum(seen, (part) => part.held),
    heldUnits: sum(seen, (part) => part.heldUnits),
    failed: sum(seen, (part) => part.failed),
    funnel: first.funnel.map(({ step }) => {
      const same = seen.flatMap((part) => part.funnel.filter((each) => each.step === step));
      return { step, entered: sum(same, ({ entered }) => entered), refused: added(same.map(({ refused }) => refused)) };
    }),
    other: added(seen.map(({ other }) => other)),
    latencyUs: {
      p50: mean(({ latencyUs }) => latencyUs.p50),
      p95: mean(({ latencyUs }) => latencyUs.p95),
      p99: mean(({ latencyUs }) => latencyUs.p99),
      max: Math.max(...seen.map(({ latencyUs }) => latencyUs.max)),
    },
    distinct: { users: sum(seen, ({ distinct }) => distinct.users), addresses: sum(seen, ({ distinct }) => distinct.addresses) },
    blocked: grouped(
      seen.flatMap(({ blocked }) => blocked),
      ({ reason }) => reason,
      (reason, same) => ({
        reason,
        requests: sum(same, ({ requests }) => requests),
        users: sum(same, ({ users }) => users),
        addresses: sum(same, ({ addresses }) => addresses),
      }),
    ),
    conversion: added(seen.map(({ conversion }) => conversion)),
    timeline: timelineOf(seen, bucketMs),
    skus: grouped(
      seen.flatMap(({ skus }) => skus),
      ({ goodsSKU }) => goodsSKU,
      (goodsSKU, same) => ({
        goodsSKU,
        purchases: sum(same, (one) => one.purchases),
        heldUnits: sum(same, ({ heldUnits }) => heldUnits),
      }),
    ),
  };
}

function timelineOf(parts: readonly TrafficPart[], bucketMs: number): readonly TimelinePoint[] {
  const points = parts.flatMap(({ timeline }) => timeline.map((point) => ({ ...point, at: Math.floor(point.at / bucketMs) * bucketMs })));
  return grouped(
    points.toSorted((one, other) => one.at - other.at),
    ({ at }) => String(at),
    (at, same) => ({
      at: Number(at),
      requests: sum(same, ({ requests }) => requests),
      purchases: sum(same, ({ purchases }) => purchases),
      held: sum(same, ({ held }) => held),
      failed: sum(same, ({ failed }) => failed),
      blocked: sum(same, ({ blocked }) => blocked),
    }),
  );
}

const sum = <T>(of: readonly T[], value: (one: T) => number): number => of.reduce((all, one) => all + value(one), 0);

function added(all: readonly Counts[]): Counts {
  const names = new Set(all.flatMap((counts) => Object.keys(counts)));
  return Object.fromEntries([...names].map((name) => [name, sum(all, (counts) => counts[name] ?? 0)]));
}

function grouped<T, R>(all: readonly T[], keyOf: (one: T) => string, make: (key: string, same: readonly T[]) => R): R[] {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return [...groups].map(([key, same]) => make(key, same));
}

/** Some of the points of a curve in a span of time: the first, the last, and enough between them to draw it. */
export function sampled(curve: readonly StockPoint[], from: UnixMs, until: UnixMs, pointsMax: number): readonly StockPoint[] {
  const before = curve.findLast(({ at }) => at < from);
  const within = curve.filter(({ at }) => at >= from && at <= until);
  const last = within.at(-1) ?? before;
  const goesOn = last !== undefined && curve.some(({ at }) => at > until);
  const points = [
    ...(before === undefined ? [] : [{ ...before, at: from }]),
    ...within,
    // What was so at the last point was so until the next one.
    ...(goesOn ? [{ ...last, at: until }] : []),
  ];
  const step = Math.ceil(points.length / pointsMax);
  return points.filter((_, index) => index % step === 0 || index === points.length - 1);
}

/** Every figure of the report as a row of its own, as spreadsheets like it: which part, which row of it, what, how much. */
export function csvOf(report: DropReport): string {
  const rows: (readonly (string | number)[])[] = [["part", "row", "figure", "value"]];
  const add = (part: string, row: string | number, figures: Readonly<Record<string, unknown>>): void => {
    for (const [figure, value] of Object.entries(figures))
      if (typeof value === "number" || typeof value === "string") rows.push([part, row, figure, value]);
  };
  const { traffic } = report;
  add("report", "", { at: iso(report.at), from: iso(report.from), until: iso(report.until) });
  if (traffic !== null) {
    const { requests, purchases, held, heldUnits, failed } = traffic;
    add("traffic", "", { requests, purchases, held, heldUnits, failed, ...traffic.distinct });
    add("latency in microseconds", "", traffic.latencyUs);
    for (const { step, entered, refused } of traffic.funnel) {
      add("funnel", step, { entered });
      add("refused", step, refused);
    }
    add("requests that are no purchase", "", traffic.other);
    for (const { reason, ...figures } of traffic.blocked) add("blocked", reason, figures);
    add("conversion", "", traffic.conversion);
    for (const { goodsSKU, ...figures } of traffic.skus) add("goods", goodsSKU, figures);
    for (const { at, ...figures } of traffic.timeline) add("over time", iso(at), figures);
  }
  for (const { goodsSKU, points } of report.stock)
    for (const { at, ...figures } of points) add(`stock of ${goodsSKU}`, iso(at), { ...figures });
  for (const { state, ...figures } of report.refunds) add("refunds", state, figures);
  return `${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

const iso = (at: UnixMs): string => new Date(at).toISOString();

/** RFC 4180; a text that a spreadsheet would take for a formula is kept from being one. */
function cell(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
