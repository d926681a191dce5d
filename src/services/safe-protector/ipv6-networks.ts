/**
 * Networks of IPv6, found by the addresses in them: a map for each prefix length in use. Before those are asked, one number says whether any
 * network is near an address, by its first 32 bits: nearly nobody is near one.
 */
import { type CidrRange, networkKey } from "../../core/ip-address.ts";
import type { UnixMs } from "../../core/time.ts";
import { STRENGTH, type Strength } from "./decision.ts";
import { mixed } from "./hashed-rulings.ts";
import { type Ruling, strengthAt } from "./ruling.ts";

const NEAR_BITS = 32;
/** Places of neighbourhoods. Different ones may come to the same. */
const PLACES = 65_536;

type Groups = CidrRange["groups"];

export interface Network {
  /** Canonical. */
  readonly value: string;
  readonly ruling: Ruling;
}

interface OfOnePrefix {
  readonly prefixBits: number;
  readonly networks: Map<string, Network>;
}

export class Ipv6Networks {
  #lengths: readonly OfOnePrefix[] = [];
  #size = 0;
  /** How many networks have these first bits. Empty until there is one. */
  #counts = new Uint32Array(0);
  /** Networks with fewer bits than tell a neighbourhood: everybody is near them. */
  #wide = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns the one that stood there before */
  set({ groups, prefixBits }: CidrRange, network: Network): Network | undefined {
    const networks = this.#ofPrefix(prefixBits) ?? new Map<string, Network>();
    if (networks.size === 0) this.#lengths = [...this.#lengths, { prefixBits, networks }];
    const key = networkKey(groups, prefixBits);
    const before = networks.get(key);
    networks.set(key, network);
    if (!before) this.#count(groups, prefixBits, 1);
    return before;
  }

  /** @returns the one that stood there */
  delete(range: CidrRange): Network | undefined {
    const { groups, prefixBits } = range;
    const before = this.get(range);
    if (before === undefined) return undefined;
    const networks = this.#ofPrefix(prefixBits) as Map<string, Network>;
    networks.delete(networkKey(groups, prefixBits));
    this.#count(groups, prefixBits, -1);
    if (networks.size === 0) this.#lengths = this.#lengths.filter((length) => length.prefixBits !== prefixBits);
    return before;
  }

  /** This very network; `undefined`: it is not here. */
  get({ groups, prefixBits }: CidrRange): Network | undefined {
    return this.#ofPrefix(prefixBits)?.get(networkKey(groups, prefixBits));
  }

  /** Whether a network may be near an address. @param head its first 32 bits */
  isNear(head: number): boolean {
    return this.#wide > 0 || (this.#counts[placeOf(head)] ?? 0) > 0;
  }

  /** The strongest of the live networks of at most `prefixBitsMax` bits that have the address in them. */
  strength(address: Groups, prefixBitsMax: number, now: UnixMs): Strength {
    let strongest: Strength = 0;
    for (const { prefixBits, networks } of this.#lengths) {
      if (prefixBits > prefixBitsMax) continue;
      const strength = strengthAt(networks.get(networkKey(address, prefixBits))?.ruling, now);
      if (strength > strongest) strongest = strength;
      if (strongest >= STRENGTH.block) break;
    }
    return strongest;
  }

  /** All of them. */
  covering(address: Groups, now: UnixMs): Network[] {
    const found = this.#lengths.map(({ prefixBits, networks }) => networks.get(networkKey(address, prefixBits)));
    return found.filter((network): network is Network => strengthAt(network?.ruling, now) > 0);
  }

  #ofPrefix(prefixBits: number): Map<string, Network> | undefined {
    return this.#lengths.find((length) => length.prefixBits === prefixBits)?.networks;
  }

  #count(groups: Groups, prefixBits: number, change: 1 | -1): void {
    this.#size += change;
    if (prefixBits < NEAR_BITS) this.#wide += change;
    else {
      if (this.#counts.length === 0) this.#counts = new Uint32Array(PLACES);
      const place = placeOf(((groups[0] as number) << 16) | (groups[1] as number));
      this.#counts[place] = (this.#counts[place] as number) + change;
    }
  }
}

const placeOf = (head: number): number => mixed(head) & (PLACES - 1);
