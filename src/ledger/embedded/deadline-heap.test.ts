import { expect, test } from "bun:test";
import { array, assert, constant, integer, oneof, property, record } from "fast-check";
import { DeadlineHeap } from "./deadline-heap.ts";

const SEED = 20_261_122;

/** A heap with what its owner knows: each item's deadline, and where the heap says it stands. */
function ownedHeap() {
  const places = new Map<number, number>();
  const heap = new DeadlineHeap((item, index) => places.set(item, index));
  return { heap, places };
}

test("what is pushed is popped in the order of its deadlines", () => {
  assert(
    property(array(integer({ min: 0, max: 50 }), { maxLength: 200 }), (deadlines) => {
      const { heap } = ownedHeap();
      deadlines.forEach((deadline, item) => {
        heap.push(item, deadline);
      });
      const popped: number[] = [];
      while (heap.size > 0) {
        const earliest = heap.earliest();
        const item = heap.pop();
        expect(deadlines[item]).toBe(earliest);
        popped.push(earliest);
      }
      expect(popped).toEqual(deadlines.toSorted((a, b) => a - b));
      expect(heap.earliest()).toBe(Number.POSITIVE_INFINITY);
    }),
    { seed: SEED },
  );
});

test("an item is removed from wherever it stands, and every owner is told the true place", () => {
  const step = oneof(
    record({ does: constant("push" as const), deadline: integer({ min: 0, max: 20 }) }),
    record({ does: constant("remove" as const), which: integer({ min: 0, max: 1_000 }) }),
    record({ does: constant("pop" as const) }),
  );
  assert(
    property(array(step, { maxLength: 150 }), (steps) => {
      const { heap, places } = ownedHeap();
      const inside = new Map<number, number>();
      steps.forEach((each, item) => {
        if (each.does === "push") {
          heap.push(item, each.deadline);
          inside.set(item, each.deadline);
        } else if (inside.size > 0) {
          const chosen = each.does === "pop" ? heap.pop() : ([...inside.keys()][each.which % inside.size] as number);
          if (each.does === "pop") expect(inside.get(chosen)).toBe(Math.min(...inside.values()));
          else heap.removeAt(places.get(chosen) as number);
          expect(places.get(chosen)).toBe(-1);
          inside.delete(chosen);
        }
        expect(heap.size).toBe(inside.size);
        expect(heap.earliest()).toBe(Math.min(...inside.values()));
        // Every item's place is its own.
        const told = [...inside.keys()].map((each) => places.get(each) as number);
        expect(told.toSorted((a, b) => a - b)).toEqual([...told.keys()]);
      });
    }),
    { seed: SEED },
  );
});

test("everything due is taken out, few or many, and what is left is still in order", () => {
  assert(
    property(array(integer({ min: 0, max: 300 }), { maxLength: 600 }), integer({ min: -1, max: 300 }), (deadlines, at) => {
      const { heap, places } = ownedHeap();
      deadlines.forEach((deadline, item) => {
        heap.push(item, deadline);
      });
      const taken: number[] = [];
      heap.takeDue(at, (item) => {
        expect(places.get(item)).toBe(-1);
        taken.push(item);
      });
      const isDue = (item: number): boolean => (deadlines[item] as number) <= at;
      expect(taken.toSorted((a, b) => a - b)).toEqual([...deadlines.keys()].filter(isDue));
      const left: number[] = [];
      for (; heap.size > 0; heap.pop()) left.push(heap.earliest());
      expect(left).toEqual(deadlines.filter((deadline) => deadline > at).toSorted((a, b) => a - b));
    }),
    { seed: SEED, numRuns: 300 },
  );
});
