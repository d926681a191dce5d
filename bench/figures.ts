/** What is measured, what it should be, and how it is shown. The targets are those of the design, "What fast means here". */

export interface Figure {
  readonly title: string;
  readonly unit: "ratio" | "bytes" | "MB" | "s" | "ms";
  /** More than this fails the run; `null`: for information. */
  readonly target: number | null;
  readonly aim: number;
}

export const FIGURES = {
  purchaseToBare: { title: "full durable purchase / bare handler", unit: "ratio", target: 1.6, aim: 1.3 },
  purchaseToStatic: { title: "full durable purchase / static route", unit: "ratio", target: 3.5, aim: 2.5 },
  keyedToBare: { title: "purchase with Idempotency-Key / bare handler", unit: "ratio", target: null, aim: 1.6 },
  soldOutToBare: { title: "refused, sold out / bare handler", unit: "ratio", target: 1.25, aim: 1.1 },
  blacklistedToBare: { title: "refused, blacklisted / bare handler", unit: "ratio", target: 1.25, aim: 1.1 },
  throttledToBare: { title: "refused, throttled / bare handler", unit: "ratio", target: 1.25, aim: 1.1 },
  trafficToNone: { title: "purchase with the traffic analysed / not analysed", unit: "ratio", target: 1.1, aim: 1.05 },
  tokenToNone: { title: "purchase with a signed token / the same without", unit: "ratio", target: 1.25, aim: 1.1 },
  dropToBare: { title: "purchase in a sale, with token and key / bare handler", unit: "ratio", target: 1.6, aim: 1.3 },
  saleToBare: { title: "GET /sales/{id} / bare handler", unit: "ratio", target: 1.15, aim: 1 },
  orderToPurchase: { title: "place + pay / purchase", unit: "ratio", target: 2, aim: 1.5 },
  holdBytes: { title: "memory per live hold, with its user (resident)", unit: "bytes", target: 300, aim: 150 },
  restartSeconds: { title: "restart with 1,000,000 live holds", unit: "s", target: 3, aim: 1 },
  dueAtOnceMs: { title: "100,000 holds due at once: longest pause of the loop", unit: "ms", target: 20, aim: 5 },
  listedToEmpty: { title: "purchase with 2,010,000 decisions / with none", unit: "ratio", target: 1.1, aim: 1.02 },
  listsMegabytes: { title: "memory of 2,010,000 decisions (resident)", unit: "MB", target: 120, aim: 100 },
  atScaleToEmpty: { title: "purchase at 1M users, 100k SKUs, 1M blacklisted / empty", unit: "ratio", target: 1.3, aim: 1.1 },
} as const satisfies Record<string, Figure>;
export type FigureName = keyof typeof FIGURES;

export type Verdict = "aim reached" | "target met" | "MISSED" | "for information";

export interface Measured {
  readonly name: FigureName;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly verdict: Verdict;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export function measured(name: FigureName, samples: readonly number[]): Measured {
  const { target, aim }: Figure = FIGURES[name];
  const value = median(samples);
  return { name, value, low: Math.min(...samples), high: Math.max(...samples), verdict: verdictOf(value, target, aim) };
}

function verdictOf(value: number, target: number | null, aim: number): Verdict {
  if (value <= aim) return "aim reached";
  if (target === null) return "for information";
  return value <= target ? "target met" : "MISSED";
}

export function shown(value: number, unit: Figure["unit"]): string {
  switch (unit) {
    case "ratio":
      return value.toFixed(2);
    case "bytes":
      return `${value.toFixed(0)} B`;
    case "MB":
      return `${value.toFixed(0)} MB`;
    case "s":
      return `${value.toFixed(2)} s`;
    case "ms":
      return `${value.toFixed(1)} ms`;
  }
}

/** A Markdown table, so that it can be pasted where it is needed. The spread is the lowest and the highest round. */
export function figureTable(figures: readonly Measured[]): string {
  const rows = figures.map(({ name, value, low, high, verdict }) => {
    const { title, unit, target, aim }: Figure = FIGURES[name];
    return [
      title,
      target === null ? "-" : shown(target, unit),
      shown(aim, unit),
      shown(value, unit),
      `${shown(low, unit)} - ${shown(high, unit)}`,
      verdict,
    ];
  });
  return table([["figure", "target", "aim", "measured", "rounds", "verdict"], ...rows]);
}

export function table([head, ...rows]: readonly (readonly string[])[]): string {
  const all = [head as readonly string[], ...rows];
  const widths = (head as readonly string[]).map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] as number)).join(" | ")} |`;
  return [line(head as readonly string[]), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
