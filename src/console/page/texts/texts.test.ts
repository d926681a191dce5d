/** Whoever reads the console in one language misses nothing that the other one says. */
import { describe, expect, test } from "bun:test";
import { PAGE_NAMES } from "../views/page-names.ts";
import { LANGUAGES, TEXTS, type TextKey, tellerOf, wordOf } from "./texts.ts";

const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string).toSorted();
const all = Object.entries(TEXTS) as [TextKey, readonly string[]][];

describe("every text", () => {
  test("is there in every language, and is not empty", () => {
    expect(all.filter(([, texts]) => texts.length !== LANGUAGES.length || texts.some((text) => text.trim() === ""))).toEqual([]);
  });

  test("has the same figures in it in every language", () => {
    const wrong = all.filter(([, [english = "", chinese = ""]]) => placeholders(english).join() !== placeholders(chinese).join());
    expect(wrong.map(([key]) => key)).toEqual([]);
  });

  test("in English has no Chinese in it", () => {
    expect(all.filter(([, [english = ""]]) => /\p{Script=Han}/u.test(english)).map(([key]) => key)).toEqual([]);
  });
});

test("every page has a name in the menu, in both languages", () => {
  for (const language of LANGUAGES) for (const page of PAGE_NAMES) expect(tellerOf(language)(`frame.${page}`)).not.toBe("");
});

test("figures stand where the text says", () => {
  expect(tellerOf("en")("now.funnelEntered", { count: "1,200" })).toBe("1,200 entered");
  expect(tellerOf("zh")("now.funnelEntered", { count: "1,200" })).toBe("1,200 进入");
});

test("a word that the services use and we have no text for is shown as it is", () => {
  expect(wordOf(tellerOf("en"), "reason", "sold-out")).toBe("Sold out");
  expect(wordOf(tellerOf("zh"), "reason", "a-new-reason")).toBe("a-new-reason");
  expect(wordOf(tellerOf("en"), "reason", "toString")).toBe("toString");
});
