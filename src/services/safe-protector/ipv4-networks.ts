/**
 * Networks of IPv4, found by the addresses in them: a table of numbers for each prefix length in use. Before those are asked, one bit says whether
 * any network has a part in the 4,096 addresses that begin with the same 20 bits: nearly nobody is near one.
 */
import { ipv4Mask, ipv4Text } from "../../core/ip-address.ts";
import type { UnixMs } from "../../core/time.ts";
import { STRENGTH, type Strength } from "./decision.ts";
import { Ipv4Rulings } from "./ipv4-rulings.ts";
import type { Network } from "./ipv6-networks.ts";
import { type Ruling, strengthAt } from "./ruling.ts";

const NEAR_BITS = 20;
const NEIGHBOURHOODS = 2 ** NEAR_BITS;
/** A count that has come so far stays there: the neighbourhood counts as near from then on, which costs nothing but time. */
const COUNT_MAX = 255;

interface OfOnePrefix {
  readonly prefixBits: number;
  readonly rulings: Ipv4Rulings;
}

export class Ipv4Networks {
  #lengths: readonly OfOnePrefix[] = [];
  /** How many networks have a part in each neighbourhood, and a bit that says whether any has. Empty until there is a network. */
  #counts = new Uint8Array(0);
  readonly #isNear = new Int32Array(NEIGHBOURHOODS / 32);

  get size(): number {
    return this.#lengths.reduce((sum, { rulings }) => sum + rulings.size, 0);
  }

  /** @returns what stood there before */
  set(bits: number, prefixBits: number, ruling: Ruling): Ruling | undefined {
    const rulings = this.#ofPrefix(prefixBits) ?? new Ipv4Rulings();
    if (rulings.size === 0) this.#lengths = [...this.#lengths, { prefixBits, rulings }];
    const before = rulings.set(bits & ipv4Mask(prefixBits), ruling);
    if (before === undefined) this.#count(bits, prefixBits, 1);
    return before;
  }

  /** @returns what stood there */
  delete(bits: number, prefixBits: number): Ruling | undefined {
    const rulings = this.#ofPrefix(prefixBits);
    const before = rulings?.delete(bits & ipv4Mask(prefixBits));
    if (before === undefined) return undefined;
    this.#count(bits, prefixBits, -1);
    if (rulings?.size === 0) this.#lengths = this.#lengths.filter((length) => length.prefixBits !== prefixBits);
    return before;
  }

  /** Of this very network; `undefined`: it is not here. */
  get(bits: number, prefixBits: number): Ruling | undefined {
    return this.#ofPrefix(prefixBits)?.get(bits & ipv4Mask(prefixBits));
  }

  /** False: no network is near the address. */
  isNear(bits: number): boolean {
    return nearIn(this.#isNear, bits) !== 0;
  }

  /** The same of the first of some addresses: 0 is that there is none. It waits for none of its reads, as `HashFilter.sift`. */
  sift(bits: Int32Array, count: number, near: Int32Array): void {
    const isNear = this.#isNear;
    for (let i = 0; i < count; i += 1) near[i] = nearIn(isNear, bits[i] as number);
  }

  /** False: no network has the address in it. */
  mayCover(bits: number): boolean {
    for (const { prefixBits, rulings } of this.#lengths) if (rulings.mayHave(bits & ipv4Mask(prefixBits))) return true;
    return false;
  }

  /** The strongest of the live networks of at most `prefixBitsMax` bits that have the address in them. */
  strength(bits: number, prefixBitsMax: number, now: UnixMs): Strength {
    if (!this.isNear(bits)) return 0;
    let strongest: Strength = 0;
    for (const { prefixBits, rulings } of this.#lengths) {
      if (prefixBits > prefixBitsMax) continue;
      const strength = strengthAt(rulings.get(bits & ipv4Mask(prefixBits)), now);
      if (strength > strongest) strongest = strength;
      if (strongest >= STRENGTH.block) break;
    }
    return strongest;
  }

  /** All of them. */
  covering(bits: number, now: UnixMs): Network[] {
    return this.#lengths.flatMap(({ prefixBits, rulings }) => {
      const first = bits & ipv4Mask(prefixBits);
      const ruling = rulings.get(first);
      return ruling !== undefined && strengthAt(ruling, now) > 0 ? [{ value: `${ipv4Text(first)}/${prefixBits}`, ruling }] : [];
    });
  }

  #ofPrefix(prefixBits: number): Ipv4Rulings | undefined {
    return this.#lengths.find((length) => length.prefixBits === prefixBits)?.rulings;
  }

  #count(bits: number, prefixBits: number, change: 1 | -1): void {
    if (this.#counts.length === 0) this.#counts = new Uint8Array(NEIGHBOURHOODS);
    const first = (bits & ipv4Mask(prefixBits)) >>> (32 - NEAR_BITS);
    const end = first + 2 ** Math.max(0, NEAR_BITS - prefixBits);
    for (let place = first; place < end; place += 1) {
      const before = this.#counts[place] as number;
      if (before === COUNT_MAX) continue;
      const count = before + change;
      this.#counts[place] = count;
      const [word, bit] = [place >>> 5, 1 << (place & 31)];
      this.#isNear[word] = count > 0 ? (this.#isNear[word] as number) | bit : (this.#isNear[word] as number) & ~bit;
    }
  }
}

const nearIn = (isNear: Int32Array, bits: number): number =>
  (isNear[bits >>> (32 - NEAR_BITS + 5)] as number) & (1 << ((bits >>> (32 - NEAR_BITS)) & 31));
