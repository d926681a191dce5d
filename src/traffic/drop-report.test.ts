import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asRead } from "../../test/read-events.ts";
import type { Clock } from "../core/time.ts";
import { DuckDbSegments } from "../edge/duckdb-segments.ts";
import type { TrafficEvent } from "./event.ts";
import { EVENT_TABLES } from "./event-rows.ts";
import { KeptEvents } from "./kept-events.ts";

const START = Date.parse("2026-11-22T10:00:00.000Z");
const clock: Clock = { now: () => START, monotonicUs: () => 0 };
const STEPS = ["throttle", "protect", "policy", "inventory", "cart"];
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function storeWith(events: readonly TrafficEvent[], segmentEvents = 1_000_000): Promise<KeptEvents> {
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-report-"));
  folders.push(folder);
  const database = await DuckDbSegments.open(folder, EVENT_TABLES);
  const store = await KeptEvents.open(database, { keptMs: 1e12, keptBytes: 1e12, segmentEvents }, clock, (message) => {
    throw new Error(message);
  });
  // More than a segment at a time, so that every commit begins one.
  for (let from = 0; from < events.length; from += segmentEvents + 10) {
    store.add(asRead(events.slice(from, from + segmentEvents + 10)));
    await store.flush();
  }
  return store;
}

/** A purchase that ended at this step with this reason; without a reason it was held. */
function purchase(at: number, user: number, how: Partial<TrafficEvent> = {}, endsAt = "cart"): TrafficEvent {
  const went = STEPS.slice(0, STEPS.indexOf(endsAt) + 1);
  return {
    ...{ at: START + at, instance: "gate", traceId: null, clientIp: `10.0.${user >> 8}.${user & 255}`, userId: `UID${user}` },
    ...{ sku: "SKU0001", quantity: 2, totalUs: 100, request: null, status: null, reason: null },
    steps: went.map((step) => ({ step, outcome: step === endsAt ? (how.reason ?? "allowed") : "allowed", us: 1 })),
    ...how,
  };
}

const request = (at: number, what: string, reason: string | null): TrafficEvent => ({
  ...purchase(at, 1),
  ...{ request: what, reason, status: reason === null ? 200 : 400, steps: [], quantity: 0, sku: null },
});

const crowd: readonly TrafficEvent[] = [
  ...Array.from({ length: 100 }, (_, user) => purchase(user * 10, user, { totalUs: user + 1 })),
  ...Array.from({ length: 60 }, (_, user) => purchase(2_000 + user, user, { reason: "sold-out" }, "inventory")),
  ...Array.from({ length: 30 }, (_, n) => purchase(3_000 + n, 900, { reason: "blacklisted" }, "protect")),
  ...Array.from({ length: 20 }, (_, n) => purchase(3_000 + n, 901 + n, { reason: "throttled" }, "throttle")),
  ...Array.from({ length: 4 }, (_, n) => purchase(4_000 + n, n, { reason: "cart-unavailable" }, "cart")),
  ...Array.from({ length: 7 }, (_, n) => purchase(5_000 + n, n, { sku: "SKU0002", quantity: 3 })),
  { ...purchase(6_000, 1), steps: [{ step: "throttle", outcome: "allowed", us: 1 }] },
  ...[request(6_100, "POST /buy", "malformed"), request(6_200, "POST /orders", null), request(6_300, "POST /orders", null)],
  ...[
    request(6_400, "POST /orders/{id}/cancel", null),
    request(6_500, "DELETE /cart/{sku}", null),
    request(6_600, "POST /orders", "refused"),
  ],
];

describe.each([
  ["of one segment", 1_000_000],
  ["over many segments", 40],
])("a report %s", (_, segmentEvents) => {
  test("adds up what happened", async () => {
    const store = await storeWith(crowd, segmentEvents);
    const report = await store.report(START, START + 60_000);
    expect(report).toMatchObject({
      ...{ from: START, until: START + 60_000, seen: { first: START, last: START + 6_600 } },
      ...{ requests: crowd.length, purchases: 222, held: 107, heldUnits: 221, failed: 4 },
      funnel: [
        { step: "throttle", entered: 222, refused: { throttled: 20 } },
        { step: "protect", entered: 201, refused: { blacklisted: 30 } },
        { step: "policy", entered: 171, refused: {} },
        { step: "inventory", entered: 171, refused: { "sold-out": 60 } },
        { step: "cart", entered: 111, refused: { "cart-unavailable": 4 } },
      ],
      other: { malformed: 1, fine: 4, refused: 1 },
      bucketMs: 1_000,
      blocked: [
        { reason: "blacklisted", requests: 30, users: 1, addresses: 1 },
        { reason: "throttled", requests: 20 },
      ],
      conversion: { ordersPlaced: 2, ordersCancelled: 1, holdsReleased: 1 },
    });
    expect(report.latencyUs).toEqual({ p50: 100, p95: 100, p99: 100, max: 100 });
    await store.close();
  });

  test("says when it happened, and what was held of which goods", async () => {
    const store = await storeWith(crowd, segmentEvents);
    const { timeline, skus } = await store.report(START, START + 60_000);
    expect(timeline.map(({ at, held, blocked, failed }) => [at - START, held, blocked, failed])).toEqual([
      ...[
        [0, 100, 0, 0],
        [1_000, 0, 0, 0],
        [2_000, 0, 0, 0],
        [3_000, 0, 50, 0],
        [4_000, 0, 0, 4],
        [5_000, 7, 0, 0],
        [6_000, 0, 0, 0],
      ],
    ]);
    expect(skus).toEqual([
      { goodsSKU: "SKU0001", purchases: 215, heldUnits: 200, heldOverTime: [200, 0, 0, 0, 0, 0, 0] },
      { goodsSKU: "SKU0002", purchases: 7, heldUnits: 21, heldOverTime: [0, 0, 0, 0, 0, 21, 0] },
    ]);
    await store.close();
  });

  test("estimates how many different users and addresses there were", async () => {
    const store = await storeWith(crowd, segmentEvents);
    const { distinct, conversion } = await store.report(START, START + 60_000);
    // 121 users, of whom 100 had something in hand.
    for (const [estimate, truth] of [
      [distinct.users, 121],
      [distinct.addresses, 121],
      [conversion.users, 121],
      [conversion.usersWhoHeld, 100],
    ] as const)
      expect(Math.abs(estimate - truth)).toBeLessThanOrEqual(0.1 * truth);
    await store.close();
  });

  test("of a part of the time has that part only", async () => {
    const store = await storeWith(crowd, segmentEvents);
    expect(await store.report(START + 2_000, START + 3_000)).toMatchObject({ requests: 60, held: 0, purchases: 60 });
    expect(await store.report(START + 50_000, START + 60_000)).toMatchObject({ requests: 0, seen: null, timeline: [], skus: [] });
    await store.close();
  });
});

test("the percentiles of a report are within a hundredth of the exact ones", async () => {
  const times = Array.from({ length: 5_000 }, (_, n) => Math.round(1.0035 ** n));
  const store = await storeWith(times.map((totalUs, n) => purchase(n, n, { totalUs: Math.min(totalUs, 50_000_000) })));
  const { latencyUs } = await store.report(START, START + 60_000);
  const exact = (share: number): number => Math.min(times[Math.ceil(share * times.length) - 1] as number, 50_000_000);
  for (const [share, shown] of [
    [0.5, latencyUs.p50],
    [0.95, latencyUs.p95],
    [0.99, latencyUs.p99],
    [1, latencyUs.max],
  ] as const)
    expect(Math.abs(shown - exact(share))).toBeLessThanOrEqual(0.01 * exact(share));
  await store.close();
}, 20_000);

test("a refusal that is given again to its key is refused by no step", async () => {
  const again = { ...purchase(0, 1, { reason: "sold-out" }), steps: [{ step: "throttle", outcome: "allowed", us: 1 }] };
  const { funnel } = await (await storeWith([again])).report(START, START + 10_000);
  expect(funnel.map(({ step, entered, refused }) => [step, entered, refused])[0]).toEqual(["throttle", 1, {}]);
});
