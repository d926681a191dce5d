/** Whether the program would understand what a deployment file gives it. */
import { type Setting, variableOf } from "../../src/settings/kinds.ts";
import { readSettings } from "../../src/settings/read.ts";
import { SETTINGS } from "../../src/settings/table.ts";

/** Settings that deployment files give already and that the program learns next. One that it has learned must leave this list. */
const AWAITED: readonly string[] = [];

export const awaitedButKnown = (): string[] => AWAITED.filter((name) => SETTINGS.some((setting) => setting.name === name));

const isAwaited = (variable: string): boolean => AWAITED.some((name) => variableOf({ name } as Setting<unknown>) === variable);

/** What `start` would say about these variables; `null` when it would take them. */
export function faultOfVariables(environment: Readonly<Record<string, string>>): string | null {
  const known = Object.fromEntries(Object.entries(environment).filter(([name]) => !isAwaited(name)));
  const read = readSettings({ flags: {}, environment: known, configFileText: null });
  return "error" in read ? read.error : null;
}
