/** The gate, put together: over the services themselves, or over links to them. */
import { randomBytes } from "node:crypto";
import type { Throttle } from "../core/throttle.ts";
import { traceIds } from "../core/trace-id.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import { systemClock } from "../edge/system-clock.ts";
import type { Outcome, PurchaseServices } from "../purchase.ts";
import { GateKeeper } from "../services/gate-keeper/service.ts";
import type { GateRecords } from "./gate-records.ts";

export interface GateParts {
  readonly services: Omit<PurchaseServices, "admit" | "clock">;
  readonly throttle: Throttle;
  readonly metrics: ServiceMetrics;
  readonly records: GateRecords;
  readonly instance: string;
  readonly keysInFlight: Set<string>;
  readonly isIdentityProven: boolean;
  readonly onBug: (error: unknown) => void;
}

export function makeGate({ services, throttle, metrics, records, instance, keysInFlight, isIdentityProven, onBug }: GateParts): GateKeeper {
  const countPurchase = metrics.purchases();
  const clock = systemClock;
  const gate = new GateKeeper({
    services: { ...services, admit: (wanted) => throttle.admit(wanted), clock },
    clock,
    nextTraceId: traceIds(randomBytes(16).toString("hex")),
    nextTurn: setImmediate,
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
