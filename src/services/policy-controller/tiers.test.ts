/** Tiers: which of them counts for a user, and that there is one for each level. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Tier, type Tiers, tierFor, withTier } from "./tiers.ts";

const tier = fc.record({ userLevel: fc.nat({ max: 9 }), quantityLimit: fc.integer({ min: 1, max: 5 }) });
const tiersOf = (added: readonly Tier[]): Tiers => added.reduce<Tiers>(withTier, []);

describe("tiers", () => {
  const gold: Tier = { userLevel: 5, quantityLimit: 4 };
  const basic: Tier = { userLevel: 1, quantityLimit: 2 };

  test("give a user the highest tier whose level is reached, and nothing below the lowest", () => {
    const reached = [0, 1, 4, 5, 1_000_000].map((level) => tierFor([basic, gold], level));
    expect(reached).toEqual([null, basic, basic, gold, gold]);
    expect(tierFor([], 7)).toBeNull();
  });

  test("need not grow with the level: a higher one may allow less", () => {
    const strict = { userLevel: 9, quantityLimit: 1 };
    expect(tierFor([basic, gold, strict], 9)).toEqual(strict);
  });

  test("are in order of level, one for each, the last that was added, in whatever order they came", () => {
    fc.assert(
      fc.property(fc.array(tier, { maxLength: 20 }), (added) => {
        const latest = new Map(added.map((each) => [each.userLevel, each]));
        const wanted = [...latest.values()].sort((a, b) => a.userLevel - b.userLevel);
        expect(tiersOf(added)).toEqual(wanted);
        for (let level = 0; level <= 10; level += 1) {
          const reached = wanted.filter(({ userLevel }) => userLevel <= level).at(-1) ?? null;
          expect(tierFor(tiersOf(added), level)).toEqual(reached);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test("that were there stay as they were when one is added", () => {
    const before = Object.freeze([basic, gold]);
    withTier(before, { userLevel: 3, quantityLimit: 3 });
    withTier(before, { userLevel: 1, quantityLimit: 9 });
    expect(before).toEqual([basic, gold]);
  });
});
