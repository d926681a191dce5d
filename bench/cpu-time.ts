/**
 * How much processor time a process has used, by the operating system's own accounting. `/proc/PID/stat` counts in ticks of 10 ms, which is
 * half a per cent of a window of two seconds; `/proc/PID/task/TID/schedstat` counts nanoseconds, for every thread. The sum over the
 * threads misses those that ended in the window (the JavaScript engine starts and ends compiler threads), so the tick count, which keeps
 * them, corrects the sum when it is clearly larger.
 */
import { readdirSync, readFileSync } from "node:fs";

const TICK_NS = 10_000_000;

export interface CpuReading {
  readonly threadNs: ReadonlyMap<string, number>;
  readonly processNs: number;
}

/** Linux only: other systems tell no process's time to another at this resolution. */
export function readCpu(pid: number): CpuReading {
  const threadNs = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const ns = onCpuNs(`/proc/${pid}/task/${thread}/schedstat`);
    if (ns !== null) threadNs.set(thread, ns);
  }
  // The command name is in parentheses and may contain anything; the numbers follow the last one. User time is field 14, system time 15.
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { threadNs, processNs: (Number(fields[11]) + Number(fields[12])) * TICK_NS };
}

/** Nanoseconds of processor time between two readings, all threads together. */
export function cpuNsBetween(before: CpuReading, after: CpuReading): number {
  let threads = 0;
  for (const [thread, ns] of after.threadNs) threads += ns - (before.threadNs.get(thread) ?? 0);
  const ticks = after.processNs - before.processNs;
  // Two readings in ticks are wrong by up to two ticks; only what is beyond that was used by threads that are gone.
  return Math.max(threads, ticks - 2 * TICK_NS);
}

/** Nanoseconds of processor time that the whole machine has spent since it started, on all cores together, the idle time left out. */
export function readMachineBusyNs(): number {
  // user nice system idle iowait irq softirq steal; the guests' time is part of user and nice.
  const fields = readFileSync("/proc/stat", "utf8").slice(0, 300).split("\n")[0]?.trim().split(/\s+/).slice(1, 9).map(Number) as number[];
  const [idle, waiting] = [fields[3] as number, fields[4] as number];
  return (fields.reduce((sum, ticks) => sum + ticks, 0) - idle - waiting) * TICK_NS;
}

/** `null` when the thread ended between the listing and the reading. */
function onCpuNs(path: string): number | null {
  try {
    return Number(readFileSync(path, "utf8").split(" ")[0]);
  } catch {
    return null;
  }
}
