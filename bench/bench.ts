/**
 * `npm run bench`: is it fast enough? Measures every figure of the design's table in fresh processes, over several rounds in alternating order,
 * prints target, aim and what was measured, and adds a line to `history.jsonl`. Exit code 1 when a target is missed.
 *
 * Rates of a shared machine are noise; what is compared here is processor time per request, as ratios within one run.
 */
import { appendFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FIGURES, type FigureName, figureTable, type Measured, measured, median, table } from "./figures.ts";
import { generatorName, type LoadResult } from "./load.ts";
import { measureOrders } from "./orders.ts";
import { Child, cleanUp, PROJECT, removeFolder } from "./processes.ts";
import { profilePurchases } from "./profile.ts";
import { type Contender, measureFloor, measureShop, realReplyBytes, SCALE, SHOPS, type ShopName, type Windows } from "./purchase-rounds.ts";
import { dueAtOncePauseMs, fillAndWeigh, makeStore, restartSeconds } from "./stores.ts";

const ROUNDS_FOR_A_VERDICT = 5;
const ORDERS_PER_ROUND = 20_000;
/** Of one core. */
const QUIET_SHARE_MAX = 0.1;
const HELP = `usage: npm run bench -- [--rounds N] [--quick] [--profile [--of CONTENDER]]
  --rounds N    rounds, 1 to 50 (5); with fewer than 5 there is no verdict and no line in the history
  --quick       one short round of everything, to see that it works
  --profile     no table: one round under the profiler, and where its time goes
  --of SHOP     again and again: only these, and the figures that they are for; with --profile what to profile (purchase).
                ${Object.keys(SHOPS).join(", ")}`;

interface Plan {
  readonly rounds: number;
  readonly windows: Windows;
  /** The name of the contender, or `null`: measure everything. */
  readonly profileOf: ShopName | null;
  /** Empty: all of them, and everything else. */
  readonly only: readonly ShopName[];
}

type Samples = Record<FigureName, number[]>;
/** The stores that contenders begin with; the others begin with an empty one. */
type Stores = Readonly<Partial<Record<Contender, string>>>;
type Loads = Record<Contender, LoadResult[]>;

const progress = (what: string): void => void process.stderr.write(`  ${what}\n`);

function readPlan(args: string[]): Plan {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string" },
      quick: { type: "boolean" },
      profile: { type: "boolean" },
      of: { type: "string", multiple: true },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const rounds = Number(values.rounds ?? (values.quick ? 1 : ROUNDS_FOR_A_VERDICT));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50) throw new Error(`--rounds: ${values.rounds} is not a number from 1 to 50`);
  const of = values.of ?? [];
  for (const name of of) if (!(name in SHOPS)) throw new Error(`--of: there is no contender ${name}`);
  const only = of as ShopName[];
  const windows = values.quick ? { warmUpSeconds: 1, measuredSeconds: 1 } : { warmUpSeconds: 2, measuredSeconds: 2 };
  return { rounds, windows, profileOf: values.profile ? (only[0] ?? "purchase") : null, only };
}

/** Every contender once; odd rounds go backwards, so that neither what warms the machine nor what slows it favours one of them. */
async function measureRound(round: number, stores: Stores, replyBytes: number, windows: Windows, loads: Loads): Promise<void> {
  const names = Object.keys(loads) as Contender[];
  for (const name of round % 2 === 0 ? names : names.toReversed()) {
    const isFloor = name === "static" || name === "bare";
    const result = isFloor ? await measureFloor(name, replyBytes, windows) : await measureShop(name, stores[name] ?? null, windows);
    loads[name].push(result);
    progress(`round ${round + 1}: ${name.padEnd(11)} ${result.cpuUsPerRequest.toFixed(2).padStart(6)} us of CPU per request`);
  }
}

/** The ratio to the other contender of the same round, for every round. */
function ratios(loads: Loads, over: Contender, under: Contender): number[] {
  return loads[over].map(({ cpuUsPerRequest }, round) => cpuUsPerRequest / (loads[under][round] as LoadResult).cpuUsPerRequest);
}

async function measureStores(rounds: number, samples: Samples): Promise<void> {
  const store = await makeStore("restart");
  const memory = await fillAndWeigh(store);
  samples.holdBytes.push(memory.bytesPerHold);
  progress(
    `memory per hold: ${memory.bytesPerHold.toFixed(0)} bytes resident, ${memory.heapBytesPerHold.toFixed(0)} of them objects on the heap`,
  );
  for (let round = 0; round < rounds; round += 1) {
    samples.restartSeconds.push(await restartSeconds(store));
    samples.dueAtOnceMs.push(await dueAtOncePauseMs());
    progress(`restart ${samples.restartSeconds.at(-1)?.toFixed(2)} s, longest pause ${samples.dueAtOnceMs.at(-1)?.toFixed(1)} ms`);
  }
  removeFolder(store);
}

async function makeStoreWithLists(): Promise<string> {
  progress("filling a store: 2,010,000 decisions");
  const store = await makeStore("listed");
  await new Child("filling the lists", [join(import.meta.dir, "fill-lists.ts"), store, "0", "lists"]).result();
  return store;
}

async function listsMegabytes(): Promise<number> {
  const weighed = await new Child("weighing decisions", [join(import.meta.dir, "weigh-decisions.ts")]).result();
  return (weighed as { residentBytes: number }).residentBytes / 1e6;
}

async function makeStoreAtScale(): Promise<string> {
  progress(`filling a store: ${SCALE.holds} users, ${SCALE.skus} SKUs, ${SCALE.blacklistEntries} blacklist entries`);
  const store = await makeStore("scale");
  await fillAndWeigh(store, SCALE.skus);
  await new Child("filling the lists", [
    join(import.meta.dir, "fill-lists.ts"),
    store,
    `${SCALE.skus}`,
    `${SCALE.blacklistEntries}`,
  ]).result();
  return store;
}

/** The figures that are the ratio of two contenders. */
const RATIOS = {
  purchaseToBare: ["purchase", "bare"],
  purchaseToStatic: ["purchase", "static"],
  keyedToBare: ["keyed", "bare"],
  soldOutToBare: ["soldOut", "bare"],
  blacklistedToBare: ["blacklisted", "bare"],
  throttledToBare: ["throttled", "bare"],
  trafficToNone: ["purchase", "unseen"],
  tokenToNone: ["token", "regulars"],
  dropToBare: ["drop", "bare"],
  saleToBare: ["sale", "bare"],
  listedToEmpty: ["listed", "crowd"],
  atScaleToEmpty: ["atScale", "purchase"],
} as const satisfies Partial<Record<FigureName, readonly [over: Contender, under: Contender]>>;

function ratioSamples(loads: Loads, samples: Samples): void {
  for (const [name, [over, under]] of Object.entries(RATIOS)) samples[name as keyof typeof RATIOS] = ratios(loads, over, under);
}

/** Some contenders, and the figures of those of which both are among them. No verdict, no line in the history. */
async function measureOnly({ rounds, windows, only }: Plan): Promise<number> {
  const loads = Object.fromEntries(["bare", ...only].map((name) => [name, []])) as unknown as Loads;
  const replyBytes = await realReplyBytes();
  const stores: Stores = {
    ...(only.includes("atScale") && { atScale: await makeStoreAtScale() }),
    ...(only.includes("listed") && { listed: await makeStoreWithLists() }),
  };
  for (let round = 0; round < rounds; round += 1) await measureRound(round, stores, replyBytes, windows, loads);
  for (const store of Object.values(stores)) removeFolder(store);
  const both = Object.entries(RATIOS).filter(([, contenders]) => contenders.every((contender) => contender in loads));
  const figures = both.map(([name, [over, under]]) => measured(name as FigureName, ratios(loads, over, under)));
  console.log(`${loadTable(loads)}\n\n${figureTable(figures)}`);
  return 0;
}

async function measureOrderRounds(rounds: number, samples: Samples): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const { purchaseUs, placeUs, payUs } = await measureOrders(ORDERS_PER_ROUND);
    samples.orderToPurchase.push((placeUs + payUs) / purchaseUs);
    progress(`orders: purchase ${purchaseUs.toFixed(2)}, place ${placeUs.toFixed(2)}, pay ${payUs.toFixed(2)} us of CPU`);
  }
}

function loadTable(loads: Loads): string {
  const percent = (shares: number[]) => `${(median(shares) * 100).toFixed(0)} %`;
  const rows = Object.entries(loads).map(([name, results]) => {
    const us = results.map(({ cpuUsPerRequest }) => cpuUsPerRequest);
    const spread = `${Math.min(...us).toFixed(2)} - ${Math.max(...us).toFixed(2)}`;
    const rate = median(results.map(({ requestsPerSecond }) => requestsPerSecond)).toFixed(0);
    const requests = results.reduce((sum, result) => sum + result.requests, 0);
    return [
      name,
      median(us).toFixed(2),
      spread,
      `${requests}`,
      rate,
      percent(results.map((r) => r.serverShare)),
      percent(results.map((r) => r.generatorShare)),
      percent(results.map((r) => r.othersShare)),
    ];
  });
  return table([["server", "us of CPU/request", "rounds", "requests", "requests/s", "server busy", "generator busy", "others"], ...rows]);
}

const othersShare = (loads: Loads): number =>
  median(Object.values(loads).flatMap((results) => results.map((result) => result.othersShare)));

function machine() {
  const git = (...args: string[]) =>
    Bun.spawnSync(["git", ...args], { cwd: PROJECT, stderr: "ignore" })
      .stdout.toString()
      .trim();
  const commit = git("rev-parse", "--short=12", "HEAD") + (git("status", "--porcelain") === "" ? "" : "+changes");
  return {
    date: new Date().toISOString(),
    commit,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    bun: Bun.version,
    loadGenerator: generatorName(),
  };
}

function remember(about: ReturnType<typeof machine>, figures: readonly Measured[], loads: Loads): void {
  const rounded = (value: number) => Number(value.toPrecision(4));
  const line = {
    ...about,
    rounds: loads.bare.length,
    figures: Object.fromEntries(figures.map(({ name, value }) => [name, rounded(value)])),
    missed: figures.filter(({ verdict }) => verdict === "MISSED").map(({ name }) => name),
    cpuUsPerRequest: Object.fromEntries(
      Object.entries(loads).map(([name, results]) => [name, rounded(median(results.map((r) => r.cpuUsPerRequest)))]),
    ),
    othersShare: rounded(othersShare(loads)),
    generatorShare: Object.fromEntries(
      Object.entries(loads).map(([name, results]) => [name, rounded(median(results.map((r) => r.generatorShare)))]),
    ),
  };
  appendFileSync(join(import.meta.dir, "history.jsonl"), `${JSON.stringify(line)}\n`);
}

async function measureAll({ rounds, windows }: Plan): Promise<number> {
  const about = machine();
  console.log(
    `${about.date}, commit ${about.commit}, Bun ${about.bun}, ${about.cores} x ${about.cpu}, load from ${about.loadGenerator}, ${rounds} rounds\n`,
  );
  const samples = Object.fromEntries(Object.keys(FIGURES).map((name) => [name, []])) as unknown as Samples;
  const loads = Object.fromEntries(["static", "bare", ...Object.keys(SHOPS)].map((name) => [name, []])) as unknown as Loads;
  const replyBytes = await realReplyBytes();
  await measureStores(rounds, samples);
  const stores = { atScale: await makeStoreAtScale(), listed: await makeStoreWithLists() };
  samples.listsMegabytes.push(await listsMegabytes());
  for (let round = 0; round < rounds; round += 1) await measureRound(round, stores, replyBytes, windows, loads);
  for (const store of Object.values(stores)) removeFolder(store);
  await measureOrderRounds(rounds, samples);
  ratioSamples(loads, samples);
  const figures = (Object.keys(FIGURES) as FigureName[]).map((name) => measured(name, samples[name]));
  console.log(`${loadTable(loads)}\n\n${figureTable(figures)}\n`);
  if (othersShare(loads) > QUIET_SHARE_MAX) {
    console.log(
      `The machine was not quiet: other processes used ${(othersShare(loads) * 100).toFixed(0)} % of a core. That makes every figure worse.\n`,
    );
  }
  if (rounds < ROUNDS_FOR_A_VERDICT) {
    console.log(`No verdict: that takes ${ROUNDS_FOR_A_VERDICT} rounds.`);
    return 0;
  }
  remember(about, figures, loads);
  const missed = figures.filter(({ verdict }) => verdict === "MISSED");
  console.log(missed.length === 0 ? "Every target is met." : `Missed: ${missed.map(({ name }) => FIGURES[name].title).join("; ")}.`);
  return missed.length === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  if (process.platform !== "linux") throw new Error("the benchmark needs Linux: it reads processor times of other processes from /proc");
  const plan = readPlan(process.argv.slice(2));
  if (plan.profileOf === null) return plan.only.length > 0 ? measureOnly(plan) : measureAll(plan);
  const filled: Readonly<Partial<Record<ShopName, () => Promise<string>>>> = { atScale: makeStoreAtScale, listed: makeStoreWithLists };
  await profilePurchases(plan.profileOf, (await filled[plan.profileOf]?.()) ?? null);
  return 0;
}

if (import.meta.main) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      cleanUp();
      process.exit(130);
    });
  }
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 2;
  } finally {
    cleanUp();
  }
}
