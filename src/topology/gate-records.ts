/**
 * What a gate tells of its purchases beside its answers: the access log on its own disk, the same records in Redis where there is one and to the
 * analysis of the traffic where that is near, and traces where they are asked for.
 */
import { join } from "node:path";
import { AccessLog } from "../edge/access-log.ts";
import { AccessStream } from "../edge/access-stream.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import { type RecordCarrier, RecordPages } from "../edge/record-pages.ts";
import { systemClock } from "../edge/system-clock.ts";
import type { Identity } from "../identity/identity.ts";
import type { PurchaseTracer } from "../services/gate-keeper/purchase-trace.ts";
import { requestRecords } from "../services/gate-keeper/request-record.ts";
import type { Settings } from "../settings/table.ts";
import type { Place } from "./place.ts";
import { complain } from "./process.ts";
import { openTracing } from "./tracing.ts";

export interface GateRecords {
  /** Takes a record, or drops it; never waits. */
  readonly record: (line: string) => void;
  /** `null` where nothing is traced. */
  readonly trace: PurchaseTracer | null;
  /** From now on the records go to this one too. */
  carriedBy(carrier: RecordCarrier): void;
  describe(metrics: ServiceMetrics): void;
  /** Brings what is left to where it belongs, as far as that goes in a bounded time. */
  close(): Promise<void>;
}

export async function openGateRecords(settings: Settings, place: Place): Promise<GateRecords> {
  const { instance } = settings.topology;
  const stream = streamOf(settings);
  const folder = join(settings.data, "access-log", ...(instance === null ? [] : [instance]));
  const accessLog = await AccessLog.open({ folder, ...settings.accessLog }, complain);
  const named = { service: "gate-keeper", instance: place.instanceIdOf("GateKeeper") };
  const tracing = await openTracing(settings.tracing, named, systemClock, complain);
  const pages = new RecordPages();
  pages.carriedBy(accessLog);
  if (stream) pages.carriedBy(stream);
  return {
    record: (line) => pages.add(line),
    carriedBy: (carrier) => pages.carriedBy(carrier),
    trace: tracing.trace,
    describe: (metrics) => {
      metrics.counter("doorbuster_access_log_records_total", "Access-log records written.", () => accessLog.recordsWritten);
      metrics.counter(
        "doorbuster_access_log_dropped_total",
        "Access-log records dropped because the disk could not follow.",
        () => accessLog.recordsDropped,
      );
      if (stream) describeStream(metrics, stream);
      tracing.describe(metrics);
    },
    close: async () => {
      pages.close();
      await Promise.all([accessLog.close(), stream?.close(), tracing.close()]);
    },
  };
}

/** What hears of the gate's answers, and writes down those to requests that were no purchases. */
export const requestsHeard = (place: Place, identity: Identity, { record }: Pick<GateRecords, "record">) =>
  requestRecords({ instance: place.instanceIdOf("GateKeeper"), clock: systemClock, identity, record });

/** On wherever there is a Redis, unless somebody says otherwise. */
function streamOf({ redis, accessStream }: Settings): AccessStream | null {
  if (redis.length > 0) return accessStream === false ? null : new AccessStream(redis, systemClock, complain);
  if (accessStream) throw new Error("--access-stream: means nothing without a Redis; give --redis too");
  return null;
}

function describeStream(metrics: ServiceMetrics, stream: AccessStream): void {
  metrics.counter("doorbuster_access_stream_records_total", "Access-log records written to Redis.", () => stream.recordsWritten);
  metrics.counter(
    "doorbuster_access_stream_dropped_total",
    "Access-log records dropped because Redis did not take them in time.",
    () => stream.recordsDropped,
  );
}
