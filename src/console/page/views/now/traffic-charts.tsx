/** How many ask, how many get something, and how long it takes, over the last minutes. */
import { useMemo } from "preact/hooks";
import type { TrafficPoint } from "../../answers.ts";
import { Card } from "../../parts/card.tsx";
import { Chart, type Series } from "../../parts/chart.tsx";
import { useFormats, useTell } from "../../surroundings.tsx";

export function TrafficCharts({ points }: { readonly points: readonly TrafficPoint[] | null }) {
  const tell = useTell();
  const formats = useFormats();
  const times = useMemo(() => (points ?? []).map(({ at }) => at), [points]);
  const traffic = useMemo(
    (): Series[] => [
      { label: tell("now.seriesRequests"), colour: "series-requests", values: (points ?? []).map(({ requests }) => requests) },
      { label: tell("now.seriesHeld"), colour: "series-held", values: (points ?? []).map(({ held }) => held) },
      { label: tell("now.seriesFailed"), colour: "series-failed", values: (points ?? []).map(({ failed }) => failed) },
    ],
    [points, tell],
  );
  const latency = useMemo(
    (): Series[] => [
      { label: "p50", colour: "series-p50", values: (points ?? []).map(({ p50Us }) => p50Us) },
      { label: "p95", colour: "series-p95", values: (points ?? []).map(({ p95Us }) => p95Us) },
      { label: "p99", colour: "series-p99", values: (points ?? []).map(({ p99Us }) => p99Us) },
    ],
    [points],
  );
  if (points === null || points.length === 0) return null;
  const summaryOf = (title: string, series: readonly Series[], format: (value: number) => string): string =>
    `${title}: ${series.map(({ label, values }) => `${label} ${format(values.at(-1) ?? 0)}`).join(", ")}`;
  const [titleOfTraffic, titleOfLatency] = [tell("now.chartTraffic"), tell("now.chartLatency")];
  return (
    <div class="pair">
      <Card title={titleOfTraffic}>
        <Chart
          {...{ title: titleOfTraffic, kind: "lines", times, series: traffic, format: formats.short }}
          summary={summaryOf(titleOfTraffic, traffic, formats.short)}
        />
      </Card>
      <Card title={titleOfLatency}>
        <Chart
          {...{ title: titleOfLatency, kind: "lines", times, series: latency, format: formats.micros }}
          summary={summaryOf(titleOfLatency, latency, formats.micros)}
        />
      </Card>
    </div>
  );
}
