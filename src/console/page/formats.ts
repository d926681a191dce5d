/** Numbers and times as people read them, in their language. Pure. */
import type { Language } from "./texts/texts.ts";

const LOCALES: Readonly<Record<Language, string>> = { en: "en-GB", zh: "zh-CN" };

export interface Formats {
  /** `12,345` */
  readonly count: (value: number) => string;
  /** `12.3k` in charts and tiles */
  readonly short: (value: number) => string;
  /** From 0 to 1: `3.2 %` */
  readonly share: (value: number) => string;
  /** Microseconds: `840 µs`, `12.4 ms`, `1.2 s` */
  readonly micros: (us: number) => string;
  /** `14:03:27` */
  readonly time: (at: number) => string;
  /** With the day */
  readonly dateTime: (at: number) => string;
  /** A span in ms: `45 s`, `12 min`, `3 h 20 min` */
  readonly span: (ms: number) => string;
  readonly money: (amount: number) => string;
}

export function formatsOf(language: Language): Formats {
  const locale = LOCALES[language];
  const isChinese = language === "zh";
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const short = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
  const share = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  const one = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const money = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
  const units = isChinese ? { s: " 秒", min: " 分", h: " 小时", d: " 天" } : { s: " s", min: " min", h: " h", d: " d" };
  return {
    count: (value) => whole.format(value),
    short: (value) => (Math.abs(value) < 10_000 ? one.format(value) : short.format(value)),
    share: (value) => share.format(value),
    micros: (us) =>
      us < 1_000 ? `${whole.format(us)} µs` : us < 1_000_000 ? `${one.format(us / 1_000)} ms` : `${one.format(us / 1_000_000)} s`,
    time: (at) => time.format(at),
    dateTime: (at) => dateTime.format(at),
    span: (ms) => spanOf(Math.max(0, ms), units),
    money: (amount) => money.format(amount),
  };
}

function spanOf(ms: number, units: { readonly s: string; readonly min: string; readonly h: string; readonly d: string }): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds}${units.s}`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60)
    return seconds % 60 === 0 || minutes >= 10 ? `${minutes}${units.min}` : `${minutes}${units.min} ${seconds % 60}${units.s}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours}${units.h}` : `${hours}${units.h} ${minutes % 60}${units.min}`;
  return `${Math.floor(hours / 24)}${units.d}`;
}
