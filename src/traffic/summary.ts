/** What happened in a span of time, whoever did it: everything that the windows show. Two spans become one without a loss. */
import { build, type Histogram } from "hdr-histogram-js";
import { STEPS, type Step } from "../core/reason.ts";
import { COUNTED_NAMES_MAX, HEAVY_KEYS_KEPT, LATENCY_US_MAX } from "../limits/traffic.ts";
import { DistinctCount } from "./distinct-count.ts";
import type { EventStep, TrafficEvent } from "./event.ts";
import { HeavyKeys } from "./heavy-keys.ts";

export type Group = "address" | "network" | "account";
export const GROUPS: readonly Group[] = ["address", "network", "account"];
export type Heavies = Readonly<Record<Group | "sku", HeavyKeys>>;

/** Counts by name, of a bounded number of names. */
export class NamedCounts {
  readonly #counts = new Map<string, number>();

  add(name: string, count: number): void {
    const known = this.#counts.has(name) || this.#counts.size < COUNTED_NAMES_MAX ? name : "other";
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + count);
  }
  merge(other: NamedCounts): void {
    for (const [name, count] of other.#counts) this.add(name, count);
  }
  asObject(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

export interface StepCounts {
  entered: number;
  readonly refused: NamedCounts;
}

/** Microseconds in two significant digits: off by less than 1 %. */
export const latencies = (): Histogram =>
  build({ lowestDiscernibleValue: 1, highestTrackableValue: LATENCY_US_MAX, numberOfSignificantValueDigits: 2, bitBucketSize: 32 });

export class Summary {
  requests = 0;
  purchases = 0;
  held = 0;
  failed = 0;
  readonly steps: Readonly<Record<Step, StepCounts>>;
  /** Of purchases. */
  readonly refused = new NamedCounts();
  /** Of all others. */
  readonly other = new NamedCounts();
  readonly latency = latencies();
  readonly users = new DistinctCount();
  readonly addresses = new DistinctCount();
  readonly heavy: Heavies = {
    address: new HeavyKeys(HEAVY_KEYS_KEPT),
    network: new HeavyKeys(HEAVY_KEYS_KEPT),
    account: new HeavyKeys(HEAVY_KEYS_KEPT),
    sku: new HeavyKeys(HEAVY_KEYS_KEPT),
  };

  constructor() {
    this.steps = Object.fromEntries(STEPS.map((step) => [step, { entered: 0, refused: new NamedCounts() }])) as unknown as Summary["steps"];
  }

  /** @param count purchases that went this way: all of a turn that end alike share one text, and are counted together */
  addPurchases(steps: readonly EventStep[], reason: string | null, count: number): void {
    for (const { step, outcome } of steps) {
      const counts = (this.steps as Readonly<Record<string, StepCounts | undefined>>)[step];
      if (counts === undefined) continue;
      counts.entered += count;
      if (outcome !== "allowed") counts.refused.add(outcome, count);
    }
    this.requests += count;
    this.purchases += count;
    if (reason === null) return;
    this.refused.add(reason, count);
    if (reason.endsWith("-unavailable")) this.failed += count;
  }

  addRequest({ reason, status }: TrafficEvent): void {
    this.requests += 1;
    this.other.add(reason ?? "done", 1);
    if (status === 503) this.failed += 1;
  }

  addLatency(us: number, count: number): void {
    this.latency.recordValueWithCount(Math.min(us, LATENCY_US_MAX), count);
  }

  merge(other: Summary): void {
    this.requests += other.requests;
    this.purchases += other.purchases;
    this.held += other.held;
    this.failed += other.failed;
    for (const step of STEPS) {
      this.steps[step].entered += other.steps[step].entered;
      this.steps[step].refused.merge(other.steps[step].refused);
    }
    this.refused.merge(other.refused);
    this.other.merge(other.other);
    if (other.latency.totalCount > 0) this.latency.add(other.latency);
    this.users.merge(other.users);
    this.addresses.merge(other.addresses);
    for (const kept of ["address", "network", "account", "sku"] as const) this.heavy[kept].merge(other.heavy[kept]);
  }
}
