/** The languages in which shoppers are spoken to. */
export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

/** The language that `Accept-Language` (RFC 9110) prefers of those we speak; English when it says nothing of them. */
export function languageOf(acceptLanguage: string | null): Language {
  if (acceptLanguage === null || !/zh/i.test(acceptLanguage)) return "en";
  let best: { language: Language; weight: number } = { language: "en", weight: 0 };
  for (const part of acceptLanguage.split(",")) {
    const [range = "", ...parameters] = part.trim().toLowerCase().split(";");
    const language = LANGUAGES.find((known) => range === known || range.startsWith(`${known}-`));
    const quality = parameters.map((parameter) => /^\s*q=([\d.]+)\s*$/.exec(parameter)?.[1]).find((value) => value !== undefined);
    const weight = quality === undefined ? 1 : Number(quality);
    if (language && weight > best.weight) best = { language, weight };
  }
  return best.language;
}

/** One thing said in all of them. */
export type Texts = Readonly<Record<Language, string>>;
