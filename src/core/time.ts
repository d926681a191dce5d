/** Time as data. Nothing here reads a clock. */

/** Milliseconds since 1970-01-01 UTC. */
export type UnixMs = number;
/** A span in milliseconds. */
export type DurationMs = number;
/** A reading of a monotonic clock, in microseconds; only differences mean something. */
export type MonotonicUs = number;

/** Tells the two times apart that a process needs. Given by the edge, moved by hand in tests. */
export interface Clock {
  /** Wall-clock time. May jump in either direction; whoever keeps deadlines must not let it run backwards. */
  now(): UnixMs;
  monotonicUs(): MonotonicUs;
}

const unitMs: Readonly<Record<string, DurationMs>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1500ms`, `30m`, `24h`; a bare number is seconds. `null` when it is none of these. */
export function parseDuration(text: string): DurationMs | null {
  const match = /^(\d{1,12})(ms|s|m|h|d)?$/.exec(text.trim());
  if (!match) return null;
  return Number(match[1]) * (unitMs[match[2] ?? "s"] as number);
}

/** The shortest exact form that `parseDuration` reads back: `30m`, `90s`, `1500ms`. */
export function formatDuration(ms: DurationMs): string {
  for (const unit of ["d", "h", "m", "s"]) {
    const size = unitMs[unit] as number;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
