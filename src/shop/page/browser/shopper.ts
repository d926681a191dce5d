/** Who shops on this page, and in which language: kept in this browser. */
import { Doorbuster } from "../../../../client/doorbuster.ts";
import type { Language } from "../texts.ts";

export interface Person {
  readonly userID: string;
  readonly userLevel: number;
}

/** Where the shop's own sign-in puts the shopper's token, for a gate with `--identity jwt`. */
export const TOKEN_KEY = "doorbuster-token";
const PERSON_KEY = "doorbuster-person";
const LANGUAGE_KEY = "doorbuster-language";
const DEMO_LEVEL = 5;

const { identity = "trusted", currency = "usd", address = "" } = document.documentElement.dataset;
export const CURRENCY = currency;
export const IS_TRUSTED = identity === "trusted";

export const needsSignIn = (): boolean => !IS_TRUSTED && localStorage.getItem(TOKEN_KEY) === null;

export function keptPerson(): Person {
  const kept = localStorage.getItem(PERSON_KEY);
  if (kept !== null) return JSON.parse(kept) as Person;
  const digits = Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const person = { userID: `SHOPPER-${digits.toUpperCase()}`, userLevel: DEMO_LEVEL };
  keepPerson(person);
  return person;
}

export const keepPerson = (person: Person): void => localStorage.setItem(PERSON_KEY, JSON.stringify(person));

export function keptLanguage(): Language {
  const kept = localStorage.getItem(LANGUAGE_KEY) ?? navigator.language;
  return kept.startsWith("zh") ? "zh" : "en";
}

export const keepLanguage = (language: Language): void => localStorage.setItem(LANGUAGE_KEY, language);

/** The shop, as this person sees it. */
export function shopFor(person: Person, language: Language): Doorbuster {
  const url = location.origin;
  if (!IS_TRUSTED) return new Doorbuster({ url, language, token: () => localStorage.getItem(TOKEN_KEY) ?? "" });
  return new Doorbuster({ url, language, clientIP: address, ...person });
}
