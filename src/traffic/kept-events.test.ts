import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asRead } from "../../test/read-events.ts";
import { AnswerTooLate } from "../core/segment-database.ts";
import type { Clock } from "../core/time.ts";
import { DuckDbSegments } from "../edge/duckdb-segments.ts";
import { EVENT_PAGE_ROWS, EVENT_PAGES_MAX } from "../limits/event-store.ts";
import type { TrafficEvent } from "./event.ts";
import { EVENT_TABLES } from "./event-rows.ts";
import type { EventQuery } from "./event-store.ts";
import { KeptEvents, type KeptFor } from "./kept-events.ts";

const START = Date.parse("2026-11-22T10:00:00.000Z");
const HOUR = 3_600_000;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Desk {
  readonly store: KeptEvents;
  readonly told: string[];
  readonly folder: string;
  /** Moves the clock. */
  pass(ms: number): void;
  find(query: Partial<EventQuery>): Promise<readonly TrafficEvent[]>;
}

async function open(bounds: Partial<KeptFor> = {}, folder = freshFolder(), now = START): Promise<Desk> {
  let passedMs = 0;
  const clock: Clock = { now: () => now + passedMs, monotonicUs: () => 1_000 * passedMs };
  const told: string[] = [];
  const database = await DuckDbSegments.open(folder, EVENT_TABLES);
  const store = await KeptEvents.open(database, { keptMs: HOUR, keptBytes: 1e9, ...bounds }, clock, (message) => told.push(message));
  return {
    ...{ store, told, folder },
    pass: (ms) => {
      passedMs += ms;
    },
    find: async (query) => (await store.search({ limit: 100, ...query })).events,
  };
}

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-events-"));
  folders.push(folder);
  return folder;
}

const steps = ["throttle", "protect", "policy", "inventory", "cart"];
let made = 0;

/** A purchase that was held, unless something else is said. */
function purchase(how: Partial<TrafficEvent> = {}, refusedAt: string | null = null): TrafficEvent {
  made += 1;
  const went = refusedAt === null ? steps : steps.slice(0, steps.indexOf(refusedAt) + 1);
  const outcome = (step: string): string => (step === refusedAt ? (how.reason ?? "sold-out") : "allowed");
  return {
    ...{ at: START + made, instance: "gate:GateKeeper:8080", traceId: made.toString(16).padStart(32, "a"), clientIp: "203.0.113.9" },
    ...{ userId: "UID0000000001", sku: "SKU0001", quantity: 1, totalUs: 100 + made, request: null, status: null },
    steps: went.map((step, index) => ({ step, outcome: outcome(step), us: index + 1 })),
    reason: refusedAt === null ? null : "sold-out",
    ...how,
  };
}

const malformed = (how: Partial<TrafficEvent> = {}): TrafficEvent => ({
  ...purchase(),
  ...{ traceId: null, userId: null, sku: null, quantity: 0, steps: [], reason: "malformed", request: "POST /buy", status: 400 },
  ...how,
});

describe("an event", () => {
  test("is found as it was, whatever it is", async () => {
    const { store, find, told } = await open();
    const events = [
      purchase(),
      purchase({ quantity: 1_000_000, totalUs: 4_000_000_000 }),
      purchase({ reason: "limit-reached" }, "policy"),
      purchase({ clientIp: "2001:db8::1", userId: "买家 'x'; drop table events; --", sku: 'a"b\\c' }),
      purchase({ clientIp: "::" }),
      purchase({ clientIp: "255.255.255.255", traceId: "f".repeat(32) }),
      purchase({ userId: "u".repeat(128), sku: "😀".repeat(64) }),
      malformed(),
      malformed({ traceId: "0123456789abcdef0123456789abcdef", userId: "UID7", request: "DELETE /cart/{sku}", status: 200, reason: null }),
    ];
    store.add(asRead(events));
    await store.flush();
    expect(await find({})).toEqual(events.toReversed());
    expect(told).toEqual([]);
    await store.close();
  });

  test("is there for a search at once, written or not", async () => {
    const { store, find } = await open();
    store.add(asRead([purchase({ userId: "just now" })]));
    expect(await find({ userId: "just now" })).toHaveLength(1);
    await store.close();
  });
});

describe("a search", () => {
  const held = purchase({ userId: "Ada", sku: "A", clientIp: "10.1.2.3" });
  const soldOut = purchase({ userId: "Ada", sku: "B", clientIp: "10.1.9.9" }, "cart");
  const early = purchase({ userId: "Bob", sku: "A", clientIp: "2001:db8:1::1", reason: "not-started" }, "policy");
  const broken = malformed({ clientIp: "10.1.2.3" });
  const repeated = { ...purchase({ userId: "Cy", sku: "A" }), steps: [{ step: "throttle", outcome: "allowed", us: 1 }] };
  const all = [held, soldOut, early, broken, repeated];
  const cases: readonly (readonly [string, Partial<EventQuery>, readonly TrafficEvent[]])[] = [
    ["by trace id", { traceId: early.traceId as string }, [early]],
    ["by user", { userId: "Ada" }, [soldOut, held]],
    ["by address", { clientIp: "10.1.2.3" }, [broken, held]],
    ["by address, IPv6", { clientIp: "2001:db8:1:0::1" }, [early]],
    ["by network", { clientIp: "10.1.0.0/16" }, [broken, soldOut, held]],
    ["by network, IPv6", { clientIp: "2001:db8::/32" }, [early]],
    ["by every address", { clientIp: "::/0" }, all.toReversed()],
    ["by SKU", { sku: "A" }, [repeated, early, held]],
    ["by reason", { reason: "sold-out" }, [soldOut]],
    ["by reason, of what was no purchase", { reason: "malformed" }, [broken]],
    ["for what was held", { reason: "held" }, [held]],
    ["by the step where it ended", { step: "policy" }, [early]],
    ["by time", { fromMs: soldOut.at, untilMs: broken.at }, [early, soldOut]],
    ["for why a shopper was refused", { userId: "Ada", sku: "B", fromMs: START }, [soldOut]],
    ["by everything at once", { userId: "Bob", sku: "A", reason: "not-started", step: "policy", clientIp: "2001:db8:1::/48" }, [early]],
    ["for nobody", { userId: "Eve" }, []],
    ["for two things that never meet", { userId: "Bob", reason: "sold-out" }, []],
  ];
  test.each([...cases])("%s", async (_, query, expected) => {
    const { store, find } = await open();
    store.add(asRead(all));
    expect(await find(query)).toEqual([...expected]);
    await store.close();
  });

  test("takes what it is given as values, never as a part of a statement", async () => {
    const { store, find } = await open();
    store.add(asRead(all));
    for (const hostile of ["' or 1=1 --", "'; drop table s1.events; --", "$1", "?", "\\", "%", "\u0000"])
      expect(await find({ userId: hostile, sku: hostile, reason: hostile, step: hostile })).toEqual([]);
    expect(await find({})).toHaveLength(all.length);
    await store.close();
  });

  test("goes from page to page over all segments, and sees each event once", async () => {
    const { store } = await open({ segmentEvents: 40 });
    const events = Array.from({ length: 200 }, (_, index) => purchase({ userId: index % 2 === 0 ? "even" : "odd" }));
    for (let from = 0; from < events.length; from += 25) {
      store.add(asRead(events.slice(from, from + 25)));
      await store.flush();
    }
    const seen: TrafficEvent[] = [];
    for (let before: string | undefined; ; ) {
      const { events: page, next } = await store.search({ userId: "odd", limit: 7, ...(before !== undefined && { before }) });
      seen.push(...page);
      if (next === null) break;
      before = next;
    }
    expect(seen).toEqual(events.filter(({ userId }) => userId === "odd").toReversed());
    await store.close();
  });

  test("is refused when too many wait, and when it goes on behind a page that never was", async () => {
    const { store } = await open();
    store.add(asRead(all));
    const asked = Array.from({ length: 20 }, () => store.search({ limit: 1 }));
    const ends = await Promise.allSettled(asked);
    expect(ends.filter(({ status }) => status === "rejected").map((end) => (end as PromiseRejectedResult).reason.why)).toContain(
      "too-many",
    );
    expect(ends.some(({ status }) => status === "fulfilled")).toBe(true);
    expect(store.search({ limit: 1, before: "1; drop" })).rejects.toMatchObject({ why: "unknown-cursor" });
    await store.close();
  });

  test("that would take longer than its asker waits is given up, and the next one is answered", async () => {
    const database = await DuckDbSegments.open(freshFolder(), EVENT_TABLES);
    const slow = { sql: "select count(*) from range(100000000000) a(x) where x % 7 = 3", values: [] };
    expect(database.ask(slow, 50)).rejects.toThrow(AnswerTooLate);
    expect(await database.ask({ sql: "select 42", values: [] }, 10_000)).toEqual([[42]]);
    await database.close();
  });
});

describe("what is kept is bounded", () => {
  test("by age: whole segments go when their last event is too old", async () => {
    const { store, pass, find } = await open({ keptMs: HOUR, segmentEvents: 1 });
    store.add(asRead([purchase({ userId: "old" })]));
    await store.flush();
    pass(HOUR / 2);
    store.add(asRead([purchase({ userId: "young", at: START + HOUR / 2 })]));
    await store.flush();
    pass(HOUR / 2 + 60_000);
    store.add(asRead([purchase({ userId: "new", at: START + HOUR })]));
    await store.flush();
    expect((await find({})).map(({ userId }) => userId)).toEqual(["new", "young"]);
    await store.close();
  });

  test("by bytes: the oldest segments go, also from the disk", async () => {
    const keptBytes = 8_000_000;
    const { store, folder, find } = await open({ keptBytes, segmentEvents: 4_000 });
    for (let round = 0; round < 12; round += 1) {
      store.add(asRead(Array.from({ length: 4_000 }, () => purchase({ userId: `round ${round} ${"x".repeat(100)}${made}` }))));
      await store.flush();
    }
    expect(store.bytes).toBeLessThan(2 * keptBytes);
    expect(readdirSync(folder).filter((name) => name.endsWith(".duckdb")).length).toBeLessThan(12);
    expect((await find({ limit: 1 }))[0]?.userId).toStartWith("round 11");
    expect(store.eventsLost).toBe(0);
    await store.close();
  });

  test("by room: events that find none are lost and counted, and whoever adds them never waits", async () => {
    const { store } = await open();
    const one = purchase();
    const tooMany = EVENT_PAGE_ROWS * (EVENT_PAGES_MAX + 10);
    for (let added = 0; added < tooMany; added += EVENT_PAGE_ROWS) store.add(asRead(Array.from({ length: EVENT_PAGE_ROWS }, () => one)));
    await store.flush();
    expect(store.eventsLost).toBeGreaterThan(0);
    expect(store.eventsWritten + store.eventsLost).toBe(tooMany);
    await store.close();
  });
});

describe("a store that is opened again", () => {
  test("has everything that was there, and goes on in the same segment", async () => {
    const first = await open();
    first.store.add(asRead([purchase({ userId: "before" })]));
    await first.store.close();
    const second = await open({}, first.folder);
    second.store.add(asRead([purchase({ userId: "after" }), purchase({ userId: "after", reason: "limit-reached" }, "policy")]));
    expect((await second.find({})).map(({ userId }) => userId)).toEqual(["after", "after", "before"]);
    await second.store.close();
    expect(readdirSync(first.folder)).toEqual(["events-000001.duckdb"]);
  });

  test("after kill -9 has everything that was written", async () => {
    const folder = freshFolder();
    const script = `
      const { DuckDbSegments } = await import(${JSON.stringify(join(import.meta.dir, "../edge/duckdb-segments.ts"))});
      const { systemClock } = await import(${JSON.stringify(join(import.meta.dir, "../edge/system-clock.ts"))});
      const { asRead } = await import(${JSON.stringify(join(import.meta.dir, "../../test/read-events.ts"))});
      const { KeptEvents } = await import(${JSON.stringify(join(import.meta.dir, "kept-events.ts"))});
      const { EVENT_TABLES } = await import(${JSON.stringify(join(import.meta.dir, "event-rows.ts"))});
      const database = await DuckDbSegments.open(${JSON.stringify(folder)}, EVENT_TABLES);
      const store = await KeptEvents.open(database, { keptMs: 1e12, keptBytes: 1e12, segmentEvents: 5_000 }, systemClock, console.error);
      const event = ${JSON.stringify(purchase())};
      for (let round = 0; ; round += 1) {
        store.add(asRead(Array.from({ length: 1_000 }, () => ({ ...event, userId: "round " + round }))));
        await store.flush();
        console.log(round);
      }`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
    let printed = "";
    for await (const chunk of child.stdout) {
      printed += new TextDecoder().decode(chunk);
      if (printed.split("\n").length > 12) break;
    }
    child.kill(9);
    await child.exited;
    const acknowledged = printed.trim().split("\n").length;
    const { store, find, told } = await open({ keptMs: 1e12 }, folder);
    for (let round = 0; round < acknowledged; round += 1)
      expect(await find({ userId: `round ${round}`, limit: 2_000 })).toHaveLength(1_000);
    expect(told).toEqual([]);
    await store.close();
  });

  test.each([
    ["has lost its end", (path: string) => truncateSync(path, 20_000)],
    ["holds something else", (path: string) => writeFileSync(path, "not what it was".repeat(10_000))],
    ["is empty of tables, as another version's", () => undefined],
  ])("leaves out a segment that %s, says so and starts", async (name, spoil) => {
    const first = await open({ segmentEvents: 1 });
    for (const userId of ["one", "two", "three"]) {
      first.store.add(asRead([purchase({ userId })]));
      await first.store.flush();
    }
    await first.store.close();
    const path = join(first.folder, "events-000002.duckdb");
    spoil(path);
    if (name.startsWith("is empty")) {
      rmSync(path);
      const other = await DuckDbSegments.open(first.folder, { something: { other: "INTEGER" } });
      await other.open(2);
      await other.close();
    }
    const { store, find, told } = await open({}, first.folder);
    expect((await find({})).map(({ userId }) => userId)).toEqual(["three", "one"]);
    expect(told).toEqual([expect.stringContaining("events-000002.duckdb cannot be used")]);
    expect(readdirSync(first.folder)).toContain("events-000002.duckdb.damaged");
    await store.close();
  });

  test("puts a segment aside that has ended the process twice", async () => {
    const first = await open({ segmentEvents: 1 });
    first.store.add(asRead([purchase({ userId: "one" })]));
    await first.store.close();
    writeFileSync(join(first.folder, "events-000001.duckdb.opening"), "1");
    const second = await open({}, first.folder);
    expect(await second.find({})).toHaveLength(1);
    await second.store.close();
    writeFileSync(join(first.folder, "events-000001.duckdb.opening"), "11");
    const third = await open({}, first.folder);
    expect(await third.find({})).toEqual([]);
    expect(third.told).toEqual([expect.stringContaining("the process has ended twice")]);
    await third.store.close();
  });
});

test("a disk that takes nothing costs events and nothing else, and when it is well again they are kept", async () => {
  const { store, told, pass, find, folder } = await open({ segmentEvents: 1 });
  store.add(asRead([purchase({ userId: "before" })]));
  await store.flush();
  renameSync(folder, `${folder}-away`);
  writeFileSync(folder, "no folder");
  store.add(asRead([purchase({ userId: "lost" })]));
  await store.flush();
  expect(store.eventsLost).toBe(1);
  expect(told).toEqual([expect.stringContaining("events are not kept")]);
  rmSync(folder);
  renameSync(`${folder}-away`, folder);
  pass(60_000);
  store.add(asRead([purchase({ userId: "after" })]));
  expect((await find({})).map(({ userId }) => userId)).toEqual(["after", "before"]);
  await store.close();
});

test("it works in a Worker, where the analysis has it", async () => {
  const folder = freshFolder();
  const code = `
    const { DuckDbSegments } = await import(${JSON.stringify(join(import.meta.dir, "../edge/duckdb-segments.ts"))});
    const { systemClock } = await import(${JSON.stringify(join(import.meta.dir, "../edge/system-clock.ts"))});
    const { asRead } = await import(${JSON.stringify(join(import.meta.dir, "../../test/read-events.ts"))});
    const { KeptEvents } = await import(${JSON.stringify(join(import.meta.dir, "kept-events.ts"))});
    const { EVENT_TABLES } = await import(${JSON.stringify(join(import.meta.dir, "event-rows.ts"))});
    const database = await DuckDbSegments.open(${JSON.stringify(folder)}, EVENT_TABLES);
    const store = await KeptEvents.open(database, { keptMs: 1e12, keptBytes: 1e12 }, systemClock, console.error);
    store.add(asRead([${JSON.stringify(purchase({ userId: "in a worker" }))}]));
    const { events } = await store.search({ limit: 10 });
    await store.close();
    postMessage(events.map(({ userId }) => userId));`;
  const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "application/javascript" })));
  const answer = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  expect(answer).toEqual(["in a worker"]);
  worker.terminate();
});
