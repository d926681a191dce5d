/** Amounts as people of a language write them. */
import { CURRENCY } from "./browser/shopper.ts";
import type { Language } from "./texts.ts";

export const money = (amount: number, language: Language): string =>
  new Intl.NumberFormat(language === "zh" ? "zh-CN" : "en", { style: "currency", currency: CURRENCY }).format(amount);
