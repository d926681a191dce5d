/**
 * One run of the load generator against one server, and what the server's process used meanwhile. `wrk` when it is installed, otherwise
 * `load-generator.ts`; both run in a process of their own and send the same bytes.
 */
import { join } from "node:path";
import { type CpuReading, cpuNsBetween, readCpu, readMachineBusyNs } from "./cpu-time.ts";
import { PROJECT } from "./processes.ts";

export const CONNECTIONS = 64;
/** After the last reply: what these purchases still cost (log records, the last commit) is theirs. The same for every server. */
const SETTLE_MS = 200;

export interface Purchases {
  readonly users: number;
  /** Without a common divisor with `users`. */
  readonly stride: number;
  /** 1: all for SKU0001; more: S000001 and on, at random. */
  readonly skus: number;
  /** `crowd`: every purchase comes from another. */
  readonly address: string;
  readonly hasKeys: boolean;
  /** A file with one token in a line, the first for the first user; `null`: nobody has one. */
  readonly tokens: string | null;
  /** Nobody buys: everybody asks for this path. `null`: everybody buys. */
  readonly refreshed: string | null;
}

export interface Target {
  readonly pid: number;
  readonly port: number;
  /** Other processes that do a part of the work, a store for instance: their time counts too. */
  readonly alongside?: readonly number[];
  /** How many buy at the same time; `CONNECTIONS` where nothing else is said. */
  readonly connections?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly bytes: number;
  readonly notOk: number;
  readonly broken: number;
  /** All processes of the server together. */
  readonly cpuUsPerRequest: number;
  /** The same for each of them: the one that takes the requests, then those alongside it. */
  readonly cpuUsOfEach: readonly number[];
  readonly requestsPerSecond: number;
  /** Share of one core, 0-1 (more than 1 when several threads ran). */
  readonly serverShare: number;
  readonly generatorShare: number;
  /** What everything else on the machine used meanwhile: much of it makes every figure worse. */
  readonly othersShare: number;
}

export const generatorName = (): string => (Bun.which("wrk") ? "wrk" : "bench/load-generator.ts");

/** @param first number of the first purchase: runs against one server must not overlap */
export async function runLoad(target: Target, purchases: Purchases, first: number, seconds: number): Promise<LoadResult> {
  const { users, stride, skus, address, hasKeys, tokens, refreshed } = purchases;
  const shape = [first, users, stride, skus, address, hasKeys ? 1 : 0, tokens ?? "-", refreshed ?? "-"].map(String);
  const processes = [target.pid, ...(target.alongside ?? [])];
  const before = processes.map(readCpu);
  const busyBefore = readMachineBusyNs();
  const startedAt = performance.now();
  const generator = Bun.spawn(generatorCommand(target, seconds, shape), {
    cwd: PROJECT,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors, code] = await Promise.all([generator.stdout.text(), generator.stderr.text(), generator.exited]);
  const wallMs = performance.now() - startedAt;
  if (code !== 0) throw new Error(`the load generator failed: ${errors}`);
  const busyNs = readMachineBusyNs() - busyBefore;
  await Bun.sleep(SETTLE_MS);
  const cpuNsOfEach = processes.map((pid, index) => cpuNsBetween(before[index] as CpuReading, readCpu(pid)));
  const cpuNs = cpuNsOfEach.reduce((sum, ns) => sum + ns, 0);
  const counts = parseCounts(output);
  const generatorCpuUs = Number(generator.resourceUsage()?.cpuTime.total ?? 0);
  return {
    ...counts,
    cpuUsPerRequest: cpuNs / 1_000 / counts.requests,
    cpuUsOfEach: cpuNsOfEach.map((ns) => ns / 1_000 / counts.requests),
    requestsPerSecond: (counts.requests / wallMs) * 1_000,
    serverShare: cpuNs / 1_000_000 / wallMs,
    generatorShare: generatorCpuUs / 1_000 / wallMs,
    othersShare: Math.max(0, busyNs - cpuNs - generatorCpuUs * 1_000) / 1_000_000 / wallMs,
  };
}

function generatorCommand({ port, connections = CONNECTIONS }: Target, seconds: number, shape: readonly string[]): string[] {
  if (!Bun.which("wrk"))
    return [process.execPath, join(import.meta.dir, "load-generator.ts"), `${port}`, `${connections}`, `${seconds}`, ...shape];
  const script = join(import.meta.dir, "buy.lua");
  return ["wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "-s", script, `http://127.0.0.1:${port}/buy`, "--", ...shape];
}

function parseCounts(output: string): Pick<LoadResult, "requests" | "bytes" | "notOk" | "broken"> {
  const line = output.trim().split("\n").at(-1) as string;
  const counts = JSON.parse(line) as Pick<LoadResult, "requests" | "bytes" | "notOk" | "broken">;
  if (!(counts.requests > 0)) throw new Error("the load generator got no reply");
  return counts;
}
