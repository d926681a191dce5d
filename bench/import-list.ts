/**
 * What an import of a million lines costs, through the real door: `doorbuster decisions import FILE` against a server that sells meanwhile. Wall time
 * of the command, processor time of each process, how long purchases take before and during it, and the server's memory.
 *
 * Usage: `bun bench/import-list.ts [--redis]`. Two files: 990,000 addresses with 10,000 networks, and 1,000,000 accounts; then the first once more, of
 * which every line is known. With `--redis` the server is a node over Redis and Postgres, and a second node hears of each change. Exit code 1 when the
 * target is missed. Load from elsewhere is in the wall time: the processor time says more.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Postgres } from "../src/edge/postgres.ts";
import { systemClock } from "../src/edge/system-clock.ts";
import { MIGRATIONS } from "../src/migrations/all.ts";
import { migrate } from "../src/migrations/migrate.ts";
import { startPostgres } from "../test/servers/postgres.ts";
import { cpuNsBetween, readCpu } from "./cpu-time.ts";
import { table } from "./figures.ts";
import { ADDRESSES, listedAccounts, listedAddresses, listedNetworks, NETWORKS } from "./lists.ts";
import { cleanUp, makeFolder } from "./processes.ts";
import { startRedis } from "./redis.ts";
import { MAIN, System } from "./system.ts";

const SECONDS_MAX = 5;
const PURCHASE_EVERY_MS = 5;
const BEFORE_MS = 3_000;
const SKU = "SKU0001";

interface File {
  readonly title: string;
  readonly path: string;
  readonly flags: readonly string[];
}

/** Networks stand among the addresses, as they do in lists. */
function writeLists(folder: string): readonly File[] {
  const addresses = [...listedAddresses(ADDRESSES - NETWORKS)];
  const every = Math.floor(addresses.length / NETWORKS);
  const lines = [...listedNetworks()].flatMap((network, index) => [network, ...addresses.slice(index * every, (index + 1) * every)]);
  const [mixed, accounts] = [join(folder, "addresses.txt"), join(folder, "accounts.txt")];
  writeFileSync(mixed, `${lines.join("\n")}\n`);
  writeFileSync(accounts, `${[...listedAccounts()].join("\n")}\n`);
  return [
    { title: "990,000 addresses, 10,000 networks", path: mixed, flags: [] },
    { title: "1,000,000 accounts", path: accounts, flags: ["--accounts"] },
    { title: "the addresses again", path: mixed, flags: [] },
  ];
}

/** Buys again and again, whether or not the purchases before have been answered. */
class Shoppers {
  readonly #system: System;
  #latenciesMs: number[] = [];
  /** Purchases that were refused or not answered. */
  failed = 0;
  #underWay = 0;
  #bought = 0;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(system: System) {
    this.#system = system;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#buy(), PURCHASE_EVERY_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    while (this.#underWay > 0) await Bun.sleep(5);
  }

  /** What they waited since this was last asked, in milliseconds. */
  take(): { readonly p50: number; readonly p99: number; readonly max: number } {
    const sorted = this.#latenciesMs.toSorted((a, b) => a - b);
    this.#latenciesMs = [];
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
    return { p50: at(0.5), p99: at(0.99), max: at(1) };
  }

  async #buy(): Promise<void> {
    this.#underWay += 1;
    this.#bought += 1;
    const startedAt = performance.now();
    const reply = await this.#system.buy(`UID${this.#bought}`, SKU, "100.100.100.100").catch(() => null);
    this.#latenciesMs.push(performance.now() - startedAt);
    this.#underWay -= 1;
    if (!reply?.isAccepted) this.failed += 1;
  }
}

const residentMb = (pid: number): number => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_000;

interface Imported {
  readonly seconds: number;
  readonly cells: string[];
}

/** @param pids of the processes whose time counts, the server's first */
async function importFile(system: System, shoppers: Shoppers, { title, path, flags }: File, pids: readonly number[]): Promise<Imported> {
  shoppers.take();
  await Bun.sleep(BEFORE_MS);
  const undisturbed = shoppers.take();
  const before = pids.map(readCpu);
  const startedAt = performance.now();
  const url = `http://127.0.0.1:${system.port + 1}`;
  const command = Bun.spawn([process.execPath, MAIN, "decisions", "import", path, "--url", url, ...flags], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const [code, said] = await Promise.all([command.exited, command.stdout.text()]);
  const seconds = (performance.now() - startedAt) / 1_000;
  if (code !== 0 || !said.includes("1000000 lines")) throw new Error(`the import ended with ${code}: ${said}`);
  const meanwhile = shoppers.take();
  const cpu = pids.map((pid, index) => (cpuNsBetween(before[index] as ReturnType<typeof readCpu>, readCpu(pid)) / 1e9).toFixed(1));
  const own = Number(command.resourceUsage()?.cpuTime.total ?? 0) / 1e6;
  const peak = residentMb(system.pid);
  await Bun.sleep(BEFORE_MS);
  const waits = ({ p50, p99, max }: typeof meanwhile): string => [p50, p99, max].map((ms) => ms.toFixed(1)).join(" / ");
  return {
    seconds,
    cells: [
      ...[title, `${seconds.toFixed(2)} s`, cpu.join(" + "), `${own.toFixed(1)}`],
      ...[waits(undisturbed), waits(meanwhile), `${peak.toFixed(0)}, ${residentMb(system.pid).toFixed(0)} MB`],
    ],
  };
}

async function main(): Promise<number> {
  const folder = makeFolder("import");
  const files = writeLists(folder);
  const isShared = process.argv.includes("--redis");
  const redis = isShared ? await startRedis() : null;
  const postgres = isShared ? await startPostgres() : null;
  if (postgres) {
    const db = new Postgres(postgres.url);
    await migrate(db, MIGRATIONS, systemClock, () => undefined);
    await db.close();
  }
  const flags = redis && postgres ? ["--redis", `redis://127.0.0.1:${redis.port}`, "--postgres", postgres.url] : [];
  const system = await System.start(makeFolder("import-store"), flags);
  const other = redis ? await System.start(makeFolder("import-other"), flags) : null;
  await system.putGoods(SKU, 1_000_000_000);
  const shoppers = new Shoppers(system);
  shoppers.start();
  const pids = [system.pid, ...(redis && other ? [redis.pid, other.pid] : [])];
  const imported: Imported[] = [];
  for (const file of process.argv.includes("--first") ? files.slice(0, 1) : files)
    imported.push(await importFile(system, shoppers, file, pids));
  await shoppers.stop();
  await system.stop();
  await other?.stop();
  await redis?.stop();
  await postgres?.stop();
  const servers = redis ? "CPU s: node + Redis + other node" : "CPU s: server";
  const head = ["list", "wall", servers, "command", "purchases before, ms p50 / p99 / max", "during", "resident at the end, 3 s later"];
  if (shoppers.failed > 0) console.log(`${shoppers.failed} purchases failed`);
  console.log(table([head, ...imported.map(({ cells }) => cells)]));
  const worst = Math.max(...imported.map(({ seconds }) => seconds));
  console.log(`target a million lines in ${SECONDS_MAX} s: ${worst <= SECONDS_MAX ? "met" : "MISSED"}`);
  return worst <= SECONDS_MAX ? 0 : 1;
}

if (import.meta.main) {
  process.on("exit", cleanUp);
  process.exit(await main());
}
