/** The analysis of the traffic as an operator sees it, over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { TrafficNow, TrafficPoint } from "../src/traffic/traffic-now.ts";
import { getJson, postJson, type System, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await postJson(`${system.inventory}/add`, { goodsSKU: "SKU0001", goodsQuantity: 5, goodsPrice: 9.9 });
});
afterAll(() => system.stop());

const now = async (): Promise<TrafficNow> => (await getJson(`${system.protector}/traffic/now`)).body as TrafficNow;
const buy = (userID: string, clientIP: string) =>
  postJson(`${system.gate}/buy`, { sessionID: "x", clientIP, userID, userLevel: 5, goodsSKU: "SKU0001", goodsQuantity: 1 });

describe("the traffic", () => {
  test("is seen within seconds: the funnel with its reasons, who came, what they asked for, and how long it took", async () => {
    for (let i = 0; i < 8; i += 1) await buy(`user-${i}`, i < 4 ? "192.0.2.1" : `198.51.100.${i}`);
    await waitFor(async () => (await now()).windows[2]?.requests === 8, "all were in the minute");
    const { windows, eventsSeen, eventsDropped, isSampled } = await now();
    expect({ eventsSeen, eventsDropped, isSampled }).toEqual({ eventsSeen: 8, eventsDropped: 0, isSampled: false });
    expect(windows.map(({ seconds }) => seconds)).toEqual([1, 10, 60, 600]);
    const minute = windows[2];
    expect(minute).toMatchObject({ requests: 8, purchases: 8, held: 5, failed: 0, distinct: { users: 8, addresses: 5 } });
    expect(minute?.funnel.map(({ step, entered }) => [step, entered]).slice(0, 4)).toEqual([
      ["throttle", 8],
      ["protect", 8],
      ["policy", 8],
      ["inventory", 8],
    ]);
    expect(minute?.funnel.flatMap(({ refused }) => Object.entries(refused))).toEqual([["sold-out", 3]]);
    expect(minute?.skus).toEqual([{ goodsSKU: "SKU0001", requests: 8, held: 5, refused: 3 }]);
    expect(minute?.heaviest.addresses[0]).toEqual({ value: "192.0.2.1", requests: 4, errorMax: 0 });
    expect(minute?.heaviest.networks.map(({ value, requests }) => [value, requests])).toEqual([
      ["192.0.2.0/24", 4],
      ["198.51.100.0/24", 4],
    ]);
    expect(minute?.heaviest.accounts).toHaveLength(8);
    const { p50, p95, p99, max } = minute?.latencyUs ?? { p50: 0, p95: 0, p99: 0, max: 0 };
    expect([p50, p95, p99, max].every((us, index, all) => us > 0 && us >= (all[index - 1] ?? 0))).toBe(true);
  });

  test("of the last hour is a point for every second, and can be asked for from a moment on", async () => {
    await waitFor(async () => (await now()).eventsSeen === 8, "all were seen");
    const { points } = (await getJson(`${system.protector}/traffic/history`)).body as { points: TrafficPoint[] };
    expect(points.reduce((sum, { requests }) => sum + requests, 0)).toBe(8);
    expect(points.reduce((sum, { refused }) => sum + (refused["sold-out"] ?? 0), 0)).toBe(3);
    const last = points.at(-1)?.at ?? 0;
    const since = (await getJson(`${system.protector}/traffic/history?since=${last}`)).body as { points: TrafficPoint[] };
    expect(since.points[0]?.at).toBe(last);
  });

  test("is counted in the metrics", async () => {
    const { text } = await getJson(`${system.protector}/metrics`);
    expect(text).toContain('doorbuster_traffic_events_total{service="SafeProtector"} 8');
    expect(text).toContain('doorbuster_traffic_dropped_total{service="SafeProtector"} 0');
  });
});
