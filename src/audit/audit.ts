/** Recomputes every invariant from the store alone. A store may be audited while a process sells from it. */
import type { Database } from "bun:sqlite";
import { CHECKS, type Check } from "./checks.ts";
import { type AuditReport, BREACHES_SHOWN_MAX, type CheckedPromise, checked, tell } from "./report.ts";

/** @returns the exit code: 0 when every invariant holds, 1 when one is broken */
export function audit(db: Database, write: (line: string) => void): number {
  const { checks, notes } = examine(db);
  return tell({ checks: [...checks, soundness(db)], notes }, write);
}

/** What the rows add up to. */
export function examine(db: Database): AuditReport {
  // One transaction: every check sees the same moment.
  db.run("begin");
  try {
    return { checks: CHECKS.map((check) => looked(db, check)), notes: [] };
  } finally {
    db.run("rollback");
  }
}

function looked(db: Database, { promise, countSql, breachSql }: Check): CheckedPromise {
  const count = Number(Object.values(db.query(countSql).get() as Record<string, number>)[0]);
  return checked(promise, count, db.query(`${breachSql} limit ${BREACHES_SHOWN_MAX + 1}`).all());
}

/** Reads the whole file. */
function soundness(db: Database): CheckedPromise {
  const rows = db.query<{ integrity_check: string }, []>(`pragma integrity_check(${BREACHES_SHOWN_MAX})`).all();
  const isOk = rows.length === 1 && rows[0]?.integrity_check === "ok";
  return checked(
    "the database file is sound (SQLite's integrity check)",
    null,
    isOk ? [] : rows.map(({ integrity_check }) => integrity_check),
  );
}
