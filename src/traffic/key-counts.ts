/** Exact counts by key and kind, for a short while: they take as much memory as there are keys. */
import { KIND_COUNT } from "./kinds.ts";
import { hashText } from "./text-hash.ts";

const KEYS_AT_FIRST = 64;

/** Room for one more in an array that grows by doubling. */
export function withRoomFor(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const grown = new Uint32Array(Math.max(length, 2 * array.length));
  grown.set(array);
  return grown;
}

export class KeyCounts {
  readonly keys: string[] = [];
  /** By key, then by kind. */
  counts = new Uint32Array(KEYS_AT_FIRST * KIND_COUNT);
  /** Of the keys. */
  hashes = new Uint32Array(KEYS_AT_FIRST);
  readonly #index = new Map<string, number>();

  get size(): number {
    return this.keys.length;
  }

  /** @returns the key's number, negative when it is new: then `-1 - number`
   *  @param seed see `hashText` */
  add(key: string, kind: number, seed: number): number {
    const known = this.#index.get(key);
    if (known !== undefined) {
      this.count(known, kind, 1);
      return known;
    }
    const index = this.put(key, hashText(key, seed));
    this.count(index, kind, 1);
    return -1 - index;
  }

  /** A key that is not there yet; returns its number. */
  put(key: string, hash: number): number {
    const index = this.keys.length;
    this.#index.set(key, index);
    this.keys.push(key);
    this.hashes = withRoomFor(this.hashes, index + 1);
    this.counts = withRoomFor(this.counts, (index + 1) * KIND_COUNT);
    this.hashes[index] = hash;
    return index;
  }

  count(index: number, kind: number, count: number): void {
    const at = index * KIND_COUNT + kind;
    this.counts[at] = (this.counts[at] as number) + count;
  }

  /** By key, of one kind. */
  of(kind: number): Uint32Array {
    const found = new Uint32Array(this.size);
    for (let index = 0; index < found.length; index += 1) found[index] = this.counts[index * KIND_COUNT + kind] as number;
    return found;
  }

  /** By key, of all kinds. */
  totals(): Uint32Array {
    const totals = new Uint32Array(this.size);
    for (let index = 0; index < totals.length; index += 1) {
      let sum = 0;
      for (let at = index * KIND_COUNT; at < (index + 1) * KIND_COUNT; at += 1) sum += this.counts[at] as number;
      totals[index] = sum;
    }
    return totals;
  }
}
