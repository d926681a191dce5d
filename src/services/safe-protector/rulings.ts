/**
 * What was decided about accounts, addresses and networks, found by those. Pure: tables in memory with `now` as an argument. A lookup costs a
 * read for the account, one for the address, and one for each prefix length in use, however many decisions there are.
 *
 * IPv4 addresses are looked up as 32-bit integers, so that nearly no request makes a string here. An IPv4-mapped IPv6 address is an IPv4
 * address; a range of IPv6 shorter than the mapped prefix `::ffff:0:0/96` has all of IPv4 in it, or nothing of it.
 */
import type { IpAddress } from "../../core/ids.ts";
import { type CidrRange, groupsOf, ipv4Bits, ipv4Mask, ipv6Head, networkKey, parseCidrRange } from "../../core/ip-address.ts";
import type { UnixMs } from "../../core/time.ts";
import type { DecisionKey, Strength } from "./decision.ts";
import { mixed } from "./hashed-rulings.ts";
import { Ipv4Rulings } from "./ipv4-rulings.ts";
import { Neighbourhoods } from "./neighbourhoods.ts";
import { type Network, Networks } from "./networks.ts";
import { type Ruling, strengthAt } from "./ruling.ts";
import { TextRulings } from "./text-rulings.ts";

/** How many bits of an address tell its neighbourhood. */
const NEAR_IPV4_BITS = 16;
const NEAR_IPV6_BITS = 32;

type Groups = CidrRange["groups"];
type Named = Pick<DecisionKey, "scope" | "value">;

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

export class Rulings {
  readonly #accounts = new TextRulings();
  readonly #ipv4 = new Ipv4Rulings();
  readonly #ipv6 = new TextRulings();
  readonly #ipv4Networks = new Networks<number, number>((bits, prefixBits) => bits & ipv4Mask(prefixBits));
  readonly #ipv4Near = new Neighbourhoods(NEAR_IPV4_BITS);
  readonly #ipv6Networks = new Networks<Groups, string>(networkKey);
  readonly #ipv6Near = new Neighbourhoods(NEAR_IPV6_BITS);
  /** The ranges of IPv6 that have all of IPv4 in them, by prefix length. */
  readonly #overIpv4 = new Map<number, Network>();

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
    const network = { value, ruling };
    const family = familyOf(range);
    const before =
      family === "ipv4"
        ? this.#ipv4Networks.set(bitsOf(range), range.prefixBits - MAPPED_PREFIX_BITS, network)
        : this.#ipv6Networks.set(range.groups, range.prefixBits, network);
    if (!before) this.#countNear(range, family, 1);
    if (family === "over-ipv4") this.#overIpv4.set(range.prefixBits, network);
    return before?.ruling;
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
    const before =
      family === "ipv4"
        ? this.#ipv4Networks.delete(bitsOf(range), range.prefixBits - MAPPED_PREFIX_BITS)
        : this.#ipv6Networks.delete(range.groups, range.prefixBits);
    if (before) this.#countNear(range, family, -1);
    if (family === "over-ipv4") this.#overIpv4.delete(range.prefixBits);
    return before?.ruling;
  }

  /** What stands for this very value, whether or not it has ended; `undefined`: nothing. */
  get({ scope, value }: Named): Ruling | undefined {
    if (scope === "account") return this.#accounts.get(value);
    if (scope === "address") {
      const bits = ipv4Bits(value);
      return bits === null ? this.#ipv6.get(value) : this.#ipv4.get(bits);
    }
    const range = parseCidrRange(value) as CidrRange;
    if (familyOf(range) === "ipv4") return this.#ipv4Networks.get(bitsOf(range), range.prefixBits - MAPPED_PREFIX_BITS)?.ruling;
    return this.#ipv6Networks.get(range.groups, range.prefixBits)?.ruling;
  }

  ofAccount(account: string, now: UnixMs): Strength {
    return strengthAt(this.#accounts.get(account), now);
  }

  /** The strongest of what stands for the address itself and for the networks that it lies in. */
  ofAddress(address: IpAddress, now: UnixMs): Strength {
    const bits = ipv4Bits(address);
    if (bits !== null) {
      const own = stronger(strengthAt(this.#ipv4.get(bits), now), this.#ofAllIpv4(now));
      return this.#ipv4Near.has(bits >>> 16) ? stronger(own, this.#ipv4Networks.strength(bits, 32, now)) : own;
    }
    const own = strengthAt(this.#ipv6.get(address), now);
    if (!this.#ipv6Near.has(mixed(ipv6Head(address)))) return own;
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

  #countNear(range: CidrRange, family: ReturnType<typeof familyOf>, change: 1 | -1): void {
    const { groups, prefixBits } = range;
    if (family === "ipv4") this.#ipv4Near.count(bitsOf(range) >>> 16, prefixBits - MAPPED_PREFIX_BITS, change);
    else this.#ipv6Near.count(mixed(((groups[0] as number) << 16) | (groups[1] as number)), prefixBits, change);
  }

  #ofAllIpv4(now: UnixMs): Strength {
    if (this.#overIpv4.size === 0) return 0;
    return [...this.#overIpv4.values()].map(({ ruling }) => strengthAt(ruling, now)).reduce(stronger, 0);
  }
}
