/**
 * Metrics in Prometheus text, one registry per service. Figures that the services keep themselves are read when somebody asks; only the
 * purchase's end and time are counted as they happen.
 */
import { Counter, Gauge, type Histogram, Registry } from "prom-client";

/** Bounds of the purchase histogram, in seconds: from a refusal out of memory to a commit on a slow disk. */
const SECONDS_BOUNDS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export interface Figure {
  /** By label. */
  readonly of: Readonly<Record<string, string>>;
  readonly value: number;
}

export class ServiceMetrics {
  readonly #registry = new Registry();
  readonly #replies = new Map<number, number>();

  constructor(service: string) {
    this.#registry.setDefaultLabels({ service });
    const replies = this.#replies;
    this.#add(
      new Counter({
        name: "doorbuster_http_replies_total",
        help: "Replies by HTTP status.",
        labelNames: ["status"],
        registers: [],
        collect() {
          this.reset();
          for (const [status, count] of replies) this.inc({ status: String(status) }, count);
        },
      }),
    );
  }

  /** Which instance this is, and of which version. The label is not called `instance`: under that name Prometheus writes where it has asked. */
  describeBuild(instance: string, version: string): void {
    this.#add(
      new Gauge({
        name: "doorbuster_build_info",
        help: "Which instance this is, and of which version; always 1.",
        labelNames: ["instance_id", "version"],
        registers: [],
        collect() {
          this.set({ instance_id: instance, version }, 1);
        },
      }),
    );
  }

  countReply(status: number): void {
    this.#replies.set(status, (this.#replies.get(status) ?? 0) + 1);
  }

  /** A figure that goes up and down, read when it is asked for. */
  gauge(name: string, help: string, read: () => number): void {
    this.#add(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  }

  /** A count that only grows, read when it is asked for. */
  counter(name: string, help: string, read: () => number): void {
    this.#add(
      new Counter({
        name,
        help,
        registers: [],
        collect() {
          this.reset();
          this.inc(read());
        },
      }),
    );
  }

  /** Several figures of one name, told apart by one label; counts that only grow, or figures that go up and down. */
  labelled(kind: "counter" | "gauge", name: string, help: string, label: string, read: () => Iterable<readonly [string, number]>): void {
    const settings = { name, help, labelNames: [label], registers: [] };
    if (kind === "counter")
      this.#add(
        new Counter({
          ...settings,
          collect() {
            this.reset();
            for (const [value, count] of read()) this.inc({ [label]: value }, count);
          },
        }),
      );
    else
      this.#add(
        new Gauge({
          ...settings,
          collect() {
            this.reset();
            for (const [value, figure] of read()) this.set({ [label]: value }, figure);
          },
        }),
      );
  }

  /** Figures that go up and down, told apart by labels, from a source that takes its time. Where that has none, there are none: an old figure would lie. */
  figures(name: string, help: string, labels: readonly string[], read: () => Promise<readonly Figure[]>): void {
    this.#add(
      new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers: [],
        async collect() {
          const figures = await read();
          this.reset();
          if (labels.length === 0) this.remove();
          for (const { of, value } of figures) this.set({ ...of }, value);
        },
      }),
    );
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Counts purchases: how each ended, and how long it took. On the hot path, so it only adds to plain numbers. */
  purchases(): (reason: string, totalUs: number) => void {
    const ends = new Map<string, number>();
    const inBucket = new Float64Array(SECONDS_BOUNDS.length + 1);
    let secondsSum = 0;
    this.#add(
      new Counter({
        name: "doorbuster_purchases_total",
        help: "Purchases by how they ended.",
        labelNames: ["reason"],
        registers: [],
        collect() {
          this.reset();
          for (const [reason, count] of ends) this.inc({ reason }, count);
        },
      }),
    );
    this.#add(purchaseHistogram(inBucket, () => secondsSum));
    return (reason, totalUs) => {
      ends.set(reason, (ends.get(reason) ?? 0) + 1);
      const seconds = totalUs / 1_000_000;
      secondsSum += seconds;
      let bucket = 0;
      while (bucket < SECONDS_BOUNDS.length && seconds > (SECONDS_BOUNDS[bucket] as number)) bucket += 1;
      inBucket[bucket] = (inBucket[bucket] as number) + 1;
    };
  }

  #add(metric: Counter | Gauge | Histogram): void {
    this.#registry.registerMetric(metric);
  }
}

/**
 * A histogram of what was counted elsewhere. prom-client's own can only count for itself, and takes a microsecond to do it; all that the
 * registry asks of a metric is what `get` gives.
 */
function purchaseHistogram(inBucket: Float64Array, secondsSum: () => number): Histogram {
  const description = {
    name: "doorbuster_purchase_seconds",
    help: "From the body's arrival to the reply.",
    type: "histogram",
    aggregator: "sum",
  };
  const get = async () => {
    const { name } = description;
    let count = 0;
    const values: object[] = [];
    for (let i = 0; i < inBucket.length; i += 1) {
      count += inBucket[i] as number;
      values.push({ metricName: `${name}_bucket`, labels: { le: SECONDS_BOUNDS[i] ?? "+Inf" }, value: count });
    }
    values.push({ metricName: `${name}_sum`, labels: {}, value: secondsSum() }, { metricName: `${name}_count`, labels: {}, value: count });
    return { ...description, values };
  };
  return { ...description, get } as unknown as Histogram;
}
