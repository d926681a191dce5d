/** The embedded ledger against the suite that every store must pass, on both of its journals. */
import { mkdtempSync, rmSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GroupCommit } from "../../edge/group-commit.ts";
import { openSqliteFile, type SqliteFile } from "../../edge/sqlite-file.ts";
import { ledgerSuite } from "../ledger-suite.ts";
import type { OpenedLedger } from "../suite/shop.ts";
import { EmbeddedLedger } from "./embedded-ledger.ts";
import { MemoryJournal } from "./memory-journal.ts";
import { LEDGER_SCHEMA, SqliteJournal } from "./sqlite-journal.ts";

/** `DOORBUSTER_LEDGER_RUNS=20` plays twenty times as many histories; `DOORBUSTER_LEDGER_SEED` plays others. */
const runsFactor = Number(process.env["DOORBUSTER_LEDGER_RUNS"] ?? 1);
const seed = Number(process.env["DOORBUSTER_LEDGER_SEED"] ?? 20_261_122);

async function openMemory(): Promise<OpenedLedger> {
  const ledger = new EmbeddedLedger(new MemoryJournal());
  return { ledger, sweep: (now) => ledger.sweep(now), close: async () => {} };
}

async function openSqlite(): Promise<OpenedLedger> {
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-ledger-"));
  const files: SqliteFile[] = [];
  let lives = 0;
  let ledger: EmbeddedLedger;
  const openLife = (): EmbeddedLedger => {
    const file = openSqliteFile(join(folder, String(lives)), LEDGER_SCHEMA);
    files.push(file);
    const turns = new GroupCommit(file.db, (failure) => {
      throw failure;
    });
    ledger = new EmbeddedLedger(new SqliteJournal(file.db, turns));
    return ledger;
  };
  return {
    ledger: openLife(),
    sweep: (now) => ledger.sweep(now),
    // What kill -9 leaves on disk is the database and its write-ahead log as they are, so the next life begins with a copy of both.
    reopen: async () => {
      const before = join(folder, String(lives));
      lives += 1;
      const after = join(folder, String(lives));
      await mkdir(after);
      for (const name of ["doorbuster.db", "doorbuster.db-wal"]) await copyFile(join(before, name), join(after, name));
      return openLife();
    },
    close: async () => {
      for (const file of files) file.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

ledgerSuite("memory", openMemory, { canReopen: false, runs: 200 * runsFactor, seed });
ledgerSuite("sqlite", openSqlite, { canReopen: true, runs: 60 * runsFactor, seed: seed + 1 });
