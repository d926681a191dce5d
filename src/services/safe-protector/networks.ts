/**
 * Address ranges of one family, found by the addresses in them: a map per prefix length in use, so that a lookup costs one map read for each
 * of those, however many ranges there are.
 */
import type { UnixMs } from "../../core/time.ts";

/** When an entry ends; `null`: it stands until removed. */
export type Until = UnixMs | null;

export const isLive = (until: Until | undefined, now: UnixMs): boolean => until !== undefined && (until === null || until > now);

interface OfOnePrefix<K> {
  readonly prefixBits: number;
  readonly untilByNetwork: Map<K, Until>;
}

/** `A` is an address, `K` what its network is looked up by. */
export class Networks<A, K> {
  readonly #networkOf: (address: A, prefixBits: number) => K;
  #lengths: readonly OfOnePrefix<K>[] = [];

  /** @param networkOf equal for two addresses exactly when their first `prefixBits` bits are */
  constructor(networkOf: (address: A, prefixBits: number) => K) {
    this.#networkOf = networkOf;
  }

  get size(): number {
    return this.#lengths.reduce((sum, { untilByNetwork }) => sum + untilByNetwork.size, 0);
  }

  set(address: A, prefixBits: number, until: Until): void {
    const untilByNetwork = this.#ofPrefix(prefixBits) ?? new Map<K, Until>();
    if (untilByNetwork.size === 0) this.#lengths = [...this.#lengths, { prefixBits, untilByNetwork }];
    untilByNetwork.set(this.#networkOf(address, prefixBits), until);
  }

  delete(address: A, prefixBits: number): void {
    const untilByNetwork = this.#ofPrefix(prefixBits);
    untilByNetwork?.delete(this.#networkOf(address, prefixBits));
    if (untilByNetwork?.size === 0) this.#lengths = this.#lengths.filter((length) => length.prefixBits !== prefixBits);
  }

  /** Until when this very network stands; `undefined`: it is not here. */
  get(address: A, prefixBits: number): Until | undefined {
    return this.#ofPrefix(prefixBits)?.get(this.#networkOf(address, prefixBits));
  }

  /** Whether a live range of at most `prefixBitsMax` bits has the address in it. */
  covers(address: A, prefixBitsMax: number, now: UnixMs): boolean {
    for (const { prefixBits, untilByNetwork } of this.#lengths) {
      if (prefixBits <= prefixBitsMax && isLive(untilByNetwork.get(this.#networkOf(address, prefixBits)), now)) return true;
    }
    return false;
  }

  #ofPrefix(prefixBits: number): Map<K, Until> | undefined {
    return this.#lengths.find((length) => length.prefixBits === prefixBits)?.untilByNetwork;
  }
}
