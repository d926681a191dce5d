/** What is known of the traffic at this moment, for whoever asks: the last report, the last hour, and what was lost. It outlives the analysis. */
import type { UnixMs } from "../core/time.ts";
import { HISTORY_POINTS_MAX, TRAFFIC_WINDOW_MS_MAX } from "../limits/traffic.ts";
import type { Proposal } from "../services/safe-protector/decision.ts";
import type { TrafficReport } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import type { Group } from "./summary.ts";
import type { TrafficNow, TrafficPoint, TrafficWindow } from "./traffic-now.ts";

const HOUR_MS = 3_600_000;

export class TrafficBoard {
  readonly #scenarios: readonly Scenario[];
  readonly #points: TrafficPoint[] = [];
  /** For each scenario, offences by minute. */
  readonly #offences = new Map<string, Map<number, number>>();
  #windows: readonly TrafficWindow[] = [];
  #observed: TrafficNow["observed"] = [];
  #at: UnixMs = 0;
  #eventsSeen = 0;
  /** Of analyses that have ended. */
  #seenBefore = 0;
  #dropped = 0;
  #droppedAt: UnixMs = Number.NEGATIVE_INFINITY;

  constructor(scenarios: readonly Scenario[]) {
    this.#scenarios = scenarios;
  }

  get eventsSeen(): number {
    return this.#seenBefore + this.#eventsSeen;
  }

  /** `null`: it is not counted here. */
  observedOf(scope: Group, value: string): { readonly seen: number; readonly bought: number } | null {
    return this.#observed.find((observed) => observed.scope === scope && observed.value === value) ?? null;
  }

  offencesOf(scenario: string): number {
    return [...(this.#offences.get(scenario)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }

  /** @param dropped so far */
  report({ at, eventsSeen, windows, observed, points }: Extract<TrafficReport, { at: UnixMs }>, dropped: number): void {
    // A new analysis counts from nothing.
    if (eventsSeen < this.#eventsSeen) this.#seenBefore += this.#eventsSeen;
    this.#eventsSeen = eventsSeen;
    this.#at = at;
    this.#windows = windows;
    this.#observed = observed;
    if (dropped > this.#dropped) this.#droppedAt = at;
    this.#dropped = dropped;
    for (const point of points) if (point.at > (this.#points.at(-1)?.at ?? 0)) this.#points.push(point);
    if (this.#points.length > HISTORY_POINTS_MAX) this.#points.splice(0, this.#points.length - HISTORY_POINTS_MAX);
  }

  propose(proposals: readonly Proposal[], now: UnixMs): void {
    const minute = Math.floor(now / 60_000);
    for (const { scenario } of proposals) {
      const byMinute = this.#offences.get(scenario) ?? new Map<number, number>();
      this.#offences.set(scenario, byMinute);
      byMinute.set(minute, (byMinute.get(minute) ?? 0) + 1);
    }
  }

  now(now: UnixMs): TrafficNow {
    const oldest = Math.floor((now - HOUR_MS) / 60_000);
    return {
      at: this.#at,
      eventsSeen: this.eventsSeen,
      eventsDropped: this.#dropped,
      isSampled: now - this.#droppedAt <= TRAFFIC_WINDOW_MS_MAX,
      windows: [...this.#windows],
      scenarios: this.#scenarios.map(({ name, group, action }) => {
        const byMinute = this.#offences.get(name);
        for (const minute of byMinute?.keys() ?? []) if (minute <= oldest) byMinute?.delete(minute);
        return { name, group, action, offencesInHour: this.offencesOf(name) };
      }),
      observed: this.#observed,
    };
  }

  history(since: UnixMs): readonly TrafficPoint[] {
    return this.#points.filter(({ at }) => at >= since);
  }
}
