/** What a gate tells of its purchases beside its answers: the access log on its own disk, and traces where they are asked for. */
import { join } from "node:path";
import { AccessLog } from "../edge/access-log.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import { systemClock } from "../edge/system-clock.ts";
import type { PurchaseTracer } from "../services/gate-keeper/purchase-trace.ts";
import type { Settings } from "../settings/table.ts";
import type { Place } from "./place.ts";
import { complain } from "./process.ts";
import { openTracing } from "./tracing.ts";

export interface GateRecords {
  /** Takes a record, or drops it; never waits. */
  readonly record: (line: string) => void;
  /** `null` where nothing is traced. */
  readonly trace: PurchaseTracer | null;
  describe(metrics: ServiceMetrics): void;
  /** Brings what is left to where it belongs, as far as that goes in a bounded time. */
  close(): Promise<void>;
}

export async function openGateRecords(settings: Settings, place: Place): Promise<GateRecords> {
  const { instance } = settings.topology;
  const folder = join(settings.data, "access-log", ...(instance === null ? [] : [instance]));
  const accessLog = await AccessLog.open({ folder, ...settings.accessLog }, complain);
  const named = { service: "gate-keeper", instance: place.instanceIdOf("GateKeeper") };
  const tracing = await openTracing(settings.tracing, named, systemClock, complain);
  return {
    record: (line) => accessLog.add(line),
    trace: tracing.trace,
    describe: (metrics) => {
      metrics.counter("doorbuster_access_log_records_total", "Access-log records written.", () => accessLog.recordsWritten);
      metrics.counter(
        "doorbuster_access_log_dropped_total",
        "Access-log records dropped because the disk could not follow.",
        () => accessLog.recordsDropped,
      );
      tracing.describe(metrics);
    },
    close: async () => void (await Promise.all([accessLog.close(), tracing.close()])),
  };
}
