import { expect, test } from "bun:test";
import { array, assert, boolean, integer, property, record } from "fast-check";
import type { UserId } from "../../core/ids.ts";
import { LineTable, NO_LINE } from "./line-table.ts";

const SEED = 20_261_122;
const EMPTY = { held: 0, heldUntil: 0, pending: 0, ordered: 0, userLevel: null };

const linesOf = (table: LineTable, user: string): number[] => {
  const lines: number[] = [];
  for (let line = table.firstOf(user as UserId); line !== NO_LINE; line = table.nextOf(line)) lines.push(line);
  return lines;
};

/** Hashes of few values make users collide, in their shard and in their slot. */
for (const [name, hashOf] of [
  ["a good hash", (text: string) => Bun.hash.xxHash32(text, 7)],
  ["a hash of three values", (text: string) => (text.charCodeAt(text.length - 1) % 3) * 256],
  ["a hash that is always the same", () => 0xffff_ffff],
] as const) {
  test(`with ${name}, every user's lines are found, newest first, whatever was added and removed`, () => {
    const step = record({
      user: integer({ min: 0, max: 40 }),
      isAdded: boolean(),
      which: integer({ min: 0, max: 100 }),
      held: integer({ min: 1, max: 1_000_000 }),
    });
    assert(
      property(array(step, { maxLength: 300 }), (steps) => {
        const table = new LineTable(hashOf);
        const model = new Map<string, { line: number; held: number }[]>();
        for (const { user, isAdded, which, held } of steps) {
          const id = `user ${user}`;
          const lines = model.get(id) ?? [];
          if (isAdded) {
            const line = table.add(id as UserId, user);
            expect(table.lineOf(line)).toEqual(EMPTY);
            table.setLine(line, { ...EMPTY, held, heldUntil: 1_790_000_000_000 + held, userLevel: user });
            model.set(id, [{ line, held }, ...lines]);
          } else if (lines.length > 0) {
            const [gone] = lines.splice(which % lines.length, 1);
            if (gone) table.remove(gone.line);
            expect(gone && table.isFree(gone.line)).toBe(true);
            if (lines.length === 0) model.delete(id);
          }
        }
        expect(table.users).toBe(model.size);
        for (let user = 0; user <= 40; user += 1) {
          const expected = model.get(`user ${user}`) ?? [];
          expect(linesOf(table, `user ${user}`)).toEqual(expected.map(({ line }) => line));
          for (const { line, held } of expected) {
            expect(table.lineOf(line)).toEqual({ ...EMPTY, held, heldUntil: 1_790_000_000_000 + held, userLevel: user });
            expect([table.userOf(line), table.shelfOf(line), table.isFree(line)]).toEqual([`user ${user}` as UserId, user, false]);
          }
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
}

test("a hundred thousand users are found over many pages", () => {
  const table = new LineTable((text) => Bun.hash.xxHash32(text, 7));
  for (let user = 0; user < 100_000; user += 1)
    table.setLine(table.add(`U${user}` as UserId, 0), { ...EMPTY, held: user + 1, heldUntil: 1 });
  for (let user = 0; user < 100_000; user += 997) expect(table.heldOf(table.firstOf(`U${user}` as UserId))).toBe(user + 1);
  expect(table.firstOf("nobody" as UserId)).toBe(NO_LINE);
  expect(table.users).toBe(100_000);
});
