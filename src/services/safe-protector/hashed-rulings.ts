/**
 * Rulings found by a 32-bit hash, millions of them, in columns of numbers. Open addressing with linear probing (Knuth, TAOCP 6.4, algorithms L
 * and R), in shards that grow one at a time and by a quarter, because growing a table of millions at once would stop the event loop, and doubling
 * it would leave half of it empty. In front of them stands a filter: who is not listed, as nearly everybody, is told so by one read of it.
 */
import { HashFilter } from "./hash-filter.ts";
import type { Ruling } from "./ruling.ts";

const SHARDS = 64;
const SHARD_BITS = 6;
/** As many hashes as differ in what does not name the shard. */
const HOMES = 2 ** (32 - SHARD_BITS);
const SLOTS_FIRST = 16;
const LOAD_MAX = 0.8;
const GROWTH = 1.25;
/** Of no ruling: an empty slot. */
export const EMPTY = 0;

export interface Shard {
  hashes: Uint32Array;
  rulings: Float64Array;
  /** What else belongs to an entry: where its text stands. */
  places: Uint32Array;
  used: number;
}

const newShard = (slots: number, hasPlaces: boolean): Shard => ({
  hashes: new Uint32Array(slots),
  rulings: new Float64Array(slots),
  places: new Uint32Array(hasPlaces ? slots : 0),
  used: 0,
});

export const shardNumberOf = (hash: number): number => hash & (SHARDS - 1);
/** Where an entry is looked for first. It grows with the hash, so a table that grows moves what it has from one end to the other. */
const homeOf = (hash: number, slots: number): number => Math.floor(((hash >>> SHARD_BITS) * slots) / HOMES);

export class HashedRulings {
  readonly shards: readonly Shard[];
  readonly #hasPlaces: boolean;
  #size = 0;
  #filter = new HashFilter(0);
  /** The filter that is to come in its place, and how many shards are in it already. */
  #next: { readonly filter: HashFilter; shards: number } | null = null;

  constructor(hasPlaces: boolean) {
    this.#hasPlaces = hasPlaces;
    this.shards = Array.from({ length: SHARDS }, () => newShard(SLOTS_FIRST, hasPlaces));
  }

  get size(): number {
    return this.#size;
  }

  /** False: there is no entry with this hash. */
  mayHave(hash: number): boolean {
    return this.#filter.mayHave(hash);
  }

  /** The same of the first of some hashes, in their place: 0 is that there may be one. */
  sift(hashes: Int32Array, count: number): void {
    this.#filter.sift(hashes, count);
  }

  shardOf(hash: number): Shard {
    return this.shards[shardNumberOf(hash)] as Shard;
  }

  /** The slot of the first entry with this hash; -1: there is none. @param behind the slot of one that was found and is not meant */
  find({ hashes, rulings }: Shard, hash: number, behind = -1): number {
    const slots = hashes.length;
    let slot = behind < 0 ? homeOf(hash, slots) : behind + 1;
    for (; ; slot += 1) {
      if (slot === slots) slot = 0;
      if (rulings[slot] === EMPTY) return -1;
      if (hashes[slot] === hash) return slot;
    }
  }

  /** Adds an entry that is not there. */
  add(hash: number, ruling: Ruling, place = 0): void {
    const shard = this.shardOf(hash);
    if (shard.used + 1 > shard.hashes.length * LOAD_MAX) this.#grow(shard);
    put(shard, hash, ruling, place);
    this.#size += 1;
    this.#filter.mark(hash);
    this.#next?.filter.mark(hash);
    this.#renewFilter();
  }

  /** Empties a slot, and moves what was pushed on by it back to where it is looked for. */
  removeAt(shard: Shard, slot: number): void {
    const { hashes, rulings, places } = shard;
    const slots = hashes.length;
    const after = (from: number, to: number): number => (to >= from ? to - from : to - from + slots);
    const following = (each: number): number => (each + 1 === slots ? 0 : each + 1);
    let hole = slot;
    for (let next = following(hole); rulings[next] !== EMPTY; next = following(next)) {
      const home = homeOf(hashes[next] as number, slots);
      // Who stands between its home and here may take the hole, unless the home lies behind the hole.
      if (after(home, next) < after(hole, next)) continue;
      hashes[hole] = hashes[next] as number;
      rulings[hole] = rulings[next] as number;
      if (this.#hasPlaces) places[hole] = places[next] as number;
      hole = next;
    }
    rulings[hole] = EMPTY;
    shard.used -= 1;
    this.#size -= 1;
  }

  #grow(shard: Shard): void {
    const { hashes, rulings, places } = shard;
    Object.assign(shard, newShard(Math.ceil(hashes.length * GROWTH), this.#hasPlaces));
    for (let slot = 0; slot < hashes.length; slot += 1) {
      if (rulings[slot] !== EMPTY) put(shard, hashes[slot] as number, rulings[slot] as number, places[slot] ?? 0);
    }
  }

  /** A filter cannot forget, nor grow: another one is filled, a shard with each entry that is added, and takes its place. */
  #renewFilter(): void {
    if (this.#next === null) {
      if (this.#filter.isFull) this.#next = { filter: new HashFilter(this.#size * 2), shards: 0 };
      return;
    }
    const { filter, shards } = this.#next;
    const { hashes, rulings } = this.shards[shards] as Shard;
    for (let slot = 0; slot < hashes.length; slot += 1) if (rulings[slot] !== EMPTY) filter.mark(hashes[slot] as number);
    this.#next.shards += 1;
    if (this.#next.shards < SHARDS) return;
    this.#filter = filter;
    this.#next = null;
  }
}

function put(shard: Shard, hash: number, ruling: Ruling, place: number): void {
  const { hashes, rulings } = shard;
  const slots = hashes.length;
  let slot = homeOf(hash, slots);
  while (rulings[slot] !== EMPTY) slot = slot + 1 === slots ? 0 : slot + 1;
  hashes[slot] = hash;
  rulings[slot] = ruling;
  if (shard.places.length > 0) shard.places[slot] = place;
  shard.used += 1;
}

/** Mixes 32 bits so that each depends on all; no two numbers become one (the finalizer of MurmurHash3). */
export function mixed(bits: number): number {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
