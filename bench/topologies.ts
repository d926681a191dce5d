/**
 * `npm run bench:topologies`: what the same purchase costs in other topologies. Processor time per purchase, of all processes together, in ratios
 * of one run: rounds in alternating order, each contender in fresh processes. Exit code 1 when a target is missed.
 *
 * How much two processes can do on two cores is computed and not raced: beside a load generator there are no two free cores here. The one that
 * works more for a purchase is the one that limits them. `--of NAME`, again and again, measures some of them only. `--connections N`: so many buy
 * at the same time. Where purchases go on in turns, a larger crowd makes larger turns, and each purchase cheaper.
 */
import { parseArgs } from "node:util";
import { Postgres } from "../src/edge/postgres.ts";
import { systemClock } from "../src/edge/system-clock.ts";
import { MIGRATIONS } from "../src/migrations/all.ts";
import { migrate } from "../src/migrations/migrate.ts";
import { startPostgres } from "../test/servers/postgres.ts";
import { median, table } from "./figures.ts";
import { CONNECTIONS, type LoadResult, type Purchases, runLoad, type Target } from "./load.ts";
import { cleanUp, makeFolder, removeFolder } from "./processes.ts";
import { startRedis, startStraightforward } from "./redis.ts";
import { System } from "./system.ts";

const ROUNDS = 5;
const WARM_UP_SECONDS = 2;
const MEASURED_SECONDS = 3;
const WINDOW_FIRST = 1_000_000;
const PLENTY = 1_000_000_000;
const SKU = "SKU0001";
const CROWD: Purchases = {
  ...{ users: 9_999_999_999, stride: 1, skus: 1, address: "202.100.100.1", hasKeys: false, tokens: null, refreshed: null },
};
/** Of the straightforward design, at most so much. */
const SHARE_OF_STRAIGHTFORWARD_MAX = 0.6;
/** Two processes are to sell at least so many times what one does. */
const TWO_PROCESSES_MIN = 1.5;

interface Contender {
  /** What each of its processes is, in the order of `cpuUsOfEach`. */
  readonly processes: readonly string[];
  readonly measure: () => Promise<LoadResult>;
}

let connections = CONNECTIONS;
const progress = (what: string): void => void process.stderr.write(`  ${what}\n`);

/** @param onWarm hears that the measured window begins */
async function load({ pid, port, alongside = [] }: Target, onWarm: () => Promise<void> = async () => undefined): Promise<LoadResult> {
  const crowd = { pid, port, alongside, connections };
  await runLoad(crowd, CROWD, 0, WARM_UP_SECONDS);
  await onWarm();
  const result = await runLoad(crowd, CROWD, WINDOW_FIRST, MEASURED_SECONDS);
  if (result.notOk + result.broken > 0) throw new Error(`${result.notOk} purchases were refused and ${result.broken} were lost`);
  return result;
}

async function openShop(system: System): Promise<void> {
  await system.putGoods(SKU, PLENTY);
  await system.putPolicy(SKU, 1, 1);
  await system.putPolicy(SKU, 5, 5);
}

async function measureSystem(flags: readonly string[], targetOf: (system: System) => Promise<Target>): Promise<LoadResult> {
  const folder = makeFolder("topology");
  const system = await System.start(folder, flags);
  await openShop(system);
  const result = await load(await targetOf(system));
  const { frozen } = await system.stock(SKU);
  if (frozen < result.requests) throw new Error(`${result.requests} purchases were accepted and ${frozen} units are frozen`);
  await system.stop();
  removeFolder(folder);
  return result;
}

async function measureStraightforward(): Promise<LoadResult> {
  const redis = await startRedis();
  const { child, port } = await startStraightforward(redis);
  const result = await load({ pid: child.pid, port, alongside: [redis.pid] });
  await child.stop();
  await redis.stop();
  return result;
}

/** Over one Redis, as the straightforward design has it. Postgres is left out of the count: it takes no part in a purchase, and only hears of it
 *  later. */
async function measureOverRedis(begin: (redisUrl: string, postgresUrl: string, folder: string) => Promise<System>): Promise<LoadResult> {
  const [redis, postgres, folder] = [await startRedis(), await startPostgres(), makeFolder("shared")];
  const db = new Postgres(postgres.url);
  await migrate(db, MIGRATIONS, systemClock, () => undefined);
  await db.close();
  const system = await begin(`redis://127.0.0.1:${redis.port}`, postgres.url, folder);
  await openShop(system);
  let before = 0;
  const result = await load({ pid: system.pid, port: system.port, alongside: [...system.pidsBehindGate, redis.pid] }, async () => {
    before = await redis.scripts();
  });
  const scripts = (await redis.scripts()) - before;
  progress(`    Redis scripts per 1,000 purchases, those of timers among them: ${((scripts / result.requests) * 1_000).toFixed(1)}`);
  const { frozen } = await system.stock(SKU);
  if (frozen < result.requests) throw new Error(`${result.requests} purchases were accepted and ${frozen} units are frozen`);
  await system.stop();
  await redis.stop();
  await postgres.stop();
  removeFolder(folder);
  return result;
}

const CONTENDERS: Readonly<Record<string, Contender>> = {
  "one process": { processes: ["all"], measure: () => measureSystem([], async (system) => system) },
  "a gate and the ledger": {
    processes: ["gate", "ledger"],
    measure: () =>
      measureSystem(["--gates", "1"], async (system) => {
        const [gate, ledger] = await Promise.all([system.gatePid(1), system.pidOf("ShoppingCart")]);
        return { pid: gate, port: system.port, alongside: [ledger] };
      }),
  },
  "six processes and Redis": {
    processes: ["gate", "protector", "policy", "inventory", "cart", "Redis"],
    measure: () => measureOverRedis(System.startServices),
  },
  "a node and Redis": {
    processes: ["node", "Redis"],
    measure: () => measureOverRedis((redis, postgres, folder) => System.start(folder, ["--redis", redis, "--postgres", postgres])),
  },
  "straightforward design": { processes: ["Fastify", "Redis"], measure: measureStraightforward },
};

function report(results: ReadonlyMap<string, readonly LoadResult[]>): string {
  const rows = [...results].map(([name, rounds]) => {
    const { processes } = CONTENDERS[name] as Contender;
    const each = processes.map(
      (what, index) => `${what} ${median(rounds.map(({ cpuUsOfEach }) => cpuUsOfEach[index] as number)).toFixed(1)}`,
    );
    const us = rounds.map(({ cpuUsPerRequest }) => cpuUsPerRequest);
    return [name, median(us).toFixed(1), `${Math.min(...us).toFixed(1)} - ${Math.max(...us).toFixed(1)}`, each.join(", ")];
  });
  return table([["topology", "us of CPU per purchase", "rounds", "of which"], ...rows]);
}

/** For every round, how much the process that works most for a purchase has to do: one core does a million microseconds a second. */
const limits = (rounds: readonly LoadResult[]): number[] => rounds.map(({ cpuUsOfEach }) => Math.max(...cpuUsOfEach));

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { rounds: { type: "string" }, of: { type: "string", multiple: true }, connections: { type: "string" } },
  });
  connections = Number(values.connections ?? CONNECTIONS);
  const rounds = Number(values.rounds ?? ROUNDS);
  const results = new Map((values.of ?? Object.keys(CONTENDERS)).map((name) => [name, [] as LoadResult[]]));
  for (let round = 0; round < rounds; round += 1) {
    const names = [...results.keys()];
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const result = await (CONTENDERS[name] as Contender).measure();
      (results.get(name) as LoadResult[]).push(result);
      const each = result.cpuUsOfEach.map((us) => us.toFixed(1)).join(" + ");
      progress(`round ${round + 1}: ${name.padEnd(24)} ${each} us of CPU per purchase, ${result.requestsPerSecond.toFixed(0)} per second`);
    }
  }
  console.log(`\n${report(results)}\n`);
  return judged(results) ? 0 : 1;
}

/** Says which targets are met; one whose contenders have not all run is not judged. */
function judged(results: ReadonlyMap<string, readonly LoadResult[]>): boolean {
  const of = (name: string): readonly LoadResult[] | null => results.get(name) ?? null;
  const verdicts: boolean[] = [];
  const judge = (what: string, ratios: readonly number[], target: string, isMet: (ratio: number) => boolean): void => {
    const ratio = median([...ratios]);
    console.log(`${what}: ${ratio.toFixed(2)} (target ${target}: ${isMet(ratio) ? "met" : "MISSED"})`);
    verdicts.push(isMet(ratio));
  };
  const straightforward = of("straightforward design");
  for (const name of ["a node and Redis", "six processes and Redis"]) {
    const rounds = of(name);
    if (!rounds || !straightforward) continue;
    const shares = rounds.map(({ cpuUsPerRequest }, round) => cpuUsPerRequest / (straightforward[round] as LoadResult).cpuUsPerRequest);
    const target = `at most ${SHARE_OF_STRAIGHTFORWARD_MAX}`;
    judge(`${name} / straightforward design`, shares, target, (share) => share <= SHARE_OF_STRAIGHTFORWARD_MAX);
  }
  const [one, two] = [of("one process"), of("a gate and the ledger")];
  if (one && two) {
    const [ofOne, ofTwo] = [limits(one), limits(two)];
    const speedUps = ofOne.map((us, round) => us / (ofTwo[round] as number));
    const what = "a gate and the ledger on two cores / one process, purchases per second";
    judge(what, speedUps, `at least ${TWO_PROCESSES_MIN}`, (speedUp) => speedUp >= TWO_PROCESSES_MIN);
  }
  return verdicts.every(Boolean);
}

if (import.meta.main) {
  process.on("exit", cleanUp);
  process.exit(await main());
}
