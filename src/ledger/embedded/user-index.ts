/**
 * Finds a user's first line: a hash table of line numbers, open addressing with linear probing (Knuth, TAOCP 6.4, algorithms L and R). In
 * shards that grow one at a time, because growing a table of millions at once would stop the event loop.
 */

const SHARDS = 256;
const SHARD_SLOTS_FIRST = 16;
const LOAD_MAX = 0.7;
const EMPTY = -1;

interface Shard {
  slots: Int32Array;
  used: number;
}

const newSlots = (count: number): Int32Array => new Int32Array(count).fill(EMPTY);

export class UserIndex {
  readonly #shards: Shard[] = Array.from({ length: SHARDS }, () => ({ slots: newSlots(SHARD_SLOTS_FIRST), used: 0 }));
  readonly #hashOfLine: (line: number) => number;
  #size = 0;

  /** @param hashOfLine the hash of the user whose line it is */
  constructor(hashOfLine: (line: number) => number) {
    this.#hashOfLine = hashOfLine;
  }

  /** How many users there are. */
  get size(): number {
    return this.#size;
  }

  /** The line under `hash` that `isWanted` accepts; -1 when there is none. */
  find(hash: number, isWanted: (line: number) => boolean): number {
    const { slots } = this.#shardOf(hash);
    const mask = slots.length - 1;
    for (let slot = (hash >>> 8) & mask; slots[slot] !== EMPTY; slot = (slot + 1) & mask) {
      const line = slots[slot] as number;
      if (this.#hashOfLine(line) === hash && isWanted(line)) return line;
    }
    return EMPTY;
  }

  add(hash: number, line: number): void {
    const shard = this.#shardOf(hash);
    if (shard.used + 1 > shard.slots.length * LOAD_MAX) this.#grow(shard);
    put(shard.slots, hash, line);
    shard.used += 1;
    this.#size += 1;
  }

  /** Puts another line of the same user in place of one. */
  replace(hash: number, line: number, by: number): void {
    const { slots } = this.#shardOf(hash);
    slots[this.#slotOf(slots, hash, line)] = by;
  }

  remove(hash: number, line: number): void {
    const shard = this.#shardOf(hash);
    const { slots } = shard;
    const mask = slots.length - 1;
    let hole = this.#slotOf(slots, hash, line);
    // What follows moves up into the hole unless that would put it before its own first place.
    for (let slot = (hole + 1) & mask; slots[slot] !== EMPTY; slot = (slot + 1) & mask) {
      const home = (this.#hashOfLine(slots[slot] as number) >>> 8) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot] as number;
      hole = slot;
    }
    slots[hole] = EMPTY;
    shard.used -= 1;
    this.#size -= 1;
  }

  #slotOf(slots: Int32Array, hash: number, line: number): number {
    const mask = slots.length - 1;
    let slot = (hash >>> 8) & mask;
    while (slots[slot] !== line) slot = (slot + 1) & mask;
    return slot;
  }

  #shardOf(hash: number): Shard {
    return this.#shards[hash & (SHARDS - 1)] as Shard;
  }

  #grow(shard: Shard): void {
    const before = shard.slots;
    shard.slots = newSlots(before.length * 2);
    for (let slot = 0; slot < before.length; slot += 1) {
      const line = before[slot] as number;
      if (line !== EMPTY) put(shard.slots, this.#hashOfLine(line), line);
    }
  }
}

function put(slots: Int32Array, hash: number, line: number): void {
  const mask = slots.length - 1;
  let slot = (hash >>> 8) & mask;
  while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
  slots[slot] = line;
}
