/**
 * The command line. Wiring only: it reads what was asked, hands it to whoever does it, and turns the outcome into an exit code:
 * 0 done, 1 failed at run time or a promise broken (it says why), 2 not understood (one line says what is possible), 3 a stampede that could
 * not be run.
 */
import { join } from "node:path";
import { Command, CommanderError, Option } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { flagSyntax, optionsHelp, settingsHelp } from "./command-help.ts";
import { DECISION_OPTIONS, DECISION_VERBS, readDecisionTask, runDecisions } from "./decisions-command.ts";
import { parentProcess } from "./edge/child-process.ts";
import { environment } from "./edge/environment.ts";
import { systemClock } from "./edge/system-clock.ts";
import { timers } from "./edge/timers.ts";
import { greeting } from "./greeting.ts";
import { MIGRATE_SETTINGS, migrateCommand, migrateHelp } from "./migrations/command.ts";
import { flagOf, type Setting } from "./settings/kinds.ts";
import { configFileNamed, readSettings } from "./settings/read.ts";
import { SETTINGS, type Settings } from "./settings/table.ts";
import { isRole, ROLES } from "./settings/topology.ts";
import { readStampedeSettings, STAMPEDE_OPTIONS } from "./stampede/options.ts";

type Flags = Readonly<Record<string, unknown>>;

/** What was asked for makes no sense: exit code 2. */
class UsageError extends Error {}

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const BENCH = join(import.meta.dir, "../bench/bench.ts");

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`doorbuster: ${oneLine(line)}\n`);

/** A message is one line, whatever made it. */
const oneLine = (text: string): string => text.trim().replaceAll(/[\s\p{Cc}\u2028\u2029]+/gu, " ");

async function main(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = commandLine((code) => {
    exitCode = code;
  });
  try {
    if (args.length === 0)
      throw new UsageError('say what to do: start, stampede, audit, decisions, migrate or bench; "doorbuster --help" explains them');
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has already said what it had to say: help, the version, or what it did not understand.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    complain(error instanceof Error ? error.message : String(error));
    return error instanceof UsageError ? 2 : 1;
  }
}

interface CommandSpec {
  readonly name: string;
  readonly description: string;
  readonly settings: readonly Setting<unknown>[];
  readonly help: (settings: readonly Setting<unknown>[]) => string;
  /** What may stand behind the command's name: its placeholder, and the line about it in `--help`. Three dots behind it: several. */
  readonly argument?: readonly [name: string, description: string];
  readonly run: (flags: Flags, given: readonly string[]) => Promise<number>;
}

const COMMANDS: readonly CommandSpec[] = [
  {
    name: "start",
    description:
      "Runs all six services in this process, or the one that is named; with --redis and --postgres over stores that many such processes share.",
    settings: SETTINGS,
    help: settingsHelp,
    argument: [
      "role",
      Object.entries(ROLES)
        .map(([role, what]) => `${role}: ${what}`)
        .join("; "),
    ],
    run: runStart,
  },
  {
    name: "stampede",
    description: "Sends a crowd to a running system, then checks that nothing was oversold, lost or frozen twice.",
    settings: STAMPEDE_OPTIONS,
    help: optionsHelp,
    run: sendStampede,
  },
  {
    name: "audit",
    description:
      "Recomputes every invariant from the stores alone: a folder's, or those of --redis and --postgres; exit code 1 when one is broken.",
    settings: SETTINGS.filter(({ name }) => ["data", "redis", "postgres", "config"].includes(name)),
    help: settingsHelp,
    run: runAudit,
  },
  {
    name: "decisions",
    description: "Imports, lists, makes and removes decisions about addresses, networks and accounts, in a running SafeProtector.",
    settings: DECISION_OPTIONS,
    help: optionsHelp,
    argument: ["what...", `${DECISION_VERBS}; a value is an address, a CIDR range or a user id`],
    run: changeDecisions,
  },
  {
    name: "migrate",
    description: "Brings the tables of a Postgres database up to this program; two at once do no harm.",
    settings: MIGRATE_SETTINGS,
    help: migrateHelp,
    run: runMigrate,
  },
];

function commandLine(done: (exitCode: number) => void): Command {
  const program = new Command("doorbuster")
    .description("A flash-sale system: never oversold, never lost, and the back end never feels the crowd.")
    .version(packageJson.version, "--version", "print the version")
    .helpCommand("help [command]", "explain a command")
    .configureOutput({ outputError: (text) => complain(`${withoutValues(text)}; see "doorbuster --help"`) })
    .exitOverride();
  for (const spec of COMMANDS) addCommand(program, spec, done);
  const bench = program.command("bench");
  bench
    .description("Measures this machine's ratios against two floors; exit code 1 when a target is missed.")
    // The benchmark reads its own arguments, `--help` too: it can be run without the command line as well.
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async () => done(await runBench(bench.args)));
  return program;
}

function addCommand(program: Command, spec: CommandSpec, done: (exitCode: number) => void): void {
  const command = program
    .command(spec.name)
    .description(spec.description)
    .configureOutput({ outputError: (text) => complain(`${withoutValues(text)}; see "doorbuster ${spec.name} --help"`) })
    .addHelpText("after", spec.help(spec.settings));
  if (spec.argument) command.argument(`[${spec.argument[0]}]`, spec.argument[1]);
  command.action(async (...given: readonly unknown[]) => {
    const [argument, flags] = spec.argument ? given : [undefined, given[0]];
    done(await spec.run(flags as Flags, [argument ?? []].flat().map(String)));
  });
  for (const setting of spec.settings) {
    // Our own help tells more about each than commander's list would.
    command.addOption(new Option(flagSyntax(setting)).hideHelp());
    if (setting.kind === "switch") command.addOption(new Option(`--no-${flagSyntax(setting).slice(2)}`).hideHelp());
  }
}

/** Commander quotes an unknown flag with its value, and behind a mistyped `--admin-key=` stands a secret. */
function withoutValues(text: string): string {
  const message = text.replace(/^error: /, "").replace(/unknown option '(--[\w-]*|-[^-])[\s\S]*'/, "unknown option '$1'");
  return oneLine(message).replace(/\.$/, "");
}

async function settingsFrom(flags: Flags): Promise<Settings> {
  const file = configFileNamed({ flags, environment });
  if ("error" in file) throw new UsageError(file.error);
  const configFileText = file.path === null ? null : await readConfigFile(file.path);
  const read = readSettings({ flags, environment, configFileText });
  if ("error" in read) throw new UsageError(read.error);
  return read.settings;
}

async function readConfigFile(path: string): Promise<string> {
  try {
    return await Bun.file(path).text();
  } catch (error) {
    throw new UsageError(
      `--config: ${JSON.stringify(path)} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown reason"}); give the path of a file`,
    );
  }
}

async function runStart(flags: Flags, [role]: readonly string[]): Promise<number> {
  if (role !== undefined && !isRole(role))
    throw new UsageError(
      `start ${JSON.stringify(role)} is no service; give ${Object.keys(ROLES).join(" or ")}, or nothing for all of them`,
    );
  const settings = await settingsFrom(flags);
  const parent = parentProcess();
  const stop = Promise.withResolvers<void>();
  // A repeated signal resolves what is resolved already, and so changes nothing.
  for (const name of STOP_SIGNALS) process.on(name, () => (parent !== null && name === "SIGINT" ? undefined : stop.resolve()));
  // A terminal sends Ctrl-C to everybody; a process of ours hears from the one that has started it, or stops when that is gone.
  parent?.onGone(() => stop.resolve());
  // Whoever reads the greeting may go away; selling goes on.
  process.stdout.on("error", () => undefined);
  const { start } = await import("./topology.ts");
  const running = await start(settings, role ?? null, flagsAsGiven(flags));
  if (parent) parent.tell({ ready: true, demoSale: running.demoSale });
  else say(greeting(settings, running, systemClock.now(), process.pid));
  const closed = stop.promise.then(() => {
    if (!parent) say("stopping ...");
    return running.close();
  });
  const { exitCode, message } = await Promise.race([running.stopped, closed.then(() => running.stopped)]);
  if (message !== null) complain(message);
  return exitCode;
}

/** The settings of this command line, for processes that are started with the same ones. */
function flagsAsGiven(flags: Flags): string[] {
  return SETTINGS.filter(({ name }) => flags[name] !== undefined && name !== "gates").map((setting) => {
    const value = flags[setting.name];
    if (typeof value !== "boolean") return `${flagOf(setting)}=${value}`;
    return value ? flagOf(setting) : `--no-${flagOf(setting).slice(2)}`;
  });
}

async function sendStampede(flags: Flags): Promise<number> {
  const read = readStampedeSettings(flags);
  if ("error" in read) throw new UsageError(read.error);
  const { runStampede } = await import("./stampede/stampede.ts");
  const { HttpLoadClient } = await import("./edge/http-load-client.ts");
  return runStampede(read.settings, {
    write: (text) => void process.stdout.write(text),
    complain,
    isTerminal: process.stdout.isTTY === true,
    columns: process.stdout.columns ?? 80,
    clock: systemClock,
    timers,
    openClient: (target, size) => HttpLoadClient.open(target, size),
  });
}

async function changeDecisions(flags: Flags, given: readonly string[]): Promise<number> {
  const read = readDecisionTask(given, flags, environment["DOORBUSTER_ADMIN_KEY"]);
  if ("error" in read) throw new UsageError(read.error);
  const readFile = (path: string): Promise<string> =>
    Bun.file(path)
      .text()
      .catch((error: NodeJS.ErrnoException) => {
        throw new Error(`${JSON.stringify(path)} cannot be read (${error.code ?? "unknown reason"}); give the path of a file`);
      });
  return runDecisions(read.task, { say, complain, readFile, fetch });
}

async function runAudit(flags: Flags): Promise<number> {
  const settings = await settingsFrom(flags);
  const { redis, postgres } = settings;
  const { data } = flags;
  const isShared = redis.length > 0 || postgres !== null;
  if (isShared && data !== undefined) throw new UsageError("audit takes --data, or --redis and --postgres, and not both: say which store");
  if (isShared && (redis.length === 0 || postgres === null))
    throw new UsageError(`audit compares Redis with Postgres: give ${postgres === null ? "--postgres" : "--redis"} too`);
  if (postgres !== null) return auditStores(redis.join(","), postgres);
  const { audit } = await import("./audit/audit.ts");
  const { openSqliteFileReadOnly } = await import("./edge/sqlite-file.ts");
  const db = openSqliteFileReadOnly(settings.data);
  try {
    return audit(db, say);
  } finally {
    db.close();
  }
}

async function auditStores(redisUrls: string, postgresUrl: string): Promise<number> {
  const { auditShared } = await import("./audit/shared-audit.ts");
  const { AUDITING, Postgres } = await import("./edge/postgres.ts");
  const { RedisConnection } = await import("./edge/redis.ts");
  const { MIGRATIONS } = await import("./migrations/all.ts");
  const { refuseUnlessMigrated } = await import("./migrations/migrate.ts");
  const redis = new RedisConnection(redisUrls);
  const postgres = new Postgres(postgresUrl, AUDITING);
  try {
    await redis.open();
    await refuseUnlessMigrated(postgres, MIGRATIONS);
    const pause = (delay: number): Promise<void> => new Promise((resolve) => timers.after(delay, resolve));
    return await auditShared({ redis, postgres, now: systemClock.now(), pause }, say);
  } finally {
    redis.close();
    await postgres.close();
  }
}

async function runMigrate({ check, ...flags }: Flags): Promise<number> {
  const { postgres } = await settingsFrom(flags);
  if (postgres === null) throw new UsageError("say which database: give --postgres URL, or the variable DOORBUSTER_POSTGRES");
  const { MIGRATING, Postgres } = await import("./edge/postgres.ts");
  const db = new Postgres(postgres, MIGRATING);
  try {
    return await migrateCommand(db, { isCheck: check === true, say, clock: systemClock });
  } finally {
    await db.close();
  }
}

/** In a process of its own: what is measured must not share one with the command line. */
async function runBench(args: readonly string[]): Promise<number> {
  const bench = Bun.spawn([process.execPath, BENCH, ...args], { stdio: ["inherit", "inherit", "inherit"] });
  for (const name of STOP_SIGNALS) process.on(name, () => bench.kill(name));
  return bench.exited;
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
