/**
 * The kinds of settings: how the text of a flag, of a variable or of a configuration file becomes a value, and in which words each
 * kind says what it allows. Pure: nothing here reads a file or the environment.
 */
import { type DurationMs, formatDuration, parseDuration } from "../core/time.ts";

export type SettingKind = "text" | "integer" | "number" | "duration" | "switch" | "path" | "key" | "url" | "document";

/** A key is a secret, and a URL may carry one: neither is ever shown. */
export const isSecret = ({ kind }: Pick<Setting<unknown>, "kind">): boolean => kind === "key" || kind === "url";

export type Parsed<T> = { readonly value: T } | { readonly fault: string };

export interface Setting<T> {
  /** The key in the configuration file; the flag and the variable are spelled from it. */
  readonly name: string;
  readonly kind: SettingKind;
  /** What the number counts, or `null` for what is no number. */
  readonly unit: string | null;
  /** What may be given, as it stands behind "give" in a message. */
  readonly allowed: string;
  readonly fallback: T;
  readonly defaultText: string;
  /** One sentence for `start --help`. */
  readonly help: string;
  readonly parse: (text: string) => Parsed<T>;
}

/** A setting that cannot be used; the message names it and says what to give. */
export class InvalidSetting extends Error {}

/** `frozenFor` -> `--frozen-for` */
export function flagOf(setting: Setting<unknown>): string {
  return `--${setting.name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `frozenFor` -> `DOORBUSTER_FROZEN_FOR` */
export function variableOf(setting: Setting<unknown>): string {
  return `DOORBUSTER_${setting.name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

interface Described {
  readonly help: string;
}

interface Bounded extends Described {
  readonly min: number;
  readonly max: number;
}

const outOfRange = { fault: "is out of range" };

const within = (value: number, bounds: Bounded): Parsed<number> => (value >= bounds.min && value <= bounds.max ? { value } : outOfRange);

/** A whole number without a sign. */
export function integer<F extends number | null>(
  name: string,
  unit: string,
  settings: Bounded & { readonly fallback: F; readonly defaultText?: string },
): Setting<number | F> {
  const { fallback, help, min, max } = settings;
  const parse = (text: string) => (/^\d{1,15}$/.test(text) ? within(Number(text), settings) : { fault: "is no whole number" });
  const allowed = `a whole number from ${min} to ${max}`;
  return { name, kind: "integer", unit, allowed, fallback, defaultText: settings.defaultText ?? String(fallback), help, parse };
}

/** A number above zero, or the word `unlimited`, which is `null`. */
export function rate(name: string, settings: Described & { readonly max: number }): Setting<number | null> {
  const parse = (text: string): Parsed<number | null> => {
    if (text === "unlimited") return { value: null };
    if (!/^\d{1,15}(\.\d{1,15})?(e[+-]?\d{1,3})?$/i.test(text)) return { fault: "is no number" };
    const value = Number(text);
    return value > 0 && value <= settings.max ? { value } : outOfRange;
  };
  const allowed = `a number above 0 and up to ${settings.max}, or unlimited`;
  return {
    name,
    kind: "number",
    unit: "requests per second",
    allowed,
    fallback: null,
    defaultText: "unlimited",
    help: settings.help,
    parse,
  };
}

/** People who set how long goods are kept think in hours: `24h`, not `1d`. */
const inHours = (ms: DurationMs): string => (ms % 3_600_000 === 0 ? `${ms / 3_600_000}h` : formatDuration(ms));

/** `1500ms`, `90s`, `30m`, `24h`; a bare number is seconds. */
export function duration(name: string, settings: Bounded & { readonly fallback: DurationMs }): Setting<DurationMs> {
  const { fallback, help, min, max } = settings;
  const parse = (text: string): Parsed<DurationMs> => {
    const value = parseDuration(text);
    return value === null ? { fault: "is no duration" } : within(value, settings);
  };
  const defaultText = formatDuration(fallback);
  const allowed = `${inHours(min)} to ${inHours(max)}, for example ${defaultText}`;
  return { name, kind: "duration", unit: "ms, s, m, h or d; a bare number is seconds", allowed, fallback, defaultText, help, parse };
}

const switchWords: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

/** On or off: the bare flag (`--no-...` for off), `true` or `false` elsewhere. Off unless given. */
export function onOff(name: string, settings: Described): Setting<boolean> {
  const parse = (text: string): Parsed<boolean> => {
    const value = switchWords.get(text);
    return value === undefined ? { fault: "is neither true nor false" } : { value };
  };
  return { name, kind: "switch", unit: null, allowed: "true or false", fallback: false, defaultText: "false", help: settings.help, parse };
}

/** Text of a pattern. `fault` says what a text that does not fit is not. */
export function text<F extends string | null>(
  name: string,
  kind: "text" | "path" | "key",
  settings: Described & { readonly pattern: RegExp; readonly fault: string; readonly allowed: string; readonly fallback: F },
): Setting<string | F> {
  const { allowed, fallback, help, pattern, fault } = settings;
  const parse = (given: string) => (pattern.test(given) ? { value: given } : { fault });
  return { name, kind, unit: null, allowed, fallback, defaultText: fallback ?? "none", help, parse };
}

/** One of a few words. */
export function choice<W extends string, F extends W | null>(
  name: string,
  words: readonly W[],
  settings: Described & { readonly fallback: F; readonly defaultText?: string },
): Setting<W | F> {
  const { fallback, help } = settings;
  const parse = (given: string): Parsed<W> => {
    const value = words.find((word) => word === given);
    return value === undefined ? { fault: "is not known" } : { value };
  };
  const allowed = words.join(" or ");
  return { name, kind: "text", unit: null, allowed, fallback, defaultText: settings.defaultText ?? String(fallback), help, parse };
}

/** Text that a rule of its own reads. */
export function tested<T, F extends T | null>(
  name: string,
  kind: "text" | "path" | "key" | "url",
  settings: Pick<Setting<T | F>, "parse" | "allowed" | "fallback" | "defaultText" | "help">,
): Setting<T | F> {
  return { name, kind, unit: null, ...settings };
}

const LIST_ENTRIES_MAX = 100;

/** Several, separated by commas; none unless given. */
export function list<T>(
  name: string,
  kind: "text" | "key" | "url",
  settings: Described & { readonly parse: (entry: string) => Parsed<T>; readonly allowed: string },
): Setting<readonly T[]> {
  const parse = (given: string): Parsed<readonly T[]> => {
    const entries = given.split(",").map((entry) => settings.parse(entry.trim()));
    const fault = entries.find((entry) => "fault" in entry);
    if (fault && "fault" in fault) return fault;
    if (entries.length > LIST_ENTRIES_MAX) return { fault: `has more than ${LIST_ENTRIES_MAX} entries` };
    return { value: entries.flatMap((entry) => ("value" in entry ? [entry.value] : [])) };
  };
  return { name, kind, unit: null, allowed: settings.allowed, fallback: [], defaultText: "none", help: settings.help, parse };
}
