/** A collector of traces for tests: takes what OTLP over HTTP with JSON sends, and reads it as the specification writes it. */

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** `null`: a root. */
  readonly parentId: string | null;
  readonly name: string;
  readonly kind: number;
  readonly beganNs: bigint;
  readonly endedNs: bigint;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** 2 is an error. */
  readonly statusCode: number;
  /** Of the process that has sent it. */
  readonly resource: Readonly<Record<string, string | number>>;
}

/** Where every collector takes traces. */
const TRACES_PATH = "/v1/traces";

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  readonly requests: readonly { readonly headers: Headers; readonly spans: number }[];
  /** How it answers from now on; `hang` never does. */
  answerWith(answer: number | "hang"): void;
  stop(): void;
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string | number; readonly doubleValue?: number };
}
interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly status: { readonly code?: number };
}
interface OtlpBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

export function startOtlpReceiver(): OtlpReceiver {
  const spans: ReceivedSpan[] = [];
  const requests: { headers: Headers; spans: number }[] = [];
  let answer: number | "hang" = 200;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      // What an exporter of an earlier test still tries to bring to a port that was free meanwhile.
      if (new URL(request.url).pathname !== TRACES_PATH) return new Response(null, { status: 404 });
      const received = spansOf((await request.json()) as OtlpBody);
      requests.push({ headers: request.headers, spans: received.length });
      if (answer === "hang") return new Promise<Response>(() => {});
      if (answer === 200) spans.push(...received);
      return new Response("{}", { status: answer, headers: { "content-type": "application/json" } });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    spans,
    requests,
    answerWith: (next) => {
      answer = next;
    },
    stop: () => void server.stop(true),
  };
}

function spansOf({ resourceSpans }: OtlpBody): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => spanOf(span, attributesOf(resource.attributes)))),
  );
}

const spanOf = (span: OtlpSpan, resource: ReceivedSpan["resource"]): ReceivedSpan => ({
  traceId: span.traceId,
  spanId: span.spanId,
  parentId: span.parentSpanId ?? null,
  name: span.name,
  kind: span.kind,
  beganNs: BigInt(span.startTimeUnixNano),
  endedNs: BigInt(span.endTimeUnixNano),
  attributes: attributesOf(span.attributes),
  statusCode: span.status.code ?? 0,
  resource,
});

const attributesOf = (attributes: readonly OtlpAttribute[]): Record<string, string | number> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.doubleValue ?? Number(value.intValue ?? Number.NaN)]),
  );
