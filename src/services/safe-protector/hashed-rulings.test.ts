/** The tables of rulings against plain maps, with so few hashes that they meet all the time, and with very many entries. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { HashedRulings, mixed } from "./hashed-rulings.ts";
import { Ipv4Rulings } from "./ipv4-rulings.ts";
import { TextRulings } from "./text-rulings.ts";

type Command<K> = readonly [key: K, ruling: number | null];
interface RulingTable<K> {
  readonly size: number;
  get(key: K): number | undefined;
  set(key: K, ruling: number): void;
  delete(key: K): void;
}

function expectAsMap<K>(table: RulingTable<K>, commands: readonly Command<K>[], asked: readonly K[]): void {
  const model = new Map<K, number>();
  for (const [key, ruling] of commands) {
    for (const either of [table, model]) ruling === null ? either.delete(key) : either.set(key, ruling);
    expect(table.size).toBe(model.size);
  }
  for (const key of [...asked, ...commands.map(([key]) => key)]) expect([key, table.get(key)]).toEqual([key, model.get(key)]);
}

const commandsOf = <K>(key: fc.Arbitrary<K>, maxLength: number): fc.Arbitrary<Command<K>[]> =>
  fc.array(fc.tuple(key, fc.oneof({ weight: 2, arbitrary: fc.integer({ min: 1 }) }, fc.constant(null))), { maxLength });
const number = fc.oneof(fc.integer(), fc.integer({ min: -20, max: 20 }));
// Two texts of one hash are rare by themselves: the table below is asked for some that have been looked for.
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", "é", "🛒", "\uffee"), minLength: 1, maxLength: 4 }),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 128 }),
);

describe("a table of rulings", () => {
  test("by IPv4 address is as a map", () => {
    const property = fc.property(commandsOf(number, 200), fc.array(number), (commands, asked) =>
      expectAsMap(new Ipv4Rulings(), commands, asked),
    );
    fc.assert(property, { numRuns: 300, seed: 1 });
  });

  test("by text is as a map, whatever the texts are", () => {
    const property = fc.property(commandsOf(text, 200), fc.array(text), (commands, asked) =>
      expectAsMap(new TextRulings(), commands, asked),
    );
    fc.assert(property, { numRuns: 200, seed: 1 });
  });

  test("is as a map while tens of thousands come and go, and says of nearly everybody who is not there that they are not", () => {
    const [table, model] = [new Ipv4Rulings(), new Map<number, number>()];
    // Everybody comes, then most go, then others come: it grows, and what it has to forget outweighs what is there.
    for (const [from, to, isAdded] of [
      [0, 40_000, true],
      [1_000, 39_000, false],
      [40_000, 90_000, true],
      [500, 88_000, false],
      [90_000, 120_000, true],
    ] as const) {
      for (let key = from; key < to; key += 1) {
        if (!isAdded) expect(table.delete(key)).toBe(model.get(key));
        else expect(table.set(key, key + 1)).toBe(model.get(key));
        isAdded ? model.set(key, key + 1) : model.delete(key);
      }
      expect(table.size).toBe(model.size);
      for (let key = 0; key < 120_000; key += 7)
        if (table.get(key) !== model.get(key)) expect([key, table.get(key)]).toEqual([key, model.get(key)]);
      for (const key of model.keys()) if (!table.mayHave(key)) throw new Error(`${key} is there and told to be nowhere`);
    }
    let taken = 0;
    for (let key = 1_000_000; key < 1_100_000; key += 1) if (table.mayHave(key)) taken += 1;
    expect(taken).toBeLessThan(5_000);
  });

  test("finds what was pushed on by others, also when those in front of it go, at the end of the slots too", () => {
    const property = fc.property(
      // All in one shard of 16 slots, most of them at its end.
      fc.array(fc.tuple(fc.constantFrom(12, 13, 14, 15, 0, 1), fc.nat({ max: 3 })), { maxLength: 11 }),
      fc.array(fc.nat({ max: 10 })),
      (made, removed) => {
        const table = new HashedRulings(true);
        const hashes = [...new Set(made.map(([slot, more]) => slot * 2 ** 28 + more * 64))];
        const left = new Map(hashes.map((hash, index) => [hash, index + 1]));
        for (const [hash, ruling] of left) table.add(hash, ruling, ruling * 2);
        for (const index of removed) {
          const hash = hashes[index] ?? -1;
          const shard = table.shardOf(0);
          if (left.delete(hash)) table.removeAt(shard, table.find(shard, hash));
          for (const each of hashes) {
            const slot = table.find(shard, each);
            const found = slot < 0 ? undefined : [shard.rulings[slot], shard.places[slot]];
            const wanted = left.get(each);
            expect(found).toEqual(wanted === undefined ? undefined : [wanted, wanted * 2]);
          }
        }
      },
    );
    fc.assert(property, { numRuns: 500, seed: 1 });
  });

  test("mistakes nobody for somebody else whose text has the same hash", () => {
    const table = new TextRulings();
    const [one, other] = textsOfOneHash();
    table.set(one, 1);
    expect([table.get(one), table.get(other)]).toEqual([1, undefined]);
    table.set(other, 2);
    expect([table.get(one), table.get(other), table.size]).toEqual([1, 2, 2]);
    table.delete(one);
    expect([table.get(one), table.get(other), table.size]).toEqual([undefined, 2, 1]);
  });

  test("keeps no more text than twice what is in it, however much comes and goes", () => {
    const table = new TextRulings();
    for (let index = 0; index < 20_000; index += 1) {
      table.set(`user-${index}`, index + 1);
      if (index >= 100) table.delete(`user-${index - 100}`);
    }
    expect(table.size).toBe(100);
    expect(table.textBytes).toBeLessThan(64 * 1_024);
    for (let index = 19_900; index < 20_000; index += 1) expect(table.get(`user-${index}`)).toBe(index + 1);
  });
});

/** Two texts of the hash that text tables use: by the birthday of 32 bits there are some among a hundred thousand. */
function textsOfOneHash(): readonly [string, string] {
  const byHash = new Map<number, string>();
  for (let index = 0; index < 1_000_000; index += 1) {
    const text = `user-${index}`;
    let hash = 0x811c9dc5;
    for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    const other = byHash.get(mixed(hash));
    if (other !== undefined) return [other, text];
    byHash.set(mixed(hash), text);
  }
  throw new Error("no two texts have one hash");
}
