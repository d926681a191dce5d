/**
 * A chart over time: lines, or areas that stand on each other. Who does not see it has a sentence that says what it shows, and its figures as a table.
 */
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { colourOf, useScheme } from "../browser/colours.ts";
import { useFormats, useTell } from "../surroundings.tsx";

export interface Series {
  readonly label: string;
  /** A custom property of the style sheet, without its dashes. */
  readonly colour: string;
  /** One for each time. */
  readonly values: readonly number[];
}
interface ChartProps {
  readonly title: string;
  /** What it shows now, as a sentence. */
  readonly summary: string;
  readonly kind: "lines" | "stack";
  /** In unix ms, growing. */
  readonly times: readonly number[];
  /** Of a stack, from the bottom up. */
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  readonly height?: number;
}

export function Chart({ title, summary, kind, times, series, format, height = 180 }: ChartProps) {
  const titleId = useId();
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const scheme = useScheme();
  const formats = useFormats();
  const tell = useTell();
  const shape = series.map(({ label, colour }) => `${label} ${colour}`).join("|");
  const data = useMemo(() => dataOf(kind, times, series), [kind, times, series]);

  const build = (): uPlot | null => {
    const element = frame.current;
    if (element === null) return null;
    const options = optionsOf({ kind, series, format, height, width: element.clientWidth, element, setAt, time: formats.time });
    return new uPlot(options, data, element);
  };
  const key = `${kind} ${shape} ${scheme} ${height} ${formats.time(0)}`;
  useEffect(() => {
    const made = build();
    plot.current = made;
    const observer = new ResizeObserver(() => made?.setSize({ width: frame.current?.clientWidth ?? 300, height }));
    if (frame.current) observer.observe(frame.current);
    return () => {
      observer.disconnect();
      made?.destroy();
      plot.current = null;
    };
  }, [key]);
  useEffect(() => plot.current?.setData(data), [data]);

  const shown = at !== null && at < times.length ? at : times.length - 1;
  return (
    <figure class="chart" aria-labelledby={titleId}>
      <figcaption id={titleId}>{title}</figcaption>
      <div ref={frame} class="chart-frame" role="img" aria-label={summary} style={{ minHeight: `${height}px` }} />
      <ul class="legend">
        {series.map(({ label, colour, values }) => (
          <li key={label}>
            <span class="swatch" style={{ background: `var(--${colour})` }} aria-hidden="true" />
            {label} <b>{shown >= 0 ? format(values[shown] ?? 0) : "–"}</b>
          </li>
        ))}
        {at !== null && shown >= 0 && <li class="quiet">{formats.time(times[shown] ?? 0)}</li>}
      </ul>
      <details class="as-table">
        <summary>{tell("frame.showTable")}</summary>
        <FiguresTable {...{ title, times, series, format }} />
      </details>
    </figure>
  );
}

const TABLE_ROWS_MAX = 20;

function FiguresTable({ title, times, series, format }: Pick<ChartProps, "title" | "times" | "series" | "format">) {
  const tell = useTell();
  const { time } = useFormats();
  const step = Math.max(1, Math.ceil(times.length / TABLE_ROWS_MAX));
  const rows = times.map((_, index) => index).filter((index) => (times.length - 1 - index) % step === 0);
  return (
    <table>
      <caption class="unseen">{title}</caption>
      <thead>
        <tr>
          <th scope="col">{tell("frame.time")}</th>
          {series.map(({ label }) => (
            <th scope="col" class="number" key={label}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((index) => (
          <tr key={times[index]}>
            <th scope="row">{time(times[index] ?? 0)}</th>
            {series.map(({ label, values }) => (
              <td class="number" key={label}>
                {format(values[index] ?? 0)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Areas that stand on each other are drawn as sums, the highest first, each down to the one below it. */
function dataOf(kind: ChartProps["kind"], times: readonly number[], series: readonly Series[]): uPlot.AlignedData {
  const [only] = times;
  // One point has no width: it is drawn as a second in which nothing has changed.
  if (times.length === 1 && only !== undefined) {
    const twice = series.map((one) => ({ ...one, values: [one.values[0] ?? 0, one.values[0] ?? 0] }));
    return dataOf(kind, [only - 1_000, only], twice);
  }
  const seconds = times.map((at) => at / 1_000);
  if (kind === "lines") return [seconds, ...series.map(({ values }) => [...values])];
  const sums = series.map((_, index) =>
    times.map((__, point) => series.slice(0, index + 1).reduce((sum, { values }) => sum + (values[point] ?? 0), 0)),
  );
  return [seconds, ...sums.toReversed()];
}

interface Drawn extends Pick<ChartProps, "kind" | "series" | "format"> {
  readonly height: number;
  readonly width: number;
  readonly element: HTMLElement;
  readonly setAt: (index: number | null) => void;
  readonly time: (at: number) => string;
}

function optionsOf({ kind, series, format, height, width, element, setAt, time }: Drawn): uPlot.Options {
  const [ink, line] = [colourOf(element, "ink-quiet"), colourOf(element, "line")];
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { show: false }, font };
  const drawn = kind === "stack" ? series.toReversed() : series;
  return {
    width: Math.max(width, 100),
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    padding: [8, 26, 0, 0],
    scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(max * 1.08, 1)] } },
    axes: [
      { ...axis, space: 70, size: 28, values: (_, ticks) => ticks.map((tick) => time(tick * 1_000)) },
      { ...axis, size: 52, values: (_, ticks) => ticks.map(format) },
    ],
    series: [
      {},
      ...drawn.map(({ label, colour }): uPlot.Series => {
        const stroke = colourOf(element, colour);
        return { label, stroke, width: kind === "stack" ? 1 : 1.75, ...(kind === "stack" && { fill: stroke }), points: { show: false } };
      }),
    ],
    hooks: { setCursor: [({ cursor }) => setAt(cursor.idx ?? null)] },
  };
}
