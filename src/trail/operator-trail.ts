/** The audit trail of operators' changes: who, when, what, and how it was before and after. A change is put down before it is made, so that none is missing. */
import { Failure } from "../core/failure.ts";
import type { SqlDatabase } from "../core/sql.ts";
import type { Clock, UnixMs } from "../core/time.ts";
import { SWEEP_ROWS_PER_TURN, TRAIL_KEPT_MS, TRAIL_TEXT_CHARS_MAX } from "../limits.ts";

export interface OperatorChange {
  /** The address that asked. */
  readonly who: string;
  readonly service: string;
  /** The endpoint's name. */
  readonly operation: string;
  readonly asked: unknown;
  /** `null`: there was nothing, or it is not known. */
  readonly before: unknown;
}

export interface TrailParts {
  readonly db: SqlDatabase;
  readonly clock: Clock;
  /** Takes a sentence for the operator. */
  readonly report: (message: string) => void;
}

export class OperatorTrail {
  readonly #parts: TrailParts;

  constructor(parts: TrailParts) {
    this.#parts = parts;
  }

  /** Puts down that a change is about to be made. Whoever cannot put it down must not make it. */
  begin({ who, service, operation, asked, before }: OperatorChange): Promise<number> {
    const { db, clock } = this.#parts;
    return db.transaction(async (tx) => {
      const [row] = await tx<{ id: number }>`
        insert into operator_changes (at_ms, who, service, operation, asked, before)
        values (${clock.now()}, ${who}, ${service}, ${operation}, ${textOf(asked)}, ${before === null ? null : textOf(before)})
        returning id`;
      return (row as { id: number }).id;
    });
  }

  /** Puts down what became of it. It has happened by then: that this cannot be put down is told, and changes nothing. */
  async end(id: number, status: number, after: unknown): Promise<void> {
    const { db, report } = this.#parts;
    try {
      await db.transaction((tx) => tx`update operator_changes set status = ${status}, after = ${textOf(after)} where id = ${id}`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      report(`the end of the operator's change ${id} is not in the audit trail (${error.message})`);
    }
  }

  /** Removes some of what was kept long enough; resolves with whether more is left. */
  async sweep(now: UnixMs): Promise<boolean> {
    const { db } = this.#parts;
    const before = now - TRAIL_KEPT_MS;
    if ((await db.read`select 1 from operator_changes where at_ms < ${before} limit 1`).length === 0) return false;
    const { affectedRows } = await db.transaction(
      (tx) => tx`
        delete from operator_changes
        where id in (select id from operator_changes where at_ms < ${before} order by at_ms limit ${SWEEP_ROWS_PER_TURN})`,
    );
    return affectedRows === SWEEP_ROWS_PER_TURN;
  }
}

/** Postgres takes no zero character in a text; JSON has it escaped. */
function textOf(value: unknown): string {
  const text = JSON.stringify(value ?? null, (key, inner: unknown) => (key === "secrets" ? "[not kept]" : inner));
  return text.length <= TRAIL_TEXT_CHARS_MAX ? text : JSON.stringify({ cut: text.slice(0, TRAIL_TEXT_CHARS_MAX) });
}
