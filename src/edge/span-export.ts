/**
 * Sends traces to an OpenTelemetry collector (OTLP over HTTP, JSON) through the official libraries. Adding a trace only ever puts it into
 * memory; a timer sends what has gathered, one request at a time. While the collector cannot take it the queue fills, and then traces are
 * dropped and counted before anything is made of them. This file is loaded only where traces are asked for: the libraries are not small.
 */
import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace as traceApi } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AlwaysOnSampler, RandomIdGenerator, type ReadableSpan, TracerProvider } from "@opentelemetry/sdk-trace";
import {
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_NAMESPACE,
  ATTR_SERVICE_VERSION,
} from "@opentelemetry/semantic-conventions";
import type { Clock, MonotonicUs } from "../core/time.ts";
import type { SpanRecord, TraceRecord, UnixUs } from "../core/trace-record.ts";
import {
  OTLP_BATCH_SPANS_MAX,
  OTLP_CLOSE_MS_MAX,
  OTLP_EXPORT_MS,
  OTLP_QUEUE_SPANS_MAX,
  OTLP_REST_MS,
  OTLP_TIMEOUT_MS,
} from "../limits/records.ts";
import { SeldomTold } from "./seldom-told.ts";

export interface SpanExportSettings {
  /** Where the collector takes traces, with its path. */
  readonly url: string;
  readonly service: string;
  readonly instance: string;
  readonly version: string;
}

/** What is told of the collector's answer. */
const REASON_CHARS_MAX = 200;

export class SpanExport {
  readonly #clock: Clock;
  readonly #trouble: SeldomTold;
  readonly #target: string;
  readonly #exporter: OTLPTraceExporter;
  readonly #tracer: Tracer;
  readonly #timer: ReturnType<typeof setInterval>;
  /** What the library gets when it asks for the ids of the next root span. */
  #nextTraceId = "";
  #nextSpanId: string | null = null;
  #queue: ReadableSpan[] = [];
  #sending: Promise<void> | null = null;
  #restsUntilUs: MonotonicUs = Number.NEGATIVE_INFINITY;
  #exported = 0;
  #dropped = 0;
  #isClosed = false;

  /** @param onTrouble hears, at most once a minute, that traces do not reach the collector */
  constructor(settings: SpanExportSettings, clock: Clock, onTrouble: (message: string) => void) {
    this.#clock = clock;
    this.#trouble = new SeldomTold(clock, onTrouble);
    // Without the user and the query that may stand in the address.
    this.#target = new URL(settings.url).origin;
    this.#exporter = new OTLPTraceExporter({ url: settings.url, timeoutMillis: OTLP_TIMEOUT_MS });
    this.#tracer = this.#makeTracer(settings);
    this.#timer = setInterval(() => this.#send(), OTLP_EXPORT_MS);
  }

  get spansExported(): number {
    return this.#exported;
  }
  /** Spans that found no room, and spans that were sent and not taken. */
  get spansDropped(): number {
    return this.#dropped;
  }

  /** Takes a trace whole, or not at all. */
  add(trace: TraceRecord): void {
    const spans = 1 + trace.parts.length;
    if (this.#isClosed || this.#queue.length + spans > OTLP_QUEUE_SPANS_MAX) {
      this.#dropped += spans;
      return;
    }
    this.#nextTraceId = trace.traceId;
    this.#nextSpanId = trace.spanId;
    const root = this.#begin(trace, SpanKind.SERVER, ROOT_CONTEXT);
    const inRoot = traceApi.setSpan(ROOT_CONTEXT, root);
    for (const part of trace.parts) this.#begin(part, SpanKind.INTERNAL, inRoot).end(hrTime(part.endedAt));
    root.end(hrTime(trace.endedAt));
  }

  /** Sends what is left, as far as that gets in `OTLP_CLOSE_MS_MAX`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    const isLate = Promise.withResolvers<void>();
    const timer = setTimeout(isLate.resolve, OTLP_CLOSE_MS_MAX);
    await Promise.race([this.#drain(), isLate.promise]);
    clearTimeout(timer);
    this.#dropped += this.#queue.length;
    this.#queue = [];
  }

  #begin({ name, beganAt, attributes, isFailure }: SpanRecord, kind: SpanKind, context: Context): Span {
    const span = this.#tracer.startSpan(name, { kind, attributes, startTime: hrTime(beganAt) }, context);
    return isFailure ? span.setStatus({ code: SpanStatusCode.ERROR }) : span;
  }

  #send(): void {
    if (this.#sending || this.#clock.monotonicUs() < this.#restsUntilUs) return;
    this.#sending = this.#drain().finally(() => {
      this.#sending = null;
    });
  }

  async #drain(): Promise<void> {
    await this.#sending;
    while (this.#queue.length > 0 && (await this.#sendBatch()));
  }

  /** One request; whether the collector has taken it. What it has not taken is dropped, as the library has tried more than once. */
  async #sendBatch(): Promise<boolean> {
    const batch = this.#queue.splice(0, OTLP_BATCH_SPANS_MAX);
    const error = await this.#export(batch);
    if (error === null) {
      this.#exported += batch.length;
      return true;
    }
    this.#dropped += batch.length;
    this.#trouble.say(`traces do not reach ${this.#target} (${error.slice(0, REASON_CHARS_MAX)}); they are dropped`);
    this.#restsUntilUs = this.#clock.monotonicUs() + 1_000 * OTLP_REST_MS;
    return false;
  }

  /** Why the collector has not taken it; `null` when it has. */
  async #export(batch: ReadableSpan[]): Promise<string | null> {
    try {
      const { code, error } = await new Promise<ExportResult>((resolve) => this.#exporter.export(batch, resolve));
      return code === EXPORT_SUCCESS ? null : reasonOf(error);
    } catch (error) {
      return reasonOf(error);
    }
  }

  #makeTracer({ service, instance, version }: SpanExportSettings): Tracer {
    const random = new RandomIdGenerator();
    const provider = new TracerProvider({
      resource: resourceFromAttributes({
        [ATTR_SERVICE_NAMESPACE]: "doorbuster",
        [ATTR_SERVICE_NAME]: service,
        [ATTR_SERVICE_INSTANCE_ID]: instance,
        [ATTR_SERVICE_VERSION]: version,
      }),
      // What is not in the sample does not come as far as this.
      sampler: new AlwaysOnSampler(),
      idGenerator: {
        generateTraceId: () => this.#nextTraceId,
        generateSpanId: () => {
          const id = this.#nextSpanId ?? random.generateSpanId();
          this.#nextSpanId = null;
          return id;
        },
      },
      spanProcessors: [
        {
          onStart: () => undefined,
          onEnd: (span) => void this.#queue.push(span),
          forceFlush: async () => undefined,
          shutdown: async () => undefined,
        },
      ],
    });
    return provider.getTracer("doorbuster", version);
  }
}

type ExportResult = Parameters<Parameters<OTLPTraceExporter["export"]>[1]>[0];
/** `ExportResultCode.SUCCESS` of `@opentelemetry/core`, which is no dependency of ours. */
const EXPORT_SUCCESS = 0;

const reasonOf = (error: unknown): string => (error instanceof Error && error.message !== "" ? error.message : "it gave no reason");

/** Seconds and nanoseconds, as the library has them: of a number it guesses by its size what it means. */
const hrTime = (at: UnixUs): [number, number] => {
  const us = Math.round(at);
  return [Math.floor(us / 1_000_000), (us % 1_000_000) * 1_000];
};
