/**
 * The embedded store's file, `doorbuster.db` in the data folder. Opening it refuses, in one clear line and without touching the file, what is
 * not ours, is damaged, or is in use by another process.
 */
import { Database } from "bun:sqlite";
import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** "DOOR": marks a SQLite file as ours (SQLite's application_id). */
const APPLICATION_ID = 0x444f4f52;
/** Raised with every change of the schema. */
const SCHEMA_VERSION = 4;
const HEADER_BYTES = 100;

/** The store cannot be used; the message is for the operator and says what to do. */
export class StoreRefused extends Error {
  override readonly name = "StoreRefused";
}

type Additions = ReadonlyMap<number, string>;
const NO_ADDITIONS: Additions = new Map();

export interface SqliteFile {
  readonly db: Database;
  close(): void;
}

/**
 * Opens the store for selling, and makes it when the folder has none.
 * @param schema statements that make the tables
 * @param additions by the version of an earlier store, the statements that make the next version of it. Without them it is refused.
 */
export function openSqliteFile(dataDir: string, schema: string, additions: Additions = NO_ADDITIONS): SqliteFile {
  try {
    // Names of shoppers are in it: nobody else on the machine should read them.
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new StoreRefused(`the data folder ${dataDir} cannot be made: ${messageOf(cause)}`);
  }
  const lock = takeLock(dataDir);
  try {
    const path = join(dataDir, "doorbuster.db");
    if (!existsSync(path) || statSync(path).size === 0) makeFile(path, schema);
    const version = checkFile(path, additions);
    const db = new Database(path, { readwrite: true });
    db.run("pragma synchronous = full");
    db.run("pragma foreign_keys = off");
    if (version !== SCHEMA_VERSION) addTo(db, additions);
    return {
      db,
      close() {
        db.close();
        lock.close();
      },
    };
  } catch (cause) {
    lock.close();
    throw cause;
  }
}

/** Opens an existing store to read it, also while another process sells from it. */
export function openSqliteFileReadOnly(dataDir: string): Database {
  const path = join(dataDir, "doorbuster.db");
  if (!existsSync(path)) throw new StoreRefused(`${dataDir} has no store (no doorbuster.db in it)`);
  checkFile(path);
  return new Database(path, { readonly: true });
}

/** The kernel gives an exclusive SQLite lock back when its process dies, however it dies. */
function takeLock(dataDir: string): Database {
  const path = join(dataDir, "lock");
  let lock: Database | null = null;
  try {
    lock = new Database(path, { create: true });
    lock.run("pragma locking_mode = exclusive");
    lock.run("begin exclusive");
    return lock;
  } catch (cause) {
    lock?.close();
    const isBusy = (cause as { code?: string }).code?.startsWith("SQLITE_BUSY") === true;
    if (!isBusy) throw new StoreRefused(`${path} cannot be locked (${messageOf(cause)}); remove it when no doorbuster runs on this folder`);
    throw new StoreRefused(`the data folder ${dataDir} is in use by another doorbuster process; stop it, or give another --data`);
  }
}

/** Makes the file under another name first: a crash leaves no half-made store. */
function makeFile(path: string, schema: string): void {
  const draft = `${path}.new`;
  try {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(draft + suffix, { force: true });
    const db = new Database(draft, { create: true });
    db.run(`pragma application_id = ${APPLICATION_ID}`);
    db.run(`pragma user_version = ${SCHEMA_VERSION}`);
    db.run(`begin; ${schema} commit`);
    db.run("pragma journal_mode = wal");
    db.close();
    renameSync(draft, path);
  } catch (cause) {
    throw new StoreRefused(`the store ${path} cannot be made: ${messageOf(cause)}`);
  }
}

/** All of a version's additions or none, also when the process dies over them. */
function addTo(db: Database, additions: Additions): void {
  const versionOf = (): number => db.query<{ user_version: number }, []>("pragma user_version").get()?.user_version ?? 0;
  for (let version = versionOf(); version < SCHEMA_VERSION; version += 1) {
    db.run(`begin; ${additions.get(version)} pragma user_version = ${version + 1}; commit`);
  }
  // Whoever looks at the file's head has to find the version there, not in the log beside it.
  db.run("pragma wal_checkpoint(truncate)");
}

/** Returns the version that the file's head says; a log beside it may say more. */
function checkFile(path: string, additions: Additions = NO_ADDITIONS): number {
  const header = readHeader(path);
  if (header.length < HEADER_BYTES || header.toString("latin1", 0, 16) !== "SQLite format 3\0") {
    throw new StoreRefused(`${path} is not a database of doorbuster; move it away, or give another --data`);
  }
  // Offsets in the header: https://www.sqlite.org/fileformat.html#the_database_header
  if (header.readUInt32BE(68) !== APPLICATION_ID)
    throw new StoreRefused(`${path} is another program's database; move it away, or give another --data`);
  const version = header.readUInt32BE(60);
  if (version !== SCHEMA_VERSION && !additions.has(version))
    throw new StoreRefused(`${path} has schema version ${version}, this program needs ${SCHEMA_VERSION}`);
  const db = new Database(path, { readonly: true });
  try {
    const [row] = db.query<{ quick_check: string }, []>("pragma quick_check(1)").all();
    if (row?.quick_check !== "ok") throw new Error(row?.quick_check ?? "no answer");
  } catch (cause) {
    throw new StoreRefused(
      `${path} is damaged (${messageOf(cause).replaceAll("\n", " ")}); restore it from a backup. The file was not changed`,
    );
  } finally {
    db.close();
  }
  return version;
}

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, "r");
  try {
    return header.subarray(0, readSync(file, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(file);
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
