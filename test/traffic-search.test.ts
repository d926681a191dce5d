/** The traffic of the last hours as an operator searches it, over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { freshDataDir, getJson, postJson, type System, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

interface Found {
  readonly events: readonly {
    readonly traceId: string;
    readonly userID: string;
    readonly reason: string | null;
    readonly steps: readonly { readonly step: string; readonly outcome: string }[];
  }[];
  readonly next: string | null;
  readonly tookMs: number;
}

const dataDir = freshDataDir();
const sunk: string[] = [];
const sink = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: async (request) => {
    const lines = (await request.text()).trim().split("\n");
    sunk.push(...lines);
    return Response.json({ errors: false, items: lines.filter((_, index) => index % 2 === 0).map(() => ({ create: { status: 201 } })) });
  },
});
const start = (): Promise<System> =>
  startSystem({ dataDir, env: { DOORBUSTER_TRAFFIC_SINK: `http://ops:hush-hush-word@127.0.0.1:${sink.port}/drops` } });
let system: System;
beforeAll(async () => {
  system = await start();
  await postJson(`${system.inventory}/add`, { goodsSKU: "SKU0001", goodsQuantity: 2, goodsPrice: 9.9 });
});
afterAll(async () => {
  await system.stop();
  sink.stop(true);
  rmSync(dataDir, { recursive: true, force: true });
});

const buy = async (userID: string, clientIP = "192.0.2.1") =>
  (await postJson(`${system.gate}/buy`, { sessionID: "x", clientIP, userID, userLevel: 5, goodsSKU: "SKU0001", goodsQuantity: 1 }))
    .body as {
    sessionID: string;
  };
const search = async (query: string): Promise<Found> => (await getJson(`${system.protector}/traffic/search?${query}`)).body as Found;

describe("the traffic of the last hours", () => {
  test("says why a shopper was refused, in one query", async () => {
    await postJson(`${system.protector}/badguy/add`, { userID: "Mallory", isBadGuy: true });
    for (const user of ["Ada", "Bob", "Cy"]) await buy(user);
    const { sessionID } = await buy("Mallory", "198.51.100.7");
    await waitFor(async () => (await search("userID=Mallory")).events.length === 1, "the purchase was there");
    const [event] = (await search("userID=Mallory&goodsSKU=SKU0001&clientIP=198.51.100.0/24")).events;
    expect(event).toMatchObject({
      ...{ traceId: sessionID, clientIP: "198.51.100.7", userID: "Mallory", goodsSKU: "SKU0001", goodsQuantity: 1, reason: "blacklisted" },
      ...{ request: null, status: null },
    });
    expect(event?.steps.map(({ step, outcome }) => [step, outcome])).toEqual([
      ["throttle", "allowed"],
      ["protect", "blacklisted"],
    ]);
    expect((await search(`traceId=${sessionID}`)).events).toEqual([event as never]);
  });

  test("comes newest first, page by page", async () => {
    await waitFor(async () => (await search("")).events.length === 4, "all were there");
    const first = await search("limit=3");
    expect(first.events.map(({ userID }) => userID)).toEqual(["Mallory", "Cy", "Bob"]);
    const second = await search(`limit=3&before=${first.next}`);
    expect(second).toMatchObject({ events: [{ userID: "Ada" }], next: null });
    expect((await search("reason=held")).events.map(({ userID }) => userID)).toEqual(["Bob", "Ada"]);
  });

  test("is summed up in a report", async () => {
    const { body } = await getJson(`${system.protector}/traffic/report`);
    expect(body).toMatchObject({ requests: 4, purchases: 4, held: 2, heldUnits: 2, failed: 0 });
    expect(body).toMatchObject({ skus: [{ goodsSKU: "SKU0001", purchases: 4, heldUnits: 2 }] });
    expect(body).toMatchObject({ blocked: [{ reason: "blacklisted", requests: 1, users: 1, addresses: 1 }, { reason: "throttled" }] });
  });

  test("also goes where the sink is, with its time and without a word about its password", async () => {
    await waitFor(() => sunk.length >= 8, "all had arrived");
    expect(JSON.parse(sunk[0] ?? "")).toEqual({ create: { _id: expect.stringMatching(/^[0-9a-f]{32}$/) } });
    expect(JSON.parse(sunk[1] ?? "")).toMatchObject({ "@timestamp": expect.stringMatching(/^2\d{3}-.*Z$/), userID: "Ada", held: true });
    expect(system.stderr()).not.toContain("hush");
  });

  test("is there again after the process was killed", async () => {
    await waitFor(async () => (await search("")).events.length === 4, "all were written");
    await system.kill();
    system = await start();
    await waitFor(async () => (await getJson(`${system.protector}/traffic/search`)).status === 200, "the store was open");
    expect((await search("userID=Mallory")).events).toHaveLength(1);
  });
});

test.each([
  ["traceId=xyz", "traceId"],
  ["clientIP=nowhere", "clientIP"],
  ["limit=0", "limit"],
  ["limit=501", "limit"],
  ["before=1;drop", "before"],
  ["reason=%27%20or%201=1", "reason"],
  ["from=yesterday", "from"],
])("a search with %s is told what is wrong", async (query, field) => {
  const { status, body } = await getJson(`${system.protector}/traffic/search?${query}`);
  expect({ status, body }).toMatchObject({ status: 400, body: { errors: [{ pointer: `#/query/${field}` }] } });
});
