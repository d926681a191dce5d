import { expect, test } from "bun:test";
import type { Winner } from "./tally.ts";
import { type CartReading, type Evidence, type Finding, verify } from "./verify.ts";

const NOW = 1_000_000;
const LIVE_UNTIL = NOW + 1_800_000;

const goods = (onHand: number, frozen: number) => ({ onHand, frozen, available: onHand - frozen, readAt: NOW });
const winner = (index: number, expiresAt = LIVE_UNTIL): Winner => ({ userId: `U${index}`, quantity: 1, expiresAt });
const cartsOf = (quantities: readonly number[]): Map<string, CartReading> =>
  new Map(quantities.map((quantity, index) => [`U${index}`, { quantity, readAt: NOW }]));

/** Ten units, ten winners, everything as promised. */
const kept: Evidence = {
  before: goods(10, 0),
  after: goods(10, 10),
  quantity: 1,
  winners: Array.from({ length: 10 }, (_, index) => winner(index)),
  undecided: [],
  carts: cartsOf(new Array<number>(10).fill(1)),
  wasToldSoldOut: true,
  isShared: false,
};

const brokenIn = (evidence: Evidence): string[] =>
  verify(evidence)
    .filter((finding: Finding) => finding.verdict === "broken")
    .map((finding) => finding.text.split(":")[0] as string);

test("a run in which every promise was kept has nothing but good findings", () => {
  expect(verify(kept).map((finding) => finding.verdict)).toEqual(["ok", "ok", "ok", "ok"]);
});

test("more frozen than on hand is oversold", () => {
  expect(brokenIn({ ...kept, before: goods(9, 0), after: goods(9, 10) })).toContain("OVERSOLD");
});

test("available goods that do not add up are oversold", () => {
  expect(brokenIn({ ...kept, after: { ...goods(10, 10), available: 1 } })).toContain("OVERSOLD");
});

test("carts that hold more than the goods count as frozen are oversold", () => {
  expect(brokenIn({ ...kept, after: goods(10, 9), wasToldSoldOut: false })).toEqual(["OVERSOLD"]);
});

test("an acknowledged hold that is not in its cart is lost", () => {
  expect(brokenIn({ ...kept, after: goods(10, 9), carts: cartsOf([0, 1, 1, 1, 1, 1, 1, 1, 1, 1]), wasToldSoldOut: false })).toEqual([
    "LOST",
  ]);
});

test("a cart with more than was acknowledged is double-frozen", () => {
  expect(brokenIn({ ...kept, before: goods(11, 0), after: goods(11, 11), carts: cartsOf([2, 1, 1, 1, 1, 1, 1, 1, 1, 1]) })).toEqual([
    "DOUBLE-FROZEN",
  ]);
});

test("an acknowledgement of more than was asked for is double-frozen", () => {
  expect(brokenIn({ ...kept, winners: [{ ...winner(0), quantity: 2 }, ...kept.winners.slice(1)] })).toEqual(["DOUBLE-FROZEN"]);
});

test("goods frozen for nobody are double-frozen", () => {
  expect(brokenIn({ ...kept, before: goods(12, 0), after: goods(12, 12) })).toEqual(["DOUBLE-FROZEN"]);
});

test("a sold-out that was told while goods are left is undersold", () => {
  expect(brokenIn({ ...kept, before: goods(11, 0), after: goods(11, 10) })).toEqual(["UNDERSOLD"]);
});

test("a remainder that is too small for one purchase is not undersold", () => {
  const evidence = { ...kept, quantity: 2, winners: [{ ...winner(0), quantity: 2 }], carts: cartsOf([2]) };
  expect(brokenIn({ ...evidence, before: goods(3, 0), after: goods(3, 2) })).toEqual([]);
});

test("goods that came back because a hold ended are not undersold, and the hold is not lost", () => {
  const winners = [winner(0, NOW - 1), ...kept.winners.slice(1)];
  expect(brokenIn({ ...kept, winners, after: goods(10, 9), carts: cartsOf([0, 1, 1, 1, 1, 1, 1, 1, 1, 1]) })).toEqual([]);
});

test("holds from before the run that ended meanwhile are no fault of the run", () => {
  expect(brokenIn({ ...kept, before: goods(15, 5), after: goods(15, 10) })).toEqual([]);
});

test("a buyer without an answer may have what they asked for, and no more", () => {
  const undecided = { ...kept, winners: kept.winners.slice(0, 9), undecided: ["U9"] };
  expect(brokenIn(undecided)).toEqual([]);
  const carts = cartsOf([1, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
  expect(brokenIn({ ...undecided, before: goods(11, 0), after: goods(11, 11), carts })).toEqual(["DOUBLE-FROZEN"]);
});

test("while others buy totals are not compared, and every buyer still is", () => {
  const shared = { ...kept, isShared: true, before: goods(30, 0), after: goods(30, 20) };
  expect(brokenIn(shared)).toEqual([]);
  expect(verify(shared).filter((finding) => finding.verdict === "not checked")).toHaveLength(2);
  expect(brokenIn({ ...shared, carts: cartsOf([0, 1, 1, 1, 1, 1, 1, 1, 1, 1]) })).toEqual(["LOST"]);
});
