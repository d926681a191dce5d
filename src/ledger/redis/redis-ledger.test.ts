/** The ledger in Redis and Postgres: the suite that every store must pass, what one history comes to here and in the embedded store, and what it costs. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hasStores, type LedgerStores, NEEDS_STORES, SERVERS_MS_MAX, startLedgerStores } from "../../../test/ledger-stores.ts";
import type { Sku, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import { EmbeddedLedger } from "../embedded/embedded-ledger.ts";
import { MemoryJournal } from "../embedded/memory-journal.ts";
import type { LedgerEvent, Reply } from "../ledger.ts";
import { ledgerSuite } from "../ledger-suite.ts";
import { history, type Step } from "../suite/histories.ts";
import { type Snapshot, send, snapshotOf } from "../suite/model-check.ts";
import { holdCommand, LAMP, type OpenedLedger, START } from "../suite/shop.ts";
import { storiesOf } from "../suite/stories.ts";

/** `DOORBUSTER_LEDGER_RUNS=20` plays twenty times as many histories; `DOORBUSTER_LEDGER_SEED` plays others. */
const { DOORBUSTER_LEDGER_RUNS = "1", DOORBUSTER_LEDGER_SEED = "20261122" } = process.env;
const runsFactor = Number(DOORBUSTER_LEDGER_RUNS);
const seed = Number(DOORBUSTER_LEDGER_SEED);

let stores: LedgerStores;

async function openEmbedded(): Promise<OpenedLedger> {
  const events: LedgerEvent[] = [];
  const ledger = new EmbeddedLedger(new MemoryJournal(), { emit: (event) => events.push(event) });
  return { ledger, sweep: (now) => ledger.sweep(now), events: () => events, close: async () => {} };
}

interface Played {
  readonly replies: readonly Reply[];
  readonly end: Snapshot;
  readonly stories: ReturnType<typeof storiesOf>;
}

/** Plays a history as it was recorded; a crash is a pause. */
async function play({ ledger, sweep, events }: OpenedLedger, steps: readonly Step[]): Promise<Played> {
  const replies: Reply[] = [];
  let now: UnixMs = START;
  let latest = now;
  for (const step of steps) {
    if (step.does === "crash") continue;
    now += step.afterMs;
    latest = Math.max(latest, now);
    if (step.does === "sweep") await sweep(now);
    else for (const batch of step.batches) replies.push(...(await send(ledger, batch, now)));
  }
  const end = await snapshotOf(ledger, now, latest);
  while (await sweep(now));
  return { replies, end, stories: storiesOf(await events()) };
}

/** The store keeps no order among the lines of one cart that were made in the same millisecond. */
const withSortedCarts = (played: Played): Played => ({
  ...played,
  end: { ...played.end, carts: played.end.carts.map((lines) => [...lines].sort((a, b) => (a.sku < b.sku ? -1 : 1))) },
});

/** How many commands this Redis has been sent so far, not counting those inside scripts. */
async function callsOf(): Promise<number> {
  const stats = await stores.redis.client.info("commandstats");
  return [...stats.matchAll(/cmdstat_(?:eval|evalsha):calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

describe.skipIf(!hasStores)(`the ledger in Redis ${NEEDS_STORES}`, () => {
  beforeAll(async () => {
    stores = await startLedgerStores();
  }, SERVERS_MS_MAX);
  afterAll(() => stores.stop(), SERVERS_MS_MAX);

  ledgerSuite("redis", () => stores.open(), { canReopen: true, runs: 40 * runsFactor, seed: seed + 2 });

  test("one recorded history gives the same replies, the same stories and the same end in Redis and in the embedded store", async () => {
    const recorded = fc.sample(history, { numRuns: 25 * runsFactor, seed: seed + 3 });
    for (const steps of recorded) {
      const [inRedis, embedded] = [await play(await stores.open(), steps), await play(await openEmbedded(), steps)];
      expect(withSortedCarts(inRedis)).toEqual(withSortedCarts(embedded));
    }
  }, 120_000);

  test("calls of different times that go in one turn are decided each at its own, and what the first of them froze is free for the last", async () => {
    const at = (ms: number) => START + ms;
    const play = async ({ ledger }: OpenedLedger) => {
      await ledger.stock([{ verb: "stock", mode: "put", sku: LAMP, onHand: 2, priceCents: 1 }], START);
      const hold = (user: string, ms: number, frozenForMs: number) => ledger.hold([holdCommand(user, 1, { frozenForMs })], at(ms));
      const replies = await Promise.all([
        ...[hold("ann", 0, 5), hold("bob", 3, 100), hold("cem", 4, 100), hold("dan", 5, 2), hold("eve", 6, 9)],
        // This clock is behind: the SKU's own time counts.
        ...[hold("eve", 1, 9), ledger.expire([{ verb: "expire", sku: LAMP }], at(7)), hold("ann", 7, 1), hold("fay", 8, 1)],
        ledger.release([{ verb: "release", sku: LAMP, userId: "bob" as UserId }], at(2)),
      ]);
      return [replies, await ledger.goods([LAMP], at(8)), await ledger.goods([LAMP], at(9))];
    };
    expect(await play(await stores.open())).toEqual(await play(await openEmbedded()));
  });

  test("a crowd in one turn is decided as one by one: some have something already, somebody comes twice, some are refused, and goods sell out", async () => {
    const play = async ({ ledger, sweep, events }: OpenedLedger) => {
      await ledger.stock([{ verb: "stock", mode: "put", sku: LAMP, onHand: 100, priceCents: 1 }], START);
      await ledger.stock([{ verb: "stock", mode: "put", sku: "pen" as Sku, onHand: 100, priceCents: 1 }], START);
      const crowd = (from: number, to: number, quantity: number) =>
        Array.from({ length: to - from }, (_, n) => holdCommand(`buyer ${from + n}`, quantity, { limit: 3 }));
      const replies = [];
      for (const [at, commands] of [
        [0, [holdCommand("buyer 3", 2, { limit: 3 }), holdCommand("buyer 5", 1, { sku: "pen" })]],
        // Some of these hold, one too much for its limit.
        [1, crowd(0, 20, 2)],
        [2, [...crowd(18, 30, 1), ...crowd(25, 32, 1)]],
        [2, crowd(40, 50, 4)],
        // No room for all of them, then exactly enough, then nothing.
        [3, crowd(50, 99, 1)],
        [4, crowd(100, 150, 1)],
      ] as const)
        replies.push(await ledger.hold(commands, START + at));
      const goods = await ledger.goods([LAMP], START + 5);
      const [{ onHand = 0, frozen = 0 } = {}] = [goods[0] ?? undefined];
      replies.push(await ledger.release([{ verb: "release", sku: LAMP, userId: "buyer 3" as UserId }], START + 5));
      replies.push(await ledger.hold(crowd(200, 202, 1), START + 6));
      const lines = await ledger.lines(
        ["buyer 1", "buyer 3", "buyer 5", "buyer 25", "buyer 200"].map((userId) => ({ userId: userId as UserId, sku: LAMP })),
        START + 7,
      );
      const later = await ledger.goods([LAMP], START + 60 * 60_000);
      while (await sweep(START + 60 * 60_000));
      return { replies, goods, left: onHand - frozen, lines, later, stories: storiesOf(await events()) };
    };
    const inRedis = await play(await stores.open());
    expect(inRedis).toEqual(await play(await openEmbedded()));
    expect(inRedis.left).toBe(0);
  });

  test("a thousand purchases of one SKU at once, each by a call of its own, are at most twenty calls to Redis", async () => {
    const { ledger } = await stores.open();
    await ledger.stock([{ verb: "stock", mode: "put", sku: LAMP, onHand: 900, priceCents: 1 }], START);
    const before = await callsOf();
    const replies = await Promise.all(Array.from({ length: 1_000 }, (_, n) => ledger.hold([holdCommand(`buyer ${n}`, 1)], START)));
    expect(replies.flat().filter(({ kind }) => kind === "held")).toHaveLength(900);
    expect((await callsOf()) - before).toBeLessThanOrEqual(20);
  });
});
