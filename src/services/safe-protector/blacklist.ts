/**
 * Who is refused: users, addresses and address ranges, each until a moment or until removed. Pure: a table in memory with `now` as an
 * argument. A lookup costs one or two map reads and, for ranges, one per prefix length in use, however many entries there are.
 */
import type { IpAddress, UserId } from "../../core/ids.ts";
import { type CidrRange, groupsOf, networkKey } from "../../core/ip-address.ts";
import type { UnixMs } from "../../core/time.ts";

export type Scope = "user" | "address" | "range";

/** One decision: whom, why and until when. One live decision per scope and value. */
export interface Decision {
  readonly scope: Scope;
  /** A user id, a canonical address, or a canonical range. */
  readonly value: string;
  /** `null`: until removed. */
  readonly until: UnixMs | null;
  readonly note: string;
}

const isLive = (until: UnixMs | null | undefined, now: UnixMs): boolean => until !== undefined && (until === null || until > now);

export class Blacklist {
  // Only what a lookup needs is in memory; notes stay in the store.
  readonly #users = new Map<string, UnixMs | null>();
  readonly #addresses = new Map<string, UnixMs | null>();
  readonly #rangesByPrefix = new Map<number, Map<string, UnixMs | null>>();
  #ranges = 0;

  get size(): number {
    return this.#users.size + this.#addresses.size + this.#ranges;
  }

  add(decision: Decision, range: CidrRange | null): void {
    if (decision.scope === "user") this.#users.set(decision.value, decision.until);
    else if (decision.scope === "address") this.#addresses.set(decision.value, decision.until);
    else if (range) {
      const ofPrefix = this.#rangesByPrefix.get(range.prefixBits) ?? new Map<string, UnixMs | null>();
      this.#rangesByPrefix.set(range.prefixBits, ofPrefix);
      const key = networkKey(range.groups, range.prefixBits);
      if (!ofPrefix.has(key)) this.#ranges += 1;
      ofPrefix.set(key, decision.until);
    }
  }

  remove(scope: Scope, value: string, range: CidrRange | null): void {
    if (scope === "user") this.#users.delete(value);
    else if (scope === "address") this.#addresses.delete(value);
    else if (range) {
      const ofPrefix = this.#rangesByPrefix.get(range.prefixBits);
      if (!ofPrefix?.delete(networkKey(range.groups, range.prefixBits))) return;
      this.#ranges -= 1;
      if (ofPrefix.size === 0) this.#rangesByPrefix.delete(range.prefixBits);
    }
  }

  hasUser(user: UserId, now: UnixMs): boolean {
    return isLive(this.#users.get(user), now);
  }

  /** Whether the address is listed itself or lies in a listed range. */
  hasAddress(address: IpAddress, now: UnixMs): boolean {
    if (isLive(this.#addresses.get(address), now)) return true;
    return this.#ranges > 0 && this.#isInRange(groupsOf(address), 128, now);
  }

  /** Whether the range is listed, or lies wholly in a listed one. */
  hasRange(range: CidrRange, now: UnixMs): boolean {
    return this.#isInRange(range.groups, range.prefixBits, now);
  }

  #isInRange(groups: readonly number[], prefixBitsMax: number, now: UnixMs): boolean {
    for (const [prefixBits, ranges] of this.#rangesByPrefix) {
      if (prefixBits <= prefixBitsMax && isLive(ranges.get(networkKey(groups, prefixBits)), now)) return true;
    }
    return false;
  }
}
