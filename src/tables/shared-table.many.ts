/** Tables that several processes share over a real Redis: who sees what when, and what becomes of a change that something comes between. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { newMark, RedisDesk } from "../../test/redis-tables.ts";
import { hasRedis, NEEDS_REDIS, type RedisServer, startRedis } from "../../test/servers/redis.ts";
import { waitFor } from "../../test/wait.ts";
import { Failure } from "../core/failure.ts";
import type { Sku } from "../core/ids.ts";
import { TABLE_EVENTS_WAITING_MAX, TABLE_ROWS_PER_LOOK } from "../limits/tables.ts";
import { openSharedSales } from "../sales/shared-sales.ts";
import { openSharedPolicies, type SharedPolicies } from "../services/policy-controller/shared-policies.ts";
import type { SharedTableIo } from "./shared-table.ts";

const skuOf = (text: string): Sku => text as Sku;

/** Lets so many of a SKU be bought; 0: takes the tier away. */
const allow = ({ table }: SharedPolicies, sku: string, quantityLimit: number): Promise<void> =>
  table.change(() => {
    const key = { sku: skuOf(sku), userLevel: 1 };
    return { reply: undefined, changes: [quantityLimit === 0 ? { remove: key } : { put: { ...key, quantityLimit } }], events: [] };
  });
const limitOf = ({ table }: SharedPolicies, sku: string): number | null => table.view.of(skuOf(sku))?.[0]?.quantityLimit ?? null;

/** Adds one to a limit, as nobody may do who does not know what it is. */
const increase = ({ table }: SharedPolicies, sku: string): Promise<void> =>
  table.change((policies) => {
    const quantityLimit = (policies.of(skuOf(sku))?.[0]?.quantityLimit ?? 0) + 1;
    return { reply: undefined, changes: [{ put: { sku: skuOf(sku), userLevel: 1, quantityLimit } }], events: [] };
  });

/** The same way to the store, with something in between. */
const through = (
  io: SharedTableIo,
  change: (log: ReturnType<SharedTableIo["openLog"]>) => Partial<ReturnType<SharedTableIo["openLog"]>>,
) => ({
  ...io,
  openLog: (name: string, entriesMax: number) => {
    const log = io.openLog(name, entriesMax);
    return {
      look: log.look.bind(log),
      waitFor: log.waitFor.bind(log),
      write: log.write.bind(log),
      ended: log.ended.bind(log),
      close: log.close.bind(log),
      ...change(log),
    };
  },
});

describe.skipIf(!hasRedis)(`a shared table ${hasRedis ? "" : NEEDS_REDIS}`, () => {
  let server: RedisServer;
  const desk = new RedisDesk(() => server.url);
  beforeAll(async () => {
    server = await startRedis(["--appendfsync", "always"]);
  });
  afterEach(() => desk.closeAll());
  afterAll(() => server.stop());

  /** So many processes that have the policies of one store. */
  const processes = async (count: number, logEntriesMax?: number) => {
    const store = newMark();
    const offices = await Promise.all(
      Array.from({ length: count }, () => desk.office(store, logEntriesMax === undefined ? {} : { logEntriesMax })),
    );
    const tables = await Promise.all(offices.map((office) => office.policies()));
    return { store, offices, tables, first: tables[0] as SharedPolicies, last: tables.at(-1) as SharedPolicies };
  };

  test("has a change in the process that made it when the call returns, and soon in every other", async () => {
    const { tables, first } = await processes(3);
    for (let limit = 1; limit <= 20; limit += 1) {
      await allow(first, "a", limit);
      expect(limitOf(first, "a")).toBe(limit);
    }
    await waitFor(() => tables.every((table) => limitOf(table, "a") === 20), "all know");
    await allow(first, "a", 0);
    await waitFor(() => tables.every((table) => table.table.view.size === 0), "all know that it is gone");
    expect(tables.map(({ table }) => table.figures.loads)).toEqual([1, 1, 1]);
  });

  test("decides as if no other change happened meanwhile, in whatever process", async () => {
    const { tables } = await processes(4);
    await Promise.all(tables.flatMap((table) => Array.from({ length: 50 }, () => increase(table, "a"))));
    await waitFor(() => tables.every((table) => limitOf(table, "a") === 200), "none of the 200 was lost");
  });

  test("is whole for a process that comes while it is changed", async () => {
    const { store, first } = await processes(1);
    const rows = 3 * TABLE_ROWS_PER_LOOK + 7;
    const skuAt = (index: number): string => `SKU${String(index).padStart(6, "0")}`;
    const put = Array.from({ length: rows }, (_, index) => ({ put: { sku: skuOf(skuAt(index)), userLevel: 1, quantityLimit: 1 } }));
    await first.table.change(() => ({ reply: undefined, changes: put, events: [] }));
    const office = await desk.office(store);
    let isOpen = false;
    const opening = office.policies().finally(() => {
      isOpen = true;
    });
    let changes = 0;
    for (; !isOpen; changes += 1) await allow(first, skuAt((changes * 7_919) % rows), changes % 3);
    const late = await opening;
    await waitFor(() => late.table.figures.position === first.table.figures.position, "the late one has caught up");
    const all = (table: SharedPolicies) => put.map(({ put: { sku } }) => limitOf(table, sku));
    expect(changes).toBeGreaterThan(0);
    expect(all(late)).toEqual(all(first));
    expect(late.table.view.size).toBe(first.table.view.size);
  });

  test("misses nothing when connections are cut, and reads nothing anew for that", async () => {
    const { tables, first, offices } = await processes(3);
    const knife = (await desk.office("the knife")).redis;
    for (let limit = 1; limit <= 30; limit += 1) {
      await knife.client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await waitFor(() => offices.every(({ redis }) => redis.isReady), "the connections are there again");
      await waitFor(
        () =>
          allow(first, "a", limit).then(
            () => true,
            () => false,
          ),
        "the change is made",
      );
    }
    await waitFor(() => tables.every((table) => limitOf(table, "a") === 30), "all know the last");
    expect(tables.map(({ table }) => table.figures.loads)).toEqual([1, 1, 1]);
  });

  test("is read anew by a process that was paused for longer than the log is; until then that has the old rows", async () => {
    const { store, first } = await processes(1, 5);
    await allow(first, "a", 1);
    const { io } = await desk.office(store, { logEntriesMax: 5 });
    let resumed = Promise.withResolvers<void>();
    resumed.resolve();
    const paused = through(io, (log) => ({ look: (what) => resumed.promise.then(() => log.look(what)) }));
    const slow = await openSharedPolicies(paused);
    resumed = Promise.withResolvers<void>();
    for (const sku of ["b", "c", "d", "e", "f", "g"]) await allow(first, sku, 1);
    await allow(first, "a", 0);
    expect([limitOf(slow, "a"), limitOf(slow, "b"), slow.table.figures.loads]).toEqual([1, null, 1]);
    resumed.resolve();
    await waitFor(() => limitOf(slow, "a") === null && slow.table.view.size === 6, "the paused one knows");
    expect(slow.table.figures.loads).toBe(2);
    await slow.table.close();
  });

  test("is followed to an older state, and from there, by everybody", async () => {
    const { store, offices, tables, first, last } = await processes(3);
    const { client } = (offices[0] as (typeof offices)[number]).redis;
    await allow(first, "a", 1);
    const keys = ["head", "rows", "log"].map((part) => `{doorbuster:${store}-policies}:${part}`);
    const old = await Promise.all(keys.map((key) => client.dumpBuffer(key)));
    for (const limit of [2, 3, 4]) await allow(first, "a", limit);
    await waitFor(() => tables.every((table) => limitOf(table, "a") === 4), "all know the newest");
    // What a replica does that takes over without the last changes.
    const back = client.multi();
    for (const [index, key] of keys.entries()) back.restore(key, 0, old[index] as Buffer, "REPLACE");
    await back.exec();
    // The same positions are gone through again, with other changes.
    for (const limit of [12, 13, 14, 15]) await allow(last, "b", limit);
    await waitFor(() => tables.every((table) => limitOf(table, "a") === 1 && limitOf(table, "b") === 15), "all have what the store says");
  });

  test("that is restarted empty is empty for everybody, and can be filled again", async () => {
    const { tables, first, last } = await processes(2);
    await allow(first, "a", 1);
    await waitFor(() => limitOf(last, "a") === 1, "both know");
    await server.kill();
    await server.restart({ isEmpty: true });
    await waitFor(() => tables.every(({ table }) => table.view.size === 0 && table.isCurrent), "both know that there is nothing");
    await waitFor(
      () =>
        allow(last, "b", 7).then(
          () => true,
          () => false,
        ),
      "it can be changed again",
    );
    await waitFor(() => tables.every((table) => limitOf(table, "b") === 7), "both know the new row");
  });

  test("is read from memory while Redis is gone; changes and lists are failures, and all goes on when it is back", async () => {
    const { tables, first, last, offices } = await processes(2);
    await allow(first, "a", 1);
    await waitFor(() => limitOf(last, "a") === 1, "both know");
    await server.kill();
    for (const table of tables) {
      await expect(allow(table, "a", 2)).rejects.toMatchObject({ name: "Failure", code: "store-unavailable" });
      // The second one knows, and does not wait to find out.
      await expect(allow(table, "a", 2)).rejects.toMatchObject({ name: "Failure", outcomeKnown: true });
      await expect(Promise.resolve(table.list(null, 10))).rejects.toMatchObject({ name: "Failure", code: "store-unavailable" });
    }
    await waitFor(() => tables.every(({ table }) => !table.isCurrent), "both say that they may be out of date");
    expect(tables.map((table) => limitOf(table, "a"))).toEqual([1, 1]);
    await server.restart();
    await waitFor(() => tables.every(({ table }) => table.isCurrent), "both are up to date again");
    await allow(first, "a", 3);
    await waitFor(() => limitOf(last, "a") === 3, "both know the change");
    for (const { reports } of offices) expect([reports.length, reports[1]]).toEqual([2, "policies: the store answers again"]);
  });

  test("says that it may be out of date while Redis does not answer, and ends no change half done", async () => {
    const { tables, first, last } = await processes(2);
    await allow(first, "a", 1);
    server.pause();
    await expect(allow(first, "a", 2)).rejects.toMatchObject({ name: "Failure", outcomeKnown: false });
    await waitFor(() => tables.every(({ table }) => !table.isCurrent), "both say so");
    server.resume();
    await waitFor(() => tables.every(({ table }) => table.isCurrent), "both are up to date again");
    await increase(last, "b");
    await waitFor(() => tables.every((table) => limitOf(table, "b") === 1), "both know");
    // What became of the change that had no answer is the same for both.
    expect(limitOf(first, "a")).toBe(limitOf(last, "a"));
  });

  test("carries out once a change whose answer is lost, whoever has changed something since", async () => {
    const { store, first } = await processes(1);
    const { io } = await desk.office(store);
    const kinds: string[] = [];
    const lossy = through(io, (log) => ({
      write: async (...change) => {
        const written = await log.write(...change);
        kinds.push(written.kind);
        // Of each change the first answer is lost, and the second time somebody else has been faster.
        if (kinds.length % 2 === 0) return written;
        if (kinds.length > 2) await increase(first, "a");
        throw new Failure("store-unavailable", "the answer is lost", false);
      },
    }));
    const table = await openSharedPolicies(lossy);
    for (let change = 1; change <= 3; change += 1) await increase(table, "a");
    expect([kinds, limitOf(table, "a")]).toEqual([["written", "moved", "written", "moved", "written", "moved"], 5]);
    await table.table.close();
  });

  test("refuses a change whose event nobody could be told any more, and none without events", async () => {
    const { redis, io } = await desk.office(newMark());
    const sales = await openSharedSales(io);
    const sale = {
      id: "S1" as never,
      name: "x",
      startsAt: 1,
      endsAt: 2,
      items: [],
      frozenForMs: null,
      paymentWindowMs: null,
      isPaused: false,
    };
    const event = { type: "sale.started" as const, at: 1, saleId: sale.id, name: "x", skus: [] };
    const put = (events: readonly (typeof event)[]) =>
      sales.table.change(() => ({ reply: "done", changes: [{ put: { sale, announced: "start" } }], events }));
    await put([event]);
    const [waiting] = (await redis.client.keys("*-sales}:events")) as [string];
    const piece = Array.from({ length: TABLE_EVENTS_WAITING_MAX / 100 }, () => "{}");
    for (let pieces = 0; pieces < 100; pieces += 1) await redis.client.rpush(waiting, ...piece);
    await expect(put([event])).rejects.toMatchObject({ code: "overloaded", outcomeKnown: true });
    expect(await put([])).toBe("done");
    await sales.table.close();
  });
});
