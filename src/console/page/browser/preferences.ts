/** What this browser remembers of its user: language and colours. A browser that keeps nothing forgets them with the page. */
import { LANGUAGES, type Language } from "../texts/texts.ts";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export function rememberedLanguage(): Language {
  const kept = LANGUAGES.find((language) => language === read("language"));
  if (kept) return kept;
  const wanted = navigator.languages.find((tag) => LANGUAGES.some((language) => tag.toLowerCase().startsWith(language)));
  return wanted?.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const rememberedTheme = (): Theme => THEMES.find((theme) => theme === read("theme")) ?? "auto";

export function applyLanguage(language: Language): void {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  write("language", language);
}

export function applyTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  write("theme", theme);
}

const nameOf = (key: string): string => `doorbuster-console-${key}`;

function read(key: string): string | null {
  try {
    return localStorage.getItem(nameOf(key));
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(nameOf(key), value);
  } catch {
    // A browser that keeps nothing: it is chosen again next time.
  }
}
