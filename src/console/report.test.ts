import { describe, expect, test } from "bun:test";
import { csvOf, sampled, type TrafficPart, together } from "./report.ts";

const part = (over: Partial<TrafficPart>): TrafficPart => ({
  ...{ from: 0, until: 10_000, seen: { first: 0, last: 9_000 }, requests: 10, purchases: 8, held: 2, heldUnits: 3, failed: 0 },
  funnel: [{ step: "throttle", entered: 8, refused: { throttled: 1 } }],
  ...{ other: { malformed: 2 }, latencyUs: { p50: 100, p95: 200, p99: 300, max: 400 }, distinct: { users: 5, addresses: 4 } },
  blocked: [{ reason: "blacklisted", requests: 1, users: 1, addresses: 1 }],
  ...{ conversion: { users: 5, usersWhoHeld: 2 }, bucketMs: 1_000 },
  timeline: [{ at: 1_000, requests: 10, purchases: 8, held: 2, failed: 0, blocked: 1 }],
  skus: [{ goodsSKU: "A", purchases: 8, heldUnits: 3, heldOverTime: [3] }],
  ...over,
});
const empty = part({ seen: null, requests: 0, purchases: 0 });

describe("the traffic of several instances together", () => {
  test("of one is what it says", () => {
    expect(together([part({})])).toMatchObject({ requests: 10, isEstimate: false });
    expect(together([empty, part({}), empty])).toMatchObject({ requests: 10, isEstimate: false });
    expect(together([])).toBeNull();
  });

  test("adds up what can be added, by step, reason, time and SKU", () => {
    const other = part({
      ...{ requests: 30, seen: { first: 2_000, last: 12_000 } },
      funnel: [{ step: "throttle", entered: 2, refused: { throttled: 1, other: 1 } }],
      timeline: [
        { at: 1_400, requests: 20, purchases: 20, held: 0, failed: 0, blocked: 0 },
        { at: 5_000, requests: 10, purchases: 10, held: 0, failed: 0, blocked: 0 },
      ],
      skus: [{ goodsSKU: "B", purchases: 1, heldUnits: 1, heldOverTime: [1] }],
    });
    const all = together([part({}), other]);
    expect(all).toMatchObject({ requests: 40, purchases: 16, heldUnits: 6, isEstimate: true, seen: { first: 0, last: 12_000 } });
    expect(all?.funnel).toEqual([{ step: "throttle", entered: 10, refused: { throttled: 2, other: 1 } }]);
    expect(all?.timeline.map(({ at, requests }) => [at, requests])).toEqual([
      [1_000, 30],
      [5_000, 10],
    ]);
    expect(all?.skus.map(({ goodsSKU }) => goodsSKU)).toEqual(["A", "B"]);
    expect(all?.other).toEqual({ malformed: 4 });
  });

  test("weighs percentiles by how many they are of, and keeps the longest", () => {
    const slow = part({ purchases: 24, latencyUs: { p50: 500, p95: 600, p99: 700, max: 900 } });
    expect(together([part({}), slow])?.latencyUs).toEqual({ p50: 400, p95: 500, p99: 600, max: 900 });
  });
});

describe("a report as CSV", () => {
  const report = { ...{ at: 2, from: 0, until: 1, stock: [], refunds: [], invariant: null }, traffic: together([part({})]) };

  test("has each figure in a row of its own", () => {
    const lines = csvOf(report).split("\r\n");
    expect(lines[0]).toBe("part,row,figure,value");
    expect(lines).toContain("traffic,,requests,10");
    expect(lines).toContain("refused,throttle,throttled,1");
    expect(lines).toContain("over time,1970-01-01T00:00:01.000Z,held,2");
  });

  test("lets nothing that a shopper has named become a formula or a further column", () => {
    const skus = [
      { goodsSKU: '=HYPERLINK("http://evil.example")', purchases: 1, heldUnits: 1 },
      { goodsSKU: "a,b\nc", purchases: 1, heldUnits: 1 },
    ];
    const text = csvOf({ ...report, traffic: { ...(report.traffic as NonNullable<typeof report.traffic>), skus } });
    expect(text).toContain(`goods,"'=HYPERLINK(""http://evil.example"")",purchases,1`);
    expect(text).toContain('goods,"a,b\nc",purchases,1');
  });
});

test("a curve in a report is thinned out, and keeps its ends and where it came from", () => {
  const curve = Array.from({ length: 1_000 }, (_, at) => ({ at, available: 1_000 - at, held: 0, paymentPending: 0, sold: at }));
  const points = sampled(curve, 100, 900, 50);
  expect(points.length).toBeLessThanOrEqual(52);
  expect([points[0]?.at, points.at(-1)?.at]).toEqual([100, 900]);
  const quiet = [curve[0], { ...curve[0], at: 5_000 }] as typeof curve;
  expect(sampled(quiet, 0, 900, 50).map(({ at, available }) => [at, available])).toEqual([
    [0, 1_000],
    [900, 1_000],
  ]);
  expect(sampled(curve.slice(0, 10), 100, 900, 50)).toEqual([{ at: 100, available: 991, held: 0, paymentPending: 0, sold: 9 }]);
});
