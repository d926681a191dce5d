/**
 * Every setting of `start`, once: its flag, its key in the configuration file and its variable are all spelled from its name
 * (`frozenFor`: `--frozen-for`, `frozenFor`, `DOORBUSTER_FROZEN_FOR`). A flag wins over a variable, a variable over the file, the
 * file over the default. Whatever is unknown or invalid is refused, also where another source would have won: a setting that is
 * silently not in force is worse than a start that fails.
 */
import type { TokenBucketSettings } from "./core/token-bucket.ts";
import { FROZEN_FOR_MS_MAX } from "./limits.ts";
import { duration, integer, onOff, rate, type Setting, text } from "./setting-kinds.ts";

/** The services that have a throttle of their own. */
export const SERVICE_NAMES = ["gate-keeper", "safe-protector", "policy-controller", "inventory-manager", "shopping-cart"] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

export interface Settings {
  readonly data: string;
  readonly host: string;
  readonly portOffset: number;
  /** `null`: protected mode, the process listens on loopback only. */
  readonly adminKey: string | null;
  readonly demo: boolean;
  readonly frozenForMs: number;
  readonly throttles: Readonly<Record<ServiceName, TokenBucketSettings>>;
  readonly accessLog: { readonly fileBytesMax: number; readonly filesMax: number };
}

const MEGABYTE = 1024 * 1024;
const RATE_MAX = 1_000_000;
/** No dash at the start: `--data --demo` is a forgotten value, not a folder. */
const PATH = { pattern: /^(?!-)[^\p{Cc}]{1,4096}$/u, fault: "is no path", allowed: "the path of a" } as const;

const data = text("data", "path", {
  ...PATH,
  allowed: `${PATH.allowed} folder`,
  fallback: "./doorbuster-data",
  help: "The folder of the store and of the access log; it is made when it is missing.",
});
const host = text("host", "text", {
  pattern: /^[A-Za-z0-9._:-]{1,253}$/,
  fault: "is no address or host name",
  allowed: "an address or host name of this machine, for example 0.0.0.0",
  fallback: "127.0.0.1",
  help: "The address to listen on; one that is not loopback counts only together with an admin key.",
});
const portOffset = integer("portOffset", "ports", {
  min: 0,
  max: 50_000,
  fallback: 0,
  help: "Added to every port: 8080 to 8084 and 8761.",
});
const adminKey = text("adminKey", "key", {
  pattern: /^[\x21-\x7e]{16,256}$/,
  fault: "is no usable key",
  allowed: "16 to 256 visible ASCII characters without spaces",
  fallback: null,
  help: "The key that operators' calls must carry; better given as a variable or in the file, because flags are visible to other users of the machine.",
});
const config = text("config", "path", {
  ...PATH,
  allowed: `${PATH.allowed} file`,
  fallback: null,
  help: "A file with one JSON object of settings.",
});
const demo = onOff("demo", { help: "Adds demo goods and policies when the store is empty." });
const frozenFor = duration("frozenFor", {
  min: 1_000,
  max: FROZEN_FOR_MS_MAX,
  fallback: 30 * 60_000,
  help: "How long goods stay frozen for a buyer.",
});
const accessLogFileMegabytes = integer("accessLogFileMegabytes", "megabytes of 1,048,576 bytes", {
  min: 1,
  max: 10_240,
  fallback: 64,
  help: "The size at which a file of the access log is closed and the next one begun.",
});
const accessLogFiles = integer("accessLogFiles", "files", {
  min: 1,
  max: 1_000,
  fallback: 8,
  help: "How many files of the access log are kept; the oldest is deleted.",
});

const throttle = (service: ServiceName, camelName: string) => ({
  rate: rate(`${camelName}Rate`, { max: RATE_MAX, help: `Requests that ${service} answers per second; more are throttled.` }),
  burst: integer(`${camelName}Burst`, "requests", {
    min: 1,
    max: RATE_MAX,
    fallback: null,
    defaultText: "the rate, rounded up",
    help: `Requests that ${service} answers at one instant after a quiet time.`,
  }),
});

type Throttle = ReturnType<typeof throttle>;
const throttles: Readonly<Record<ServiceName, Throttle>> = {
  "gate-keeper": throttle("gate-keeper", "gateKeeper"),
  "safe-protector": throttle("safe-protector", "safeProtector"),
  "policy-controller": throttle("policy-controller", "policyController"),
  "inventory-manager": throttle("inventory-manager", "inventoryManager"),
  "shopping-cart": throttle("shopping-cart", "shoppingCart"),
};

/** In the order in which `start --help` lists them. */
export const SETTINGS: readonly Setting<unknown>[] = [
  ...[data, host, portOffset, adminKey, config, demo, frozenFor, accessLogFileMegabytes, accessLogFiles],
  ...SERVICE_NAMES.flatMap((service) => [throttles[service].rate, throttles[service].burst]),
];

const settingsByName: ReadonlyMap<string, Setting<unknown>> = new Map(SETTINGS.map((setting) => [setting.name, setting]));
const settingsByVariable: ReadonlyMap<string, Setting<unknown>> = new Map(SETTINGS.map((setting) => [variableOf(setting), setting]));

/** `frozenFor` -> `--frozen-for` */
export function flagOf(setting: Setting<unknown>): string {
  return `--${setting.name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `frozenFor` -> `DOORBUSTER_FROZEN_FOR` */
export function variableOf(setting: Setting<unknown>): string {
  return `DOORBUSTER_${setting.name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** `frozenFor`, or `null` for the one setting that cannot stand in the file: where the file is. */
export const configKeyOf = (setting: Setting<unknown>): string | null => (setting === config ? null : setting.name);

/** Protected mode, as Redis has it: whoever has no admin key is heard by this machine alone, whatever host was asked for. */
export function hostListenedOn({ host, adminKey }: Pick<Settings, "host" | "adminKey">): string {
  return adminKey !== null || isLoopback(host) ? host : "127.0.0.1";
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

export interface SettingSources {
  /** By setting name; a switch is `true` or `false`, everything else its text. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** The whole environment; only `DOORBUSTER_*` is looked at. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `null` when no file was named. */
  readonly configFileText: string | null;
}

interface Given {
  /** `null`: there is no such setting. */
  readonly setting: Setting<unknown> | null;
  /** Where it came from, as the reader of a message knows it. */
  readonly source: string;
  readonly value: unknown;
}

class InvalidSetting extends Error {}

/** All settings, or one line that names the first bad one, where it came from, what was given and what is allowed. */
export function readSettings(sources: SettingSources): { readonly settings: Settings } | { readonly error: string } {
  return orError(() => {
    const given = [...fromConfigFile(sources.configFileText), ...fromEnvironment(sources.environment), ...fromFlags(sources.flags)];
    // Later sources overwrite earlier ones: the order of the list is the order of precedence, the weakest first.
    const values = new Map(given.map((entry) => [entry.setting, parseGiven(entry)]));
    refuseBurstWithoutRate(given);
    return { settings: settingsFrom(<T>(setting: Setting<T>): T => (values.has(setting) ? (values.get(setting) as T) : setting.fallback)) };
  });
}

/** A burst alone limits nothing; whoever sets it believes that something is limited. */
function refuseBurstWithoutRate(given: readonly Given[]): void {
  const isGiven = (setting: Setting<unknown>) => given.some((entry) => entry.setting === setting);
  for (const { burst, rate } of Object.values(throttles)) {
    if (!isGiven(burst) || isGiven(rate)) continue;
    const source = given.findLast((entry) => entry.setting === burst)?.source ?? flagOf(burst);
    throw new InvalidSetting(`${source}: means nothing without a rate; give ${flagOf(rate)} too`);
  }
}

/** The configuration file that flags or environment name; it must be read before `readSettings` can be asked. */
export function configFileNamed(
  sources: Omit<SettingSources, "configFileText">,
): { readonly path: string | null } | { readonly error: string } {
  return orError(() => {
    const given = [...fromFlags(sources.flags), ...fromEnvironment(sources.environment)].find((entry) => entry.setting === config);
    return { path: given ? (parseGiven(given) as string) : null };
  });
}

function orError<T>(read: () => T): T | { readonly error: string } {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidSetting) return { error: error.message };
    throw error;
  }
}

function settingsFrom(pick: <T>(setting: Setting<T>) => T): Settings {
  return {
    data: pick(data),
    host: pick(host),
    portOffset: pick(portOffset),
    adminKey: pick(adminKey),
    demo: pick(demo),
    frozenForMs: pick(frozenFor),
    throttles: {
      "gate-keeper": bucketFrom(throttles["gate-keeper"], pick),
      "safe-protector": bucketFrom(throttles["safe-protector"], pick),
      "policy-controller": bucketFrom(throttles["policy-controller"], pick),
      "inventory-manager": bucketFrom(throttles["inventory-manager"], pick),
      "shopping-cart": bucketFrom(throttles["shopping-cart"], pick),
    },
    accessLog: { fileBytesMax: pick(accessLogFileMegabytes) * MEGABYTE, filesMax: pick(accessLogFiles) },
  };
}

function bucketFrom(settings: Throttle, pick: <T>(setting: Setting<T>) => T): TokenBucketSettings {
  const ratePerSecond = pick(settings.rate);
  return { ratePerSecond, burst: pick(settings.burst) ?? Math.max(1, Math.ceil(ratePerSecond ?? 1)) };
}

function fromFlags(flags: SettingSources["flags"]): Given[] {
  return Object.entries(flags)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const setting = settingsByName.get(name) ?? null;
      return { setting, source: setting ? flagOf(setting) : `--${name}`, value };
    });
}

function fromEnvironment(environment: SettingSources["environment"]): Given[] {
  return Object.entries(environment)
    .filter(([name, value]) => name.startsWith("DOORBUSTER_") && value !== undefined)
    .map(([name, value]) => ({ setting: settingsByVariable.get(name) ?? null, source: name, value }));
}

function fromConfigFile(configFileText: string | null): Given[] {
  if (configFileText === null) return [];
  const document = parseConfigFile(configFileText);
  return Object.entries(document).map(([name, value]) => {
    const setting = settingsByName.get(name) ?? null;
    if (setting === config)
      throw new InvalidSetting("config (in the configuration file): a configuration file cannot name another; give --config");
    return { setting, source: `${shown(name)} (in the configuration file)`, value };
  });
}

function parseConfigFile(configFileText: string): object {
  const fault = (what: string) =>
    new InvalidSetting(`the configuration file is ${what}; give one object of settings, for example {"frozenFor": "30m"}`);
  let document: unknown;
  try {
    document = JSON.parse(configFileText.replace(/^\uFEFF/, ""));
  } catch {
    // The parser's own message quotes the text, and the admin key may stand in it.
    throw fault("not JSON");
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) throw fault("no JSON object");
  return document;
}

function parseGiven({ setting, source, value }: Given): unknown {
  if (setting === null) throw new InvalidSetting(`${clipped(source)}: there is no such setting; "doorbuster start --help" lists them`);
  const refused = (fault: string) => {
    const what = setting.kind === "key" ? "what was given" : shown(value);
    return new InvalidSetting(`${clipped(source)}: ${what} ${fault}; give ${setting.allowed}`);
  };
  if (!fitsKind(setting, value)) throw refused("has the wrong type");
  const parsed = setting.parse(String(value));
  if ("fault" in parsed) throw refused(parsed.fault);
  return parsed.value;
}

/** Flags and variables are text, which every kind reads. JSON also has numbers and booleans of its own. */
function fitsKind(setting: Setting<unknown>, value: unknown): boolean {
  if (typeof value === "string") return true;
  if (setting.kind === "switch") return typeof value === "boolean";
  return typeof value === "number" && setting.unit !== null;
}

/** A message is one short line, whatever a name or a value contains. */
function clipped(line: string): string {
  const short = line.length > SHOWN_CHARS_MAX ? `${line.slice(0, SHOWN_CHARS_MAX)}...` : line;
  return short.replaceAll(/[\p{Cc}\u2028\u2029]/gu, "?");
}

const SHOWN_CHARS_MAX = 80;

const shown = (value: unknown): string => clipped(JSON.stringify(value) ?? String(value));
