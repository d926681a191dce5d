/** What an analysis tells to the process that it is in. */
import type { Proposal } from "../services/safe-protector/decision.ts";
import type { ObservedKey } from "./observed.ts";
import type { Scenario } from "./scenario.ts";
import type { KeepSettings } from "./store-messages.ts";
import type { TrafficNow, TrafficPoint, TrafficWindow } from "./traffic-now.ts";

/** Told to it first. */
export interface TrafficGreeting {
  readonly scenarios: readonly Scenario[];
  readonly seed: number;
  /** What is kept of the events. */
  readonly keep: KeepSettings;
  /** Where others analyse the same traffic: the streams that they share, and this one's name among them. `null`: it is the only one. */
  readonly shared: { readonly redis: readonly string[]; readonly consumer: string } | null;
}

/** Told to it whenever that changes: what is observed. */
export interface TrafficObserve {
  readonly observe: readonly ObservedKey[];
}

export type TrafficReport =
  | { readonly proposals: readonly Proposal[] }
  /** Every second. */
  | {
      readonly at: number;
      readonly eventsSeen: number;
      readonly windows: readonly TrafficWindow[];
      readonly observed: TrafficNow["observed"];
      readonly points: readonly TrafficPoint[];
    };
