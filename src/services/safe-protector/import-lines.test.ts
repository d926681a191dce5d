/** The lines of imported lists: what they say, what is passed over, and which of them are bad. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ImportLines } from "./import-lines.ts";

function read(text: string, areAccounts = false, limit = 1_000) {
  const lines = new ImportLines(text, areAccounts);
  const values: string[] = [];
  const bad: number[] = [];
  for (let piece = lines.next(limit); piece !== null; piece = lines.next(limit)) {
    values.push(...piece.values);
    bad.push(...piece.bad.map(({ line }) => line));
  }
  return { ipv4: lines.ipv4.texts(0, lines.ipv4.length), values, bad, lines: lines.line };
}

describe("a list of addresses", () => {
  test("has an address or a network on each line, in canonical form, and comments as public lists have them", () => {
    const text = "\ufeff# a list\n1.2.3.4\r\n\n  10.1.2.3/8 ; SBL1\n::FFFF:1.2.3.4#x\n2001:DB8::/32\n; the end";
    const wanted = { ipv4: ["1.2.3.4", "1.2.3.4"], values: ["10.0.0.0/8", "2001:db8::/32"] };
    expect(read(text)).toEqual({ ...wanted, bad: [], lines: 7 });
  });

  test.each(["1.2.3", "1.2.3.4/33", "1.2.3.4 5.6.7.8", "x", "1.2.3.4,block", "\0", "<html>"])(
    "names the line of %j, and goes on",
    (wrong) => {
      expect(read(`1.1.1.1\n${wrong}\n2.2.2.2`)).toEqual({ ipv4: ["1.1.1.1", "2.2.2.2"], values: [], bad: [2], lines: 3 });
    },
  );
});

test("a list of accounts has a user id on each line, whatever characters are in it", () => {
  const { values, bad } = read(`U1\n U#2;3 \r\n1.2.3.4\n${"x".repeat(129)}\n\ufffd\n`, true);
  expect([values, bad]).toEqual([
    ["U1", "U#2;3", "1.2.3.4"],
    [4, 5],
  ]);
});

test("the pieces of a text have all of it in them, however small they are", () => {
  const line = fc.oneof(fc.ipV4(), fc.constantFrom("", "# no", "bad", "10.0.0.0/8"));
  const property = fc.property(fc.array(line), fc.integer({ min: 1, max: 5 }), (lines, limit) => {
    expect(read(lines.join("\n"), false, limit)).toEqual(read(lines.join("\n")));
  });
  fc.assert(property, { numRuns: 100, seed: 1 });
});
