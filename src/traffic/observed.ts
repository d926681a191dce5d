/**
 * What observed decisions would have blocked, and how many of those bought later: whoever tries a scenario in `observe` first sees here whom it
 * would have hit. Counted are purchases from the moment on that the decision is known here.
 */
import type { IpAddress } from "../core/ids.ts";
import { type CidrRange, groupsOf, ipv4Bits, networkKey, parseCidrRange } from "../core/ip-address.ts";
import { OBSERVED_MAX, OBSERVED_USERS_MAX } from "../limits/traffic.ts";
import type { TrafficEvent } from "./event.ts";
import { KIND, kindOf } from "./kinds.ts";
import type { ReadEvents } from "./read-events.ts";
import { networkOf } from "./slice.ts";
import type { Group } from "./summary.ts";

export interface ObservedKey {
  readonly scope: Group;
  readonly value: string;
}
export interface ObservedCount extends ObservedKey {
  readonly seen: number;
  /** Of those purchases, how many were followed by a successful one of the same account. */
  readonly bought: number;
}

interface Observed extends ObservedKey {
  seen: number;
  bought: number;
  /** Purchases that would have been stopped, by account, until it buys. */
  readonly waiting: Map<string, number>;
}

const idOf = ({ scope, value }: ObservedKey): string => `${scope} ${value}`;

export class ObservedTraffic {
  #observed = new Map<string, Observed>();
  /** Networks of other sizes than those that the analysis looks at by itself. */
  #ranges: readonly { readonly range: CidrRange; readonly observed: Observed }[] = [];
  #accountsWaiting = 0;

  /** From now on these, and no others. What was counted of those that stay is kept. */
  watch(keys: readonly ObservedKey[]): void {
    const before = this.#observed;
    this.#observed = new Map(
      keys.slice(0, OBSERVED_MAX).map(({ scope, value }) => {
        const id = idOf({ scope, value });
        return [id, before.get(id) ?? { scope, value, seen: 0, bought: 0, waiting: new Map<string, number>() }];
      }),
    );
    this.#ranges = [...this.#observed.values()].flatMap((observed) => {
      const range = observed.scope === "network" ? parseCidrRange(observed.value) : null;
      return range === null || /(\.0\/24|^[^.]*\/64)$/.test(observed.value) ? [] : [{ range, observed }];
    });
    this.#accountsWaiting = [...this.#observed.values()].reduce((sum, { waiting }) => sum + waiting.size, 0);
  }

  take(page: ReadEvents): void {
    if (this.#observed.size === 0) return;
    for (const event of page.objects()) if (event.request === null && event.userId !== null) this.#takePurchase(event, event.userId);
  }

  counts(): ObservedCount[] {
    return [...this.#observed.values()].map(({ scope, value, seen, bought }) => ({ scope, value, seen, bought }));
  }

  #takePurchase(event: TrafficEvent, userId: string): void {
    const isHeld = kindOf(event) === KIND.held;
    for (const observed of this.#about(event, userId)) {
      observed.seen += 1;
      const waiting = observed.waiting.get(userId);
      if (isHeld) {
        observed.bought += (waiting ?? 0) + 1;
        if (observed.waiting.delete(userId)) this.#accountsWaiting -= 1;
      } else if (waiting !== undefined) observed.waiting.set(userId, waiting + 1);
      else if (this.#accountsWaiting < OBSERVED_USERS_MAX) {
        observed.waiting.set(userId, 1);
        this.#accountsWaiting += 1;
      }
    }
  }

  #about({ clientIp }: TrafficEvent, userId: string): Observed[] {
    const found = [
      this.#observed.get(idOf({ scope: "account", value: userId })),
      this.#observed.get(idOf({ scope: "address", value: clientIp })),
      this.#observed.get(idOf({ scope: "network", value: networkOf(clientIp) })),
    ].filter((observed) => observed !== undefined);
    if (this.#ranges.length === 0) return found;
    const groups = groupsOf(clientIp as IpAddress);
    const isIpv4 = ipv4Bits(clientIp) !== null;
    for (const { range, observed } of this.#ranges) {
      const isSameFamily = isIpv4 || observed.value.includes(":");
      if (isSameFamily && networkKey(groups, range.prefixBits) === networkKey(range.groups, range.prefixBits)) found.push(observed);
    }
    return found;
  }
}
