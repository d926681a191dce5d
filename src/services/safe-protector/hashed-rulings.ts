/**
 * Rulings found by a 32-bit hash, millions of them, in columns of numbers. Open addressing with linear probing (Knuth, TAOCP 6.4, algorithms L
 * and R), in shards that grow one at a time, because growing a table of millions at once would stop the event loop. In front of each slot's
 * columns stands one byte, 0 for an empty slot and else a few bits of the hash: who is not listed, as nearly everybody, is told so by these bytes
 * alone, two megabytes for a million entries. 17 bytes a slot in all.
 */
import type { Ruling } from "./ruling.ts";

const SHARDS = 64;
const SHARD_BITS = 6;
const SLOTS_FIRST = 16;
const LOAD_MAX = 0.7;

export interface Shard {
  tags: Uint8Array;
  hashes: Uint32Array;
  rulings: Float64Array;
  /** What else belongs to an entry: where its text stands. */
  places: Uint32Array;
  used: number;
}

const newShard = (slots: number, hasPlaces: boolean): Shard => ({
  tags: new Uint8Array(slots),
  hashes: new Uint32Array(slots),
  rulings: new Float64Array(slots),
  places: new Uint32Array(hasPlaces ? slots : 0),
  used: 0,
});

/** Never 0, which says that a slot is empty. Of bits that choose neither the shard nor, below eight million entries, the slot. */
const tagOf = (hash: number): number => (hash >>> 24) | 0x80;

export class HashedRulings {
  readonly shards: readonly Shard[];
  readonly #hasPlaces: boolean;

  constructor(hasPlaces: boolean) {
    this.#hasPlaces = hasPlaces;
    this.shards = Array.from({ length: SHARDS }, () => newShard(SLOTS_FIRST, hasPlaces));
  }

  get size(): number {
    return this.shards.reduce((sum, { used }) => sum + used, 0);
  }

  shardOf(hash: number): Shard {
    return this.shards[hash & (SHARDS - 1)] as Shard;
  }

  /** The slot of the first entry with this hash, from `from` on; -1: there is none. */
  find({ tags, hashes }: Shard, hash: number, from = hash >>> SHARD_BITS): number {
    const mask = tags.length - 1;
    const wanted = (hash >>> 24) | 0x80;
    for (let slot = from & mask; ; slot = (slot + 1) & mask) {
      const tag = tags[slot] as number;
      if (tag === 0) return -1;
      if (tag === wanted && hashes[slot] === hash) return slot;
    }
  }

  /** Adds an entry that is not there. */
  add(hash: number, ruling: Ruling, place = 0): void {
    const shard = this.shardOf(hash);
    if (shard.used + 1 > shard.tags.length * LOAD_MAX) this.#grow(shard);
    put(shard, hash, ruling, place);
  }

  /** Empties a slot, and moves what was pushed on by it back to where it is looked for. */
  removeAt(shard: Shard, slot: number): void {
    const { tags, hashes, rulings, places } = shard;
    const mask = tags.length - 1;
    let hole = slot;
    for (let next = (hole + 1) & mask; tags[next] !== 0; next = (next + 1) & mask) {
      const home = ((hashes[next] as number) >>> SHARD_BITS) & mask;
      // Who stands between its home and here may take the hole, unless the home lies behind the hole.
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      tags[hole] = tags[next] as number;
      hashes[hole] = hashes[next] as number;
      rulings[hole] = rulings[next] as number;
      if (this.#hasPlaces) places[hole] = places[next] as number;
      hole = next;
    }
    tags[hole] = 0;
    shard.used -= 1;
  }

  #grow(shard: Shard): void {
    const { tags, hashes, rulings, places } = shard;
    Object.assign(shard, newShard(tags.length * 2, this.#hasPlaces));
    for (let slot = 0; slot < tags.length; slot += 1) {
      if (tags[slot] !== 0) put(shard, hashes[slot] as number, rulings[slot] as number, places[slot] ?? 0);
    }
  }
}

function put(shard: Shard, hash: number, ruling: Ruling, place: number): void {
  const { tags } = shard;
  const mask = tags.length - 1;
  let slot = (hash >>> SHARD_BITS) & mask;
  while (tags[slot] !== 0) slot = (slot + 1) & mask;
  tags[slot] = tagOf(hash);
  shard.hashes[slot] = hash;
  shard.rulings[slot] = ruling;
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
