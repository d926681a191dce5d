/** Rulings by IPv4 address. Its hash is as long as the address and no two addresses have the same, so the hash is the address. */
import { HashedRulings, mixed } from "./hashed-rulings.ts";
import type { Ruling } from "./ruling.ts";

export class Ipv4Rulings {
  readonly #table = new HashedRulings(false);

  get size(): number {
    return this.#table.size;
  }

  /** Puts in the place of each of the first of some addresses, `mixed`, whether it may be there: 0 is yes. */
  sift(hashes: Int32Array, count: number): void {
    this.#table.sift(hashes, count);
  }

  /** False: there is none. */
  mayHave(bits: number): boolean {
    return this.#table.mayHave(mixed(bits));
  }

  get(bits: number): Ruling | undefined {
    const hash = mixed(bits);
    return this.#table.mayHave(hash) ? this.#listed(hash) : undefined;
  }

  #listed(hash: number): Ruling | undefined {
    const shard = this.#table.shardOf(hash);
    const slot = this.#table.find(shard, hash);
    return slot < 0 ? undefined : shard.rulings[slot];
  }

  /** @returns what stood there before */
  set(bits: number, ruling: Ruling): Ruling | undefined {
    const hash = mixed(bits);
    const shard = this.#table.shardOf(hash);
    const slot = this.#table.find(shard, hash);
    const before = slot < 0 ? undefined : shard.rulings[slot];
    if (slot < 0) this.#table.add(hash, ruling);
    else shard.rulings[slot] = ruling;
    return before;
  }

  /** @returns what stood there */
  delete(bits: number): Ruling | undefined {
    const hash = mixed(bits);
    const shard = this.#table.shardOf(hash);
    const slot = this.#table.find(shard, hash);
    if (slot < 0) return undefined;
    const before = shard.rulings[slot];
    this.#table.removeAt(shard, slot);
    return before;
  }
}
