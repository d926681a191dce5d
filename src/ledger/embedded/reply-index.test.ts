import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ReplyIndex, type ReplyLocation } from "./reply-index.ts";

const POSITIONS = 65_536;
/** The fewest replies that an index has room for, whatever it is asked: 256 shards of 64 slots, three quarters full. */
const ROOM_MIN = 256 * 48;

/** Everything that stands at `hash`. */
function allAt(index: ReplyIndex, hash: number): ReplyLocation[] {
  const found: ReplyLocation[] = [];
  index.find(hash, (location) => {
    found.push(location);
    return null;
  });
  return found;
}
const byPlace = (a: ReplyLocation, b: ReplyLocation): number => a.row - b.row || a.position - b.position;

/** Hashes that often fall into the same shard, the same slot, or are the same. */
const hash = fc.oneof(
  fc.nat({ max: 3 }),
  fc.nat({ max: 40 }).map((n) => n * 256),
  fc.nat({ max: 40 }).map((n) => (n * 65_536 * 16 + 7) >>> 0),
  fc.nat({ max: 0xffffffff }),
  fc.constant(0xffffffff),
);

describe("the reply index", () => {
  test("finds what a map would find, also after some rows are forgotten", () => {
    const action = fc.oneof(
      { weight: 20, arbitrary: fc.record({ does: fc.constant("add"), hash }) },
      { weight: 3, arbitrary: fc.record({ does: fc.constant("next row") }) },
      { weight: 1, arbitrary: fc.record({ does: fc.constant("forget"), rows: fc.nat({ max: 3 }) }) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 400, size: "max" }), (actions) => {
        const index = new ReplyIndex(1_000_000);
        const model = new Map<number, ReplyLocation[]>();
        let [row, position, oldest] = [1, 0, 1];
        for (const step of actions) {
          if (step.does === "add") {
            expect(index.hasRoom(step.hash)).toBe(true);
            index.add(step.hash, { row, position });
            model.set(step.hash, [...(model.get(step.hash) ?? []), { row, position }]);
            position += 1;
          } else if (step.does === "next row") {
            row += 1;
            position = 0;
          } else {
            oldest = Math.min(row, oldest + step.rows);
            index.forgetBefore(oldest);
          }
        }
        for (const [known, places] of model) {
          expect(allAt(index, known).sort(byPlace)).toEqual(places.filter((place) => place.row >= oldest));
        }
        expect(allAt(index, 0x12345678)).toEqual(model.get(0x12345678) ?? []);
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test("gives the first place that is accepted, and null when none is", () => {
    const index = new ReplyIndex(1_000);
    for (const position of [3, 4, 5]) index.add(99, { row: 1, position });
    expect(index.find(99, ({ position }) => (position === 4 ? "four" : null))).toBe("four");
    expect(index.find(99, () => null)).toBeNull();
    expect(index.find(98, () => "anything")).toBeNull();
  });

  test("keeps rows and positions apart up to the largest position of a row and billions of rows", () => {
    const index = new ReplyIndex(1_000);
    const places = [
      { row: 1, position: 0 },
      { row: 1, position: POSITIONS - 1 },
      { row: 2, position: 0 },
      { row: 2 ** 36, position: POSITIONS - 1 },
    ];
    for (const place of places) index.add(5, place);
    expect(allAt(index, 5).sort(byPlace)).toEqual(places);
  });

  test("grows while there is something to keep, and loses nothing of it", () => {
    const index = new ReplyIndex(1_000_000);
    const count = 200_000;
    // Multiplying by an odd constant gives every number a hash of its own, spread over all shards.
    const hashOf = (n: number): number => Math.imul(n, 0x9e3779b1) >>> 0;
    for (let n = 0; n < count; n += 1) index.add(hashOf(n), { row: 1 + Math.floor(n / 1_000), position: n % 1_000 });
    let wrong = 0;
    for (let n = 0; n < count; n += 1) {
      const found = index.find(hashOf(n), (place) => place);
      if (found?.row !== 1 + Math.floor(n / 1_000) || found.position !== n % 1_000) wrong += 1;
    }
    expect(wrong).toBe(0);
  });

  test("has no room beyond its bound, and room again when old rows are forgotten", () => {
    const index = new ReplyIndex(1);
    let added = 0;
    // All of one shard, so that its bound is reached at once.
    const hashOf = (n: number): number => (n * 256 + 17) >>> 0;
    while (index.hasRoom(hashOf(added)) && added <= ROOM_MIN) {
      index.add(hashOf(added), { row: 1 + added, position: 0 });
      added += 1;
    }
    expect(added).toBeLessThanOrEqual(64);
    expect(added).toBeGreaterThanOrEqual(40);
    expect(index.hasRoom(hashOf(added))).toBe(false);
    expect(index.hasRoom(18)).toBe(true);
    for (let n = 0; n < added; n += 1) expect(allAt(index, hashOf(n))).toHaveLength(1);
    index.forgetBefore(1 + added / 2);
    expect(index.hasRoom(hashOf(added))).toBe(true);
    for (let n = 0; n < added; n += 1) expect(allAt(index, hashOf(n))).toHaveLength(n < added / 2 ? 0 : 1);
  });

  test("has room for as many as it promises, less what uneven shards cost", () => {
    const repliesMax = 100_000;
    const index = new ReplyIndex(repliesMax);
    let added = 0;
    while (added < 2 * repliesMax && index.hasRoom(Math.imul(added, 0x9e3779b1) >>> 0)) {
      index.add(Math.imul(added, 0x9e3779b1) >>> 0, { row: 1, position: added % POSITIONS });
      added += 1;
    }
    expect(added).toBeLessThanOrEqual(repliesMax);
    expect(added).toBeGreaterThanOrEqual(0.4 * repliesMax);
  });

  test("does not go back to rows that were forgotten", () => {
    const index = new ReplyIndex(1_000);
    index.add(1, { row: 1, position: 0 });
    index.forgetBefore(5);
    index.forgetBefore(2);
    expect(allAt(index, 1)).toEqual([]);
  });

  test("can be filled and forgotten for ever", () => {
    const index = new ReplyIndex(1);
    for (let row = 1; row <= 5_000; row += 1) {
      const shared = (row * 256 + 3) >>> 0;
      expect(index.hasRoom(shared)).toBe(true);
      index.add(shared, { row, position: 0 });
      index.forgetBefore(row - 20);
      expect(allAt(index, shared)).toEqual([{ row, position: 0 }]);
    }
  });
});

test("a part of the room can be kept from those who may only use a share of it", () => {
  const index = new ReplyIndex(1_024);
  let forAll = 0;
  let forSome = 0;
  for (let n = 1; n <= 100_000; n += 1) {
    const hash = (n * 2_654_435_761) >>> 0;
    const hasShare = index.hasRoom(hash, 0.5);
    // Whoever may use a share may also use the whole.
    expect(hasShare && !index.hasRoom(hash)).toBe(false);
    if (hasShare) forSome = n;
    if (!index.hasRoom(hash)) continue;
    forAll = n;
    index.add(hash, { row: n, position: 0 });
  }
  expect(forSome).toBeGreaterThan(0);
  expect(forAll).toBeGreaterThan(forSome);
});

test("who is refused for want of room has it again when enough has become outdated, also within a share", () => {
  const index = new ReplyIndex(1_024);
  const hashOf = (n: number): number => (n * 2_654_435_761) >>> 0;
  const fill = (from: number): number => {
    let last = from;
    for (let n = from; n < from + 100_000; n += 1) {
      if (!index.hasRoom(hashOf(n), 0.5)) continue;
      index.add(hashOf(n), { row: n, position: 0 });
      last = n;
    }
    return last;
  };
  const last = fill(1);
  expect(index.hasRoom(hashOf(last), 0.5)).toBe(false);
  index.forgetBefore(last + 1);
  expect(index.hasRoom(hashOf(last), 0.5)).toBe(true);
  expect(fill(last + 1)).toBeGreaterThan(last);
});
