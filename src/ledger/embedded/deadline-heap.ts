/** A binary heap of things by deadline, earliest first. Each item knows its place, so that a hold that ends early leaves at once. */
import type { UnixMs } from "../../core/time.ts";

export interface HeapItem {
  /** Its place in the heap; -1 when it is in none. Written by the heap alone. */
  heapIndex: number;
}

export class DeadlineHeap<T extends HeapItem> {
  // Two arrays, because comparisons then stay in one packed array of numbers.
  readonly #deadlines: UnixMs[] = [];
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The earliest deadline, or infinity when the heap is empty. */
  earliest(): UnixMs {
    return this.#deadlines[0] ?? Number.POSITIVE_INFINITY;
  }

  push(item: T, deadline: UnixMs): void {
    this.#items.push(item);
    this.#deadlines.push(deadline);
    this.#siftUp(this.#items.length - 1, item, deadline);
  }

  /** Takes out the item with the earliest deadline. */
  pop(): T {
    const first = this.#items[0] as T;
    this.remove(first);
    return first;
  }

  remove(item: T): void {
    const index = item.heapIndex;
    item.heapIndex = -1;
    const last = this.#items.pop() as T;
    const lastDeadline = this.#deadlines.pop() as UnixMs;
    if (index === this.#items.length) return;
    this.#siftUp(this.#siftDown(index, lastDeadline), last, lastDeadline);
  }

  /** Moves parents down until `item` fits at or above `index`, and puts it there. */
  #siftUp(from: number, item: T, deadline: UnixMs): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if ((this.#deadlines[parent] as UnixMs) <= deadline) break;
      this.#put(index, this.#items[parent] as T, this.#deadlines[parent] as UnixMs);
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
      this.#put(index, this.#items[child] as T, this.#deadlines[child] as UnixMs);
      index = child;
    }
  }

  #put(index: number, item: T, deadline: UnixMs): void {
    this.#items[index] = item;
    this.#deadlines[index] = deadline;
    item.heapIndex = index;
  }
}
