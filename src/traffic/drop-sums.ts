/** The sums of a report, counted up segment by segment. */
import { isFailure, type Reason, STEPS } from "../core/reason.ts";
import type { DurationMs, UnixMs } from "../core/time.ts";
import { isHeld, type Shape } from "./event-shape.ts";
import type { DropReport } from "./event-store.ts";

type Counts = Record<string, number>;
type Point = { -readonly [Name in keyof DropReport["timeline"][number]]: number };

interface SkuSums {
  readonly hash: number;
  purchases: number;
  heldUnits: number;
  /** A row that has the name. */
  readonly sample: { readonly segment: string; readonly row: number };
  name: string;
  readonly heldOverTime: number[];
}

/** What a report says where nothing is kept. */
export const emptyReport = (from: UnixMs, until: UnixMs): DropReport => ({
  ...new ReportSums({ from, until: from }, 1_000).report(from, until, null),
  distinct: { users: 0, addresses: 0 },
  blocked: [],
  conversion: { users: 0, usersWhoHeld: 0, ordersPlaced: 0, ordersCancelled: 0, holdsReleased: 0 },
});

export class ReportSums {
  readonly #bucketMs: DurationMs;
  readonly #timeline: Point[];
  readonly #entered: Counts = {};
  readonly #refused: Record<string, Counts> = {};
  readonly #refusedInAll: Counts = {};
  readonly #other: Counts = {};
  /** Requests that went well and were no purchases, by what was asked. */
  readonly #fine: Counts = {};
  readonly #latencies = new Map<number, number>();
  readonly #skus = new Map<number, SkuSums>();
  #requests = 0;
  #purchases = 0;
  #held = 0;
  #heldUnits = 0;
  #failed = 0;

  constructor(span: { readonly from: UnixMs; readonly until: UnixMs }, bucketMs: DurationMs) {
    this.#bucketMs = bucketMs;
    const points = Math.ceil((span.until - span.from) / bucketMs);
    this.#timeline = Array.from({ length: points }, (_, index) => ({
      ...{ at: span.from + index * bucketMs, requests: 0, purchases: 0, held: 0, failed: 0, blocked: 0 },
    }));
  }

  count(piece: number, shape: Shape, requests: number, units: number): void {
    const point = this.#timeline[piece] as Point;
    this.#requests += requests;
    point.requests += requests;
    const { reason } = shape;
    if (shape.request !== null) {
      add(this.#other, reason ?? "fine", requests);
      if (reason === null) add(this.#fine, shape.request, requests);
      return;
    }
    this.#purchases += requests;
    point.purchases += requests;
    for (const { step } of shape.steps) add(this.#entered, step, requests);
    if (isHeld(shape)) {
      this.#held += requests;
      this.#heldUnits += units;
      point.held += requests;
    }
    if (reason === null) return;
    const last = shape.steps.at(-1);
    // A refusal that was given again, to a key that had it already, belongs to no step: it was counted where it was made.
    if (last !== undefined && last.outcome !== "allowed") {
      this.#refused[last.step] ??= {};
      add(this.#refused[last.step] as Counts, reason, requests);
    }
    add(this.#refusedInAll, reason, requests);
    if (isFailure(reason as Reason)) {
      this.#failed += requests;
      point.failed += requests;
    } else if (reason === "blacklisted" || reason === "throttled") point.blocked += requests;
  }

  latency(us: number, requests: number): void {
    this.#latencies.set(us, (this.#latencies.get(us) ?? 0) + requests);
  }

  /** So that it is known of which SKUs most was held. */
  rank(hash: number, heldUnits: number, segment: string, row: number): void {
    const known = this.#skus.get(hash);
    if (known) known.heldUnits += heldUnits;
    else {
      const heldOverTime = this.#timeline.map(() => 0);
      this.#skus.set(hash, { hash, purchases: 0, heldUnits, sample: { segment, row }, name: "", heldOverTime });
    }
  }

  /** Of one that is among the most held. */
  sku(hash: number, piece: number, purchases: number, heldUnits: number): void {
    const known = this.#skus.get(hash) as SkuSums;
    known.purchases += purchases;
    known.heldOverTime[piece] = (known.heldOverTime[piece] ?? 0) + heldUnits;
  }

  /** The others are forgotten. */
  mostHeld(skusMax: number): readonly SkuSums[] {
    const sorted = [...this.#skus.values()].sort((a, b) => b.heldUnits - a.heldUnits);
    for (const { hash } of sorted.slice(skusMax)) this.#skus.delete(hash);
    return sorted.slice(0, skusMax);
  }

  refused(reason: string): number {
    return this.#refusedInAll[reason] ?? 0;
  }

  orders(): Pick<DropReport["conversion"], "ordersPlaced" | "ordersCancelled" | "holdsReleased"> {
    const fine = (request: string): number => this.#fine[request] ?? 0;
    return {
      ordersPlaced: fine("POST /orders"),
      ordersCancelled: fine("POST /orders/{id}/cancel"),
      holdsReleased: fine("DELETE /cart/{sku}"),
    };
  }

  report(from: UnixMs, until: UnixMs, seen: DropReport["seen"]): Omit<DropReport, "distinct" | "blocked" | "conversion"> {
    return {
      ...{ from, until, seen, requests: this.#requests, purchases: this.#purchases },
      ...{ held: this.#held, heldUnits: this.#heldUnits, failed: this.#failed },
      funnel: STEPS.map((step) => ({ step, entered: this.#entered[step] ?? 0, refused: this.#refused[step] ?? {} })),
      other: this.#other,
      latencyUs: this.#percentiles(),
      bucketMs: this.#bucketMs,
      timeline: this.#timeline,
      skus: this.mostHeld(Number.POSITIVE_INFINITY).map(({ name, purchases, heldOverTime }) => ({
        ...{ goodsSKU: name, purchases, heldUnits: heldOverTime.reduce((sum, units) => sum + units, 0), heldOverTime },
      })),
    };
  }

  #percentiles(): DropReport["latencyUs"] {
    const sorted = [...this.#latencies].sort(([a], [b]) => a - b);
    const total = sorted.reduce((sum, [, requests]) => sum + requests, 0);
    const at = (share: number): number => {
      let left = Math.ceil(share * total);
      for (const [us, requests] of sorted) {
        left -= requests;
        if (left <= 0) return us;
      }
      return 0;
    };
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
  }
}

function add(counts: Counts, name: string, count: number): void {
  counts[name] = (counts[name] ?? 0) + count;
}
