/** The report of a drop, put together from what the services say: as JSON, and as CSV for spreadsheets. */
import Type from "typebox";
import { type Endpoint, type HttpReply, json } from "../core/endpoint.ts";
import { reply } from "../core/reply-schema.ts";
import type { Clock, UnixMs } from "../core/time.ts";
import { CONSOLE_CALL_MS_MAX, REPORT_CURVE_POINTS_MAX } from "../limits/console.ts";
import { csvOf, type DropReport, sampled, type TrafficPart, together } from "./report.ts";
import type { Services } from "./services.ts";
import type { StockCurves } from "./stock-curve.ts";

const Time = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000, description: "a time in unix ms" });

export const reportEndpoint = {
  name: "dropReport",
  method: "GET",
  path: "/api/report",
  params: Type.Object({}),
  query: Type.Object({ from: Time, until: Time, format: Type.Optional(Type.Enum(["json", "csv"])) }),
  body: null,
  needsAdminKey: false,
  summary: "What happened in a span of time: funnel, sell-out, latency, who was kept away, conversion, refunds.",
  replies: {
    200: {
      ...reply("The report.", Type.Object({ at: Time, from: Time, until: Time }), { at: 2, from: 0, until: 1 }),
      otherForms: { "text/csv": Type.String() },
    },
  },
  problems: { 401: "Nobody is signed in." },
} as const satisfies Endpoint;

interface ReportParts {
  readonly services: Services;
  readonly curves: StockCurves;
  readonly clock: Clock;
}
interface Asked {
  readonly from: UnixMs;
  readonly until: UnixMs;
  readonly format?: "json" | "csv";
}

export async function reportReply(parts: ReportParts, { from, until, format }: Asked): Promise<HttpReply> {
  const report = await makeReport(parts, from, until);
  if (format !== "csv") return { ...json(report), headers: { "cache-control": "no-store" } };
  const name = `doorbuster-${new Date(from).toISOString().slice(0, 16).replaceAll(":", "")}.csv`;
  const headers = { "content-type": "text/csv; charset=utf-8", "content-disposition": `attachment; filename="${name}"` };
  return { status: 200, body: csvOf(report), headers: { ...headers, "cache-control": "no-store" } };
}

async function makeReport({ services, curves, clock }: ReportParts, from: UnixMs, until: UnixMs): Promise<DropReport> {
  const [traffic, refunds, invariant] = await Promise.all([
    services.readAll("safe-protector", `/traffic/report?from=${from}&until=${until}`, CONSOLE_CALL_MS_MAX),
    services.read("shopping-cart", `/refunds?limit=${REFUNDS_LOOKED_AT}`, CONSOLE_CALL_MS_MAX),
    services.read("shopping-cart", "/audit", CONSOLE_CALL_MS_MAX),
  ]);
  const stock = curves.skus.map((goodsSKU) => ({ goodsSKU, points: sampled(curves.of(goodsSKU), from, until, REPORT_CURVE_POINTS_MAX) }));
  return {
    ...{ at: clock.now(), from, until, invariant },
    traffic: together(traffic.filter(isPart)),
    stock: stock.filter(({ points }) => points.length > 0),
    refunds: refundsIn(refunds, from, until),
  };
}

const REFUNDS_LOOKED_AT = 10_000;

const isPart = (part: unknown): part is TrafficPart => typeof part === "object" && part !== null && "funnel" in part;

interface RefundRow {
  readonly state: string;
  readonly amount: number;
  readonly since: UnixMs;
}

/** By what became of them. */
function refundsIn(rows: unknown, from: UnixMs, until: UnixMs): DropReport["refunds"] {
  const sums = new Map<string, { count: number; cents: number }>();
  for (const { state, amount, since } of Array.isArray(rows) ? (rows as readonly RefundRow[]) : []) {
    if (since < from || since > until) continue;
    const known = sums.get(state) ?? { count: 0, cents: 0 };
    sums.set(state, { count: known.count + 1, cents: known.cents + Math.round(amount * 100) });
  }
  return [...sums].map(([state, { count, cents }]) => ({ state, count, amount: cents / 100 }));
}
