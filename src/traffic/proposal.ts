/** What the analysis asks SafeProtector to learn. */
import type { DurationMs, UnixMs } from "../core/time.ts";
import type { Group } from "./summary.ts";

/** What was seen: numbers by name, and some trace ids to look at. */
export interface Evidence {
  readonly windowMs: DurationMs;
  readonly counts: Readonly<Record<string, number>>;
  readonly traceIds: readonly string[];
  readonly at: UnixMs;
}
export interface Proposal {
  readonly scope: Group;
  readonly value: string;
  readonly action: "block" | "throttle" | "observe";
  readonly durationMs: DurationMs;
  readonly scenario: string;
  readonly evidence: Evidence;
}
