/** Purchases as traces, from the real system to a real receiver: off unless asked for, sampled by the trace id, and never in a purchase's way. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { isSampled } from "../src/core/trace-sample.ts";
import { OTLP_CLOSE_MS_MAX } from "../src/limits/records.ts";
import { SHUTDOWN_MS_MAX } from "../src/limits.ts";
import { type OtlpReceiver, startOtlpReceiver } from "./otlp-receiver.ts";
import { getJson, postJson, type System, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

let receiver: OtlpReceiver;
beforeAll(() => {
  receiver = startOtlpReceiver();
});
afterAll(() => receiver.stop());
let system: System | null = null;
afterEach(async () => {
  await system?.stop();
  system = null;
});

const start = async (...args: readonly string[]): Promise<System> => {
  system = await startSystem({ args, env: { OTEL_EXPORTER_OTLP_HEADERS: "x-collector-key=k1" } });
  return system;
};
const buy = async (at: System, goodsSKU: string, userID = "personal-name"): Promise<{ readonly sessionID: string }> => {
  const body = { userID, userLevel: 1, clientIP: "203.0.113.77", goodsSKU, goodsQuantity: 1 };
  return (await postJson(`${at.gate}/buy`, body)).body as { sessionID: string };
};
const figure = async (at: System, name: string): Promise<number> =>
  Number(new RegExp(`^doorbuster_${name}\\{[^}]*\\} (\\S+)$`, "m").exec((await getJson(`${at.gate}/metrics`)).text)?.[1]);

test("every purchase of a full sample is a trace under its own session id, with the gate's name, and with nobody's", async () => {
  const at = await start("--otlp", receiver.url, "--otlp-sample", "1");
  await postJson(`${at.inventory}/add`, { goodsSKU: "G", goodsQuantity: 5, goodsPrice: 1 });
  const [held, refused] = [await buy(at, "G"), await buy(at, "unknown")];
  const spansOf = ({ sessionID }: { sessionID: string }) => receiver.spans.filter(({ traceId }) => traceId === sessionID);
  await waitFor(() => spansOf(held).length + spansOf(refused).length === 6 + 5, "both traces have arrived");
  const instance = ((await getJson(`${at.cart}/health`)).body as { instance: string }).instance.replace(/:shoppingcart:\d+$/, "");
  expect(spansOf(held).find(({ parentId }) => parentId === null)).toMatchObject({
    ...{ name: "POST /buy", kind: 2, statusCode: 0 },
    attributes: { "doorbuster.sku": "G", "doorbuster.quantity": 1, "doorbuster.outcome": "held" },
    resource: {
      ...{ "service.name": "gate-keeper", "service.version": packageJson.version },
      "service.instance.id": `${instance}:gatekeeper:${new URL(at.gate).port}`,
    },
  });
  const steps = spansOf(refused).filter(({ parentId }) => parentId !== null);
  expect(steps.map(({ name, attributes }) => `${name} ${attributes["doorbuster.outcome"]}`)).toEqual([
    ...["throttle allowed", "protect allowed", "policy allowed"],
    "inventory unknown-goods",
  ]);
  const ageMs = Date.now() - Number((steps[0]?.beganNs ?? 0n) / 1_000_000n);
  expect(Math.abs(ageMs)).toBeLessThan(60_000);
  expect(receiver.requests.at(-1)?.headers.get("x-collector-key")).toBe("k1");
  const told = JSON.stringify(receiver.spans.map(({ attributes, resource }) => ({ attributes, resource })));
  for (const kept of ["personal-name", "203.0.113.77"]) expect(told).not.toContain(kept);
  expect([await figure(at, "spans_exported_total"), await figure(at, "spans_dropped_total")]).toEqual([11, 0]);
});

test("a sample is what the trace ids say, and what waits is sent before the process ends", async () => {
  const at = await start("--otlp", receiver.url, "--otlp-sample", "0.2");
  const ids = (await Promise.all(Array.from({ length: 300 }, (_, index) => buy(at, "unknown", `U${index}`)))).map(
    (reply) => reply.sessionID,
  );
  const expected = ids.filter((id) => isSampled(id, 0.2)).sort();
  expect(expected.length).toBeWithin(20, 120);
  expect(await at.stop()).toBe(0);
  system = null;
  const roots = receiver.spans.filter(({ traceId, parentId }) => parentId === null && ids.includes(traceId));
  expect(roots.map(({ traceId }) => traceId).sort()).toEqual(expected);
});

test("a collector that nobody has started is told of, and purchases and the end of the process do not wait for it", async () => {
  const gone = startOtlpReceiver();
  gone.stop();
  const at = await start("--otlp", `${gone.url}/gone`, "--otlp-sample", "1");
  await buy(at, "unknown");
  // The library tries for OTLP_TIMEOUT_MS before it gives up.
  await waitFor(() => at.stderr().includes("traces do not reach"), "the operator is told");
  expect(at.stderr()).toMatch(new RegExp(`^doorbuster: traces do not reach ${gone.url} \\(.+\\); they are dropped\n$`));
  expect(await figure(at, "spans_dropped_total")).toBe(5);
  await buy(at, "unknown");
  const began = performance.now();
  expect(await at.stop()).toBe(0);
  system = null;
  expect(performance.now() - began).toBeLessThan(SHUTDOWN_MS_MAX + OTLP_CLOSE_MS_MAX);
}, 30_000);

describe("without a collector", () => {
  interface Loaded {
    readonly isTraced: boolean;
    /** OpenTelemetry's, but for its interface, which the metrics' library has anyway. */
    readonly libraries: readonly string[];
  }

  /** What a process has loaded that has put its tracing together. */
  async function loadedFor(tracing: string): Promise<Loaded> {
    const script = `
      const { openTracing } = await import(${JSON.stringify(join(import.meta.dir, "../src/topology/tracing.ts"))});
      await import(${JSON.stringify(join(import.meta.dir, "../src/topology.ts"))});
      const clock = { now: () => 0, monotonicUs: () => 0 };
      const tracing = await openTracing(${tracing}, { service: "s", instance: "i" }, clock, () => {});
      const names = Object.keys(require.cache).flatMap((path) => /@opentelemetry.(sdk-trace|exporter-[a-z-]+)/.exec(path)?.[1] ?? []);
      console.log(JSON.stringify({ isTraced: tracing.trace !== null, libraries: [...new Set(names)].sort() }));
      await tracing.close();
    `;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
    return JSON.parse(await new Response(child.stdout).text()) as Loaded;
  }

  test("the libraries are not loaded, and the gate has nobody to tell of a purchase", async () => {
    expect(await loadedFor("null")).toEqual({ isTraced: false, libraries: [] });
    const collector = '{ url: "http://127.0.0.1:9/v1/traces", share: 1 }';
    expect(await loadedFor(collector)).toEqual({ isTraced: true, libraries: ["exporter-trace-otlp-http", "sdk-trace"] });
  });

  test("no figure of traces stands in the metrics", async () => {
    expect((await getJson(`${(await start()).gate}/metrics`)).text).not.toContain("doorbuster_spans");
  });
});
