/** Where decisions survive: one table, ordered by scope and value, so that lists are read in pages straight from it. */
import type { Database } from "bun:sqlite";
import type { UnixMs } from "../../core/time.ts";
import { EmbeddedTable, type RowStore, type Turns } from "../../tables/embedded-table.ts";
import { Blacklist, type Decision, type DecisionKey, type Entry, type Scope } from "./blacklist.ts";
import type { Decisions } from "./decisions.ts";

export const DECISIONS_SCHEMA = `
-- Blacklist entries. until_ms is null for those that stand until removed.
create table decisions (scope text not null, value text not null, until_ms integer, note text not null, primary key (scope, value)) strict, without rowid;
create index decisions_ending on decisions (until_ms) where until_ms is not null;
`;

const COLUMNS = "scope, value, until_ms as until, note";

/** The decisions of the embedded store, read into memory. */
export function embeddedDecisions(db: Database, turns: Turns): Decisions {
  const rows = new DecisionStore(db);
  const view = new Blacklist();
  for (const entry of rows.all()) view.add(entry);
  return {
    table: new EmbeddedTable({ rows, turns, view, emit: () => undefined }),
    list: (scopes, after, limit, now) => rows.list(scopes, after, limit, now),
    ended: (now, limit) => rows.ended(now, limit),
  };
}

export class DecisionStore implements RowStore<Decision, DecisionKey> {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Within a turn. */
  save(decision: Decision): void {
    this.#db
      .query("insert or replace into decisions values (?, ?, ?, ?)")
      .run(decision.scope, decision.value, decision.until, decision.note);
  }

  /** Within a turn. */
  remove({ scope, value }: DecisionKey): void {
    this.#db.query("delete from decisions where scope = ? and value = ?").run(scope, value);
  }

  /** Up to `limit` decisions that are live at `now`, of the given scopes, ordered by value. */
  list(scopes: readonly Scope[], after: string | null, limit: number, now: UnixMs): readonly Decision[] {
    const pages = scopes.map((scope) =>
      this.#db
        .query<Decision, [Scope, string, UnixMs, number]>(
          `select ${COLUMNS} from decisions where scope = ? and value > ? and (until_ms is null or until_ms > ?) order by value limit ?`,
        )
        .all(scope, after ?? "", now, limit),
    );
    // Addresses and ranges are two scopes of one list; values are ASCII there, so comparing text is comparing bytes.
    return pages.length === 1
      ? (pages[0] as Decision[])
      : pages
          .flat()
          .sort((a, b) => (a.value < b.value ? -1 : 1))
          .slice(0, limit);
  }

  /** Up to `limit` decisions that have ended by `now`. */
  ended(now: UnixMs, limit: number): readonly Decision[] {
    return this.#db
      .query<Decision, [UnixMs, number]>(`select ${COLUMNS} from decisions where until_ms <= ? order by until_ms limit ?`)
      .all(now, limit);
  }

  /** All there are, also those that have ended and were not removed yet. */
  *all(): Iterable<Entry> {
    yield* this.#db.query<Entry, []>("select scope, value, until_ms as until from decisions").iterate();
  }
}
