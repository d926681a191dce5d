/**
 * Who is refused: users, addresses and address ranges, each until a moment or until removed. Pure: a table in memory with `now` as an
 * argument. A lookup costs a map read for the user, one for the address, and one for each prefix length in use, however many entries there are.
 *
 * IPv4 addresses are looked up as 32-bit integers, so that nearly no request makes a string here. An IPv4-mapped IPv6 address is an IPv4
 * address; a range of IPv6 shorter than the mapped prefix `::ffff:0:0/96` has all of IPv4 in it, or nothing of it.
 */
import type { IpAddress, UserId } from "../../core/ids.ts";
import { type CidrRange, groupsOf, ipv4Bits, ipv4Mask, networkKey, parseCidrRange } from "../../core/ip-address.ts";
import type { UnixMs } from "../../core/time.ts";
import { isLive, Networks, type Until } from "./networks.ts";

export type Scope = "user" | "address" | "range";

/** One decision: whom, why and until when. One live decision per scope and value. */
export interface Decision {
  readonly scope: Scope;
  /** A user id, a canonical address, or a canonical range. */
  readonly value: string;
  /** `null`: until removed. */
  readonly until: Until;
  readonly note: string;
}

/** What of a decision a lookup needs; notes stay in the store. */
export type Entry = Omit<Decision, "note">;

/** Names a decision. */
export type DecisionKey = Omit<Entry, "until">;

type Groups = CidrRange["groups"];

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

export class Blacklist {
  readonly #users = new Map<string, Until>();
  readonly #ipv4 = new Map<number, Until>();
  readonly #ipv6 = new Map<string, Until>();
  readonly #ipv4Networks = new Networks<number, number>((bits, prefixBits) => bits & ipv4Mask(prefixBits));
  readonly #ipv6Networks = new Networks<Groups, string>(networkKey);
  /** The ranges of IPv6 that have all of IPv4 in them, by prefix length. */
  readonly #overIpv4 = new Map<number, Until>();

  get size(): number {
    return this.#users.size + this.#ipv4.size + this.#ipv6.size + this.#ipv4Networks.size + this.#ipv6Networks.size;
  }

  /** Adds an entry, or replaces the one that stands. */
  add({ scope, value, until }: Entry): void {
    if (scope === "user") this.#users.set(value, until);
    else if (scope === "address") {
      const bits = ipv4Bits(value);
      if (bits === null) this.#ipv6.set(value, until);
      else this.#ipv4.set(bits, until);
    } else {
      const range = parseCidrRange(value) as CidrRange;
      const family = familyOf(range);
      if (family === "ipv4") this.#ipv4Networks.set(bitsOf(range), range.prefixBits - MAPPED_PREFIX_BITS, until);
      else this.#ipv6Networks.set(range.groups, range.prefixBits, until);
      if (family === "over-ipv4") this.#overIpv4.set(range.prefixBits, until);
    }
  }

  remove({ scope, value }: DecisionKey): void {
    if (scope === "user") this.#users.delete(value);
    else if (scope === "address") {
      const bits = ipv4Bits(value);
      if (bits === null) this.#ipv6.delete(value);
      else this.#ipv4.delete(bits);
    } else {
      const range = parseCidrRange(value) as CidrRange;
      const family = familyOf(range);
      if (family === "ipv4") this.#ipv4Networks.delete(bitsOf(range), range.prefixBits - MAPPED_PREFIX_BITS);
      else this.#ipv6Networks.delete(range.groups, range.prefixBits);
      if (family === "over-ipv4") this.#overIpv4.delete(range.prefixBits);
    }
  }

  /** Until when the entry itself stands, whether or not it has ended; `undefined`: it is not listed. */
  untilOf({ scope, value }: DecisionKey): Until | undefined {
    if (scope === "user") return this.#users.get(value);
    if (scope === "address") {
      const bits = ipv4Bits(value);
      return bits === null ? this.#ipv6.get(value) : this.#ipv4.get(bits);
    }
    const range = parseCidrRange(value) as CidrRange;
    if (familyOf(range) === "ipv4") return this.#ipv4Networks.get(bitsOf(range), range.prefixBits - MAPPED_PREFIX_BITS);
    return this.#ipv6Networks.get(range.groups, range.prefixBits);
  }

  hasUser(user: UserId, now: UnixMs): boolean {
    return isLive(this.#users.get(user), now);
  }

  /** Whether the address is listed itself or lies in a listed range. */
  hasAddress(address: IpAddress, now: UnixMs): boolean {
    const bits = ipv4Bits(address);
    if (bits !== null) {
      return isLive(this.#ipv4.get(bits), now) || this.#ipv4Networks.covers(bits, 32, now) || this.#isAllIpv4Listed(now);
    }
    if (isLive(this.#ipv6.get(address), now)) return true;
    return this.#ipv6Networks.size > 0 && this.#ipv6Networks.covers(groupsOf(address), 128, now);
  }

  /** Whether the range is listed, or lies wholly in a listed one. */
  hasRange(range: CidrRange, now: UnixMs): boolean {
    if (familyOf(range) !== "ipv4") return this.#ipv6Networks.covers(range.groups, range.prefixBits, now);
    return this.#ipv4Networks.covers(bitsOf(range), range.prefixBits - MAPPED_PREFIX_BITS, now) || this.#isAllIpv4Listed(now);
  }

  #isAllIpv4Listed(now: UnixMs): boolean {
    if (this.#overIpv4.size === 0) return false;
    return [...this.#overIpv4.values()].some((until) => isLive(until, now));
  }
}
