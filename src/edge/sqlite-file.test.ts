/** The store's file: what is opened, what is refused and left as it is, and who else may have it. */
import { Database } from "bun:sqlite";
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteFile, openSqliteFileReadOnly, StoreRefused } from "./sqlite-file.ts";

const SCHEMA = "create table notes (id integer primary key, text text not null); create index by_text on notes (text);";
const root = mkdtempSync(join(tmpdir(), "doorbuster-file-"));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
let folder = "";
let path = "";
beforeEach(() => {
  folders += 1;
  folder = join(root, String(folders));
  path = join(folder, "doorbuster.db");
});

const open = () => openSqliteFile(folder, SCHEMA);
function makeStore(rows: number): void {
  const { db, close } = open();
  db.run("with recursive n (i) as (select 1 union all select i + 1 from n limit ?) insert into notes select i, 'note ' || i from n", [
    rows,
  ]);
  close();
}
const countIn = (db: Database): number => (db.query("select count(*) as n from notes").get() as { n: number }).n;
function overwrite(offset: number, bytes: Uint8Array): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
}

/** What the operator reads: one line, with the path in it. */
function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error;
    expect(error.message).toMatch(/^.+$/);
    expect(error.message).toContain(folder);
    return error.message;
  }
  throw new Error("was not refused");
}
/** Refused by everyone who opens it, and not a byte of it changed. */
function expectRefused(reason: RegExp): void {
  const before = readFileSync(path);
  expect(refusalOf(open)).toMatch(reason);
  expect(refusalOf(() => openSqliteFileReadOnly(folder))).toMatch(reason);
  expect(readFileSync(path).equals(before)).toBe(true);
  // A look at a file with a write-ahead log leaves an empty one and its index; nothing else is made.
  const names = readdirSync(folder).sort();
  expect(names.filter((name) => !/-(wal|shm)$/.test(name))).toEqual(["doorbuster.db", "lock"]);
}

describe("a store", () => {
  test("is made with its tables in a folder that was not there, and is the same when it is opened again", () => {
    folder = join(folder, "deep", "er");
    path = join(folder, "doorbuster.db");
    makeStore(3);
    const { db, close } = open();
    expect(countIn(db)).toBe(3);
    close();
    expect(readdirSync(folder).sort()).toEqual(["doorbuster.db", "lock"]);
  });

  test("is for its owner alone: the names of shoppers are in it", () => {
    makeStore(0);
    expect(statSync(folder).mode & 0o077).toBe(0);
  });

  test("is kept so that a commit is on the disk when it is answered", () => {
    const { db, close } = open();
    expect(db.query("pragma journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(db.query("pragma synchronous").get()).toEqual({ synchronous: 2 });
    close();
  });

  test("that another program has made is refused and stays as it is", () => {
    mkdirSync(folder);
    const other = new Database(path, { create: true });
    other.run("create table customers (name text)");
    other.close();
    expectRefused(/another program's database/);
  });

  const foreign: readonly (readonly [string, string | Uint8Array])[] = [
    ["text", "Dear diary,\n".repeat(100)],
    ["too short to be one", "SQLite format 3\0"],
    ["a single byte", new Uint8Array(1)],
    ["zeros", new Uint8Array(8_192)],
  ];
  test.each(foreign)("that is %s is refused and stays as it is", (_, content) => {
    mkdirSync(folder);
    writeFileSync(path, content);
    expectRefused(/is not a database of doorbuster/);
  });

  test("of another schema version is refused with both versions, and stays as it is", () => {
    makeStore(1);
    overwrite(60, new Uint8Array([0, 0, 3, 231]));
    expectRefused(/has schema version 999, this program needs \d+/);
  });

  test("of an earlier version gets what it lacks, once, and keeps what it has", () => {
    makeStore(2);
    const [version] = new Uint8Array(readFileSync(path).subarray(63, 64)) as unknown as [number];
    overwrite(63, new Uint8Array([version - 1]));
    expectRefused(/has schema version \d+, this program needs \d+/);
    const additions = new Map([[version - 1, "create table marks (id integer primary key) strict;"]]);
    for (let start = 1; start <= 2; start += 1) {
      const { db, close } = openSqliteFile(folder, SCHEMA, additions);
      expect(countIn(db)).toBe(2);
      expect(db.query("select count(*) as n from marks").get()).toEqual({ n: start - 1 });
      db.run("insert into marks values (null)");
      close();
    }
    const reader = openSqliteFileReadOnly(folder);
    expect(countIn(reader)).toBe(2);
    reader.close();
  });

  const damages: readonly (readonly [string, () => void])[] = [
    ["a page overwritten", () => overwrite(3 * 4_096, new Uint8Array(4_096).fill(0xa5))],
    ["its end cut off", () => truncateSync(path, 5 * 4_096)],
    ["its schema overwritten", () => overwrite(100, new Uint8Array(500).fill(0xff))],
  ];
  test.each(damages)("that is damaged, with %s, is refused and stays as it is", (_, damage) => {
    makeStore(5_000);
    damage();
    expectRefused(/is damaged \(.+\); restore it from a backup/);
  });

  test("can be opened where one was refused, once the cause is away", () => {
    mkdirSync(folder);
    writeFileSync(path, "text");
    refusalOf(open);
    rmSync(path);
    makeStore(1);
  });

  test("cannot be made where a file stands in the way of its folder", () => {
    writeFileSync(folder, "a file");
    expect(refusalOf(open)).toMatch(/cannot be made/);
  });
});

describe("a crash while the store is made", () => {
  test("leaves a half-made draft that the next start throws away", () => {
    makeStore(0);
    const finished = readFileSync(path);
    for (const suffix of ["", "-wal", "-shm", "-journal"]) writeFileSync(`${path}.new${suffix}`, finished.subarray(0, 5_000));
    rmSync(path);
    makeStore(2);
    expect(readdirSync(folder).sort()).toEqual(["doorbuster.db", "lock"]);
  });

  test("or an empty file, which the next start fills", () => {
    mkdirSync(folder);
    writeFileSync(path, "");
    makeStore(2);
    const { db, close } = open();
    expect(countIn(db)).toBe(2);
    close();
  });

  test("never damages a store that is there", () => {
    makeStore(2);
    writeFileSync(`${path}.new`, "half a draft");
    const { db, close } = open();
    expect(countIn(db)).toBe(2);
    close();
  });
});

describe("a store in use", () => {
  test("is refused to a second opening, in this process too, until it is closed; the first goes on undisturbed", () => {
    const { db, close } = open();
    expect(refusalOf(open)).toMatch(/is in use by another doorbuster process/);
    db.run("insert into notes values (1, 'still mine')");
    close();
    makeStore(0);
  });

  test("of another process is refused, and is free again the moment that process is killed", async () => {
    const script = `
      import { openSqliteFile } from ${JSON.stringify(join(import.meta.dir, "sqlite-file.ts"))};
      // All of it is kept: what holds the lock would be collected with the rest.
      const file = openSqliteFile(${JSON.stringify(folder)}, ${JSON.stringify(SCHEMA)});
      file.db.run("insert into notes values (1, 'acknowledged')");
      console.log("open");
      setInterval(() => file, 1_000);`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
    try {
      const { value } = await child.stdout.getReader().read();
      expect(new TextDecoder().decode(value)).toBe("open\n");
      expect(refusalOf(open)).toMatch(/is in use by another doorbuster process/);
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
    const { db, close } = open();
    expect(countIn(db)).toBe(1);
    close();
  });

  test("can be read while it is sold from, in its last committed state, and not be written to by the reader", () => {
    const { db, close } = open();
    db.run("insert into notes values (1, 'committed')");
    db.run("begin immediate");
    db.run("insert into notes values (2, 'not yet')");
    const reader = openSqliteFileReadOnly(folder);
    expect(countIn(reader)).toBe(1);
    expect(() => reader.run("delete from notes")).toThrow(/readonly/);
    db.run("commit");
    expect(countIn(reader)).toBe(2);
    reader.close();
    close();
  });

  test("is told apart from a lock file that is something else", () => {
    mkdirSync(folder);
    writeFileSync(join(folder, "lock"), "a note of mine\n".repeat(100));
    expect(refusalOf(open)).toMatch(/cannot be locked/);
    expect(readFileSync(join(folder, "lock"), "utf8")).toBe("a note of mine\n".repeat(100));
  });

  test("that is not there cannot be read", () => {
    expect(refusalOf(() => openSqliteFileReadOnly(folder))).toMatch(/has no store/);
    mkdirSync(folder);
    expect(refusalOf(() => openSqliteFileReadOnly(folder))).toMatch(/has no store/);
    expect(readdirSync(folder)).toEqual([]);
  });
});
