/**
 * Reads the settings: a flag wins over a variable, a variable over the file, the file over the default. Whatever is unknown or invalid is
 * refused, also where another source would have won: a setting that is silently not in force is worse than a start that fails.
 */
import { flagOf, InvalidSetting, isSecret, type Setting, variableOf } from "./kinds.ts";
import { config, SETTINGS, type Settings, settingsFrom, throttles } from "./table.ts";

const settingsByName: ReadonlyMap<string, Setting<unknown>> = new Map(SETTINGS.map((setting) => [setting.name, setting]));
const settingsByVariable: ReadonlyMap<string, Setting<unknown>> = new Map(SETTINGS.map((setting) => [variableOf(setting), setting]));

/** `frozenFor`, or `null` for the one setting that cannot stand in the file: where the file is. */
export const configKeyOf = (setting: Setting<unknown>): string | null => (setting === config ? null : setting.name);

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
    const what = isSecret(setting) ? "what was given" : shown(value);
    return new InvalidSetting(`${clipped(source)}: ${what} ${fault}; give ${setting.allowed}`);
  };
  if (!fitsKind(setting, value)) throw refused("has the wrong type");
  const parsed = setting.parse(typeof value === "string" ? value : setting.kind === "document" ? JSON.stringify(value) : String(value));
  if ("fault" in parsed) throw refused(parsed.fault);
  return parsed.value;
}

/** Flags and variables are text, which every kind reads. JSON also has numbers and booleans of its own. */
function fitsKind(setting: Setting<unknown>, value: unknown): boolean {
  if (typeof value === "string") return true;
  if (setting.kind === "switch") return typeof value === "boolean";
  if (setting.kind === "document") return typeof value === "object" && value !== null;
  return typeof value === "number" && setting.unit !== null;
}

/** A message is one short line, whatever a name or a value contains. */
function clipped(line: string): string {
  const short = line.length > SHOWN_CHARS_MAX ? `${line.slice(0, SHOWN_CHARS_MAX)}...` : line;
  return short.replaceAll(/[\p{Cc}\u2028\u2029]/gu, "?");
}

const SHOWN_CHARS_MAX = 80;

const shown = (value: unknown): string => clipped(JSON.stringify(value) ?? String(value));
