/** The decisions as a process has them in memory: what lookups need of all of them, and everything of those that were learned. */
import type { IpAddress, UserId } from "../../core/ids.ts";
import { parseCidrRange } from "../../core/ip-address.ts";
import type { UnixMs } from "../../core/time.ts";
import { OBSERVED_COUNTED_MAX } from "../../limits/decisions.ts";
import type { View } from "../../tables/table.ts";
import {
  type Decision,
  type DecisionKey,
  type DecisionScope,
  type Entry,
  idOf,
  isLive,
  keyOf,
  keyOfId,
  STRENGTH,
  type Strength,
  type Until,
} from "./decision.ts";
import { actionOf, CODES, codeOf, originOf, type Ruling, rulingOf, strengthAt, untilOf } from "./ruling.ts";
import { Rulings, type Shopper } from "./rulings.ts";

/** One of the decisions that stand against somebody. */
export interface Against {
  readonly scope: DecisionScope;
  readonly value: string;
  readonly strength: Strength;
}

export class StandingDecisions implements View<Decision, DecisionKey> {
  readonly #against = new Rulings();
  readonly #allowed = new Rulings();
  /** By id, those that were learned first at the front. */
  readonly #learned = new Map<string, Decision>();
  /** Ids of those that are observed. */
  readonly #observed = new Set<string>();
  /** How many there are, by the code of action and origin. */
  readonly #counts = new Uint32Array(CODES);

  get size(): number {
    return this.#against.size + this.#allowed.size;
  }

  get learned(): ReadonlyMap<string, Decision> {
    return this.#learned;
  }

  /** Adds a decision, or puts it in the place of the one of its key. */
  add(entry: Entry): void {
    const rulings = entry.action === "allow" ? this.#allowed : this.#against;
    const ruling = rulingOf(entry.action, entry.origin, entry.until);
    this.#forget(entry, rulings.set(entry, ruling));
    this.#count(ruling, 1);
    if (entry.origin === "learned") this.#learned.set(idOf(keyOf(entry)), entry);
    if (entry.action === "observe" && this.#observed.size < OBSERVED_COUNTED_MAX) this.#observed.add(idOf(keyOf(entry)));
  }

  remove(key: DecisionKey): void {
    this.#forget(key, this.#of(key).delete(key));
  }

  /** @param ruling what stood for this value until now */
  #forget({ scope, value }: Pick<DecisionKey, "scope" | "value">, ruling: Ruling | undefined): void {
    if (ruling === undefined) return;
    this.#count(ruling, -1);
    const action = actionOf(ruling);
    const id = (): string => idOf(keyOf({ scope, value, action }));
    if (originOf(ruling) === "learned") this.#learned.delete(id());
    if (action === "observe") this.#observed.delete(id());
  }

  has(key: DecisionKey): boolean {
    return this.#of(key).get(key) !== undefined;
  }

  /** Until when the decision itself stands, whether or not it has ended; `undefined`: there is none. */
  untilOf(key: DecisionKey): Until | undefined {
    const ruling = this.#of(key).get(key);
    return ruling === undefined ? undefined : untilOf(ruling);
  }

  /** Who has made the decision that is in force for this very value; `null`: none is. */
  origin(key: DecisionKey, now: UnixMs): Decision["origin"] | null {
    const ruling = this.#of(key).get(key);
    return strengthAt(ruling, now) === 0 ? null : originOf(ruling as Ruling);
  }

  /** Whether an operator's decision is in force for this very value, or something else stands there, ended or not. */
  about(key: DecisionKey, now: UnixMs): "operator" | "other" | "nothing" {
    const ruling = this.#of(key).get(key);
    if (ruling === undefined) return "nothing";
    return strengthAt(ruling, now) > 0 && originOf(ruling) === "operator" ? "operator" : "other";
  }

  /** What the decision says, whether or not it has ended; `null`: there is none. */
  action(key: DecisionKey): Decision["action"] | null {
    const ruling = this.#of(key).get(key);
    return ruling === undefined ? null : actionOf(ruling);
  }

  /** For each of a turn's shoppers, what has to be looked up because something may stand against it, as `Rulings.suspects` says it. */
  suspects(shoppers: readonly Shopper[]): Uint8Array {
    return this.#against.suspects(shoppers);
  }

  /** The strongest restriction in force; 0: none. */
  ofAccount(account: UserId, now: UnixMs): Strength {
    return this.#against.ofAccount(account, now);
  }

  /** As above, of the address and of the networks that it lies in. */
  ofAddress(address: IpAddress, now: UnixMs): Strength {
    return this.#against.ofAddress(address, now);
  }

  /** As above, of a range and of those that it lies in wholly. */
  ofRange(text: string, now: UnixMs): Strength {
    const range = parseCidrRange(text);
    return range === null ? 0 : this.#against.ofRange(range, now);
  }

  /** Whether the account or the address is on the allow-list, also by a network. */
  isAllowed(account: UserId, address: IpAddress, now: UnixMs): boolean {
    if (this.#allowed.size === 0) return false;
    return this.#allowed.ofAccount(account, now) > 0 || this.#allowed.ofAddress(address, now) > 0;
  }

  /** Whether all of what has this value is on the allow-list. */
  isValueAllowed({ scope, value }: Pick<DecisionKey, "scope" | "value">, now: UnixMs): boolean {
    if (this.#allowed.size === 0) return false;
    if (scope === "account") return this.#allowed.ofAccount(value, now) > 0;
    if (scope === "address") return this.#allowed.ofAddress(value as IpAddress, now) > 0;
    const range = parseCidrRange(value);
    return range !== null && this.#allowed.ofRange(range, now) > 0;
  }

  /** All that stands against this account at this address. */
  allAgainst(account: UserId, address: IpAddress, now: UnixMs): Against[] {
    const own = (["account", "address"] as const).map((scope) => {
      const value = scope === "account" ? account : address;
      return { scope, value, strength: strengthAt(this.#against.get({ scope, value }), now) };
    });
    const networks = this.#against.networksOf(address, now);
    return [
      ...own,
      ...networks.map(({ value, ruling }) => ({ scope: "network" as const, value, strength: strengthAt(ruling, now) })),
    ].filter(({ strength }) => strength > 0);
  }

  /** What has brought it about: the scenario that has learned it, or who has decided. */
  causeOf({ scope, value }: Pick<Against, "scope" | "value">): string {
    const key = { scope, value, isAllow: false };
    const origin = originOf(this.#against.get(key) as Ruling);
    return origin === "learned" ? (this.#learned.get(idOf(key))?.scenario ?? origin) : origin;
  }

  causeOfAccount(account: UserId): string {
    return this.causeOf({ scope: "account", value: account });
  }

  /** What has brought about that an address is blocked, itself or by a network. */
  causeOfAddress(address: IpAddress, now: UnixMs): string {
    const isBlocked = ({ ruling }: { readonly ruling: Ruling | undefined }): boolean => strengthAt(ruling, now) === STRENGTH.block;
    const own = { scope: "address", value: address } as const;
    if (isBlocked({ ruling: this.#against.get(own) })) return this.causeOf(own);
    const network = this.#against.networksOf(address, now).find(isBlocked);
    return network ? this.causeOf({ scope: "network", value: network.value }) : "operator";
  }

  /** What is being observed, up to a bound. */
  observed(now: UnixMs): { readonly scope: DecisionScope; readonly value: string }[] {
    const keys = [...this.#observed].map(keyOfId).filter((key) => isLive(this.untilOf(key), now));
    return keys.map(({ scope, value }) => ({ scope, value }));
  }

  /** How many are in force or not swept yet, by action and origin; of what was learned only what is in force. */
  *counts(now: UnixMs): Iterable<{ readonly action: Decision["action"]; readonly origin: Decision["origin"]; readonly count: number }> {
    const learned = new Map<Decision["action"], number>();
    for (const { action, until } of this.#learned.values()) if (isLive(until, now)) learned.set(action, (learned.get(action) ?? 0) + 1);
    for (const [action, count] of learned) yield { action, origin: "learned", count };
    for (const [code, count] of this.#counts.entries())
      if (count > 0 && originOf(code) !== "learned") yield { action: actionOf(code), origin: originOf(code), count };
  }

  #of({ isAllow }: Pick<DecisionKey, "isAllow">): Rulings {
    return isAllow ? this.#allowed : this.#against;
  }

  #count(ruling: Ruling, change: number): void {
    const code = codeOf(ruling);
    this.#counts[code] = (this.#counts[code] as number) + change;
  }
}
