/** The book of sales, open in several processes at once over a real Redis. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { newMark, type Office, RedisDesk } from "../../test/redis-tables.ts";
import { END, idOf, item, NOON, plan, START, saved, skuOf, textOf } from "../../test/sale-desk.ts";
import { hasRedis, NEEDS_REDIS, type RedisServer, startRedis } from "../../test/servers/redis.ts";
import { waitFor } from "../../test/wait.ts";
import { RedisEvents } from "../edge/redis-events.ts";
import { TABLE_EVENTS_PER_RELAY } from "../limits/tables.ts";
import { EventRelay } from "../tables/event-relay.ts";
import type { SaleEvent } from "./sale.ts";
import { SaleBook } from "./sale-book.ts";
import type { SharedSales } from "./shared-sales.ts";

describe.skipIf(!hasRedis)(`a book of sales that several processes have open ${hasRedis ? "" : NEEDS_REDIS}`, () => {
  let server: RedisServer;
  let now = NOON;
  const desk = new RedisDesk(() => server.url);
  beforeAll(async () => {
    server = await startRedis();
  });
  afterEach(() => {
    now = NOON;
    return desk.closeAll();
  });
  afterAll(() => server.stop());

  const openBooks = async (count: number) => {
    const store = newMark();
    const offices = await Promise.all(Array.from({ length: count }, () => desk.office(store)));
    const sales = await Promise.all(offices.map((office) => office.sales()));
    const clock = { now: () => now, monotonicUs: () => 0 };
    let ids = 0;
    const newId = () => {
      ids += 1;
      return idOf(`made-${ids}`);
    };
    return { store, offices, sales, books: sales.map((one) => new SaleBook({ sales: one, clock, newId })) };
  };
  const settled = (sales: readonly SharedSales[]): Promise<void> =>
    waitFor(() => new Set(sales.map(({ table }) => table.figures.position)).size === 1, "all are at one position");

  /** What processes that relay tell, and under which ids. */
  const relays = (store: string, offices: readonly Office[], emit: (event: SaleEvent, id: string) => void) =>
    offices.map(
      ({ redis }, index) =>
        new EventRelay<SaleEvent>({ waiting: new RedisEvents(redis, `${store}-sales`), emit, name: `process ${index}` }),
    );

  test("lets one of a hundred overlapping sales come about, and shows it to all", async () => {
    const { books, sales } = await openBooks(4);
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, index) => (books[index % 4] as SaleBook).create(null, plan({ startsAt: START + index }))),
    );
    const winners = replies.filter(({ kind }) => kind === "saved");
    expect(winners.length).toBe(1);
    const refusals = replies.flatMap((reply) => (reply.kind === "refused" ? [reply.reason] : []));
    expect(new Set(refusals)).toEqual(new Set(["overlap"]));
    await settled(sales);
    const { id } = saved(winners[0] as (typeof replies)[number]);
    for (const book of books) expect([book.size, book.termsOf(skuOf("SKU1"), NOON)?.saleId]).toEqual([1, id]);
  });

  test("gives an id to one of those who want it at the same time", async () => {
    const { books } = await openBooks(4);
    const replies = await Promise.all(books.map((book, index) => book.create(idOf("drop"), plan({ items: [item(`SKU${index}`)] }))));
    expect(replies.map((reply): string => (reply.kind === "refused" ? reply.reason : "saved")).sort()).toEqual([
      ...["id-taken", "id-taken", "id-taken"],
      "saved",
    ]);
  });

  test("announces each start and end once, whoever looks first", async () => {
    const { store, offices, books, sales } = await openBooks(4);
    const [first] = books as [SaleBook];
    for (let index = 0; index < 10; index += 1)
      saved(await first.create(idOf(`S${index}`), plan({ startsAt: START + index, endsAt: END + index, items: [item(`SKU${index}`)] })));
    await settled(sales);
    for (now of [START, START + 4, START + 9, END + 3, END + 9, END + 10]) await Promise.all(books.map((book) => book.announce(now)));
    await settled(sales);
    expect(books.map(({ nextChangeAt }) => nextChangeAt)).toEqual([Infinity, Infinity, Infinity, Infinity]);
    const told: SaleEvent[] = [];
    const all = relays(store, offices, (event) => void told.push(event));
    await Promise.all(all.map((one) => one.relay()));
    const expected = ["started", "ended"].flatMap((what) => Array.from({ length: 10 }, (_, index) => `sale.${what} S${index}`));
    expect(told.map(textOf)).toEqual(expected);
  });

  test("tells again, in order and under the same ids, what was not taken, and nothing that was", async () => {
    const { store, offices, books } = await openBooks(1);
    const [book] = books as [SaleBook];
    saved(await book.create(idOf("S1"), plan()));
    for (const isPaused of [true, false, true]) saved(await book.setPaused(idOf("S1"), isPaused));
    const taken: [string, string][] = [];
    let trouble = 1;
    const [relay] = relays(store, offices, (event, id) => {
      taken.push([event.type, id]);
      if (taken.length === 2 && trouble > 0) {
        trouble -= 1;
        throw new Error("no room");
      }
    }) as [EventRelay<SaleEvent>];
    await expect(relay.relay()).rejects.toThrow("no room");
    expect(await relay.relay()).toBe(false);
    const types = taken.map(([type]) => type);
    expect(types).toEqual(["sale.paused", "sale.resumed", "sale.resumed", "sale.paused"]);
    expect(taken[1]?.[1]).toBe(taken[2]?.[1] as string);
    expect(new Set(taken.map(([, id]) => id)).size).toBe(3);
    await relay.relay();
    expect(taken.length).toBe(4);
  });

  test("is told by one process at a time, in bounded pieces; another one takes over when it has gone", async () => {
    const { store, offices, books } = await openBooks(2);
    const [book] = books as [SaleBook];
    saved(await book.create(idOf("S1"), plan()));
    for (let pauses = 0; pauses < TABLE_EVENTS_PER_RELAY + 1; pauses += 1) saved(await book.setPaused(idOf("S1"), pauses % 2 === 0));
    const told: string[] = [];
    const [one, other] = relays(store, offices, (_, id) => void told.push(id)) as [EventRelay<SaleEvent>, EventRelay<SaleEvent>];
    expect(await one.relay()).toBe(true);
    expect([await other.relay(), told.length]).toEqual([false, TABLE_EVENTS_PER_RELAY]);
    const { client } = (offices[0] as Office).redis;
    expect(await client.pttl(`{doorbuster:${store}-sales}:lease`)).toBeGreaterThan(0);
    // The time runs out of which the first one has gone without giving it back.
    await client.pexpire(`{doorbuster:${store}-sales}:lease`, 0);
    expect([await other.relay(), told.length, new Set(told).size]).toEqual([false, TABLE_EVENTS_PER_RELAY + 1, TABLE_EVENTS_PER_RELAY + 1]);
  });
});
