/** What `--help` says about settings: every setting with all its names, what it takes, and what holds when it is not given. */
import { flagOf, type Setting, variableOf } from "./settings/kinds.ts";
import { configKeyOf } from "./settings/read.ts";

const placeholders = {
  text: "TEXT",
  integer: "N",
  number: "N",
  duration: "TIME",
  switch: "",
  path: "PATH",
  key: "KEY",
  url: "URL",
  document: "JSON",
} as const;

/** `--frozen-for <TIME>`, as commander reads it. */
export function flagSyntax(setting: Setting<unknown>): string {
  const placeholder = placeholders[setting.kind];
  return placeholder === "" ? flagOf(setting) : `${flagOf(setting)} <${placeholder}>`;
}

/** The settings of `start`: flag, key in the configuration file, variable. */
export function settingsHelp(settings: readonly Setting<unknown>[]): string {
  const precedence = "A flag wins over a variable, a variable over the configuration file, the file over the default.";
  const names = (setting: Setting<unknown>) => `file: ${configKeyOf(setting) ?? "-"}   variable: ${variableOf(setting)}`;
  return ["", "Settings:", ...settings.map((setting) => `${described(setting)}\n      ${names(setting)}\n`), precedence].join("\n");
}

/** Options that are flags only. */
export function optionsHelp(settings: readonly Setting<unknown>[]): string {
  return ["", "Settings:", ...settings.map((setting) => `${described(setting)}\n`)].join("\n").trimEnd();
}

function described(setting: Setting<unknown>): string {
  const unit = setting.unit === null ? "" : `   unit: ${setting.unit}`;
  const off = setting.kind === "switch" ? `   (off again: --no-${flagOf(setting).slice(2)})` : "";
  return [
    `  ${flagSyntax(setting)}${off}`,
    `      ${setting.help}`,
    `      takes: ${setting.allowed}${unit}`,
    `      default: ${setting.defaultText}`,
  ].join("\n");
}
