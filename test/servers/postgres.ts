/**
 * A real Postgres for tests: a server of its own on a free port and a fresh folder, that ends with the test process. On a machine without
 * one the tests that need it say so and are skipped.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL } from "bun";
import { waitFor } from "../wait.ts";
import { endWithUs } from "./end-with-us.ts";
import { freePort } from "./free-port.ts";

const DEBIAN = "/usr/lib/postgresql";
/** Debian keeps the server's programs off the path. */
const newest = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a))[0] : undefined;
const bin = newest === undefined ? null : join(DEBIAN, newest, "bin");

export const hasPostgres = bin !== null && existsSync(join(bin, "initdb"));
export const NEEDS_POSTGRES = "(needs Postgres, which is not installed here: apt-get install postgresql)";

/** Postgres refuses to run as root. */
const asItsUser: readonly string[] = process.getuid?.() === 0 ? ["runuser", "-u", "postgres", "--"] : [];

/** For a client whose waits must not depend on how busy the machine is. */
export const PATIENT = { connectionsMax: 4, connectMsMax: 20_000, statementMsMax: 20_000, answerMsMax: 30_000 } as const;

export interface PostgresServer {
  /** Of an empty database of its own. */
  readonly url: string;
  /** Another empty database on the same server. */
  freshDatabase(): Promise<string>;
  /** Stops at once, as a crash would. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT of all its processes. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<PostgresServer> {
  if (bin === null) throw new Error("there is no Postgres here");
  const port = freePort();
  const dir = mkdtempSync(join(tmpdir(), "doorbuster-postgres-"));
  if (asItsUser.length > 0) run(["chown", "postgres", dir]);
  const data = join(dir, "data");
  run([...asItsUser, "cp", "-a", emptyCluster(bin), data]);
  // What tests end is the server and not the machine: what it has written is kept by the kernel, and to sync every file at each start takes seconds.
  const listens = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${dir} -c fsync=off`;
  const control = (...words: string[]): void => run([...asItsUser, join(bin, "pg_ctl"), "-D", data, "-s", "-w", ...words]);
  const start = (): void => control("-l", join(dir, "log"), "-o", listens, "start");
  start();
  endWithUs(dir, [...asItsUser, join(bin, "pg_ctl"), "-D", data, "-s", "-w", "-m", "immediate", "stop"]);
  const urlOf = (database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}`;
  let databases = 0;
  const freshDatabase = async (): Promise<string> => {
    databases += 1;
    const sql = new SQL(urlOf("postgres"), { max: 1 });
    await sql.unsafe(`create database test_${databases}`);
    await sql.close();
    return urlOf(`test_${databases}`);
  };
  const signal = (name: "SIGSTOP" | "SIGCONT"): void => {
    const main = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0] as string;
    const backends = Bun.spawnSync(["pgrep", "-P", main]).stdout.toString().split("\n");
    for (const pid of [main, ...backends]) if (pid !== "") process.kill(Number(pid), name);
  };
  const isDown = (): boolean => !existsSync(join(data, "postmaster.pid"));
  return {
    url: await freshDatabase(),
    freshDatabase,
    kill: async () => {
      control("-m", "immediate", "stop");
      await waitFor(isDown, "postgres is down");
    },
    restart: async () => start(),
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
    stop: async () => {
      if (!isDown()) control("-m", "immediate", "stop");
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** What `initdb` makes, once for all suites of all runs: a copy takes a fifth of its time. It stays in the folder for temporary files. */
function emptyCluster(programs: string): string {
  const data = join(tmpdir(), `doorbuster-postgres-empty-${newest}-${process.getuid?.() ?? 0}`);
  if (existsSync(data)) return data;
  const dir = mkdtempSync(join(tmpdir(), "doorbuster-postgres-"));
  if (asItsUser.length > 0) run(["chown", "postgres", dir]);
  const draft = join(dir, "data");
  run([...asItsUser, join(programs, "initdb"), "-D", draft, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale", "C"]);
  // Whole or not at all: what was broken off is never copied. Another run may have been faster.
  if (!existsSync(data)) renameSync(draft, data);
  rmSync(dir, { recursive: true, force: true });
  return data;
}

function run(command: readonly string[]): void {
  const done = Bun.spawnSync([...command], { cwd: "/", stdout: "pipe", stderr: "pipe" });
  if (done.exitCode !== 0) throw new Error(`${command.join(" ")} failed: ${done.stdout.toString()}${done.stderr.toString()}`);
}
