/** Where decisions survive: one table, ordered by list and value, so that lists are read in pages straight from it. */
import type { Database } from "bun:sqlite";
import type { UnixMs } from "../../core/time.ts";
import { EmbeddedTable, type RowStore, type Turns } from "../../tables/embedded-table.ts";
import { type Decision, type DecisionKey, type Entry, keyIn, keyOf, type ListName, listOf } from "./decision.ts";
import type { Decisions } from "./decisions.ts";
import { forgottenAt } from "./learn.ts";
import { StandingDecisions } from "./standing.ts";

export const DECISIONS_SCHEMA = `
-- Who is blocked, throttled, observed or allowed. List u has accounts, i addresses and networks; v and j have those of them that are allowed.
-- until_ms is null for those that stand until removed; from forgotten_ms on a row is of no use.
create table decisions (
  list text not null, value text not null, action text not null, origin text not null, since_ms integer not null, until_ms integer,
  forgotten_ms integer, scenario text, note text not null, offences integer not null, evidence text, primary key (list, value)
) strict, without rowid;
create index decisions_learned on decisions (list, value) where origin = 'learned';
create index decisions_forgotten on decisions (forgotten_ms) where forgotten_ms is not null;
`;

/** Makes the table of the one that had nothing but the blacklist of operators. */
export const DECISIONS_FROM_BLACKLIST = `
alter table decisions rename to blacklist;
drop index decisions_ending;
${DECISIONS_SCHEMA}
insert into decisions
  select case scope when 'user' then 'u' else 'i' end, value, 'block', 'operator', 0, until_ms, until_ms, null, note, 0, null from blacklist;
drop table blacklist;
`;

interface Row extends Omit<Decision, "scope" | "evidence"> {
  readonly list: ListName;
  readonly evidence: string | null;
}
const COLUMNS = "list, value, action, since_ms as since, until_ms as until, scenario, origin, note, offences, evidence";

/** The decisions of the embedded store, read into memory. */
export function embeddedDecisions(db: Database, turns: Turns): Decisions {
  const rows = new DecisionStore(db);
  const view = new StandingDecisions();
  for (const entry of rows.all()) view.add(entry);
  return {
    table: new EmbeddedTable({ rows, turns, view, emit: () => undefined }),
    rows: (list, after, limit) => rows.rows(list, after, limit),
    find: (key) => rows.find(key),
    forgotten: (now, limit) => rows.forgotten(now, limit),
  };
}

export class DecisionStore implements RowStore<Decision, DecisionKey> {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Within a turn. */
  save(decision: Decision): void {
    const { value, action, origin, since, until, scenario, note, offences, evidence } = decision;
    this.#db
      .query("insert or replace into decisions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(
        ...[listOf(keyOf(decision)), value, action, origin, since, until, forgottenAt(decision), scenario, note, offences],
        evidence && JSON.stringify(evidence),
      );
  }

  /** Those of an import differ in nothing but their value, and then one statement saves all of them: a third of the work. */
  saveMany(decisions: readonly Decision[]): void {
    for (let from = 0; from < decisions.length; ) {
      const first = decisions[from] as Decision;
      let to = from + 1;
      while (to < decisions.length && isAlike(first, decisions[to] as Decision)) to += 1;
      if (to === from + 1) this.save(first);
      else this.#saveAlike(first, decisions.slice(from, to));
      from = to;
    }
  }

  #saveAlike(first: Decision, decisions: readonly Decision[]): void {
    const { action, origin, since, until, note } = first;
    const values = JSON.stringify(decisions.map(({ value }) => value));
    this.#db
      .query("insert or replace into decisions select ?, value, ?, ?, ?, ?, ?, null, ?, 0, null from json_each(?)")
      .run(listOf(keyOf(first)), action, origin, since, until, forgottenAt(first), note, values);
  }

  /** Within a turn. */
  remove(key: DecisionKey): void {
    this.#db.query("delete from decisions where list = ? and value = ?").run(listOf(key), key.value);
  }

  rows(list: ListName, after: string, limit: number): readonly Decision[] {
    return this.#db
      .query<Row, [ListName, string, number]>(`select ${COLUMNS} from decisions where list = ? and value > ? order by value limit ?`)
      .all(list, after, limit)
      .map(decisionOf);
  }

  find(key: DecisionKey): Decision | null {
    const row = this.#db
      .query<Row, [ListName, string]>(`select ${COLUMNS} from decisions where list = ? and value = ?`)
      .get(listOf(key), key.value);
    return row && decisionOf(row);
  }

  forgotten(now: UnixMs, limit: number): readonly DecisionKey[] {
    return this.#db
      .query<Pick<Row, "list" | "value">, [UnixMs, number]>(
        "select list, value from decisions where forgotten_ms <= ? order by forgotten_ms limit ?",
      )
      .all(now, limit)
      .map(({ list, value }) => keyIn(list, value));
  }

  /** All there are, also those that have ended and were not removed yet. */
  *all(): Iterable<Entry> {
    for (const row of this.#db.query<Row, []>(`select ${COLUMNS} from decisions where origin = 'learned'`).iterate()) yield decisionOf(row);
    const others = this.#db.query<Pick<Row, "list" | "value" | "action" | "until"> & { origin: "operator" | "import" }, []>(
      "select list, value, action, until_ms as until, origin from decisions where origin != 'learned'",
    );
    for (const { list, value, action, until, origin } of others.iterate()) {
      const { scope } = keyIn(list, value);
      yield { scope, value, action, until, origin };
    }
  }
}

/** Whether they say the same of two values of one list. What was learned has evidence of its own. */
const isAlike = (a: Decision, b: Decision): boolean =>
  a.origin !== "learned" &&
  a.origin === b.origin &&
  a.action === b.action &&
  a.since === b.since &&
  a.until === b.until &&
  a.note === b.note &&
  (a.scope === b.scope || (a.scope !== "account" && b.scope !== "account"));

function decisionOf({ list, evidence, ...rest }: Row): Decision {
  return {
    scope: keyIn(list, rest.value).scope,
    ...rest,
    evidence: evidence === null ? null : (JSON.parse(evidence) as Decision["evidence"]),
  };
}
