import { expect, test } from "bun:test";
import { poissonArrivals, seededRandom } from "./arrivals.ts";

const ARRIVALS = 50_000;

function gapsOf(ratePerSecond: number, seed: number): number[] {
  const next = poissonArrivals(ratePerSecond, seededRandom(seed));
  let before = 0;
  return Array.from({ length: ARRIVALS }, () => {
    const at = next();
    const gap = at - before;
    before = at;
    return gap;
  });
}

test("the same seed gives the same crowd, another seed another one", () => {
  expect(gapsOf(5_000, 7)).toEqual(gapsOf(5_000, 7));
  expect(gapsOf(5_000, 7)).not.toEqual(gapsOf(5_000, 8));
});

test("arrivals come at the asked rate, and as irregularly as a Poisson process does", () => {
  const gaps = gapsOf(5_000, 1);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  expect(mean).toBeWithin(195, 205);
  // The standard deviation of an exponential distribution is its mean; of a regular schedule it would be 0.
  expect(deviation / mean).toBeWithin(0.97, 1.03);
  expect(gaps.every((gap) => gap >= 0)).toBe(true);
});

test("random numbers fill the range from 0 to just below 1 evenly", () => {
  const random = seededRandom(3);
  const perTenth = new Array<number>(10).fill(0);
  for (let i = 0; i < ARRIVALS; i += 1) {
    const drawn = random();
    expect(drawn).toBeWithin(0, 1);
    perTenth[Math.floor(drawn * 10)]! += 1;
  }
  for (const inTenth of perTenth) expect(inTenth).toBeWithin(ARRIVALS / 10 - 500, ARRIVALS / 10 + 500);
});
