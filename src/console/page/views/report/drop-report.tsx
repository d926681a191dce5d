/** What happened: the headline, the funnel, time, stock, latency, who was kept away, what came of it. */
import { useMemo } from "preact/hooks";
import type { StockPoint, TrafficWindow } from "../../answers.ts";
import { Card } from "../../parts/card.tsx";
import { Chart, type Series } from "../../parts/chart.tsx";
import { useFormats, useTell } from "../../surroundings.tsx";
import type { TextKey } from "../../texts/texts.ts";
import { wordOf } from "../../texts/texts.ts";
import { Steps } from "../now/funnel.tsx";

type Counts = Readonly<Record<string, number>>;

interface TrafficPart {
  readonly requests: number;
  readonly purchases: number;
  readonly held: number;
  readonly heldUnits: number;
  readonly failed: number;
  readonly funnel: TrafficWindow["funnel"];
  readonly other: Counts;
  readonly latencyUs: TrafficWindow["latencyUs"];
  readonly distinct: TrafficWindow["distinct"];
  readonly blocked: readonly { readonly reason: string; readonly requests: number; readonly users: number; readonly addresses: number }[];
  readonly conversion: Counts;
  readonly timeline: readonly {
    readonly at: number;
    readonly requests: number;
    readonly held: number;
    readonly failed: number;
    readonly blocked: number;
  }[];
  readonly skus: readonly { readonly goodsSKU: string; readonly purchases: number; readonly heldUnits: number }[];
  readonly isEstimate: boolean;
}
export interface ReportAnswer {
  readonly at: number;
  readonly from: number;
  readonly until: number;
  readonly traffic: TrafficPart | null;
  readonly stock: readonly { readonly goodsSKU: string; readonly points: readonly StockPoint[] }[];
  readonly refunds: readonly { readonly state: string; readonly count: number; readonly amount: number }[];
  readonly invariant: { readonly state: string; readonly checkedAt: number | null } | null;
}

export function DropReport({ report }: { readonly report: ReportAnswer }) {
  const tell = useTell();
  const formats = useFormats();
  const { traffic } = report;
  const sold = report.stock.reduce((sum, { points }) => sum + (points.at(-1)?.sold ?? 0) - (points[0]?.sold ?? 0), 0);
  return (
    <div class="report">
      <p class="report-span">
        <b>{tell("report.headline", { from: formats.dateTime(report.from), until: formats.dateTime(report.until) })}</b>{" "}
        <span class="quiet">{tell("report.madeAt", { time: formats.dateTime(report.at) })}</span>
      </p>
      {traffic === null ? (
        <p class="notice">{tell("report.noTraffic")}</p>
      ) : (
        <>
          {traffic.isEstimate && <p class="notice">{tell("report.estimate")}</p>}
          <dl class="headline">
            {headlineOf(traffic, sold, report.invariant?.state ?? "unknown").map(([key, value]) => (
              <div key={key}>
                <dt>{tell(key)}</dt>
                <dd>{typeof value === "number" ? formats.count(value) : tell(value)}</dd>
              </div>
            ))}
            <div>
              <dt>{tell("report.p99")}</dt>
              <dd>{formats.micros(traffic.latencyUs.p99)}</dd>
            </div>
            <div>
              <dt>{tell("report.conversion")}</dt>
              <dd>{formats.share((traffic.conversion.usersWhoHeld ?? 0) / Math.max(1, traffic.distinct.users))}</dd>
            </div>
          </dl>
          <Card title={tell("report.funnel")}>
            <Steps window={traffic} />
          </Card>
          <Timeline traffic={traffic} />
        </>
      )}
      <div class="pair">
        {report.stock.map(({ goodsSKU, points }) => (
          <SellOutCurve key={goodsSKU} sku={goodsSKU} points={points} />
        ))}
      </div>
      {traffic !== null && <Details traffic={traffic} />}
      <Card title={tell("report.refunds")}>
        {report.refunds.length === 0 && <p class="quiet">{tell("report.noRefunds")}</p>}
        <ul>
          {report.refunds.map(({ state, count, amount }) => (
            <li key={state}>
              {wordOf(tell, "refundState", state)}: <b>{formats.count(count)}</b> · {formats.money(amount)}
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}

const INVARIANT_TEXTS: Readonly<Record<string, TextKey>> = { holding: "now.invariantHolding", broken: "now.invariantBroken" };

const headlineOf = (traffic: TrafficPart, sold: number, state: string): readonly (readonly [TextKey, number | TextKey])[] => [
  ["report.requests", traffic.requests],
  ["report.purchases", traffic.purchases],
  ["report.users", traffic.distinct.users],
  ["report.addresses", traffic.distinct.addresses],
  ["report.held", traffic.heldUnits],
  ["report.sold", sold],
  ["report.failed", traffic.failed],
  ["now.invariant", INVARIANT_TEXTS[state] ?? "now.invariantUnknown"],
];

function Timeline({ traffic }: { readonly traffic: TrafficPart }) {
  const tell = useTell();
  const formats = useFormats();
  const times = useMemo(() => traffic.timeline.map(({ at }) => at), [traffic]);
  const series = useMemo(
    (): Series[] => [
      { label: tell("now.seriesRequests"), colour: "series-requests", values: traffic.timeline.map(({ requests }) => requests) },
      { label: tell("now.seriesHeld"), colour: "series-held", values: traffic.timeline.map(({ held }) => held) },
      { label: tell("report.seriesBlocked"), colour: "series-p95", values: traffic.timeline.map(({ blocked }) => blocked) },
      { label: tell("now.seriesFailed"), colour: "series-failed", values: traffic.timeline.map(({ failed }) => failed) },
    ],
    [traffic, tell],
  );
  const title = tell("report.timeline");
  const summary = `${title}: ${tell("now.seriesRequests")} ${formats.count(traffic.requests)}, ${tell("now.seriesHeld")} ${formats.count(traffic.held)}`;
  return (
    <Card title={title}>
      <Chart {...{ title, summary, kind: "lines", times, series, format: formats.short }} />
    </Card>
  );
}

const STOCK_PARTS = [
  ["sold", "stock-sold", "now.sold"],
  ["paymentPending", "stock-pending", "now.pending"],
  ["held", "stock-held", "now.inCarts"],
  ["available", "stock-available", "now.available"],
] as const;

function SellOutCurve({ sku, points }: { readonly sku: string; readonly points: readonly StockPoint[] }) {
  const tell = useTell();
  const formats = useFormats();
  const times = useMemo(() => points.map(({ at }) => at), [points]);
  const series = useMemo(
    (): Series[] => STOCK_PARTS.map(([part, colour, text]) => ({ label: tell(text), colour, values: points.map((point) => point[part]) })),
    [points, tell],
  );
  const title = `${tell("report.sellOut")}: ${sku}`;
  const last = points.at(-1);
  const summary = `${title}: ${STOCK_PARTS.map(([part, , text]) => `${tell(text)} ${formats.count(last?.[part] ?? 0)}`).join(", ")}`;
  return (
    <Card title={title}>
      <Chart {...{ title, summary, kind: "stack", times, series, format: formats.short }} height={160} />
    </Card>
  );
}

const CONVERSION_TEXTS = {
  users: "report.convUsers",
  usersWhoHeld: "report.convHeld",
  ordersPlaced: "report.convPlaced",
  ordersCancelled: "report.convCancelled",
  holdsReleased: "report.convReleased",
} as const satisfies Readonly<Record<string, TextKey>>;

function Details({ traffic }: { readonly traffic: TrafficPart }) {
  const tell = useTell();
  const formats = useFormats();
  const { p50, p95, p99, max } = traffic.latencyUs;
  return (
    <div class="pair">
      <Card title={tell("report.conversion")}>
        <dl class="figures">
          {(Object.keys(CONVERSION_TEXTS) as (keyof typeof CONVERSION_TEXTS)[]).map((name) => (
            <div key={name}>
              <dt>{tell(CONVERSION_TEXTS[name])}</dt>
              <dd>{formats.count(traffic.conversion[name] ?? 0)}</dd>
            </div>
          ))}
        </dl>
      </Card>
      <Card title={tell("report.latency")}>
        <dl class="figures">
          {Object.entries({ p50, p95, p99, max }).map(([name, us]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{formats.micros(us)}</dd>
            </div>
          ))}
        </dl>
      </Card>
      <Card title={tell("report.blocked")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{tell("report.blockedReason")}</th>
              {(["report.requests", "report.users", "report.addresses"] as const).map((key) => (
                <th scope="col" class="number" key={key}>
                  {tell(key)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {traffic.blocked.map(({ reason, requests, users, addresses }) => (
              <tr key={reason}>
                <th scope="row">{wordOf(tell, "reason", reason)}</th>
                {[requests, users, addresses].map((count, index) => (
                  <td class="number" key={["requests", "users", "addresses"][index]}>
                    {formats.count(count)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Card>
      <Card title={tell("report.goods")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{tell("sales.sku")}</th>
              <th scope="col" class="number">
                {tell("report.purchases")}
              </th>
              <th scope="col" class="number">
                {tell("report.held")}
              </th>
            </tr>
          </thead>
          <tbody>
            {traffic.skus.map(({ goodsSKU, purchases, heldUnits }) => (
              <tr key={goodsSKU}>
                <th scope="row">{goodsSKU}</th>
                <td class="number">{formats.count(purchases)}</td>
                <td class="number">{formats.count(heldUnits)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Card>
    </div>
  );
}
