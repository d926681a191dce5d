/**
 * A binary heap of numbered things by deadline, earliest first. Whoever owns the things is told where each stands (`moved`), so that a hold
 * that ends early leaves the heap at once. Numbers and not objects, because the garbage collector need not look into arrays of numbers.
 */
import type { UnixMs } from "../../core/time.ts";

/** Up to a sixty-fourth of the heap, and always this many, are popped one by one. */
const POPS_MIN = 64;
const POPS_SHIFT = 6;

export class DeadlineHeap {
  readonly #deadlines: UnixMs[] = [];
  readonly #items: number[] = [];
  readonly #moved: (item: number, index: number) => void;

  /** @param moved hears each item's place when it gets a new one; -1 when it has left */
  constructor(moved: (item: number, index: number) => void) {
    this.#moved = moved;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The earliest deadline, or infinity when the heap is empty. */
  earliest(): UnixMs {
    return this.#deadlines[0] ?? Number.POSITIVE_INFINITY;
  }

  push(item: number, deadline: UnixMs): void {
    this.#items.push(item);
    this.#deadlines.push(deadline);
    this.#siftUp(this.#items.length - 1, item, deadline);
  }

  /** Takes out the item with the earliest deadline. */
  pop(): number {
    const first = this.#items[0] as number;
    this.removeAt(0);
    return first;
  }

  /** Takes out everything whose deadline is at or before `at`, in no order. `visit` must leave the heap alone. */
  takeDue(at: UnixMs, visit: (item: number) => void): void {
    // A few are popped. If it is more than a small share of all, one pass over the whole heap is cheaper than popping each.
    for (let left = Math.max(POPS_MIN, this.size >> POPS_SHIFT); left > 0 && this.earliest() <= at; left -= 1) visit(this.pop());
    if (this.earliest() <= at) this.#takeDueInOnePass(at, visit);
  }

  #takeDueInOnePass(at: UnixMs, visit: (item: number) => void): void {
    const size = this.#items.length;
    let kept = 0;
    for (let index = 0; index < size; index += 1) {
      const item = this.#items[index] as number;
      const deadline = this.#deadlines[index] as UnixMs;
      if (deadline <= at) {
        this.#moved(item, -1);
        visit(item);
      } else {
        this.#put(kept, item, deadline);
        kept += 1;
      }
    }
    this.#items.length = kept;
    this.#deadlines.length = kept;
    // Floyd's way to make a heap of what is left.
    for (let index = (kept >> 1) - 1; index >= 0; index -= 1) {
      const item = this.#items[index] as number;
      const deadline = this.#deadlines[index] as UnixMs;
      this.#put(this.#siftDown(index, deadline), item, deadline);
    }
  }

  /** @param index the place of the item, as `moved` told it last */
  removeAt(index: number): void {
    this.#moved(this.#items[index] as number, -1);
    const last = this.#items.pop() as number;
    const lastDeadline = this.#deadlines.pop() as UnixMs;
    if (index === this.#items.length) return;
    this.#siftUp(this.#siftDown(index, lastDeadline), last, lastDeadline);
  }

  /** Moves parents down until `item` fits at or above `from`, and puts it there. */
  #siftUp(from: number, item: number, deadline: UnixMs): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if ((this.#deadlines[parent] as UnixMs) <= deadline) break;
      this.#put(index, this.#items[parent] as number, this.#deadlines[parent] as UnixMs);
      index = parent;
    }
    this.#put(index, item, deadline);
  }

  /** Moves children up until a `deadline` fits at the place that is returned. */
  #siftDown(from: number, deadline: UnixMs): number {
    const size = this.#items.length;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) return index;
      if (child + 1 < size && (this.#deadlines[child + 1] as UnixMs) < (this.#deadlines[child] as UnixMs)) child += 1;
      if ((this.#deadlines[child] as UnixMs) >= deadline) return index;
      this.#put(index, this.#items[child] as number, this.#deadlines[child] as UnixMs);
      index = child;
    }
  }

  #put(index: number, item: number, deadline: UnixMs): void {
    this.#items[index] = item;
    this.#deadlines[index] = deadline;
    this.#moved(item, index);
  }
}
