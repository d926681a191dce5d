/**
 * What a look at long lists costs, for a crowd of which nobody is on them: `SafeProtector.validate` as a gate's turn calls it, and the lookup alone,
 * with the lists of `lists.ts` against empty ones, in nanoseconds. Both stand in one process and take turns. Each batch has new buyers, whose texts
 * are made by `JSON.parse` just before, as those of a request are.
 *
 * Usage: `bun bench/lookups.ts [ROUNDS]`. Two rows for each: in a loop, where the processor's caches have nothing else to do, and with 4 MB of other
 * memory read between two batches, as the rest of a purchase does it.
 */
import { Throttle } from "../src/core/throttle.ts";
import { systemClock } from "../src/edge/system-clock.ts";
import type { Decisions } from "../src/services/safe-protector/decisions.ts";
import { rulingOf } from "../src/services/safe-protector/ruling.ts";
import { Rulings, SUSPECT_ACCOUNT, SUSPECT_ADDRESS } from "../src/services/safe-protector/rulings.ts";
import { type SafeCheck, SafeProtector } from "../src/services/safe-protector/service.ts";
import { StandingDecisions } from "../src/services/safe-protector/standing.ts";
import { median, table } from "./figures.ts";
import { accountAt, addressAt, CROWD_FIRST, listedDecisions } from "./lists.ts";

/** About as many purchases as a busy turn has. */
const BATCH = 60;
const BATCHES_PER_ROUND = 200;
const OTHER_BYTES = 4 * 1024 * 1024;
const NOW = 1_795_000_000_000;

const unthrottled = new Throttle({ ratePerSecond: null, burst: 1 }, systemClock);

function protectorOver(view: StandingDecisions): SafeProtector {
  return new SafeProtector({ table: { view, isCurrent: true } } as Decisions, unthrottled, systemClock);
}

/** Buyers as they come out of the bodies of a turn. */
function newBatch(first: number): SafeCheck[] {
  const bodies: string[] = [];
  for (let index = first; index < first + BATCH; index += 1)
    bodies.push(`{"sessionId":"s","userId":"${accountAt(index)}","clientIp":"${addressAt(index)}"}`);
  return bodies.map((body) => JSON.parse(body) as SafeCheck);
}

const others = new Uint8Array(OTHER_BYTES);
let othersSum = 0;
function useCaches(): void {
  for (let at = 0; at < OTHER_BYTES; at += 64) othersSum += others[at] as number;
}

/** Answers how many of the batch somebody has decided about. */
type Look = (batch: readonly SafeCheck[]) => number;

function nsPerCheck(look: Look, first: number, areCachesUsed: boolean): number {
  let spentMs = 0;
  let listed = 0;
  for (let batch = 0; batch < BATCHES_PER_ROUND; batch += 1) {
    const checks = newBatch(first + batch * BATCH);
    if (areCachesUsed) useCaches();
    const startedAt = performance.now();
    listed += look(checks);
    spentMs += performance.now() - startedAt;
  }
  // Some of the crowd are in listed networks: so are shoppers.
  if (listed > BATCHES_PER_ROUND * BATCH * 0.02) throw new Error(`${listed} of the crowd are listed`);
  return (spentMs * 1e6) / (BATCHES_PER_ROUND * BATCH);
}

function looksAt(decisions: Iterable<Parameters<StandingDecisions["add"]>[0]>): { readonly validate: Look; readonly lookup: Look } {
  const standing = new StandingDecisions();
  const rulings = new Rulings();
  for (const decision of decisions) {
    standing.add(decision);
    rulings.set(decision, rulingOf(decision.action, decision.origin, decision.until));
  }
  const protector = protectorOver(standing);
  return {
    validate: (batch) =>
      (protector.validate(batch) as readonly { allowed: boolean }[]).reduce((sum, { allowed }) => sum + (allowed ? 0 : 1), 0),
    lookup: (batch) => {
      let listed = 0;
      const suspects = rulings.suspects(batch);
      for (const [index, { userId, clientIp }] of batch.entries()) {
        const suspected = suspects[index] as number;
        if (suspected === 0) continue;
        const ofAccount = suspected & SUSPECT_ACCOUNT ? rulings.ofAccount(userId, NOW) : 0;
        const ofAddress = suspected & SUSPECT_ADDRESS ? rulings.ofAddress(clientIp, NOW) : 0;
        if (ofAccount + ofAddress > 0) listed += 1;
      }
      return listed;
    },
  };
}

if (import.meta.main) {
  const rounds = Number(process.argv[2] ?? 60);
  const [empty, full] = [looksAt([]), looksAt(listedDecisions())];
  const rows: string[][] = [];
  let first = CROWD_FIRST;
  for (const what of ["validate", "lookup"] as const) {
    for (const areCachesUsed of [false, true]) {
      const spent = { empty: [] as number[], full: [] as number[] };
      for (let round = -10; round < rounds; round += 1) {
        for (const which of round % 2 === 0 ? (["empty", "full"] as const) : (["full", "empty"] as const)) {
          const ns = nsPerCheck({ empty, full }[which][what], first, areCachesUsed);
          if (round >= 0) spent[which].push(ns);
          first += BATCHES_PER_ROUND * BATCH;
        }
      }
      const ratio = median(spent.full.map((ns, round) => ns / (spent.empty[round] as number)));
      const [emptyNs, fullNs] = [median(spent.empty), median(spent.full)];
      const where = areCachesUsed ? "4 MB of other memory between batches" : "in a loop";
      rows.push([what, where, emptyNs.toFixed(0), fullNs.toFixed(0), ratio.toFixed(2)]);
    }
  }
  console.log(table([["what", "how", "empty, ns", "listed, ns", "listed / empty"], ...rows]));
  if (othersSum !== 0) throw new Error("the other memory was written to");
}
