/**
 * The keys that came most often, in fixed memory: Space-Saving (Metwally, Agrawal and El Abbadi 2005). A key that is kept has a count that is
 * never too small, and too large by at most its `error`; a key that is not kept came at most `floor` times.
 *
 * Room is made in batches, as Anderson et al. do it ("A high-performance algorithm for identifying frequent items in data streams", 2017): there
 * is room for twice the keys, and when that is full the smaller half goes at once. The largest count that has gone is the floor, with which new
 * keys begin. Each time the floor rises by something, `keysKept` others had risen by as much above it, so `floor <= total / keysKept`.
 * Two of them become one as in Agarwal et al. ("Mergeable summaries", 2012): the floors add up, and so do the bounds.
 */
import { ownText } from "./text-hash.ts";

export interface HeavyKey {
  readonly key: string;
  readonly count: number;
  readonly error: number;
  /** Of those that were counted (`count - error`), how many ended well. */
  readonly held: number;
}
export interface HeavyKeysText {
  readonly total: number;
  readonly floor: number;
  readonly entries: readonly (readonly [key: string, count: number, error: number, held: number])[];
}
interface Entry {
  readonly key: string;
  count: number;
  error: number;
  held: number;
}

export class HeavyKeys {
  readonly #keysKept: number;
  readonly #entries = new Map<string, Entry>();
  #floor = 0;
  #total = 0;

  constructor(keysKept: number) {
    this.#keysKept = keysKept;
  }

  /** No key that is not kept came oftener. */
  get floor(): number {
    return this.#floor;
  }
  get total(): number {
    return this.#total;
  }
  get size(): number {
    return this.#entries.size;
  }

  add(key: string, count: number, held = 0, error = 0): void {
    this.#total += count - error;
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const own = ownText(key);
      this.#entries.set(own, { key: own, count: this.#floor + count, error: this.#floor + error, held });
      if (this.#entries.size >= 2 * this.#keysKept) this.#makeRoom();
      return;
    }
    entry.count += count;
    entry.error += error;
    entry.held += held;
  }

  /** Takes over exact counts, of which only the largest are kept. Nothing may have been counted before. */
  fill(textOf: (index: number) => string, counts: Uint32Array, held: Uint32Array): void {
    const sorted = counts.toSorted();
    // With as many as there is room for and no more; what is as small as the first that is left out is left out too.
    const leftOut = sorted[sorted.length - 2 * this.#keysKept] ?? 0;
    this.#floor = leftOut;
    counts.forEach((count, index) => {
      this.#total += count;
      if (count <= leftOut) return;
      const key = textOf(index);
      this.#entries.set(key, { key, count, error: 0, held: held[index] as number });
    });
  }

  merge(other: HeavyKeys): void {
    const theirs = other.#floor;
    if (theirs > 0) {
      for (const entry of this.#entries.values()) {
        if (other.#entries.has(entry.key)) continue;
        entry.count += theirs;
        entry.error += theirs;
      }
    }
    const before = this.#floor;
    for (const { key, count, error, held } of other.#entries.values()) {
      const entry = this.#entries.get(key);
      if (entry === undefined) this.#entries.set(key, { key, count: before + count, error: before + error, held });
      else {
        entry.count += count;
        entry.error += error;
        entry.held += held;
      }
    }
    this.#floor = before + theirs;
    this.#total += other.#total;
    if (this.#entries.size >= 2 * this.#keysKept) this.#makeRoom();
  }

  /** The heaviest first. */
  top(keys: number): HeavyKey[] {
    return this.#sorted()
      .slice(0, keys)
      .map(({ key, count, error, held }) => ({ key, count, error, held }));
  }

  /** All that there is to know, for another process. */
  asText(): HeavyKeysText {
    return {
      total: this.#total,
      floor: this.#floor,
      entries: this.top(2 * this.#keysKept).map(({ key, count, error, held }) => [key, count, error, held]),
    };
  }

  fromText({ total, floor, entries }: HeavyKeysText): void {
    this.#total = total;
    this.#floor = floor;
    for (const [key, count, error, held] of entries) this.#entries.set(key, { key, count, error, held });
  }

  #makeRoom(): void {
    const gone = this.#sorted().slice(this.#keysKept);
    this.#floor = Math.max(this.#floor, gone[0]?.count ?? 0);
    for (const { key } of gone) this.#entries.delete(key);
  }

  /** Of equal counts those first that are known better, and then by name: the same whatever the order in which they came. */
  #sorted(): Entry[] {
    return [...this.#entries.values()].sort((a, b) => b.count - a.count || a.error - b.error || (a.key < b.key ? -1 : 1));
  }
}
