/** Spans of time as they are shown. */
import { STEPS } from "../core/reason.ts";
import { HEAVY_KEYS_SHOWN } from "../limits/traffic.ts";
import type { HeavyKeys } from "./heavy-keys.ts";
import type { Summary } from "./summary.ts";
import type { Heavy, TrafficPoint, TrafficWindow } from "./traffic-now.ts";
import type { Window } from "./windows.ts";

export function shownWindow({ seconds, coveredSeconds, summary }: Window): TrafficWindow {
  const { requests, purchases, held, failed, steps, other, latency, users, addresses, heavy } = summary;
  return {
    ...{ seconds, coveredSeconds, requests, purchases, held, failed },
    funnel: STEPS.map((step) => ({ step, entered: steps[step].entered, refused: steps[step].refused.asObject() })),
    other: other.asObject(),
    latencyUs: { p50: percentile(latency, 50), p95: percentile(latency, 95), p99: percentile(latency, 99), max: latency.maxValue },
    distinct: { users: users.estimate(), addresses: addresses.estimate() },
    skus: heavy.sku.top(HEAVY_KEYS_SHOWN).map(({ key, count, error, held }) => {
      return { goodsSKU: key, requests: count, held, refused: Math.max(0, count - error - held) };
    }),
    heaviest: { addresses: shownHeavy(heavy.address), networks: shownHeavy(heavy.network), accounts: shownHeavy(heavy.account) },
  };
}

export function shownPoint(
  second: number,
  { requests, purchases, held, failed, refused, latency, users, addresses }: Summary,
): TrafficPoint {
  return {
    ...{ at: second * 1_000, requests, purchases, held, failed, refused: refused.asObject() },
    ...{ p50Us: percentile(latency, 50), p95Us: percentile(latency, 95), p99Us: percentile(latency, 99) },
    ...{ users: users.estimate(), addresses: addresses.estimate() },
  };
}

/** The histogram names the upper end of a bucket, which may lie above everything that was in it. */
const percentile = (latency: Summary["latency"], percent: number): number =>
  Math.min(latency.getValueAtPercentile(percent), latency.maxValue);

const shownHeavy = (keys: HeavyKeys): Heavy[] =>
  keys.top(HEAVY_KEYS_SHOWN).map(({ key, count, error }) => ({ value: key, requests: count, errorMax: error }));
