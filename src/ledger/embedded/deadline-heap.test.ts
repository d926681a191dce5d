import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DeadlineHeap } from "./deadline-heap.ts";

interface Item {
  heapIndex: number;
  readonly deadline: number;
}
const itemOf = (deadline: number): Item => ({ heapIndex: -1, deadline });

type Action =
  | { readonly does: "push"; readonly deadline: number }
  | { readonly does: "pop" }
  | { readonly does: "remove"; readonly which: number };
// Few deadlines, so that many are the same.
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant("push"), deadline: fc.nat({ max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("pop") }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("remove"), which: fc.nat() }) },
);

describe("the deadline heap", () => {
  test("gives its items in the order of their deadlines, as sorting does", () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 300 }), (deadlines) => {
        const heap = new DeadlineHeap<Item>();
        for (const deadline of deadlines) heap.push(itemOf(deadline), deadline);
        const popped = deadlines.map(() => heap.pop().deadline);
        expect(popped).toEqual(deadlines.toSorted((a, b) => a - b));
        expect(heap.size).toBe(0);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test("is what a sorted list would be after any pushes, pops and removals", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200, size: "max" }), (actions) => {
        const heap = new DeadlineHeap<Item>();
        let list: Item[] = [];
        for (const step of actions) {
          if (step.does === "push") {
            const item = itemOf(step.deadline);
            heap.push(item, step.deadline);
            list.push(item);
          } else if (list.length > 0) {
            const gone = step.does === "pop" ? heap.pop() : (list[step.which % list.length] as Item);
            if (step.does === "remove") heap.remove(gone);
            else expect(gone.deadline).toBe(Math.min(...list.map(({ deadline }) => deadline)));
            expect(list).toContain(gone);
            expect(gone.heapIndex).toBe(-1);
            list = list.filter((item) => item !== gone);
          }
          expect(heap.size).toBe(list.length);
          expect(heap.earliest()).toBe(Math.min(...list.map(({ deadline }) => deadline)));
          expect(list.map(({ heapIndex }) => heapIndex).sort((a, b) => a - b)).toEqual(list.map((_, index) => index));
        }
      }),
      { numRuns: 200, seed: 2 },
    );
  });

  test("takes an item again that it has given", () => {
    const heap = new DeadlineHeap<Item>();
    const item = itemOf(5);
    heap.push(item, 5);
    expect(heap.pop()).toBe(item);
    heap.push(item, 7);
    expect(heap.earliest()).toBe(7);
    heap.remove(item);
    expect(heap.earliest()).toBe(Number.POSITIVE_INFINITY);
  });
});
