/** The outbox of many processes over a real Postgres: what every outbox promises, and that nobody who writes or reads beside others notices. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { names, type OutboxUnderTest, outboxSuite, soldOut } from "../../test/outbox-suite.ts";
import { hasPostgres, NEEDS_POSTGRES, PATIENT, type PostgresServer, startPostgres } from "../../test/servers/postgres.ts";
import { waitFor } from "../../test/wait.ts";
import type { HttpReply, Route } from "../core/endpoint.ts";
import { Postgres } from "../edge/postgres.ts";
import { systemClock } from "../edge/system-clock.ts";
import type { HoldsTogether } from "../ledger/holds-together.ts";
import { OUTBOX_ARRIVALS_PER_STEP, OUTBOX_EVENTS_PER_ROW } from "../limits.ts";
import { MIGRATIONS } from "../migrations/all.ts";
import { migrate } from "../migrations/migrate.ts";
import type { DoorbusterEvent } from "./event.ts";
import type { OutboxBounds } from "./event-source.ts";
import { EventStreams } from "./event-streams.ts";
import { PostgresOutbox } from "./postgres-outbox.ts";
import { eventRoutes } from "./routes.ts";

const kept: OutboxBounds = { keptMs: 100, eventsMax: 1_000_000 };

// The bound is only there to end a broken run: a server that starts on a busy machine takes its time.
setDefaultTimeout(60_000);

describe.skipIf(!hasPostgres)(`Postgres ${hasPostgres ? "" : NEEDS_POSTGRES}`, () => {
  let server: PostgresServer;
  const opened: Postgres[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await Promise.all(opened.map((db) => db.close()));
    await server?.stop();
  });

  /** A process with the outbox of a database. */
  class Process implements OutboxUnderTest {
    readonly db: Postgres;
    outbox: PostgresOutbox;

    constructor(
      readonly url: string,
      readonly bounds = kept,
    ) {
      this.db = new Postgres(url, PATIENT);
      opened.push(this.db);
      this.outbox = new PostgresOutbox(this.db, "eur", bounds);
    }

    static async onFreshDatabase(bounds = kept): Promise<Process> {
      const first = new Process(await server.freshDatabase(), bounds);
      await migrate(first.db, MIGRATIONS, systemClock, () => undefined);
      return first;
    }

    append(events: readonly DoorbusterEvent[]): Promise<void> {
      return this.db.transaction((tx) => this.outbox.append(tx, events));
    }

    async add(events: readonly DoorbusterEvent[]): Promise<void> {
      await this.append(events);
      await this.outbox.tick();
    }

    /** Until it succeeds: who asks while the server comes back may still hear that it is away. */
    ticks(): Promise<void> {
      const hasTicked = (): Promise<boolean> =>
        this.outbox.tick().then(
          () => true,
          () => false,
        );
      return waitFor(hasTicked, "the database is found again");
    }

    async addInRows(events: readonly DoorbusterEvent[]): Promise<void> {
      await this.db.transaction(async (tx) => {
        for (const event of events) await this.outbox.append(tx, [event]);
      });
      await this.outbox.tick();
    }

    async addInVain(events: readonly DoorbusterEvent[]): Promise<void> {
      const work = this.db.transaction(async (tx) => {
        await this.outbox.append(tx, events);
        throw new Error("the change is refused");
      });
      await expect(work).rejects.toThrow("the change is refused");
      await this.outbox.tick();
    }

    sweep(now: number): Promise<boolean> {
      return this.outbox.sweep(now);
    }

    onRemoval(listener: (oldestId: number) => void): void {
      this.outbox.onRemoval(async (tx, oldestId) => {
        expect(tx.isTransaction).toBe(true);
        listener(oldestId);
      });
    }

    restart(): Promise<void> {
      this.outbox = new PostgresOutbox(this.db, "eur", this.bounds);
      return this.outbox.tick();
    }

    async skus(after = 0): Promise<string[]> {
      return (await this.outbox.read(after, 10_000)).flatMap(({ skus }) => skus);
    }
  }

  outboxSuite("Postgres", (bounds) => Process.onFreshDatabase(bounds));

  test("an event waits without an id until somebody comes by, who may be another process", async () => {
    const writer = await Process.onFreshDatabase();
    const reader = new Process(writer.url);
    await writer.append([soldOut("a")]);
    expect([await writer.outbox.range(), await writer.skus()]).toEqual([{ oldestId: 1, lastId: 0 }, []]);
    await reader.outbox.tick();
    expect([reader.outbox.lastId, writer.outbox.lastId, await writer.outbox.range(), await writer.skus()]).toEqual([
      ...[1, 0, { oldestId: 1, lastId: 1 }, ["a"]],
    ]);
  });

  test("an event that is brought twice from elsewhere is told once, and forgotten with its time", async () => {
    const process = await Process.onFreshDatabase();
    await Promise.all(["x", "y", "x"].map((id) => process.outbox.appendOnce(soldOut(id), id)));
    await process.outbox.appendOnce(soldOut("x"), "x");
    await process.outbox.tick();
    expect((await process.skus()).toSorted()).toEqual(["x", "y"]);
    await process.sweep(1_100);
    expect(await process.db.read`select id from outbox_sources`).toHaveLength(2);
    await process.sweep(1_101);
    expect(await process.db.read`select id from outbox_sources`).toHaveLength(0);
  });

  test("more than one step's worth gets its ids in one go, and a long transaction its rows", async () => {
    const process = await Process.onFreshDatabase();
    const skus = names("s", OUTBOX_ARRIVALS_PER_STEP + 50);
    await process.addInRows(skus.map((sku) => soldOut(sku)));
    const many = names("m", 2 * OUTBOX_EVENTS_PER_ROW + 1);
    await process.add(many.map((sku) => soldOut(sku)));
    expect(await process.skus()).toEqual([...skus, ...many]);
    const rows = await process.db.read<{ count: number }>`select count from outbox order by first_id desc limit 3`;
    expect(rows.map(({ count }) => count)).toEqual([1, OUTBOX_EVENTS_PER_ROW, OUTBOX_EVENTS_PER_ROW]);
  });

  test("holds that are told together are read one by one, each under its own id, from the middle of them too", async () => {
    const process = await Process.onFreshDatabase();
    const written = {
      type: "holds.created",
      at: 1,
      sku: "s",
      quantity: 2,
      heldUntil: 9,
      userIds: ["a", 'b"\\', "c"],
      sessionIds: ["x", "y", "z"],
    };
    const together: HoldsTogether = { type: "holds.created", at: 1, count: 3, text: JSON.stringify(written) };
    await process.db.transaction((tx) => process.outbox.append(tx, [soldOut("before"), together, soldOut("after")]));
    await process.outbox.tick();
    const read = async (after: number, limit: number) => (await process.outbox.read(after, limit)).map(({ text }) => JSON.parse(text));
    const data = { goodsSKU: "s", userID: 'b"\\', goodsQuantity: 2, sessionID: "y", expiresAt: 9 };
    expect(await read(2, 1)).toEqual([{ id: "3", type: "hold.created", timestamp: "1970-01-01T00:00:00.001Z", data }]);
    expect((await read(0, 10)).map(({ id, type }) => `${id} ${type}`)).toEqual([
      ...["1 goods.sold-out", "2 hold.created", "3 hold.created", "4 hold.created", "5 goods.sold-out"],
    ]);
  });

  test("a change that is not committed yet holds up nobody, and what it tells comes when it is", async () => {
    const slow = await Process.onFreshDatabase();
    const quick = new Process(slow.url);
    const others = Promise.withResolvers<void>();
    const hasAppended = Promise.withResolvers<void>();
    const slowly = slow.db.transaction(async (tx) => {
      await slow.outbox.append(tx, [soldOut("slow")]);
      hasAppended.resolve();
      await others.promise;
    });
    await hasAppended.promise;
    await quick.add([soldOut("quick")]);
    expect(await quick.skus()).toEqual(["quick"]);
    others.resolve();
    await slowly;
    await quick.outbox.tick();
    expect(await quick.skus()).toEqual(["quick", "slow"]);
  });

  test("serialisable changes that tell something do not collide because of it", async () => {
    const process = await Process.onFreshDatabase();
    let attempts = 0;
    const both = Promise.withResolvers<void>();
    const change = (sku: string): Promise<void> =>
      process.db.transaction(
        async (tx) => {
          attempts += 1;
          await process.outbox.append(tx, [soldOut(sku)]);
          if (attempts === 2) both.resolve();
          await both.promise;
        },
        { isSerializable: true },
      );
    await Promise.all([change("a"), change("b")]);
    expect(attempts).toBe(2);
  });

  test("whoever reads while many write, fail and give ids meets every event once, in order, and never a gap that is filled later", async () => {
    const CHANGES = 60;
    const first = await Process.onFreshDatabase();
    const processes = [first, new Process(first.url), new Process(first.url), new Process(first.url)];
    const told: string[][] = processes.map(() => []);
    const writing = processes.map(async ({ db, outbox }, process) => {
      for (let change = 0; change < CHANGES; change += 1) {
        const skus = names(`${process}.${change}.`, 1 + (change % 3));
        const isInVain = change % 7 === 3;
        const changed = db.transaction(async (tx) => {
          await outbox.append(
            tx,
            skus.map((sku) => soldOut(sku)),
          );
          // Between the append and the commit, others come and go.
          if (change % 2 === process % 2) await tx`select pg_sleep(0.002)`;
          if (isInVain) throw new Error("in vain");
        });
        await changed.catch((error: Error) => expect(error.message).toBe("in vain"));
        if (!isInVain) told[process]?.push(...skus);
      }
    });
    let isWritten = false;
    const written = Promise.all(writing).then(() => {
      isWritten = true;
    });
    const readAll = async ({ outbox }: Process): Promise<string[]> => {
      const read: string[] = [];
      for (let cursor = 0; ; ) {
        const wasWritten = isWritten;
        await outbox.tick();
        const events = await outbox.read(cursor, 1 + (cursor % 5));
        expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => cursor + index + 1));
        cursor += events.length;
        read.push(...events.flatMap(({ skus }) => skus));
        if (wasWritten && events.length === 0 && cursor === (await outbox.range()).lastId) return read;
      }
    };
    const [one, two] = await Promise.all([...processes.slice(0, 2).map(readAll), written]);
    expect(two).toEqual(one as string[]);
    expect(one).toHaveLength(told.flat().length);
    for (const [process, skus] of told.entries()) expect((one as string[]).filter((sku) => sku.startsWith(`${process}.`))).toEqual(skus);
  });

  describe("over HTTP", () => {
    const ask = async (
      process: Process,
      streams: EventStreams,
      query: Record<string, unknown>,
      accept: string | null = null,
    ): Promise<HttpReply> => {
      const [route] = eventRoutes(process.outbox, streams) as [Route];
      return route.handle({ params: {}, query, body: {}, headers: { get: (name) => (name === "accept" ? accept : null) }, peer: () => "" });
    };

    test("a cursor from one process is good at another, which has not heard of the event yet", async () => {
      const first = await Process.onFreshDatabase();
      const second = new Process(first.url);
      await first.add(names("s", 3).map((sku) => soldOut(sku)));
      const streams = new EventStreams(second.outbox, systemClock);
      const page = await ask(second, streams, { after: "2" });
      expect([page.status, JSON.parse(page.body as string)]).toMatchObject([200, { events: [{ id: "3" }], next: "3", hasMore: false }]);
      expect(JSON.parse((await ask(second, streams, { limit: 1 })).body as string)).toMatchObject({ next: "1", hasMore: true });
      expect((await ask(second, streams, { after: "4" })).status).toBe(410);
    });

    test("a stream tells what comes, stays open while the database is away, and goes on after it", async () => {
      const process = await Process.onFreshDatabase();
      const streams = new EventStreams(process.outbox, systemClock);
      await process.add([soldOut("a")]);
      const { body } = await ask(process, streams, { after: "0" }, "text/event-stream");
      const pieces = (body as AsyncGenerator<string>)[Symbol.asyncIterator]();
      const next = async (): Promise<string> => (await pieces.next()).value as string;
      expect([await next(), await next()]).toEqual([expect.stringContaining("retry"), expect.stringContaining('"goodsSKU":"a"')]);
      const later = next();
      await process.append([soldOut("b")]);
      await server.kill();
      streams.tick();
      await expect(process.outbox.tick()).rejects.toMatchObject({ code: "store-unavailable" });
      await server.restart();
      await process.ticks();
      streams.tick();
      expect(await later).toContain('"goodsSKU":"b"');
      streams.close();
    });
  });

  test("goes on by itself after the database was away", async () => {
    const process = await Process.onFreshDatabase();
    await process.add([soldOut("before")]);
    await process.append([soldOut("waiting")]);
    await server.kill();
    await expect(process.outbox.tick()).rejects.toMatchObject({ code: "store-unavailable" });
    await server.restart();
    await process.ticks();
    expect(await process.skus()).toEqual(["before", "waiting"]);
  });
});
