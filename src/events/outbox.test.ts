/** The outbox over a real file: in the same commit as the change, in order, without a gap, and not for ever. */
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sku } from "../core/ids.ts";
import { GroupCommit } from "../edge/group-commit.ts";
import { OUTBOX_EVENTS_PER_ROW, SWEEP_ROWS_PER_TURN } from "../limits.ts";
import type { DoorbusterEvent } from "./event.ts";
import { OUTBOX_SCHEMA, Outbox, type OutboxBounds } from "./outbox.ts";

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

const soldOut = (sku: string, at = 1_000): DoorbusterEvent => ({ type: "goods.sold-out", at, sku: sku as Sku });
const bounds: OutboxBounds = { keptMs: 100, eventsMax: 1_000_000 };

class Store {
  readonly #path: string;
  db!: Database;
  turns!: GroupCommit;
  outbox!: Outbox;

  constructor(readonly outboxBounds = bounds) {
    const folder = mkdtempSync(join(tmpdir(), "doorbuster-outbox-"));
    this.#path = join(folder, "db");
    const db = new Database(this.#path);
    db.run("pragma journal_mode = wal");
    db.run(OUTBOX_SCHEMA);
    db.run("create table changes (name text)");
    db.close();
    this.restart();
    opened.push(() => rmSync(folder, { recursive: true }));
  }

  /** Another life over the same file; the one before ends without a word, as when its process is killed. */
  restart(): void {
    this.db = new Database(this.#path);
    opened.unshift(() => this.db.close());
    this.turns = new GroupCommit(this.db, () => {});
    this.outbox = new Outbox(this.db, this.turns, "eur", this.outboxBounds);
  }

  add(...skus: readonly string[]): Promise<void> {
    return this.turns.turn(() => {
      for (const sku of skus) this.outbox.add(soldOut(sku));
    });
  }

  read(after: number, limit: number): string[] {
    return this.outbox.read(after, limit).map(({ id, skus }) => `${id} ${skus}`);
  }
}

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe("an event that is added", () => {
  test("can be read when its turn is committed, in the order of adding", async () => {
    const store = new Store();
    const added = store.add("a", "b");
    expect([store.read(0, 10), store.outbox.lastId]).toEqual([[], 0]);
    await added;
    await store.add("c");
    expect([store.read(0, 10), store.outbox.lastId]).toEqual([["1 a", "2 b", "3 c"], 3]);
  });

  test("goes with its change: when the turn fails there is neither", async () => {
    const store = new Store();
    await store.add("before");
    const failed = store.turns.turn(() => {
      store.db.run("insert into changes values ('lost')");
      for (const sku of names("lost", OUTBOX_EVENTS_PER_ROW + 1)) store.outbox.add(soldOut(sku));
    });
    const spoiled = store.turns.turn(() => {
      throw new Error("the disk is full");
    });
    const outcomes = await Promise.allSettled([failed, spoiled]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(store.read(0, 100)).toEqual(["1 before"]);
    store.restart();
    expect([store.read(0, 100), store.db.query("select * from changes").all()]).toEqual([["1 before"], []]);
  });

  test("gets the next id, also after a restart and after everything before it was removed", async () => {
    const store = new Store();
    await store.add("a", "b");
    store.restart();
    await store.add("c");
    while (await store.outbox.sweep(1_000_000));
    store.restart();
    await store.add("d");
    expect([store.read(2, 10), store.outbox.oldestId, store.outbox.lastId]).toEqual([["3 c", "4 d"], 3, 4]);
  });

  test("shares a row with the others of its turn, up to a bound", async () => {
    const store = new Store();
    await store.add(...names("s", 2 * OUTBOX_EVENTS_PER_ROW + 1));
    const rows = store.db.query("select count from outbox order by first_id").all();
    expect(rows).toEqual([{ count: OUTBOX_EVENTS_PER_ROW }, { count: OUTBOX_EVENTS_PER_ROW }, { count: 1 }]);
  });
});

describe("reading", () => {
  test("gives every event once from any cursor and with any limit, across rows", async () => {
    const store = new Store();
    for (const count of [1, OUTBOX_EVENTS_PER_ROW + 3, 2, 5]) await store.add(...names("s", count));
    const all = store.read(0, 1_000);
    expect(all).toHaveLength(OUTBOX_EVENTS_PER_ROW + 11);
    for (let after = 0; after <= all.length; after += 1)
      for (const limit of [1, 2, 63, 64, 65, 1_000]) expect(store.read(after, limit)).toEqual(all.slice(after, after + limit));
  });
});

describe("the sweeper", () => {
  const twoRows = async (store: Store): Promise<void> => {
    await store.turns.turn(() => store.outbox.add(soldOut("old", 1_000)));
    await store.turns.turn(() => store.outbox.add(soldOut("younger", 1_050)));
    await store.turns.turn(() => store.outbox.add(soldOut("newest", 1_050)));
  };

  test("removes what was kept long enough, and never the newest row, from which the next id follows", async () => {
    const store = new Store();
    await twoRows(store);
    await store.outbox.sweep(1_100);
    expect([store.read(0, 10), store.outbox.oldestId]).toEqual([["1 old", "2 younger", "3 newest"], 1]);
    await store.outbox.sweep(1_101);
    expect([store.read(0, 10), store.outbox.oldestId]).toEqual([["2 younger", "3 newest"], 2]);
    await store.outbox.sweep(1_000_000);
    expect([store.read(0, 10), store.outbox.oldestId]).toEqual([["3 newest"], 3]);
  });

  test("removes the oldest when there are too many, however young", async () => {
    const store = new Store({ keptMs: 1_000_000, eventsMax: 5 });
    for (const prefix of ["a", "b", "c"]) await store.add(...names(prefix, 2));
    await store.outbox.sweep(1_000);
    expect(store.read(0, 10)).toEqual(["3 b0", "4 b1", "5 c0", "6 c1"]);
  });

  test("does so a bounded piece at a time, and says whether more is left", async () => {
    const store = new Store();
    await Promise.all(names("s", 3).map((sku) => store.add(sku)));
    await store.turns.turn(() => {
      const insert = store.db.query("insert into outbox values (?, 1000, 1, ?)");
      for (let id = 4; id <= SWEEP_ROWS_PER_TURN + 10; id += 1) insert.run(id, "{}");
    });
    store.restart();
    const { outbox } = store;
    expect([await outbox.sweep(1_000_000), outbox.oldestId]).toEqual([true, SWEEP_ROWS_PER_TURN + 3]);
    expect([await outbox.sweep(1_000_000), outbox.oldestId]).toEqual([false, SWEEP_ROWS_PER_TURN + 10]);
    expect(await outbox.sweep(1_000_000)).toBe(false);
  });

  test("removes nothing too early when the clock went back", async () => {
    const store = new Store();
    const addAt = (sku: string, at: number) => store.turns.turn(() => store.outbox.add(soldOut(sku, at)));
    await addAt("old", 1_000);
    await addAt("later", 2_000);
    store.restart();
    await addAt("earlier", 1_000);
    await addAt("newest", 1_000);
    await store.outbox.sweep(1_500);
    expect(store.read(0, 10)).toEqual(["2 later", "3 earlier", "4 newest"]);
  });

  test("tells within its turn up to where it has removed", async () => {
    const store = new Store();
    const heard: [number, boolean][] = [];
    store.outbox.onRemoval((oldestId) => heard.push([oldestId, store.db.inTransaction]));
    await twoRows(store);
    await store.outbox.sweep(1_100);
    await store.outbox.sweep(1_101);
    expect(heard).toEqual([[2, true]]);
  });
});
