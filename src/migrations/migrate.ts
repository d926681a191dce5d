/**
 * Brings a database's tables up to this program, one migration per transaction: a crash leaves whole migrations behind and no halves. Whoever
 * migrates holds a lock, so that two at once do each of them once.
 */
import type { SqlDatabase, Tx } from "../core/sql.ts";
import type { Clock } from "../core/time.ts";
import type { Migration } from "./all.ts";

/** The database cannot be used by this program as it is; the message is for the operator and says what to do. */
export class MigrationRefused extends Error {
  override readonly name = "MigrationRefused";
}

interface Applied {
  readonly name: string;
  readonly sha256: string;
}

/** "DOOR", as in the embedded store's file: one lock among those of other programs on the same database. */
const LOCK = 0x444f4f52;

const checksumOf = ({ text }: Migration): string => new Bun.CryptoHasher("sha256").update(text).digest("hex");

/** Those that the database lacks. @throws MigrationRefused when it is not of this program's past */
export async function missingMigrations(db: SqlDatabase, all: readonly Migration[]): Promise<readonly Migration[]> {
  const [table] = await db.read<{ isThere: boolean }>`select to_regclass('doorbuster_migrations') is not null as "isThere"`;
  return missing(table?.isThere ? await db.read<Applied>`select name, sha256 from doorbuster_migrations order by name` : [], all);
}

/** For the start of a process. @throws MigrationRefused unless the database is as this program needs it */
export async function refuseUnlessMigrated(db: SqlDatabase, all: readonly Migration[]): Promise<void> {
  const [first, ...others] = await missingMigrations(db, all);
  if (first === undefined) return;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  throw new MigrationRefused(`the database lacks the migration ${first.name}${more}; run "doorbuster migrate --postgres URL" first`);
}

/** @param onApplied hears of each when it is committed */
export async function migrate(db: SqlDatabase, all: readonly Migration[], clock: Clock, onApplied: (name: string) => void): Promise<void> {
  for (;;) {
    const applied = await db.transaction((tx) => applyNext(tx, all, clock));
    if (applied === null) return;
    onApplied(applied);
  }
}

async function applyNext(tx: Tx, all: readonly Migration[], clock: Clock): Promise<string | null> {
  await tx`select pg_advisory_xact_lock(${LOCK})`;
  await tx`create table if not exists doorbuster_migrations (name text primary key, sha256 text not null, applied_at_ms bigint not null)`;
  const [next] = missing(await tx<Applied>`select name, sha256 from doorbuster_migrations order by name`, all);
  if (next === undefined) return null;
  await tx.script(next.text);
  await tx`insert into doorbuster_migrations (name, sha256, applied_at_ms) values (${next.name}, ${checksumOf(next)}, ${clock.now()})`;
  return next.name;
}

function missing(applied: readonly Applied[], all: readonly Migration[]): readonly Migration[] {
  for (const [index, { name, sha256 }] of applied.entries()) {
    const ours = all[index];
    if (ours === undefined)
      throw new MigrationRefused(`the database is newer than this program (it has the migration ${name}); use the newer program`);
    if (ours.name !== name)
      throw new MigrationRefused(`the database has the migration ${name} where this program has ${ours.name}: they are not of one line`);
    if (checksumOf(ours) !== sha256)
      throw new MigrationRefused(
        `the migration ${name} was applied with another text than this program has; use the program that applied it`,
      );
  }
  return all.slice(applied.length);
}
