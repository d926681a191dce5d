/** The audit trail that many processes share. The stores that are changed are not all in its database, so a change and its row cannot be one transaction. */
import { Failure } from "../core/failure.ts";
import type { SqlDatabase } from "../core/sql.ts";
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

export interface PostgresTrailParts {
  readonly db: SqlDatabase;
  readonly clock: Clock;
  /** Takes a sentence for the operator. */
  readonly report: (message: string) => void;
  readonly entriesMax?: number;
}

export class PostgresTrail implements OperatorTrail {
  readonly #parts: PostgresTrailParts;

  constructor(parts: PostgresTrailParts) {
    this.#parts = parts;
  }

  begin({ who, operator, service, operation, asked, before }: OperatorChange): Promise<number> {
    const { db, clock } = this.#parts;
    return db.transaction(async (tx) => {
      const [row] = await tx<{ id: number }>`
        insert into operator_changes (at_ms, who, operator, service, operation, asked, before)
        values (${clock.now()}, ${who}, ${operator}, ${service}, ${operation}, ${trailText(asked)}, ${before === null ? null : trailText(before)})
        returning id`;
      return (row as { id: number }).id;
    });
  }

  async end(id: number, status: number, after: unknown): Promise<void> {
    const { db, report } = this.#parts;
    try {
      await db.transaction((tx) => tx`update operator_changes set status = ${status}, after = ${trailText(after)} where id = ${id}`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      report(`the end of the operator's change ${id} is not in the audit trail (${error.message})`);
    }
  }

  async page(filter: TrailFilter, before: number | null, limit: number): Promise<TrailPage> {
    const { db } = this.#parts;
    const { operation = null, service = null, who = null, since = null, until = null } = filter;
    const newest = before ?? Number.MAX_SAFE_INTEGER;
    const [lookedAt] = await db.read<{ id: number }>`
      select id from operator_changes where id < ${newest} order by id desc limit 1 offset ${TRAIL_LOOKED_AT_PER_PAGE - 1}`;
    const oldest = lookedAt?.id ?? null;
    const rows = await db.read<TrailRow>`
      select id, at_ms as at, who, operator, service, operation, status, asked, before, after from operator_changes
      where id < ${newest} and id >= ${oldest ?? 0} and (${operation}::text is null or operation = ${operation})
        and (${service}::text is null or service = ${service}) and (${who}::text is null or who = ${who} or operator = ${who})
        and (${since}::bigint is null or at_ms >= ${since}) and (${until}::bigint is null or at_ms < ${until})
      order by id desc limit ${limit}`;
    return pageOf(rows, limit, { oldest, isAll: oldest === null });
  }

  async sweep(now: UnixMs): Promise<boolean> {
    const { db, entriesMax = TRAIL_ENTRIES_MAX } = this.#parts;
    const before = now - TRAIL_KEPT_MS;
    const [{ id: last } = { id: 0 }] = await db.read<{ id: number }>`select id from operator_changes order by id desc limit 1`;
    const surplus = last - entriesMax;
    const [old] = await db.read`
      select 1 from operator_changes where at_ms < ${before} union all select 1 from operator_changes where id <= ${surplus} limit 1`;
    if (!old) return false;
    const { affectedRows } = await db.transaction(
      (tx) => tx`
        delete from operator_changes where id in (
          select id from operator_changes where at_ms < ${before} union select id from operator_changes where id <= ${surplus}
          limit ${SWEEP_ROWS_PER_TURN})`,
    );
    return affectedRows === SWEEP_ROWS_PER_TURN;
  }
}
