/** `GET /events`: pages and streams, over a real outbox. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import type { HttpReply, Route } from "../core/endpoint.ts";
import type { Sku, UserId } from "../core/ids.ts";
import { GroupCommit } from "../edge/group-commit.ts";
import { EVENT_STREAM_BEAT_MS, EVENT_STREAMS_MAX, EVENTS_LOOKED_AT_PER_PAGE, EVENTS_PER_READ } from "../limits.ts";
import { EventStreams } from "./event-streams.ts";
import { OUTBOX_SCHEMA, Outbox } from "./outbox.ts";
import { eventRoutes } from "./routes.ts";

interface Shown {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly goodsSKU: string };
}
interface Page {
  readonly events: readonly Shown[];
  readonly next: string;
  readonly hasMore: boolean;
}

class Desk {
  readonly #db = new Database(":memory:");
  readonly #turns: GroupCommit;
  readonly #route: Route;
  readonly outbox: Outbox;
  readonly streams: EventStreams;
  #nowMs = 0;

  constructor() {
    this.#db.run(OUTBOX_SCHEMA);
    this.#turns = new GroupCommit(this.#db, () => {});
    this.outbox = new Outbox(this.#db, this.#turns, "eur", { keptMs: 100, eventsMax: 1_000_000 });
    this.streams = new EventStreams(this.outbox, { now: () => this.#nowMs, monotonicUs: () => this.#nowMs * 1_000 });
    this.#route = eventRoutes(this.outbox, this.streams)[0] as Route;
  }

  /** Events of one turn: `released` for one of some goods, `sold out` otherwise. */
  add(...skus: readonly string[]): Promise<void> {
    return this.#turns.turn(() => {
      for (const sku of skus)
        this.outbox.add(
          sku.endsWith("!")
            ? { type: "goods.sold-out", at: 1_000, sku: sku.slice(0, -1) as Sku }
            : { type: "hold.released", at: 1_000, sku: sku as Sku, userId: "u" as UserId, quantity: 1 },
        );
    });
  }

  async ask(query: Record<string, unknown>, headers: Readonly<Record<string, string>> = {}): Promise<HttpReply> {
    return this.#route.handle({ params: {}, query, body: {}, headers: { get: (name) => headers[name] ?? null }, peer: () => "" });
  }

  async page(query: Record<string, unknown>): Promise<Page> {
    const { status, body } = await this.ask(query);
    expect(status).toBe(200);
    return JSON.parse(body as string) as Page;
  }

  async stream(query: Record<string, unknown>, headers: Readonly<Record<string, string>> = {}): Promise<AsyncIterator<string>> {
    const reply = await this.ask(query, { accept: "text/event-stream", ...headers });
    expect([reply.status, reply.headers?.["content-type"]]).toEqual([200, "text/event-stream"]);
    const pieces = (reply.body as AsyncIterable<string>)[Symbol.asyncIterator]();
    expect((await pieces.next()).value).toBe("retry: 1000\n\n");
    return pieces;
  }

  passes(ms: number): void {
    this.#nowMs += ms;
    this.streams.tick();
  }
}

const shown = ({ events }: Page): string[] => events.map(({ id, data }) => `${id} ${data.goodsSKU}`);
const piece = async (pieces: AsyncIterator<string>): Promise<string> => (await pieces.next()).value as string;
const idsOf = (text: string): string[] => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id as string);

describe("a page of events", () => {
  test("begins behind its cursor and names the next one", async () => {
    const desk = new Desk();
    await desk.add("a", "b", "c");
    const first = await desk.page({ limit: 2 });
    expect([shown(first), first.next, first.hasMore]).toEqual([["1 a", "2 b"], "2", true]);
    const second = await desk.page({ limit: 2, after: first.next });
    expect([shown(second), second.next, second.hasMore]).toEqual([["3 c"], "3", false]);
    const third = await desk.page({ limit: 2, after: second.next });
    expect([shown(third), third.next, third.hasMore]).toEqual([[], "3", false]);
  });

  test("has only what is asked for, by type and by SKU", async () => {
    const desk = new Desk();
    await desk.add("a", "b", "a!", "b!");
    expect(shown(await desk.page({ sku: "a" }))).toEqual(["1 a", "3 a"]);
    expect(shown(await desk.page({ type: "goods.sold-out" }))).toEqual(["3 a", "4 b"]);
    expect(shown(await desk.page({ type: "goods.sold-out", sku: "b" }))).toEqual(["4 b"]);
  });

  test("looks at so many events and no more, and its cursor gets further even when it found nothing", async () => {
    const desk = new Desk();
    await desk.add(...Array.from({ length: EVENTS_LOOKED_AT_PER_PAGE + EVENTS_PER_READ }, () => "a"), "rare");
    const first = await desk.page({ sku: "rare" });
    expect([first.events, first.hasMore]).toEqual([[], true]);
    expect(Number(first.next)).toBeGreaterThanOrEqual(EVENTS_LOOKED_AT_PER_PAGE);
    expect((await desk.page({ sku: "rare", after: first.next })).events).toHaveLength(1);
  });

  test("behind a cursor that is too old, or not known yet, is 410 with the oldest id; without a cursor it begins there", async () => {
    const desk = new Desk();
    for (const sku of ["a", "b", "c"]) await desk.add(sku);
    await desk.outbox.sweep(1_000_000);
    for (const after of ["0", "1", "4"]) {
      const { status, body } = await desk.ask({ after });
      expect([status, JSON.parse(body as string).oldestID]).toEqual([410, "3"]);
    }
    expect(shown(await desk.page({ after: "2" }))).toEqual(["3 c"]);
    expect(shown(await desk.page({}))).toEqual(["3 c"]);
  });
});

describe("a stream of events", () => {
  test("tells what is there, and then what comes, each with its id", async () => {
    const desk = new Desk();
    await desk.add("a", "b");
    const pieces = await desk.stream({ after: "1" });
    const [id, data] = (await piece(pieces)).split("\n");
    expect(id).toBe("id: 2");
    expect(JSON.parse((data as string).slice("data: ".length))).toMatchObject({ id: "2", type: "hold.released", data: { goodsSKU: "b" } });
    const coming = piece(pieces);
    await desk.add("c", "d");
    desk.passes(50);
    expect(idsOf(await coming)).toEqual(["3", "4"]);
  });

  test("resumes behind Last-Event-ID, which counts more than the URL that the client began with", async () => {
    const desk = new Desk();
    await desk.add("a", "b", "c");
    expect(idsOf(await piece(await desk.stream({ after: "0" }, { "last-event-id": "2" })))).toEqual(["3"]);
    expect((await desk.ask({}, { accept: "text/event-stream", "last-event-id": "x" })).status).toBe(400);
    expect((await desk.ask({}, { accept: "text/event-stream", "last-event-id": "99" })).status).toBe(410);
  });

  test("begins where its URL says when Last-Event-ID is empty", async () => {
    const desk = new Desk();
    await desk.add("a", "b");
    expect(idsOf(await piece(await desk.stream({ after: "1" }, { "last-event-id": "" })))).toEqual(["2"]);
  });

  test("is never silent for long: a comment, with the id from which to resume", async () => {
    const desk = new Desk();
    await desk.add("a", "b");
    const pieces = await desk.stream({ sku: "nothing" });
    const beat = piece(pieces);
    desk.passes(EVENT_STREAM_BEAT_MS - 1);
    desk.passes(1);
    expect(await beat).toBe(": still here\nid: 2\n\n");
  });

  test("does not miss what comes while its client takes a comment", async () => {
    const desk = new Desk();
    const pieces = await desk.stream({});
    const beat = piece(pieces);
    desk.passes(EVENT_STREAM_BEAT_MS);
    await beat;
    await desk.add("a");
    desk.passes(50);
    expect(idsOf(await piece(pieces))).toEqual(["1"]);
  });

  test("reads a piece when the one before was taken: who does not read costs one piece", async () => {
    const desk = new Desk();
    await desk.add(...Array.from({ length: 3 * EVENTS_PER_READ }, () => "a"));
    let read = 0;
    const { read: readReally } = desk.outbox;
    desk.outbox.read = (after, limit) => {
      const events = readReally.call(desk.outbox, after, limit);
      read += events.length;
      return events;
    };
    const pieces = await desk.stream({});
    expect(read).toBe(0);
    await piece(pieces);
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(read).toBe(EVENTS_PER_READ);
  });

  test("ends when what it has not told is no longer kept; its client then hears 410", async () => {
    const desk = new Desk();
    await desk.add("a");
    const pieces = await desk.stream({});
    for (const sku of ["b", "c"]) await desk.add(sku);
    await desk.outbox.sweep(1_000_000);
    expect((await pieces.next()).done).toBe(true);
  });

  test("is one of so many: the next is 503 until one has gone", async () => {
    const desk = new Desk();
    const open = await Promise.all(Array.from({ length: EVENT_STREAMS_MAX }, () => desk.stream({})));
    expect(desk.streams.open).toBe(EVENT_STREAMS_MAX);
    expect((await desk.ask({}, { accept: "text/event-stream" })).status).toBe(503);
    await open[0]?.return?.();
    expect(desk.streams.open).toBe(EVENT_STREAMS_MAX - 1);
    await desk.stream({});
  });

  test("ends when the process stops", async () => {
    const desk = new Desk();
    const pieces = await desk.stream({});
    const waiting = pieces.next();
    desk.streams.close();
    expect([(await waiting).done, desk.streams.open]).toEqual([true, 0]);
  });
});
