/** The language and the colours of the page. */

import { THEMES, type Theme } from "../browser/preferences.ts";
import { LANGUAGES, type Language, tellerOf } from "../texts/texts.ts";

export interface PreferencesProps {
  readonly language: Language;
  readonly setLanguage: (language: Language) => void;
  readonly theme: Theme;
  readonly setTheme: (theme: Theme) => void;
}

const NAMES: Readonly<Record<Language, string>> = { en: "English", zh: "中文" };
const THEME_TEXTS = { auto: "frame.themeAuto", light: "frame.themeLight", dark: "frame.themeDark" } as const;

export function Preferences({ language, setLanguage, theme, setTheme }: PreferencesProps) {
  const tell = tellerOf(language);
  return (
    <div class="preferences">
      <label>
        <span class="unseen">{tell("frame.language")}</span>
        <select value={language} onChange={(event) => setLanguage(event.currentTarget.value as Language)}>
          {LANGUAGES.map((each) => (
            <option key={each} value={each}>
              {NAMES[each]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span class="unseen">{tell("frame.theme")}</span>
        <select value={theme} onChange={(event) => setTheme(event.currentTarget.value as Theme)}>
          {THEMES.map((each) => (
            <option key={each} value={each}>
              {tell(THEME_TEXTS[each])}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
