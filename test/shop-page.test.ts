/** The shop page's door: the page and its files, and the board live over WebSockets and server-sent events. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Doorbuster, type LiveBoard } from "../client/doorbuster.ts";
import { type OpenChannel, ownSurroundings } from "../client/surroundings.ts";
import { getJson, postJson, type System, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

const SKU = "WATCHED";
const YEAR_MS = 365 * 24 * 3_600_000;
let system: System;

beforeAll(async () => {
  system = await startSystem({ args: ["--sale-availability", "exact"] });
  await postJson(`${system.inventory}/add`, { goodsSKU: SKU, goodsQuantity: 1_000, goodsPrice: 99.9 });
  const [startsAt, endsAt] = [Date.now() - 1_000, Date.now() + YEAR_MS].map((at) => new Date(at).toISOString());
  await postJson(`${system.policy}/sales`, { id: "live", name: "Live", startsAt, endsAt, items: [{ goodsSKU: SKU, salePrice: 49.9 }] });
});
afterAll(() => system.stop());

let buyers = 0;
async function buy(): Promise<void> {
  buyers += 1;
  const body = { userID: `BUYER${buyers}`, userLevel: 5, clientIP: "202.100.100.1", goodsSKU: SKU, goodsQuantity: 1 };
  expect((await postJson(`${system.gate}/buy`, body)).body).toMatchObject({ repResult: true });
}
const available = async (): Promise<number> =>
  ((await getJson(`${system.inventory}/sku/${SKU}`)).body as { availableQuantity: number }).availableQuantity;
const watchers = async (): Promise<number> =>
  Number(/^doorbuster_board_watchers\{.*\} (\d+)$/m.exec((await getJson(`${system.gate}/metrics`)).text)?.[1]);

/** What a message says is left of the goods that are watched. */
function leftIn(text: string): unknown {
  const { board, left } = JSON.parse(text) as BoardMessage;
  return board ? board.sales[0]?.items[0]?.availability : left?.["live"]?.[SKU];
}
interface BoardMessage {
  readonly board?: { readonly sales: readonly { readonly items: readonly { readonly availability: number }[] }[] };
  readonly left?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

describe("the page", () => {
  test("is served with a policy that lets nothing run but its own files", async () => {
    const { status, headers, text } = await getJson(`${system.gate}/shop`);
    expect([status, headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("content-security-policy")).not.toContain("unsafe");
    expect(text).not.toMatch(/<script(?![^>]*src=)|style=|https?:\/\//);
  });

  test.each([
    ["shop.js", "text/javascript"],
    ["shop.css", "text/css"],
  ])("has its file %s", async (name, type) => {
    const { status, headers, text } = await getJson(`${system.gate}/shop/${name}`);
    expect([status, headers.get("content-type")]).toEqual([200, `${type}; charset=utf-8`]);
    expect(text.length).toBeGreaterThan(1_000);
  });

  test("has no other files", async () => {
    for (const name of ["app.tsx", "..%2Fapi.ts", "shop.html"]) expect((await getJson(`${system.gate}/shop/${name}`)).status).toBe(400);
  });
});

describe("the board over a WebSocket", () => {
  async function watch(): Promise<{ readonly socket: WebSocket; readonly heard: string[]; readonly ended: Promise<number> }> {
    const socket = new WebSocket(`${system.gate.replace("http", "ws")}/live`);
    const heard: string[] = [];
    const ended = Promise.withResolvers<number>();
    socket.addEventListener("message", ({ data }) => heard.push(String(data)));
    socket.addEventListener("close", ({ code }) => ended.resolve(code));
    await waitFor(() => heard.length > 0, "the board is there");
    return { socket, heard, ended: ended.promise };
  }

  test("is whole at first, and then says what is left", async () => {
    const { socket, heard } = await watch();
    expect(JSON.parse(heard[0] as string)).toMatchObject({ kind: "board", board: { sales: [{ id: "live", status: "live" }] } });
    await buy();
    const left = await available();
    await waitFor(() => heard.some((text) => leftIn(text) === left), "the purchase is told");
    socket.close();
  });

  test("is not told anything: who has much to say is cut off", async () => {
    const { socket, ended } = await watch();
    socket.send("x".repeat(1_000));
    expect(await ended).not.toBe(1000);
  });

  test("counts those who watch", async () => {
    const { socket, ended } = await watch();
    expect(await watchers()).toBeGreaterThan(0);
    socket.close();
    await ended;
    await waitFor(async () => (await watchers()) === 0, "nobody watches any more");
  });
});

describe("the board by the client", () => {
  test("comes over a WebSocket, and without one over server-sent events, and without those by asking", async () => {
    const surroundings = ownSurroundings();
    const none = () => null;
    // Bun has no EventSource: what a browser's does with this stream is done by hand.
    const openStream: OpenChannel = (url, on) => readStream(url, on);
    const ways = { socket: {}, stream: { openSocket: none, openStream }, poll: { openSocket: none, openStream: none } };
    for (const [via, lacking] of Object.entries(ways)) {
      let seen: LiveBoard | null = null;
      // Whoever waits for nothing has tried all ways at once.
      const wait = (ms: number, signal?: AbortSignal) => surroundings.wait(via === "poll" ? Math.min(ms, 20) : ms, signal);
      const client = new Doorbuster({ url: system.gate, surroundings: { ...lacking, wait } });
      const watching = client.watch((board) => {
        seen = board;
      });
      const shown = (): LiveBoard | null => seen;
      await waitFor(() => shown()?.via === via, `the board comes via ${via}`);
      await buy();
      const left = await available();
      await waitFor(() => shown()?.sales[0]?.items[0]?.availability === left, `the purchase is seen via ${via}`);
      watching.stop();
    }
  }, 30_000);
});

/** The `data` of an event stream, as a browser's `EventSource` tells it. */
function readStream(url: string, { onText, onEnd }: Parameters<OpenChannel>[1]): { close(): void } {
  const stopping = new AbortController();
  const read = async (): Promise<void> => {
    const { body } = await fetch(url, { headers: { accept: "text/event-stream" }, signal: stopping.signal });
    let text = "";
    for await (const chunk of body ?? []) {
      const events = (text + new TextDecoder().decode(chunk)).split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) if (event.startsWith("data: ")) onText(event.slice("data: ".length));
    }
  };
  read().then(onEnd, onEnd);
  return { close: () => stopping.abort() };
}
