/**
 * Networks of one family, found by the addresses in them: a map per prefix length in use, so that a lookup costs one map read for each of those,
 * however many networks there are.
 */
import type { UnixMs } from "../../core/time.ts";
import { STRENGTH, type Strength } from "./decision.ts";
import { type Ruling, strengthAt } from "./ruling.ts";

export interface Network {
  /** Canonical. */
  readonly value: string;
  readonly ruling: Ruling;
}

interface OfOnePrefix<K> {
  readonly prefixBits: number;
  readonly networks: Map<K, Network>;
}

/** `A` is an address, `K` what its network is looked up by. */
export class Networks<A, K> {
  readonly #networkOf: (address: A, prefixBits: number) => K;
  #lengths: readonly OfOnePrefix<K>[] = [];
  #size = 0;

  /** @param networkOf equal for two addresses exactly when their first `prefixBits` bits are */
  constructor(networkOf: (address: A, prefixBits: number) => K) {
    this.#networkOf = networkOf;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns the one that stood there before */
  set(address: A, prefixBits: number, network: Network): Network | undefined {
    const networks = this.#ofPrefix(prefixBits) ?? new Map<K, Network>();
    if (networks.size === 0) this.#lengths = [...this.#lengths, { prefixBits, networks }];
    const key = this.#networkOf(address, prefixBits);
    const before = networks.get(key);
    networks.set(key, network);
    if (!before) this.#size += 1;
    return before;
  }

  /** @returns the one that stood there */
  delete(address: A, prefixBits: number): Network | undefined {
    const before = this.get(address, prefixBits);
    const networks = this.#ofPrefix(prefixBits);
    if (networks?.delete(this.#networkOf(address, prefixBits))) this.#size -= 1;
    if (networks?.size === 0) this.#lengths = this.#lengths.filter((length) => length.prefixBits !== prefixBits);
    return before;
  }

  /** This very network; `undefined`: it is not here. */
  get(address: A, prefixBits: number): Network | undefined {
    return this.#ofPrefix(prefixBits)?.get(this.#networkOf(address, prefixBits));
  }

  /** The strongest of the live networks of at most `prefixBitsMax` bits that have the address in them. */
  strength(address: A, prefixBitsMax: number, now: UnixMs): Strength {
    let strongest: Strength = 0;
    for (const { prefixBits, networks } of this.#lengths) {
      if (prefixBits > prefixBitsMax) continue;
      const strength = strengthAt(networks.get(this.#networkOf(address, prefixBits))?.ruling, now);
      if (strength > strongest) strongest = strength;
      if (strongest >= STRENGTH.block) break;
    }
    return strongest;
  }

  /** All of them. */
  covering(address: A, now: UnixMs): Network[] {
    const found = this.#lengths.map(({ prefixBits, networks }) => networks.get(this.#networkOf(address, prefixBits)));
    return found.filter((network): network is Network => strengthAt(network?.ruling, now) > 0);
  }

  #ofPrefix(prefixBits: number): Map<K, Network> | undefined {
    return this.#lengths.find((length) => length.prefixBits === prefixBits)?.networks;
  }
}
