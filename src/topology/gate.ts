/** The gate, put together: before the services themselves, or before links to them. */
import { randomBytes } from "node:crypto";
import type { Throttle } from "../core/throttle.ts";
import type { DurationMs } from "../core/time.ts";
import { traceIds } from "../core/trace-id.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import type { Outcome, Walk } from "../purchase.ts";
import { GateKeeper } from "../services/gate-keeper/service.ts";
import type { GateRecords } from "./gate-records.ts";

export interface GateParts {
  readonly walk: Walk;
  readonly frozenForMs: DurationMs;
  readonly throttle: Throttle;
  readonly metrics: ServiceMetrics;
  readonly records: GateRecords;
  readonly instance: string;
  readonly keysInFlight: Set<string>;
  readonly isIdentityProven: boolean;
  readonly onBug: (error: unknown) => void;
}

export function makeGate({
  walk,
  frozenForMs,
  throttle,
  metrics,
  records,
  instance,
  keysInFlight,
  isIdentityProven,
  onBug,
}: GateParts): GateKeeper {
  const countPurchase = metrics.purchases();
  const clock = systemClock;
  const gate = new GateKeeper({
    purchase: { admit: (wanted) => throttle.admit(wanted), walk, clock },
    frozenForMs,
    clock,
    nextTraceId: traceIds(randomBytes(16).toString("hex")),
    nextTurn: setImmediate,
    after: timers.after,
    record: records.record,
    trace: records.trace,
    instance,
    count: (outcome, totalUs) => countPurchase(endOf(outcome), totalUs),
    retryAfterSeconds: () => throttle.retryAfterSeconds(),
    onBug,
    keysInFlight,
    isIdentityProven,
  });
  metrics.gauge("doorbuster_purchases_in_flight", "Purchases that wait for their answer.", () => gate.purchasesInFlight);
  records.describe(metrics);
  return gate;
}

/** How a purchase ended, as the metrics name it. */
function endOf(outcome: Outcome): string {
  if (outcome.kind === "held") return "success";
  return outcome.kind === "refused" ? outcome.reason : outcome.kind;
}
