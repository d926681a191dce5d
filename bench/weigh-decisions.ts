/**
 * How much memory long lists take: 1,000,000 addresses, 10,000 networks and 1,000,000 accounts, of `lists.ts`. Twice in fresh processes:
 * - `tables`: nothing but the lookup tables, filled one decision at a time.
 * - `server`: a server that starts on a store with the lists, and one that starts on a store without.
 * Each time with the lists and without, after garbage collection: what the operating system has to provide (resident set), and for the tables also
 * what the engine counts, columns of numbers included.
 *
 * Usage: `bun bench/weigh-decisions.ts`; the last line is JSON.
 */
import { readFileSync } from "node:fs";
import { StandingDecisions } from "../src/services/safe-protector/standing.ts";
import { table } from "./figures.ts";
import { listedDecisions, saveLists } from "./lists.ts";
import { Child, cleanUp, removeFolder } from "./processes.ts";
import { makeStore } from "./stores.ts";
import { System } from "./system.ts";

export const LISTS_BYTES_MAX = 120_000_000;

interface Weight {
  readonly residentBytes: number;
  readonly countedBytes: number;
}

const residentOf = (pid: number | "self"): number =>
  1_024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

/** What this process weighs, with the lists or without. */
function weighTables(hasLists: boolean): Weight {
  const standing = new StandingDecisions();
  if (hasLists) for (const decision of listedDecisions()) standing.add(decision);
  Bun.gc(true);
  Bun.gc(true);
  const weight = { residentBytes: residentOf("self"), countedBytes: process.memoryUsage().heapUsed };
  if (standing.size === 0 && hasLists) throw new Error("the lists are empty");
  return weight;
}

async function weighServer(hasLists: boolean): Promise<number> {
  const folder = await makeStore("weigh");
  if (hasLists) saveLists(folder);
  const system = await System.start(folder);
  // What a start leaves behind is collected when the engine thinks fit: this is what an operator sees a little later.
  await Bun.sleep(5_000);
  const bytes = residentOf(system.pid);
  await system.stop();
  removeFolder(folder);
  return bytes;
}

async function main(): Promise<void> {
  const weigh = async (what: string): Promise<Weight> => (await new Child("weighing", [import.meta.path, what]).result()) as Weight;
  const [none, lists] = [await weigh("none"), await weigh("lists")];
  const server = { none: await weighServer(false), lists: await weighServer(true) };
  const rows = {
    "the tables alone, as the engine counts": [none.countedBytes, lists.countedBytes],
    "the tables alone, resident": [none.residentBytes, lists.residentBytes],
    "a server 5 s after its start, resident": [server.none, server.lists],
  } as const;
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  console.log(
    table([
      ["what", "without lists", "with them", "the lists"],
      ...Object.entries(rows).map(([what, [without, having]]) => [what, ...[without, having, having - without].map(megabytes)]),
    ]),
  );
  const residentBytes = lists.residentBytes - none.residentBytes;
  console.log(`target at most ${megabytes(LISTS_BYTES_MAX)} resident: ${residentBytes <= LISTS_BYTES_MAX ? "met" : "MISSED"}`);
  console.log(
    JSON.stringify({ residentBytes, countedBytes: lists.countedBytes - none.countedBytes, serverBytes: server.lists - server.none }),
  );
}

if (import.meta.main) {
  const what = process.argv[2];
  process.on("exit", cleanUp);
  if (what === undefined) await main();
  else console.log(JSON.stringify(weighTables(what === "lists")));
}
