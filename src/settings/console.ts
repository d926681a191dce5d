/** The settings of the operators' console. */
import type { DurationMs } from "../core/time.ts";
import { choice, integer, type Setting } from "./kinds.ts";

export interface ConsoleSettings {
  /** Whether the process that keeps the store has the console too. */
  readonly isOn: boolean;
  /** For how long a session lives in which nothing is done. */
  readonly quietMsMax: DurationMs;
}

const console = choice("console", ["on", "off"], {
  fallback: "on",
  help: "Whether the operators' console is served too (port 8090); as a process of its own it is on whatever this says.",
});
const consoleSessionMinutes = integer("consoleSessionMinutes", "minutes", {
  min: 1,
  max: 1_440,
  fallback: 120,
  help: "How long an operator stays signed in at the console without doing anything.",
});

export const CONSOLE_SETTINGS: readonly Setting<unknown>[] = [console, consoleSessionMinutes];

export const consoleSettingsFrom = (pick: <T>(setting: Setting<T>) => T): ConsoleSettings => ({
  isOn: pick(console) === "on",
  quietMsMax: pick(consoleSessionMinutes) * 60_000,
});
