import { expect, test } from "bun:test";
import { assert, property, string } from "fast-check";
import { jsonText } from "./json-text.ts";

test("a text becomes what JSON.stringify makes of it", () => {
  assert(
    property(string({ unit: "binary", maxLength: 20 }), (text) => {
      expect(jsonText(text)).toBe(JSON.stringify(text));
    }),
    { seed: 20_261_122 },
  );
  for (const text of ["", 'a"b', "a\\b", "a\nb", "a\u007fb", "\ud800", "商品", "UID0000000001"])
    expect(jsonText(text)).toBe(JSON.stringify(text));
});
