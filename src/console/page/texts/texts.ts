/** Every text of the console, in one table: in English, and in Chinese. A text that is missing in one of them does not compile. */
import { frameTexts } from "./frame.ts";
import { nowTexts } from "./now.ts";
import { ordersTexts } from "./orders.ts";
import { protectionTexts } from "./protection.ts";
import { reasonTexts } from "./reasons.ts";
import { reportTexts } from "./report.ts";
import { salesTexts } from "./sales.ts";
import { traceTexts } from "./trace.ts";
import { trailTexts } from "./trail.ts";

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

type Table = Readonly<Record<string, readonly [english: string, chinese: string]>>;

export const TEXTS = {
  ...frameTexts,
  ...nowTexts,
  ...ordersTexts,
  ...protectionTexts,
  ...reasonTexts,
  ...reportTexts,
  ...salesTexts,
  ...traceTexts,
  ...trailTexts,
} as const satisfies Table;
export type TextKey = keyof typeof TEXTS;

/** What stands in for `{name}` in a text. */
export type TextValues = Readonly<Record<string, string | number>>;

export type Tell = (key: TextKey, values?: TextValues) => string;

export const tellerOf =
  (language: Language): Tell =>
  (key, values = {}) =>
    TEXTS[key][LANGUAGES.indexOf(language)]?.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? "")) ?? key;

/** A word of a service's vocabulary: its text where we have one, otherwise the word itself, so that a new one is shown all the same. */
export function wordOf(tell: Tell, group: string, word: string): string {
  const key = `${group}.${word}`;
  return Object.hasOwn(TEXTS, key) ? tell(key as TextKey) : word;
}
