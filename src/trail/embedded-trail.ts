/** The audit trail in the store of one process. What is put down is part of the turn's commit, like everything else: the change itself is made in a later turn. */
import type { Database } from "bun:sqlite";
import { Failure } from "../core/failure.ts";
import type { Clock, UnixMs } from "../core/time.ts";
import { TRAIL_ENTRIES_MAX, TRAIL_KEPT_MS, TRAIL_LOOKED_AT_PER_PAGE } from "../limits/operators.ts";
import { SWEEP_ROWS_PER_TURN } from "../limits.ts";
import {
  type OperatorChange,
  type OperatorTrail,
  pageOf,
  type TrailFilter,
  type TrailPage,
  type TrailRow,
  trailText,
} from "./operator-trail.ts";

export const TRAIL_SCHEMA = `
-- The audit trail: what operators have changed. A row is there before its change is made; one without a status is of a change whose end was not
-- recorded: it may have happened. The texts are JSON, without secrets, and stand last, so that a search does not read them.
create table operator_changes (
  id integer primary key autoincrement, at_ms integer not null, who text not null, operator text, service text not null, operation text not null,
  status integer, asked text not null, before text, after text
) strict;
create index operator_changes_old on operator_changes (at_ms);
`;

export interface EmbeddedTrailParts {
  readonly db: Database;
  readonly turns: { turn<T>(work: () => T): Promise<T> };
  readonly clock: Clock;
  /** Takes a sentence for the operator. */
  readonly report: (message: string) => void;
  readonly entriesMax?: number;
}

export class EmbeddedTrail implements OperatorTrail {
  readonly #parts: EmbeddedTrailParts;

  constructor(parts: EmbeddedTrailParts) {
    this.#parts = parts;
  }

  begin({ who, operator, service, operation, asked, before }: OperatorChange): Promise<number> {
    const { db, turns, clock } = this.#parts;
    // Whatever can fail is done before the turn: an error in it would end the process.
    const row = [clock.now(), who, operator, service, operation, trailText(asked), before === null ? null : trailText(before)];
    return turns.turn(() => {
      const { lastInsertRowid } = db
        .query("insert into operator_changes (at_ms, who, operator, service, operation, asked, before) values (?, ?, ?, ?, ?, ?, ?)")
        .run(...row);
      return Number(lastInsertRowid);
    });
  }

  async end(id: number, status: number, after: unknown): Promise<void> {
    const { db, turns, report } = this.#parts;
    const text = trailText(after);
    try {
      await turns.turn(() => db.query("update operator_changes set status = ?, after = ? where id = ?").run(status, text, id));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      report(`the end of the operator's change ${id} is not in the audit trail (${error.message})`);
    }
  }

  async page({ operation, service, who, since, until }: TrailFilter, before: number | null, limit: number): Promise<TrailPage> {
    const { db } = this.#parts;
    const newest = before ?? Number.MAX_SAFE_INTEGER;
    const oldest = this.#oldestLookedAt(newest);
    const rows = db
      .query<TrailRow, (string | number | null)[]>(
        `select id, at_ms as at, who, operator, service, operation, status, asked, before, after from operator_changes
         where id < ?1 and id >= ?2 and (?3 is null or operation = ?3) and (?4 is null or service = ?4)
           and (?5 is null or who = ?5 or operator = ?5) and (?6 is null or at_ms >= ?6) and (?7 is null or at_ms < ?7)
         order by id desc limit ?8`,
      )
      .all(newest, oldest ?? 0, operation ?? null, service ?? null, who ?? null, since ?? null, until ?? null, limit);
    return pageOf(rows, limit, { oldest, isAll: oldest === null });
  }

  async sweep(now: UnixMs): Promise<boolean> {
    const { db, turns, entriesMax = TRAIL_ENTRIES_MAX } = this.#parts;
    const before = now - TRAIL_KEPT_MS;
    const last = db.query<{ id: number | null }, []>("select max(id) as id from operator_changes").get()?.id ?? 0;
    const surplus = last - entriesMax;
    if (
      db
        .query("select 1 from operator_changes where at_ms < ?1 union all select 1 from operator_changes where id <= ?2 limit 1")
        .get(before, surplus) === null
    )
      return false;
    const removed = await turns.turn(
      () =>
        db
          .query(
            `delete from operator_changes where id in (
               select id from operator_changes where at_ms < ?1 union select id from operator_changes where id <= ?2 limit ?3)`,
          )
          .run(before, surplus, SWEEP_ROWS_PER_TURN).changes,
    );
    return removed === SWEEP_ROWS_PER_TURN;
  }

  /** The id of the oldest change that a page from there may look at; `null`: all. */
  #oldestLookedAt(newest: number): number | null {
    const { db } = this.#parts;
    const row = db
      .query<{ id: number }, [number, number]>("select id from operator_changes where id < ? order by id desc limit 1 offset ?")
      .get(newest, TRAIL_LOOKED_AT_PER_PAGE - 1);
    return row?.id ?? null;
  }
}
