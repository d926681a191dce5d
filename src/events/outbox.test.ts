/** The outbox over a real file: what every outbox promises, and what a turn of its own process adds to that. */
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { names, type OutboxUnderTest, outboxSuite, soldOut } from "../../test/outbox-suite.ts";
import { GroupCommit } from "../edge/group-commit.ts";
import { OUTBOX_EVENTS_PER_ROW } from "../limits.ts";
import type { DoorbusterEvent } from "./event.ts";
import { OUTBOX_SCHEMA, Outbox } from "./outbox.ts";

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

class Store implements OutboxUnderTest {
  readonly #path: string;
  db!: Database;
  turns!: GroupCommit;
  outbox!: Outbox;

  constructor(readonly outboxBounds = { keptMs: 100, eventsMax: 1_000_000 }) {
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
    // No machine fails here, and hundreds of commits on a busy disk take seconds.
    this.db.run("pragma synchronous = off");
    opened.unshift(() => this.db.close());
    this.turns = new GroupCommit(this.db, () => {});
    this.outbox = new Outbox(this.db, this.turns, "eur", this.outboxBounds);
  }

  add(events: readonly DoorbusterEvent[]): Promise<void> {
    return this.turns.turn(() => {
      for (const event of events) this.outbox.add(event);
    });
  }

  async addInRows(events: readonly DoorbusterEvent[]): Promise<void> {
    for (const event of events) await this.add([event]);
  }

  async addInVain(events: readonly DoorbusterEvent[]): Promise<void> {
    const failed = this.turns.turn(() => {
      this.db.run("insert into changes values ('lost')");
      for (const event of events) this.outbox.add(event);
    });
    const spoiled = this.turns.turn(() => {
      throw new Error("the disk is full");
    });
    const outcomes = await Promise.allSettled([failed, spoiled]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(this.db.query("select * from changes").all()).toEqual([]);
  }

  sweep(now: number): Promise<boolean> {
    return this.outbox.sweep(now);
  }

  onRemoval(listener: (oldestId: number) => void): void {
    this.outbox.onRemoval((oldestId) => {
      expect(this.db.inTransaction).toBe(true);
      listener(oldestId);
    });
  }
}

outboxSuite("a file", async (bounds) => new Store(bounds));

describe("the outbox of one process", () => {
  test("tells nothing before the turn is committed", async () => {
    const store = new Store();
    const added = store.add([soldOut("a")]);
    expect([store.outbox.read(0, 10), store.outbox.lastId]).toEqual([[], 0]);
    await added;
    expect(store.outbox.lastId).toBe(1);
  });

  test("shares a row between the events of a turn, up to a bound", async () => {
    const store = new Store();
    await store.add(names("s", 2 * OUTBOX_EVENTS_PER_ROW + 1).map((sku) => soldOut(sku)));
    const rows = store.db.query("select count from outbox order by first_id").all();
    expect(rows).toEqual([{ count: OUTBOX_EVENTS_PER_ROW }, { count: OUTBOX_EVENTS_PER_ROW }, { count: 1 }]);
  });

  test("gives every event from any cursor", async () => {
    const store = new Store();
    for (const count of [1, OUTBOX_EVENTS_PER_ROW + 3, 2]) await store.add(names("s", count).map((sku) => soldOut(sku)));
    const all = store.outbox.read(0, 1_000).map(({ id }) => id);
    for (let after = 0; after <= all.length; after += 1)
      expect(store.outbox.read(after, 3).map(({ id }) => id)).toEqual(all.slice(after, after + 3));
  });
});
