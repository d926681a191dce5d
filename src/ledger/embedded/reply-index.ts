/**
 * Finds the kept reply of an idempotency key: a hash table from the key's 32-bit hash to where the reply stands in the store (row and
 * position). It holds no keys, 12 bytes a slot, so that millions of keys of a day fit into memory; two keys may share a hash, so whoever
 * looks compares the key in the store. Open addressing with linear probing (Knuth, TAOCP 6.4, algorithm L), in shards that grow one at
 * a time, because growing a table of millions at once would stop the event loop for a second.
 */
import { assert } from "../../core/assert.ts";

const SHARDS = 256;
const SHARD_SLOTS_FIRST = 64;
/** A shard grows, or drops what is outdated, when it is fuller than this. */
const LOAD_MAX = 0.75;
/** A location is `row * POSITIONS + position`. */
const POSITIONS = 65_536;

export interface ReplyLocation {
  readonly row: number;
  readonly position: number;
}

interface Shard {
  hashes: Uint32Array;
  locations: Float64Array;
  used: number;
  /** Nothing of a row before this one is in it. */
  cleanedTo: number;
}

const newShard = (slots: number): Shard => ({ hashes: new Uint32Array(slots), locations: new Float64Array(slots), used: 0, cleanedTo: 1 });

export class ReplyIndex {
  readonly #shards: Shard[] = Array.from({ length: SHARDS }, () => newShard(SHARD_SLOTS_FIRST));
  readonly #shardSlotsMax: number;
  /** Rows before this one are no longer in the store. */
  #oldestRow = 1;
  #newestRow = 1;

  /** @param repliesMax the most replies held at once */
  constructor(repliesMax: number) {
    this.#shardSlotsMax = 2 ** Math.floor(Math.log2(Math.max(SHARD_SLOTS_FIRST, repliesMax / LOAD_MAX / SHARDS)));
  }

  /** The first reply at `hash` that `accept` takes for the right one. */
  find<T>(hash: number, accept: (location: ReplyLocation) => T | null): T | null {
    const { hashes, locations } = this.#shardOf(hash);
    const mask = hashes.length - 1;
    for (let slot = (hash >>> 8) & mask; locations[slot] !== 0; slot = (slot + 1) & mask) {
      if (hashes[slot] !== hash) continue;
      const location = locations[slot] as number;
      const row = Math.floor(location / POSITIONS);
      const found = row >= this.#oldestRow ? accept({ row, position: location % POSITIONS }) : null;
      if (found !== null) return found;
    }
    return null;
  }

  /** Whether one more reply with this hash fits. Asked before a purchase is answered, so that a reply is never lost after it.
   *  @param share how much of all the room may be used for it, 0 to 1 */
  hasRoom(hash: number, share = 1): boolean {
    const shard = this.#shardOf(hash);
    if (this.#fits(shard, share)) return true;
    if (!this.#isWorthRehashing(shard)) return false;
    this.#rehash(shard);
    return this.#fits(shard, share);
  }

  #fits(shard: Shard, share: number): boolean {
    return shard.used + 1 < shard.hashes.length * LOAD_MAX * (this.#isFullyGrown(shard) ? share : 1);
  }

  #isFullyGrown(shard: Shard): boolean {
    return shard.hashes.length >= this.#shardSlotsMax;
  }

  /** A full shard is not gone through again for every request that it refuses, but when a sixteenth of all rows has become outdated since. */
  #isWorthRehashing(shard: Shard): boolean {
    return !this.#isFullyGrown(shard) || this.#oldestRow - shard.cleanedTo > (this.#newestRow - this.#oldestRow) / 16;
  }

  add(hash: number, { row, position }: ReplyLocation): void {
    const shard = this.#shardOf(hash);
    this.#newestRow = Math.max(this.#newestRow, row);
    if (!this.#fits(shard, 1) && this.#isWorthRehashing(shard)) this.#rehash(shard);
    // Whoever was told that there is room may be joined by others of the same turn; a quarter of the shard is theirs.
    assert(shard.used + 1 < shard.hashes.length, "a reply that is kept has a place");
    put(shard, hash, row * POSITIONS + position);
  }

  /** Forgets every reply of a row before `row`. */
  forgetBefore(row: number): void {
    this.#oldestRow = Math.max(this.#oldestRow, row);
  }

  #shardOf(hash: number): Shard {
    return this.#shards[hash & (SHARDS - 1)] as Shard;
  }

  /** Drops what is outdated; doubles the shard if it is still more than half full, up to the bound. */
  #rehash(shard: Shard): void {
    const { hashes, locations } = shard;
    const oldest = this.#oldestRow * POSITIONS;
    let live = 0;
    for (const location of locations) if (location >= oldest) live += 1;
    const slots = live > hashes.length / 2 ? Math.min(hashes.length * 2, Math.max(hashes.length, this.#shardSlotsMax)) : hashes.length;
    Object.assign(shard, newShard(slots), { cleanedTo: this.#oldestRow });
    for (let slot = 0; slot < hashes.length; slot += 1) {
      if ((locations[slot] as number) >= oldest) put(shard, hashes[slot] as number, locations[slot] as number);
    }
  }
}

function put(shard: Shard, hash: number, location: number): void {
  const mask = shard.hashes.length - 1;
  let slot = (hash >>> 8) & mask;
  while (shard.locations[slot] !== 0) slot = (slot + 1) & mask;
  shard.hashes[slot] = hash;
  shard.locations[slot] = location;
  shard.used += 1;
}
