/** The traces of this process's purchases. Where nobody asked for them, nothing is loaded and no purchase does anything for them. */
import packageJson from "../../package.json" with { type: "json" };
import type { Clock } from "../core/time.ts";
import { isSampled } from "../core/trace-sample.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import { type PurchaseTracer, purchaseTrace } from "../services/gate-keeper/purchase-trace.ts";
import type { TracingSettings } from "../settings/tracing.ts";

export interface Tracing {
  /** What the gate tells of its purchases; `null` where nothing is traced. */
  readonly trace: PurchaseTracer | null;
  describe(metrics: ServiceMetrics): void;
  /** Sends what is left, within `OTLP_CLOSE_MS_MAX`. */
  close(): Promise<void>;
}

const NO_TRACING: Tracing = { trace: null, describe: () => undefined, close: async () => undefined };

/** @param service as it is called in traces, for example `gate-keeper` */
export async function openTracing(
  settings: TracingSettings | null,
  of: { readonly service: string; readonly instance: string },
  clock: Clock,
  onTrouble: (message: string) => void,
): Promise<Tracing> {
  if (settings === null) return NO_TRACING;
  const { SpanExport } = await import("../edge/span-export.ts");
  const { share, url } = settings;
  const spans = new SpanExport({ url, ...of, version: packageJson.version }, clock, onTrouble);
  return {
    trace: (purchase, outcome, course, receivedUs) => {
      if (!isSampled(purchase.sessionId, share)) return;
      const epochUs = 1_000 * clock.now() - clock.monotonicUs();
      spans.add(purchaseTrace(purchase, outcome, course, receivedUs, epochUs));
    },
    describe: (metrics) => {
      metrics.counter("doorbuster_spans_exported_total", "Spans that the collector of traces has taken.", () => spans.spansExported);
      metrics.counter(
        "doorbuster_spans_dropped_total",
        "Spans dropped because the collector of traces did not take them in time.",
        () => spans.spansDropped,
      );
    },
    close: () => spans.close(),
  };
}
