/**
 * How much memory decisions take for their lookups: takes so many into the tables and compares what the engine counts, columns of
 * numbers included, with what it counted before. What it has freed and not given back yet is no part of that.
 *
 * Usage: `bun bench/weigh-decisions.ts DECISIONS`; prints the bytes of one.
 */
import { StandingDecisions } from "../src/services/safe-protector/standing.ts";
import { decisionAt } from "./fill-lists.ts";

function usedBytes(): number {
  Bun.gc(true);
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}

if (import.meta.main) {
  const decisions = Number(process.argv[2]);
  const before = usedBytes();
  const standing = new StandingDecisions();
  for (let index = 0; index < decisions; index += 1) standing.add(decisionAt(index));
  console.log(JSON.stringify({ bytes: (usedBytes() - before) / standing.size, decisions: standing.size }));
}
