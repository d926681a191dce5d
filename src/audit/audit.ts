/** Recomputes every invariant from the store alone, and tells what was checked. A store may be audited while a process sells from it. */
import type { Database } from "bun:sqlite";
import { CHECKS, type Check } from "./checks.ts";

/** The most breaches that are printed of one check. */
export const BREACHES_SHOWN_MAX = 10;

/** @returns the exit code: 0 when every invariant holds, 1 when one is broken */
export function audit(db: Database, write: (line: string) => void): number {
  // One transaction: every check sees the same moment.
  db.run("begin");
  const broken = CHECKS.filter((check) => !holds(db, check, write)).length + (isSound(db, write) ? 0 : 1);
  db.run("rollback");
  const all = CHECKS.length + 1;
  write(broken === 0 ? `audit: all ${all} checks passed` : `audit: ${broken} of ${all} checks FAILED`);
  return broken === 0 ? 0 : 1;
}

function holds(db: Database, { promise, countSql, breachSql }: Check, write: (line: string) => void): boolean {
  const count = Number(Object.values(db.query(countSql).get() as Record<string, number>)[0]);
  const breaches = db.query(`${breachSql} limit ${BREACHES_SHOWN_MAX + 1}`).all();
  write(`${breaches.length === 0 ? "ok    " : "BROKEN"} ${promise} (${count} looked at)`);
  for (const breach of breaches.slice(0, BREACHES_SHOWN_MAX)) write(`         ${JSON.stringify(breach)}`);
  if (breaches.length > BREACHES_SHOWN_MAX) write("         ... and more");
  return breaches.length === 0;
}

function isSound(db: Database, write: (line: string) => void): boolean {
  const rows = db.query<{ integrity_check: string }, []>(`pragma integrity_check(${BREACHES_SHOWN_MAX})`).all();
  const isOk = rows.length === 1 && rows[0]?.integrity_check === "ok";
  write(`${isOk ? "ok    " : "BROKEN"} the database file is sound (SQLite's integrity check)`);
  if (!isOk) for (const row of rows) write(`         ${row.integrity_check}`);
  return isOk;
}
