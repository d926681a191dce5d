/** The embedded ledger against the suite that every store must pass, on both of its journals; and the suite against journals that forget. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GroupCommit } from "../../edge/group-commit.ts";
import { openSqliteFile, type SqliteFile } from "../../edge/sqlite-file.ts";
import { REPLIES_PER_ROW } from "../../limits.ts";
import type { LedgerEvent } from "../ledger.ts";
import { CHECKS, ledgerSuite, runCheck } from "../ledger-suite.ts";
import { FROZEN_FOR, held, holdCommand, keyOf, MINUTE, type OpenedLedger, paymentOf, refused, Shop, WINDOW } from "../suite/shop.ts";
import { EmbeddedLedger } from "./embedded-ledger.ts";
import type { Journal } from "./journal.ts";
import { MemoryJournal } from "./memory-journal.ts";
import type { Emit } from "./order-book.ts";
import { LEDGER_SCHEMA, SqliteJournal } from "./sqlite-journal.ts";

/** `DOORBUSTER_LEDGER_RUNS=20` plays twenty times as many histories; `DOORBUSTER_LEDGER_SEED` plays others. */
const { DOORBUSTER_LEDGER_RUNS = "1", DOORBUSTER_LEDGER_SEED = "20261122" } = process.env;
const runsFactor = Number(DOORBUSTER_LEDGER_RUNS);
const seed = Number(DOORBUSTER_LEDGER_SEED);

async function openMemory(): Promise<OpenedLedger> {
  const events: LedgerEvent[] = [];
  const ledger = new EmbeddedLedger(new MemoryJournal(), { emit: (event) => events.push(event) });
  return { ledger, sweep: (now) => ledger.sweep(now), events: () => events, close: async () => {} };
}

/** Events in the same file as what they tell of, as the outbox keeps them. */
const TOLD_SCHEMA = "create table told (id integer primary key, event text not null) strict;";
const tellInto =
  ({ db }: SqliteFile): Emit =>
  (event) =>
    db.query("insert into told (event) values (?)").run(JSON.stringify(event));
const toldIn = ({ db }: SqliteFile): readonly LedgerEvent[] =>
  db
    .query<{ event: string }, []>("select event from told order by id")
    .all()
    .map(({ event }) => JSON.parse(event) as LedgerEvent);

/** @param alter gives the ledger another journal in place of the real one */
async function openSqlite(
  alter: (journal: Journal) => Journal = (journal) => journal,
  onOpen: (file: SqliteFile) => void = () => {},
): Promise<OpenedLedger> {
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-ledger-"));
  const files: SqliteFile[] = [];
  let lives = 0;
  let ledger: EmbeddedLedger;
  const openLife = (): EmbeddedLedger => {
    const file = openSqliteFile(join(folder, String(lives)), LEDGER_SCHEMA + TOLD_SCHEMA);
    files.push(file);
    onOpen(file);
    const turns = new GroupCommit(file.db, () => {
      // Whoever called hears of it.
    });
    ledger = new EmbeddedLedger(alter(new SqliteJournal(file.db, turns)), { emit: tellInto(file) });
    return ledger;
  };
  return {
    ledger: openLife(),
    sweep: (now) => ledger.sweep(now),
    events: () => toldIn(files.at(-1) as SqliteFile),
    // What kill -9 leaves on disk is the database and its write-ahead log as they are, so the next life begins with a copy of both.
    reopen: async () => {
      const before = join(folder, String(lives));
      lives += 1;
      const after = join(folder, String(lives));
      await mkdir(after);
      for (const name of ["doorbuster.db", "doorbuster.db-wal"]) await copyFile(join(before, name), join(after, name));
      return openLife();
    },
    close: async () => {
      for (const file of files) file.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

ledgerSuite("memory", openMemory, { canReopen: false, runs: 500 * runsFactor, seed });
ledgerSuite("sqlite", () => openSqlite(), { canReopen: true, runs: 60 * runsFactor, seed: seed + 1 });

describe("the embedded ledger's housekeeping", () => {
  const DAY = 24 * 60 * MINUTE;
  const inShop = async (opening: Promise<OpenedLedger>, run: (shop: Shop) => Promise<void>): Promise<void> => {
    const opened = await opening;
    try {
      await run(new Shop(opened));
    } finally {
      await opened.close();
    }
  };

  test("orders that have ended are in the store for 90 days; then they are gone, but for refunds that are due", async () => {
    await inShop(openSqlite(), async (shop) => {
      await shop.put(9);
      for (const n of [1, 2, 3, 4]) {
        await shop.hold("ann", 1);
        await shop.place("ann", `order ${n}`);
      }
      await shop.pay("order 1");
      await shop.cancel("order 2");
      await shop.pay("order 3", { isAmountRight: false, paymentId: "payment 3" });
      shop.now += WINDOW;
      const states = async () => (await shop.ordersOf("ann")).map(({ orderId, state }) => `${orderId} ${state}`);
      expect(await states()).toEqual(["order 4 expired", "order 3 refund-due", "order 2 cancelled", "order 1 paid"]);
      shop.now += 90 * DAY - WINDOW;
      await shop.sweep();
      await shop.crash();
      expect(await states()).toEqual(["order 4 expired", "order 3 refund-due", "order 2 cancelled", "order 1 paid"]);
      expect(await shop.order("order 1")).toMatchObject({ state: "paid", payment: paymentOf() });
      shop.now += WINDOW + 1;
      await shop.sweep();
      expect(await states()).toEqual(["order 3 refund-due"]);
      expect(await shop.pay("order 4")).toEqual(refused("unknown-order"));
      expect(await shop.order("order 3")).toMatchObject({ state: "refund-due", payment: paymentOf("payment 3") });
    });
  });

  test("an order that money has reached late is kept from then on, and those placed after it wait for it", async () => {
    await inShop(openSqlite(), async (shop) => {
      await shop.put(9);
      for (const n of [1, 2]) {
        await shop.hold("ann", 1);
        await shop.place("ann", `order ${n}`);
      }
      await shop.cancel("order 2");
      shop.now += DAY;
      await shop.pay("order 1");
      const ids = async () => (await shop.ordersOf("ann")).map(({ orderId }) => orderId as string);
      shop.now += 90 * DAY;
      await shop.sweep();
      expect(await ids()).toEqual(["order 2", "order 1"]);
      shop.now += MINUTE + 1;
      await shop.sweep();
      expect(await ids()).toEqual([]);
      await shop.hold("ann", 1);
      await shop.place("ann", "order 3");
      await shop.crash();
      expect(await ids()).toEqual(["order 3"]);
    });
  });

  test("nobody is told of a turn that could not be saved, and nothing of it is there", async () => {
    const failing = (journal: Journal): Journal =>
      journalWith(journal, {
        addLine: (id, sku, user, line, session, at) => {
          if (user === "bob") throw new Error("the disk is full");
          journal.addLine(id, sku, user, line, session, at);
        },
      });
    await inShop(openSqlite(failing), async (shop) => {
      await shop.put(5);
      const attempt = shop.ledger.hold([holdCommand("ann", 2), holdCommand("bob", 3)], shop.now);
      await expect(attempt).rejects.toThrow("the disk is full");
      expect(await shop.events()).toEqual([]);
      await shop.crash();
      expect((await shop.goods()).frozen).toBe(0);
      expect(await shop.events()).toEqual([]);
    });
  });

  test("nothing is left on disk of what has ended, but for the goods", async () => {
    let left: () => unknown = () => null;
    const opened = openSqlite(undefined, (file) => {
      left = () =>
        file.db.query("select (select count(*) from lines) + (select count(*) from orders) + (select count(*) from replies) as n").get();
    });
    await inShop(opened, async (shop) => {
      await shop.put(5_000);
      const buyers = Array.from({ length: 1_200 }, (_, n) => `buyer ${n}`);
      await shop.ledger.hold(
        buyers.map((buyer) => holdCommand(buyer, 1, { key: keyOf(buyer) })),
        shop.now,
      );
      for (const n of [0, 1, 2, 3, 4, 5]) await shop.place(`buyer ${n}`, `order ${n}`);
      await shop.cancel("order 1");
      await shop.cancel("order 2", "held");
      await shop.hold("buyer 3", 1);
      const rowsOfReplies = Math.ceil(1_200 / REPLIES_PER_ROW);
      expect(left()).toEqual({ n: 1_199 + 6 + rowsOfReplies });
      shop.now += FROZEN_FOR;
      for (let tick = 0; tick < 10; tick += 1) await shop.sweep();
      expect(left()).toEqual({ n: 6 + rowsOfReplies });
      shop.now += 2 * DAY;
      for (let tick = 0; tick < 10; tick += 1) await shop.sweep();
      expect(left()).toEqual({ n: 6 });
      shop.now += 90 * DAY;
      for (let tick = 0; tick < 10; tick += 1) await shop.sweep();
      expect(left()).toEqual({ n: 0 });
      expect(await shop.hold("ann", 5_000)).toEqual(held(5_000, shop.now + FROZEN_FOR));
    });
  });

  test("when there is no room for one more key, purchases without one go on, and a day later there is room again", async () => {
    const ledger = new EmbeddedLedger(new MemoryJournal(), { repliesMax: 1 });
    const shop = new Shop({ ledger, sweep: (now) => ledger.sweep(now), events: () => [], close: async () => {} });
    await shop.put(1_000_000);
    const isNoRoom = ({ kind, reason }: { kind: string; reason?: string }): boolean => kind === "refused" && reason === "no-room-for-key";
    let full: string | null = null;
    for (let turn = 0; full === null && turn < 100; turn += 1) {
      const keys = Array.from({ length: 1_000 }, (_, n) => `key ${turn * 1_000 + n}`);
      const frozen = (await shop.goods()).frozen;
      const replies = await ledger.hold(
        keys.map((key) => holdCommand("ann", 1, { key: keyOf(key) })),
        shop.now,
      );
      expect((await shop.goods()).frozen - frozen).toBe(replies.filter(({ kind }) => kind === "held").length);
      full = keys[replies.findIndex(isNoRoom)] ?? null;
    }
    expect(full).not.toBeNull();
    const key = keyOf(full ?? "");
    expect(await shop.hold("bob", 1, { key })).toEqual(refused("no-room-for-key"));
    expect(await shop.hold("ann", 1, { key: keyOf("key 0") })).toMatchObject({ kind: "repeated" });
    expect(await shop.hold("bob", 1)).toMatchObject({ kind: "held", quantity: 1 });
    shop.now += DAY + MINUTE;
    await shop.sweep();
    expect(await shop.hold("bob", 1, { key })).toMatchObject({ kind: "held" });
  });
});

/** The same journal with some of its methods replaced. */
const journalWith = (journal: Journal, replaced: Partial<Journal>): Journal =>
  new Proxy(journal, {
    get(target, name: keyof Journal) {
      const method: unknown = replaced[name] ?? target[name];
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
const nothing = (): void => {};

const forgetful: Readonly<Record<string, (journal: Journal) => Partial<Journal>>> = {
  "goods that were removed": () => ({ removeGoods: nothing }),
  "the time of goods": (journal) => ({ saveGoods: (goods) => journal.saveGoods({ ...goods, clock: 0 }) }),
  "how much was sold": (journal) => ({ saveGoods: (goods) => journal.saveGoods({ ...goods, sold: 0, stocked: goods.onHand }) }),
  "the time of a SKU, in the lines": (journal) => ({
    addLine: (id, sku, user, line, session) => journal.addLine(id, sku, user, line, session, 0),
  }),
  "a deadline": (journal) => ({
    addLine: (id, sku, user, line, session, at) => journal.addLine(id, sku, user, { ...line, heldUntil: line.heldUntil + 1 }, session, at),
  }),
  "a changed line": () => ({ changeLine: nothing }),
  "an ended line": () => ({ removeLine: nothing }),
  "the session of a hold": (journal) => ({
    addLine: (id, sku, user, line, _session, at) => journal.addLine(id, sku, user, line, null, at),
  }),
  "the level of a record": (journal) => ({
    addLine: (id, sku, user, line, session, at) => journal.addLine(id, sku, user, { ...line, userLevel: line.userLevel && 1 }, session, at),
  }),
  orders: () => ({ addOrder: () => 1 }),
  "how orders end": () => ({ endOrder: nothing }),
  "what was paid for an order": (journal) => ({ endOrder: (row, order) => journal.endOrder(row, { ...order, payment: null }) }),
  "all items of an order but one": (journal) => ({ addOrder: (order) => journal.addOrder({ ...order, items: order.items.slice(0, 1) }) }),
  "replies to keys": () => ({ saveReplies: nothing }),
  "the reason of a refusal": (journal) => ({
    saveReplies: (turn, at, hashes, replies) =>
      journal.saveReplies(
        turn,
        at,
        hashes,
        replies.map((reply) => ({ ...reply, reason: null })),
      ),
  }),
};

async function isCaught(open: () => Promise<OpenedLedger>): Promise<boolean> {
  for (const check of CHECKS.filter(({ needsReopen }) => needsReopen)) {
    try {
      await runCheck(check, open);
    } catch {
      return true;
    }
  }
  return false;
}

describe("the suite's crashes catch a journal that forgets", () => {
  for (const [what, replaced] of Object.entries(forgetful)) {
    test(what, async () => {
      expect(await isCaught(() => openSqlite((journal) => journalWith(journal, replaced(journal))))).toBe(true);
    });
  }
  test("nothing: that one they let through", async () => {
    expect(await isCaught(() => openSqlite((journal) => journalWith(journal, {})))).toBe(false);
  });
});
