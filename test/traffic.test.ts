/** The analysis of the traffic as an operator sees it, over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Decision } from "../src/services/safe-protector/decision.ts";
import type { TrafficNow, TrafficPoint } from "../src/traffic/traffic-now.ts";
import { deleteJson, getJson, postJson, type System, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

let system: System;
beforeAll(async () => {
  system = await startSystem();
  for (const [goodsSKU, goodsQuantity] of [
    ["SKU0001", 5],
    ["SKU-LATER", 5],
    ["SKU-PLENTY", 100],
  ])
    await postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity, goodsPrice: 9.9 });
  const [startsAt, endsAt] = [1, 2].map((hours) => new Date(Date.now() + hours * 3_600_000).toISOString());
  await postJson(`${system.policy}/sales`, { name: "Later", startsAt, endsAt, items: [{ goodsSKU: "SKU-LATER", salePrice: 5 }] });
});
afterAll(() => system.stop());

const now = async (): Promise<TrafficNow> => (await getJson(`${system.protector}/traffic/now`)).body as TrafficNow;
const buy = (userID: string, clientIP: string, goodsSKU = "SKU0001") =>
  postJson(`${system.gate}/buy`, { sessionID: "x", clientIP, userID, userLevel: 5, goodsSKU, goodsQuantity: 1 });

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

  test("holds what was no purchase too: what nobody could understand, and what was given back", async () => {
    await postJson(`${system.gate}/buy`, { userID: "user-0" });
    await postJson(`${system.gate}/buy`, "no JSON");
    await getJson(`${system.gate}/nothing/here`);
    await deleteJson(`${system.gate}/cart/SKU0001?userID=user-0`);
    await waitFor(async () => (await now()).eventsSeen === 12, "all were seen");
    await waitFor(async () => (await now()).windows[2]?.requests === 12, "all were in the minute");
    const minute = (await now()).windows[2];
    expect(minute?.purchases).toBe(8);
    expect(minute?.other).toEqual({ malformed: 2, "not-found": 1, done: 1 });
    expect(minute?.heaviest.addresses).toContainEqual({ value: "127.0.0.1", requests: 4, errorMax: 0 });
  });

  test("is counted in the metrics", async () => {
    const { text } = await getJson(`${system.protector}/metrics`);
    expect(text).toContain('doorbuster_traffic_events_total{service="SafeProtector"} 12');
    expect(text).toContain('doorbuster_traffic_dropped_total{service="SafeProtector"} 0');
  });
});

/** The times of an account's purchases, as the gate has written them down. */
async function timesOf(userId: string): Promise<number[]> {
  const files = [...new Bun.Glob("access-*.jsonl").scanSync(join(system.dataDir, "access-log"))];
  const texts = await Promise.all(files.map((file) => Bun.file(join(system.dataDir, "access-log", file)).text()));
  const records = texts.flatMap((text) => text.split("\n").filter((line) => line.endsWith("}")));
  return records
    .map((line) => JSON.parse(line) as { readonly time: string; readonly userID: string | null })
    .filter(({ userID }) => userID === userId)
    .map(({ time }) => Date.parse(time))
    .toSorted((a, b) => a - b);
}

describe("who attacks", () => {
  test("is blocked at the gate within a second of crossing the line, with the evidence in the decision", async () => {
    const line = 100;
    await Promise.all(Array.from({ length: line + 20 }, () => buy("flooder", "203.0.113.66")));
    await waitFor(
      async () => ((await buy("flooder", "203.0.113.66")).body as { reason: string }).reason === "blacklisted",
      "it was blocked",
    );
    const { decisions } = (await getJson(`${system.protector}/decisions?scope=account&value=flooder`)).body as { decisions: Decision[] };
    expect(decisions).toEqual([
      expect.objectContaining({ action: "block", origin: "learned", offences: 1, scenario: "request-flood-account" }),
    ]);
    const { since, until, evidence } = decisions[0] as Decision;
    const { requests = 0 } = evidence?.counts ?? {};
    expect((until ?? 0) - since).toBe(600_000);
    expect(requests).toBeGreaterThanOrEqual(line);
    expect(evidence?.traceIds[0]).toMatch(/^[0-9a-f]{32}$/);
    await waitFor(async () => (await timesOf("flooder")).length > line, "the records were written");
    const crossedAt = (await timesOf("flooder"))[line - 1] as number;
    expect(since - crossedAt).toBeLessThan(1_000);
    await waitFor(async () => (await now()).scenarios.some(({ offencesInHour }) => offencesInHour === 1), "the offence was shown");
  });

  test.each([
    [
      "an account from ever new addresses",
      "many-addresses-account",
      async (user: string) => {
        for (let i = 0; i < 20; i += 1) await buy(user, `198.51.${i}.7`);
      },
    ],
    [
      "an account that tries before the start",
      "early-hammering-account",
      async (user: string) => {
        await Promise.all(Array.from({ length: 60 }, () => buy(user, "203.0.113.68", "SKU-LATER")));
      },
    ],
    [
      "an account that buys and gives back",
      "stock-squatting",
      async (user: string) => {
        for (let i = 0; i < 7; i += 1) {
          expect((await buy(user, "203.0.113.69", "SKU-PLENTY")).body).toMatchObject({ repResult: true });
          await deleteJson(`${system.gate}/cart/SKU-PLENTY?userID=${user}`);
        }
      },
    ],
  ] as const)("as %s is blocked too", async (_, scenario, attack) => {
    const user = `attacker-${scenario}`;
    await attack(user);
    const reason = async () => ((await buy(user, "203.0.113.70")).body as { reason: string }).reason;
    await waitFor(async () => (await reason()) === "blacklisted", "it was blocked");
    const { decisions } = (await getJson(`${system.protector}/decisions?scenario=${scenario}`)).body as { decisions: Decision[] };
    expect(decisions.map(({ scope, value }) => [scope, value])).toEqual([["account", user]]);
  });

  test("in a way that is only observed goes on, and it is counted what would have been stopped and who bought", async () => {
    const watched = { scope: "account", value: "watched", action: "observe" };
    expect((await postJson(`${system.protector}/decisions`, watched)).status).toBe(200);
    await waitFor(async () => (await now()).observed.length === 1, "it was observed");
    await buy("watched", "203.0.113.71");
    await buy("watched", "203.0.113.71", "SKU-PLENTY");
    await waitFor(async () => (await now()).observed[0]?.seen === 2, "both were counted");
    expect((await now()).observed).toEqual([{ scope: "account", value: "watched", seen: 2, bought: 2 }]);
    const { decisions } = (await getJson(`${system.protector}/decisions?value=watched&scope=account`)).body as { decisions: object[] };
    expect(decisions[0]).toMatchObject({ action: "observe", seen: 2, bought: 2 });
  });

  test("harms nobody else: the address goes on, and so do the others", async () => {
    expect((await buy("bystander", "203.0.113.66")).body).toMatchObject({ reason: "sold-out" });
  });
});
