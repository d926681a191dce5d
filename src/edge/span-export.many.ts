/** Traces on their way to a real receiver: whole, in the protocol's form, bounded when it does not take them, and never in anybody's way. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type OtlpReceiver, startOtlpReceiver } from "../../test/otlp-receiver.ts";
import { waitFor } from "../../test/wait.ts";
import type { TraceRecord } from "../core/trace-record.ts";
import { OTLP_BATCH_SPANS_MAX, OTLP_CLOSE_MS_MAX, OTLP_QUEUE_SPANS_MAX, OTLP_REST_MS, TROUBLE_TOLD_MS } from "../limits/records.ts";
import { SpanExport } from "./span-export.ts";

const BEGAN_AT = 1_763_800_000_123_456;
let receiver: OtlpReceiver;
let clock: { us: number; now(): number; monotonicUs(): number };
let troubles: string[];
beforeEach(() => {
  receiver = startOtlpReceiver();
  clock = { us: 0, now: () => 0, monotonicUs: () => clock.us };
  troubles = [];
});
afterEach(() => receiver.stop());

function openExport(url = `${receiver.url}/v1/traces`): SpanExport {
  // Of this test: what an earlier one has under way may still fail.
  const told = troubles;
  const named = { service: "gate-keeper", instance: "host:gatekeeper:8080", version: "1.2.3" };
  return new SpanExport({ url, ...named }, clock, (message) => told.push(message));
}

/** A purchase of six spans. */
function traceOf(index: number): TraceRecord {
  const traceId = (index + 1).toString(16).padStart(32, "0");
  const part = (name: string, at: number) => {
    const beganAt = BEGAN_AT + at;
    return { name, beganAt, endedAt: beganAt + 7, attributes: { "doorbuster.step": name }, isFailure: name === "cart" };
  };
  return {
    ...{ traceId, spanId: traceId.slice(16), name: "POST /buy", beganAt: BEGAN_AT, endedAt: BEGAN_AT + 50.5, isFailure: true },
    attributes: { "doorbuster.sku": "品🛒", "doorbuster.quantity": 2 },
    parts: ["throttle", "protect", "policy", "inventory", "cart"].map((name, at) => part(name, 10 * at)),
  };
}
const SPANS = 6;

describe("a trace", () => {
  test("arrives as one root, kind server, with its steps below it, at the microsecond", async () => {
    const spans = openExport();
    const trace = traceOf(1);
    spans.add(trace);
    await spans.close();
    const root = receiver.spans.find(({ parentId }) => parentId === null);
    expect(root).toEqual({
      ...{ traceId: trace.traceId, spanId: trace.spanId, parentId: null, name: "POST /buy", kind: 2, statusCode: 2 },
      ...{ beganNs: BigInt(BEGAN_AT) * 1_000n, endedNs: BigInt(BEGAN_AT + 51) * 1_000n },
      attributes: { "doorbuster.sku": "品🛒", "doorbuster.quantity": 2 },
      resource: {
        ...{ "service.namespace": "doorbuster", "service.name": "gate-keeper" },
        ...{ "service.instance.id": "host:gatekeeper:8080", "service.version": "1.2.3" },
      },
    });
    const steps = receiver.spans.filter(({ parentId }) => parentId === trace.spanId);
    expect(steps.map(({ name, kind, statusCode }) => [name, kind, statusCode])).toEqual([
      ["throttle", 1, 0],
      ["protect", 1, 0],
      ["policy", 1, 0],
      ["inventory", 1, 0],
      ["cart", 1, 2],
    ]);
    expect(steps.every(({ traceId, beganNs, endedNs }) => traceId === trace.traceId && endedNs - beganNs === 7_000n)).toBe(true);
    expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(SPANS);
    expect([spans.spansExported, spans.spansDropped, troubles]).toEqual([SPANS, 0, []]);
  });

  test("comes by itself while the process runs", async () => {
    const spans = openExport();
    spans.add(traceOf(1));
    await waitFor(() => receiver.spans.length === SPANS, "the spans have arrived");
    await spans.close();
    expect(receiver.requests.length).toBe(1);
  });

  test("is one of many in few requests, none larger than its bound, and none is lost", async () => {
    const spans = openExport();
    const count = Math.floor(OTLP_QUEUE_SPANS_MAX / SPANS);
    for (let index = 0; index < count; index += 1) spans.add(traceOf(index));
    await spans.close();
    expect(receiver.spans.length).toBe(count * SPANS);
    expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(count);
    expect(receiver.requests.every((request) => request.spans <= OTLP_BATCH_SPANS_MAX)).toBe(true);
    expect(receiver.requests.length).toBe(Math.ceil((count * SPANS) / OTLP_BATCH_SPANS_MAX));
  });
});

describe("a collector", () => {
  test("that is down costs a bounded queue: what has no room is dropped whole and counted, and close does not wait for it", async () => {
    receiver.stop();
    const spans = openExport(`${receiver.url}/gone`);
    const room = Math.floor(OTLP_QUEUE_SPANS_MAX / SPANS);
    for (let index = 0; index < room + 500; index += 1) spans.add(traceOf(index));
    expect(spans.spansDropped).toBe(500 * SPANS);
    const began = performance.now();
    await spans.close();
    // Generous: the machine may be busy. Without its bound, close would wait for the library's own repetitions.
    expect(performance.now() - began).toBeLessThan(3 * OTLP_CLOSE_MS_MAX);
    expect(spans.spansExported).toBe(0);
  });

  test("that refuses is told of once a minute, by its address without what is secret in it, and rests in between", async () => {
    receiver.answerWith(401);
    const spans = openExport(`${receiver.url.replace("//", "//user:hunter2@")}/v1/traces?key=hunter3`);
    const refused = async (times: number): Promise<void> => {
      spans.add(traceOf(times));
      await waitFor(() => spans.spansDropped === times * SPANS, "the spans were refused");
    };
    await refused(1);
    expect(troubles).toEqual([`traces do not reach ${receiver.url} (Unauthorized); they are dropped`]);
    // While it rests nothing is sent: the second trace waits until the rest is over.
    spans.add(traceOf(2));
    clock.us += 1_000 * OTLP_REST_MS;
    await waitFor(() => spans.spansDropped === 2 * SPANS, "the spans were refused again");
    expect([receiver.requests.length, troubles.length]).toEqual([2, 1]);
    clock.us += 1_000 * TROUBLE_TOLD_MS;
    await refused(3);
    expect(troubles.length).toBe(2);
    receiver.answerWith(200);
    clock.us += 1_000 * OTLP_REST_MS;
    spans.add(traceOf(4));
    await waitFor(() => spans.spansExported === SPANS, "the collector takes traces again");
    await spans.close();
  });

  test("that never answers keeps nobody: adding goes on, the queue is bounded, and close ends in time", async () => {
    receiver.answerWith("hang");
    const spans = openExport();
    spans.add(traceOf(0));
    await waitFor(() => receiver.requests.length === 1, "a request is under way");
    for (let index = 0; index < OTLP_QUEUE_SPANS_MAX; index += 1) spans.add(traceOf(index));
    const room = Math.floor(OTLP_QUEUE_SPANS_MAX / SPANS);
    expect(spans.spansDropped).toBe((OTLP_QUEUE_SPANS_MAX - room) * SPANS);
    const began = performance.now();
    await spans.close();
    expect(performance.now() - began).toBeLessThan(3 * OTLP_CLOSE_MS_MAX);
    expect(receiver.requests.length).toBe(1);
  });

  test("gets nothing of what is added after the end; it is counted", async () => {
    const spans = openExport();
    await spans.close();
    spans.add(traceOf(1));
    expect([spans.spansDropped, receiver.requests.length]).toEqual([SPANS, 0]);
  });
});
