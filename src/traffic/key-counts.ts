/**
 * Exact counts by key and kind, for a short while: they take as much memory as there are keys. Keys are texts, kept as UTF-8 one behind the other and
 * found by their hash (open addressing, linear probing: Knuth, TAOCP 6.4, algorithm L), so that a key in a page of records is looked up, and
 * kept, without a text being made of it.
 */
import { KIND_COUNT } from "./kinds.ts";
import { hashBytes } from "./text-hash.ts";

const KEYS_AT_FIRST = 64;
const BYTES_AT_FIRST = 1_024;
/** Of the places to look, at most half are taken. */
const PLACES_PER_KEY = 2;
const decoder = new TextDecoder();

/** Room for one more in an array that grows by doubling. */
export function withRoomFor(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const grown = new Uint32Array(Math.max(length, 2 * array.length));
  grown.set(array);
  return grown;
}

export class KeyCounts {
  /** By key, then by kind. */
  counts = new Uint32Array(KEYS_AT_FIRST * KIND_COUNT);
  /** Of the keys. */
  hashes = new Uint32Array(KEYS_AT_FIRST);
  #size = 0;
  #bytes = new Uint8Array(BYTES_AT_FIRST);
  /** Where each key's bytes end, and the next one's begin. */
  #ends = new Uint32Array(KEYS_AT_FIRST);
  /** The number of a key, plus one; 0: nobody. */
  #places = new Uint32Array(PLACES_PER_KEY * KEYS_AT_FIRST);

  get size(): number {
    return this.#size;
  }

  textOf(index: number): string {
    return decoder.decode(this.#bytes.subarray(this.#startOf(index), this.#ends[index]));
  }

  /** Counts one event of the key that stands between these two in the bytes.
   *  @returns the key's number, negative when it is new: then `-1 - number`
   *  @param seed see `hashBytes` */
  add(bytes: Uint8Array, from: number, to: number, kind: number, seed: number): number {
    const hash = hashBytes(bytes, from, to, seed);
    const mask = this.#places.length - 1;
    let place = hash & mask;
    for (let found = this.#places[place] as number; found !== 0; found = this.#places[place] as number) {
      if (this.hashes[found - 1] === hash && this.#isKey(found - 1, bytes, from, to)) {
        this.count(found - 1, kind, 1);
        return found - 1;
      }
      place = (place + 1) & mask;
    }
    const index = this.put(bytes, from, to, hash);
    this.#places[place] = index + 1;
    if (PLACES_PER_KEY * this.#size >= this.#places.length) this.#grow();
    this.count(index, kind, 1);
    return -1 - index;
  }

  /** A key that is not there yet, and is never looked up; returns its number. */
  put(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const index = this.#size;
    const start = this.#startOf(index);
    const end = start + to - from;
    if (end > this.#bytes.length) this.#makeRoom(end);
    for (let at = from; at < to; at += 1) this.#bytes[start + at - from] = bytes[at] as number;
    this.#ends = withRoomFor(this.#ends, index + 1);
    this.hashes = withRoomFor(this.hashes, index + 1);
    this.counts = withRoomFor(this.counts, (index + 1) * KIND_COUNT);
    this.#ends[index] = end;
    this.hashes[index] = hash;
    this.#size = index + 1;
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

  #startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number);
  }

  #isKey(index: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#startOf(index);
    if ((this.#ends[index] as number) - start !== to - from) return false;
    for (let at = from; at < to; at += 1) if (this.#bytes[start + at - from] !== bytes[at]) return false;
    return true;
  }

  #makeRoom(length: number): void {
    const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  #grow(): void {
    const places = new Uint32Array(2 * this.#places.length);
    const mask = places.length - 1;
    for (let index = 0; index < this.#size; index += 1) {
      let place = (this.hashes[index] as number) & mask;
      while (places[place] !== 0) place = (place + 1) & mask;
      places[place] = index + 1;
    }
    this.#places = places;
  }
}
