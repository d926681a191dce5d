import { afterEach, describe, expect, test } from "bun:test";
import { waitFor } from "../../test/wait.ts";
import { SINK_BUFFER_BYTES_MAX, SINK_REQUEST_BYTES_MAX } from "../limits/event-store.ts";
import { BulkSender } from "./bulk-sender.ts";
import { systemClock } from "./system-clock.ts";

interface Asked {
  readonly path: string;
  readonly headers: Headers;
  readonly lines: readonly string[];
}

let stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops) await stop();
  stops = [];
});

/** Takes `_bulk` requests as Elasticsearch does. `answer` says what becomes of each document, or of the whole request. */
function receiver(
  answer: (attempt: number, documents: number) => number | readonly number[] = (_, documents) => Array(documents).fill(201),
) {
  const asked: Asked[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const text = await request.text();
      expect(text.endsWith("\n")).toBe(true);
      const lines = text.slice(0, -1).split("\n");
      asked.push({ path: new URL(request.url).pathname, headers: request.headers, lines });
      const is = answer(asked.length, lines.length / 2);
      if (typeof is === "number") return new Response("no", { status: is });
      return Response.json({ took: 1, errors: is.some((status) => status > 299), items: is.map((status) => ({ create: { status } })) });
    },
  });
  stops.push(() => server.stop(true));
  return { asked, port: server.port };
}

function sender(address: string): { sink: BulkSender; told: string[] } {
  const told: string[] = [];
  const sink = new BulkSender(address, systemClock, (message) => told.push(message), 1, 5);
  stops.push(() => sink.close());
  return { sink, told };
}

const documentOf = (n: number): string => `{"create":{}}\n{"n":${n}}\n`;

describe("documents for Elasticsearch", () => {
  test("arrive in order, as lines of what to do and what it is", async () => {
    const { asked, port } = receiver();
    const { sink } = sender(`http://127.0.0.1:${port}/drops`);
    for (let n = 0; n < 3; n += 1) sink.add(documentOf(n));
    await waitFor(() => sink.sent === 3, "all had arrived");
    expect(asked.flatMap(({ lines }) => lines)).toEqual([0, 1, 2].flatMap((n) => ['{"create":{}}', `{"n":${n}}`]));
    expect(asked[0]?.path).toBe("/drops/_bulk");
    expect(asked[0]?.headers.get("content-type")).toBe("application/x-ndjson");
    expect(asked[0]?.headers.get("authorization")).toBeNull();
  });

  test("go to an index of ours when the address names none", async () => {
    const { asked, port } = receiver();
    const { sink } = sender(`http://127.0.0.1:${port}`);
    sink.add(documentOf(1));
    await waitFor(() => sink.sent === 1, "it had arrived");
    expect(asked[0]?.path).toBe("/doorbuster-traffic/_bulk");
  });

  test("carry the address's name and password in a header, and no message tells them", async () => {
    const { asked, port } = receiver(() => 401);
    const { sink, told } = sender(`http://ops:s%40cret-word@127.0.0.1:${port}/x`);
    sink.add(documentOf(1));
    await waitFor(() => sink.lost === 1, "it was refused");
    expect(asked[0]?.headers.get("authorization")).toBe(`Basic ${Buffer.from("ops:s@cret-word").toString("base64")}`);
    expect(told).toEqual([expect.stringContaining("it answers 401")]);
    expect(told.join("")).not.toMatch(/cret|ops/);
  });

  test("are sent again while the receiver is too busy: all of a request, or those that it was too busy for", async () => {
    const { asked, port } = receiver((attempt, documents) =>
      attempt === 1 ? 503 : attempt === 2 ? Array.from({ length: documents }, (_, n) => (n === 1 ? 429 : 201)) : Array(documents).fill(201),
    );
    const { sink } = sender(`http://127.0.0.1:${port}`);
    for (let n = 0; n < 3; n += 1) sink.add(documentOf(n));
    await waitFor(() => sink.sent === 3, "all had arrived");
    expect(asked.map(({ lines }) => lines.length / 2)).toEqual([3, 3, 1]);
    expect(asked[2]?.lines[1]).toBe('{"n":1}');
    expect(sink.lost).toBe(0);
  });

  test("that are there already have arrived; that are refused are lost and counted", async () => {
    const { port } = receiver(() => [409, 400, 201]);
    const { sink, told } = sender(`http://127.0.0.1:${port}`);
    for (let n = 0; n < 3; n += 1) sink.add(documentOf(n));
    await waitFor(() => sink.sent + sink.lost === 3, "all were settled");
    expect([sink.sent, sink.lost]).toEqual([2, 1]);
    expect(told).toEqual([expect.stringContaining("refuses documents with 400")]);
  });

  test("are given up after some attempts, and those after them go on", async () => {
    const { asked, port } = receiver((attempt, documents) => (attempt <= 5 ? 500 : Array(documents).fill(201)));
    const { sink } = sender(`http://127.0.0.1:${port}`);
    sink.add(documentOf(1));
    await waitFor(() => sink.lost === 1, "it was given up");
    sink.add(documentOf(2));
    await waitFor(() => sink.sent === 1, "the next had arrived");
    expect(asked).toHaveLength(6);
  });

  test("that find no room are lost and counted, and nobody waits", async () => {
    const { sink } = sender("http://127.0.0.1:9");
    const large = `{"create":{}}\n{"x":"${"x".repeat(SINK_REQUEST_BYTES_MAX)}"}\n`;
    for (let chars = 0; chars < 2 * SINK_BUFFER_BYTES_MAX; chars += large.length) sink.add(large);
    expect(sink.lost).toBeGreaterThan(0);
  });

  test.each([
    ["nobody listens", "http://127.0.0.1:9"],
    ["something else answers", null],
  ])("are lost and counted when %s", async (_, given) => {
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("<html>") });
    stops.push(() => other.stop(true));
    const { sink, told } = sender(given ?? `http://127.0.0.1:${other.port}`);
    sink.add(documentOf(1));
    await waitFor(() => sink.lost === 1, "it was lost");
    expect(told).toHaveLength(1);
  });

  test("that are left go out at the end", async () => {
    const { port } = receiver();
    const sink = new BulkSender(`http://127.0.0.1:${port}`, systemClock, () => undefined, 1, 60_000);
    sink.add(documentOf(1));
    await sink.close();
    expect([sink.sent, sink.lost]).toEqual([1, 0]);
  });
});
