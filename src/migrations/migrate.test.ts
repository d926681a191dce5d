/** Migrations against a real database, through the command line where that is how people meet them. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { hasPostgres, NEEDS_POSTGRES, type PostgresServer, startPostgres } from "../../test/servers/postgres.ts";
import { MIGRATING, Postgres } from "../edge/postgres.ts";
import { systemClock } from "../edge/system-clock.ts";
import { MIGRATIONS, type Migration } from "./all.ts";
import { MigrationRefused, migrate, missingMigrations, refuseUnlessMigrated } from "./migrate.ts";

const MAIN = join(import.meta.dir, "../main.ts");
const FIRST: Migration = { name: "0001-first", text: "create table t (n integer); insert into t values (1);" };
const SECOND: Migration = { name: "0002-second", text: "update t set n = n + 1; alter table t add column m integer;" };

async function cli(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const ownEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("DOORBUSTER_")));
  const child = Bun.spawn([process.execPath, MAIN, "migrate", ...args], { env: { ...ownEnv, ...env }, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}

test("migrations are numbered from 1 without a gap, and each says in its first line what it is for", () => {
  expect(MIGRATIONS.map(({ name }) => Number(name.slice(0, 4)))).toEqual(MIGRATIONS.map((_, index) => index + 1));
  for (const { name, text } of MIGRATIONS) {
    expect(name).toMatch(/^\d{4}-[a-z-]+$/);
    expect(text).toStartWith("-- ");
  }
});

test("migrate without a database says in one line how to name one", async () => {
  const { exitCode, stderr } = await cli([]);
  expect([exitCode, stderr.trimEnd().split("\n")]).toEqual([2, [expect.stringContaining("--postgres URL")]]);
});

// The bound is only there to end a broken run: a server that starts on a busy machine takes its time.
setDefaultTimeout(60_000);

describe.skipIf(!hasPostgres)(`a database ${hasPostgres ? "" : NEEDS_POSTGRES}`, () => {
  let server: PostgresServer;
  const opened: Postgres[] = [];
  const open = (url: string): Postgres => {
    const db = new Postgres(url, MIGRATING);
    opened.push(db);
    return db;
  };
  const fresh = async (): Promise<Postgres> => open(await server.freshDatabase());
  const apply = async (db: Postgres, all: readonly Migration[]): Promise<string[]> => {
    const applied: string[] = [];
    await migrate(db, all, systemClock, (name) => applied.push(name));
    return applied;
  };
  const values = async (db: Postgres) => (await db.read<{ n: number }>`select n from t`).map(({ n }) => n);

  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await Promise.all(opened.map((db) => db.close()));
    await server?.stop();
  });

  test("gets what it lacks, in order and once", async () => {
    const db = await fresh();
    expect(await missingMigrations(db, [FIRST, SECOND])).toEqual([FIRST, SECOND]);
    expect(await apply(db, [FIRST])).toEqual(["0001-first"]);
    expect(await apply(db, [FIRST, SECOND])).toEqual(["0002-second"]);
    expect(await apply(db, [FIRST, SECOND])).toEqual([]);
    expect(await values(db)).toEqual([2]);
    const kept = await db.read<{ name: string; sha256: string; at: number }>`
      select name, sha256, applied_at_ms as at from doorbuster_migrations order by name`;
    expect([...kept]).toEqual([
      { name: "0001-first", sha256: new Bun.CryptoHasher("sha256").update(FIRST.text).digest("hex"), at: expect.any(Number) },
      { name: "0002-second", sha256: expect.stringMatching(/^[0-9a-f]{64}$/), at: expect.any(Number) },
    ]);
  });

  test("that several migrate at once gets each migration once", async () => {
    const url = await server.freshDatabase();
    const applied = await Promise.all(Array.from({ length: 4 }, () => apply(open(url), [FIRST, SECOND])));
    expect(applied.flat().toSorted()).toEqual(["0001-first", "0002-second"]);
    expect(await values(open(url))).toEqual([2]);
  });

  test("keeps nothing of a migration that fails, and what came before it", async () => {
    const db = await fresh();
    const broken = { name: "0002-broken", text: "update t set n = 7; select 1 / 0;" };
    await expect(apply(db, [FIRST, broken])).rejects.toThrow("division by zero");
    expect(await values(db)).toEqual([1]);
    expect(await apply(db, [FIRST, SECOND])).toEqual(["0002-second"]);
  });

  test.each([
    ["was migrated with another text", [{ ...FIRST, text: `${FIRST.text} ` }, SECOND], "0001-first was applied with another text"],
    ["is newer than the program", [FIRST], "the database is newer than this program (it has the migration 0002-second)"],
    ["is of another line", [FIRST, { ...SECOND, name: "0002-other" }], "0002-second where this program has 0002-other"],
  ])("that %s is refused and stays as it is", async (_, all, words) => {
    const db = await fresh();
    await apply(db, [FIRST, SECOND]);
    for (const attempt of [missingMigrations, refuseUnlessMigrated, apply]) {
      const refused = await attempt(db, all).then(
        () => "nothing was refused",
        (error: unknown) => error,
      );
      expect(refused).toBeInstanceOf(MigrationRefused);
      expect((refused as Error).message).toContain(words);
    }
    expect(await values(db)).toEqual([2]);
  });

  test("that lacks something keeps a process from starting, in one line that says what to do", async () => {
    const db = await fresh();
    await expect(refuseUnlessMigrated(db, [FIRST, SECOND])).rejects.toThrow(
      'the database lacks the migration 0001-first and 1 more; run "doorbuster migrate --postgres URL" first',
    );
    await apply(db, [FIRST, SECOND]);
    await refuseUnlessMigrated(db, [FIRST, SECOND]);
  });

  test("is migrated by the command line, which tells each step and what is missing", async () => {
    const url = await server.freshDatabase();
    const missing = await cli(["--check", "--postgres", url]);
    expect(missing).toEqual({ exitCode: 1, stdout: MIGRATIONS.map(({ name }) => `missing: ${name}\n`).join(""), stderr: "" });
    const migrated = await cli([], { DOORBUSTER_POSTGRES: url });
    const steps = MIGRATIONS.map(({ name }) => `applied ${name}\n`).join("");
    expect(migrated).toEqual({ exitCode: 0, stdout: `${steps}the database is up to date\n`, stderr: "" });
    expect(await cli(["--check", "--postgres", url])).toEqual({ exitCode: 0, stdout: "the database is up to date\n", stderr: "" });
  });

  test("that cannot be reached is said in one line, without its password", async () => {
    const { exitCode, stdout, stderr } = await cli(["--postgres", `${server.url.replace("postgres@", "nobody:s3cret-s3cret@")}`]);
    expect([exitCode, stdout, stderr.trimEnd().split("\n")]).toEqual([1, "", [expect.stringContaining("the database cannot be used (")]]);
    expect(stderr).not.toContain("s3cret");
  });
});
