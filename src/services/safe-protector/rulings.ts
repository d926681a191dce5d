/**
 * What was decided about accounts, addresses and networks, found by those. Pure: tables in memory with `now` as an argument. A lookup costs a
 * read for the account, one for the address, and one for each prefix length in use, however many decisions there are; `suspects` spares most of
 * that for a whole turn at once.
 *
 * IPv4 addresses are looked up as 32-bit integers, so that nearly no request makes a string here. An IPv4-mapped IPv6 address is an IPv4
 * address; a range of IPv6 shorter than the mapped prefix `::ffff:0:0/96` has all of IPv4 in it, or nothing of it.
 */
import type { IpAddress, UserId } from "../../core/ids.ts";
import { type CidrRange, groupsOf, ipv4Bits, ipv6Head, networkKey, parseCidrRange } from "../../core/ip-address.ts";
import type { UnixMs } from "../../core/time.ts";
import type { DecisionKey, Strength } from "./decision.ts";
import { mixed } from "./hashed-rulings.ts";
import { Ipv4Networks } from "./ipv4-networks.ts";
import { Ipv4Rulings } from "./ipv4-rulings.ts";
import { Ipv6Networks, type Network } from "./ipv6-networks.ts";
import { type Ruling, strengthAt } from "./ruling.ts";
import { TextRulings, textHash } from "./text-rulings.ts";

type Groups = CidrRange["groups"];
type Named = Pick<DecisionKey, "scope" | "value">;

export interface Shopper {
  readonly userId: UserId;
  readonly clientIp: IpAddress;
}

/** Where IPv4 lies in IPv6: `::ffff:0:0`, and how many bits of it an IPv4 range has in front of its own. */
const MAPPED: Groups = [0, 0, 0, 0, 0, 0xffff, 0, 0];
const MAPPED_PREFIX_BITS = 96;

/** `over-ipv4`: a range of IPv6 that has all of IPv4 in it. */
function familyOf({ groups, prefixBits }: CidrRange): "ipv4" | "over-ipv4" | "ipv6" {
  const sharedBits = Math.min(prefixBits, MAPPED_PREFIX_BITS);
  if (networkKey(groups, sharedBits) !== networkKey(MAPPED, sharedBits)) return "ipv6";
  return prefixBits >= MAPPED_PREFIX_BITS ? "ipv4" : "over-ipv4";
}

const bitsOf = ({ groups }: CidrRange): number => ((groups[6] as number) << 16) | (groups[7] as number);
const stronger = (a: Strength, b: Strength): Strength => (a > b ? a : b);

export const SUSPECT_ACCOUNT = 1;
export const SUSPECT_ADDRESS = 2;

/** What is known of each of some shoppers while they are sifted. */
interface Sifting {
  readonly accounts: Int32Array;
  readonly addresses: Int32Array;
  readonly bits: Int32Array;
  readonly near: Int32Array;
  readonly suspects: Uint8Array;
}

const siftingOf = (shoppers: number): Sifting => ({
  accounts: new Int32Array(shoppers),
  addresses: new Int32Array(shoppers),
  bits: new Int32Array(shoppers),
  near: new Int32Array(shoppers),
  suspects: new Uint8Array(shoppers),
});

export class Rulings {
  readonly #accounts = new TextRulings();
  readonly #ipv4 = new Ipv4Rulings();
  readonly #ipv6 = new TextRulings();
  readonly #ipv4Networks = new Ipv4Networks();
  readonly #ipv6Networks = new Ipv6Networks();
  /** The ranges of IPv6 that have all of IPv4 in them, by prefix length. */
  readonly #overIpv4 = new Map<number, Network>();
  #sifting = siftingOf(0);

  get size(): number {
    return this.#accounts.size + this.#ipv4.size + this.#ipv6.size + this.#ipv4Networks.size + this.#ipv6Networks.size;
  }

  /** Puts a ruling in, or in the place of the one that stands. @returns that one */
  set({ scope, value }: Named, ruling: Ruling): Ruling | undefined {
    if (scope === "account") return this.#accounts.set(value, ruling);
    if (scope === "address") {
      const bits = ipv4Bits(value);
      return bits === null ? this.#ipv6.set(value, ruling) : this.#ipv4.set(bits, ruling);
    }
    const range = parseCidrRange(value) as CidrRange;
    const family = familyOf(range);
    if (family === "ipv4") return this.#ipv4Networks.set(bitsOf(range), range.prefixBits - MAPPED_PREFIX_BITS, ruling);
    if (family === "over-ipv4") this.#overIpv4.set(range.prefixBits, { value, ruling });
    return this.#ipv6Networks.set(range, { value, ruling })?.ruling;
  }

  /** @returns what stood there */
  delete({ scope, value }: Named): Ruling | undefined {
    if (scope === "account") return this.#accounts.delete(value);
    if (scope === "address") {
      const bits = ipv4Bits(value);
      return bits === null ? this.#ipv6.delete(value) : this.#ipv4.delete(bits);
    }
    const range = parseCidrRange(value) as CidrRange;
    const family = familyOf(range);
    if (family === "ipv4") return this.#ipv4Networks.delete(bitsOf(range), range.prefixBits - MAPPED_PREFIX_BITS);
    if (family === "over-ipv4") this.#overIpv4.delete(range.prefixBits);
    return this.#ipv6Networks.delete(range)?.ruling;
  }

  /** What stands for this very value, whether or not it has ended; `undefined`: nothing. */
  get({ scope, value }: Named): Ruling | undefined {
    if (scope === "account") return this.#accounts.get(value);
    if (scope === "address") {
      const bits = ipv4Bits(value);
      return bits === null ? this.#ipv6.get(value) : this.#ipv4.get(bits);
    }
    const range = parseCidrRange(value) as CidrRange;
    if (familyOf(range) === "ipv4") return this.#ipv4Networks.get(bitsOf(range), range.prefixBits - MAPPED_PREFIX_BITS);
    return this.#ipv6Networks.get(range)?.ruling;
  }

  /**
   * Tells for each of a turn's shoppers what has to be looked up: `SUSPECT_ACCOUNT`, `SUSPECT_ADDRESS`, both, or 0 where nothing can stand. It holds
   * until the next call.
   *
   * A read that misses the processor's caches takes longer than all the rest of a lookup. The processor has many of them under way at once, as
   * long as nothing is decided on what they bring: so first all hashes are made, then all words are read, and then it is decided.
   */
  suspects(shoppers: readonly Shopper[]): Uint8Array {
    const { length } = shoppers;
    if (this.#sifting.suspects.length < length) this.#sifting = siftingOf(length);
    const { accounts, addresses, bits, near, suspects } = this.#sifting;
    // A range of IPv6 that has all of IPv4 in it is as good as none ever: then each address is looked up.
    const everyAddress = this.#overIpv4.size > 0 ? SUSPECT_ADDRESS : 0;
    for (let i = 0; i < length; i += 1) {
      const { userId, clientIp } = shoppers[i] as Shopper;
      const ipv4 = ipv4Bits(clientIp);
      accounts[i] = textHash(userId);
      bits[i] = ipv4 ?? 0;
      addresses[i] = mixed(ipv4 ?? 0);
      // Addresses of IPv6 are looked up one by one.
      suspects[i] = ipv4 === null ? SUSPECT_ADDRESS : everyAddress;
    }
    this.#accounts.sift(accounts, length);
    this.#ipv4.sift(addresses, length);
    this.#ipv4Networks.sift(bits, length, near);
    for (let i = 0; i < length; i += 1) {
      let suspected = suspects[i] as number;
      if (accounts[i] === 0) suspected |= SUSPECT_ACCOUNT;
      if (addresses[i] === 0) suspected |= SUSPECT_ADDRESS;
      else if (near[i] !== 0 && this.#ipv4Networks.mayCover(bits[i] as number)) suspected |= SUSPECT_ADDRESS;
      suspects[i] = suspected;
    }
    return suspects;
  }

  ofAccount(account: string, now: UnixMs): Strength {
    return strengthAt(this.#accounts.get(account), now);
  }

  /** The strongest of what stands for the address itself and for the networks that it lies in. */
  ofAddress(address: IpAddress, now: UnixMs): Strength {
    const bits = ipv4Bits(address);
    if (bits !== null) {
      const own = stronger(strengthAt(this.#ipv4.get(bits), now), this.#ofAllIpv4(now));
      return stronger(own, this.#ipv4Networks.strength(bits, 32, now));
    }
    const own = strengthAt(this.#ipv6.get(address), now);
    if (!this.#ipv6Networks.isNear(ipv6Head(address))) return own;
    return stronger(own, this.#ipv6Networks.strength(groupsOf(address), 128, now));
  }

  /** The strongest of what stands for the range and for those that it lies in wholly. */
  ofRange(range: CidrRange, now: UnixMs): Strength {
    if (familyOf(range) !== "ipv4") return this.#ipv6Networks.strength(range.groups, range.prefixBits, now);
    const inIpv4 = this.#ipv4Networks.strength(bitsOf(range), range.prefixBits - MAPPED_PREFIX_BITS, now);
    return stronger(inIpv4, this.#ofAllIpv4(now));
  }

  /** The live networks that have the address in them. */
  networksOf(address: IpAddress, now: UnixMs): Network[] {
    const bits = ipv4Bits(address);
    if (bits === null) return this.#ipv6Networks.covering(groupsOf(address), now);
    const over = [...this.#overIpv4.values()].filter(({ ruling }) => strengthAt(ruling, now) > 0);
    return [...this.#ipv4Networks.covering(bits, now), ...over];
  }

  #ofAllIpv4(now: UnixMs): Strength {
    if (this.#overIpv4.size === 0) return 0;
    return [...this.#overIpv4.values()].map(({ ruling }) => strengthAt(ruling, now)).reduce(stronger, 0);
  }
}
