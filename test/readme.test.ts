/** The README and its Chinese twin say the same: what can be compared without reading both languages is. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const read = (name: string): string => readFileSync(join(root, name), "utf8");
const english = read("README.md");
const chinese = read("README.zh-CN.md");

/** Without fenced code, in which a `#` begins a comment. */
const proseOf = (text: string): string => text.replaceAll(/^```[\s\S]*?^```$/gm, "");
const codeOf = (text: string): string[] =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => `${language}\n${withoutComments(code as string)}`);
/** Comments, and what a picture of characters says, are in the reader's language. */
const withoutComments = (code: string): string =>
  /[─►▼]/.test(code)
    ? ""
    : code
        .split("\n")
        .map((line) => line.replace(/(^|\s+)(#|\/\/)\s.*$/, ""))
        .filter((line) => line.trim() !== "")
        .join("\n");
const sorted = (values: Iterable<string>): string[] => [...values].toSorted();
const twinOf = (target: string): string => target.replace(/README(\.zh-CN)?\.md/, "README.md");
const linksOf = (text: string): string[] =>
  sorted([...proseOf(text).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => twinOf(target as string)));

test("the same headings of the same rank, in the same order", () => {
  const ranks = (text: string): number[] => [...proseOf(text).matchAll(/^(#+) /gm)].map(([, marks]) => (marks as string).length);
  expect(ranks(chinese)).toEqual(ranks(english));
});

test("the same code, but for comments", () => {
  expect(codeOf(chinese)).toEqual(codeOf(english));
});

test("the same links and pictures, and each leads somewhere", () => {
  expect(linksOf(chinese)).toEqual(linksOf(english));
  const local = [...linksOf(chinese), ...linksOf(english)].filter((target) => !/^https?:/.test(target));
  expect(local.filter((target) => !existsSync(join(root, target)))).toEqual([]);
});

test("the same names, flags, paths and figures", () => {
  const spansOf = (text: string): string[] => sorted(new Set([...proseOf(text).matchAll(/`([^`]+)`/g)].map(([, span]) => span as string)));
  expect(spansOf(chinese)).toEqual(spansOf(english));
  const rowsOf = (text: string): string[] =>
    [...proseOf(text).matchAll(/^\|.*\|$/gm)].map(([row]) => (row.match(/\d+(\.\d+)?/g) ?? []).join(" "));
  expect(rowsOf(chinese)).toEqual(rowsOf(english));
});
