/** What SafeProtector decides: about whom, what, why, until when, and who said so. */
import { parseCidrRange, parseIpAddress } from "../../core/ip-address.ts";
import type { UnixMs } from "../../core/time.ts";

export const SCOPES = ["address", "network", "account"] as const;
export type DecisionScope = (typeof SCOPES)[number];

/**
 * From the weakest: `observe` counts and lets pass, `throttle` lets a few pass, `block` nobody. `allow` stands on a list beside them: an allow
 * and another decision may both stand for a value, and allow always wins.
 */
export const ACTIONS = ["observe", "throttle", "block", "allow"] as const;
export type DecisionAction = (typeof ACTIONS)[number];
export type Restriction = Exclude<DecisionAction, "allow">;

export const ORIGINS = ["learned", "operator", "import"] as const;
export type DecisionOrigin = (typeof ORIGINS)[number];

/** When a decision ends; `null`: it stands until removed. */
export type Until = UnixMs | null;

/** What was seen: numbers by name, and some trace ids to look at. */
export interface Evidence {
  /** The numbers are of so long before `at`. */
  readonly windowMs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly traceIds: readonly string[];
  readonly at: UnixMs;
}

/** What the analysis of the traffic asks for. */
export interface Proposal {
  readonly scope: DecisionScope;
  /** An address or a network in canonical form, or a user id. */
  readonly value: string;
  readonly action: Restriction;
  readonly durationMs: number;
  readonly scenario: string;
  readonly evidence: Evidence;
}

/** Names a decision: there is one live decision for each scope and value, and beside it at most one that allows. */
export interface DecisionKey {
  readonly scope: DecisionScope;
  /** A user id, a canonical address, or a canonical range. */
  readonly value: string;
  readonly isAllow: boolean;
}

export interface Decision {
  readonly scope: DecisionScope;
  readonly value: string;
  readonly action: DecisionAction;
  readonly since: UnixMs;
  readonly until: Until;
  /** What has learned it; `null` for what somebody has decided. */
  readonly scenario: string | null;
  readonly origin: DecisionOrigin;
  readonly note: string;
  /** How often this was learned; 0 for what somebody has decided. */
  readonly offences: number;
  readonly evidence: Evidence | null;
}

/** What of a decision lookups need. Of what was learned everything is in memory; notes of others stay in the store. */
export type Entry = Decision | (Pick<Decision, "scope" | "value" | "action" | "until"> & { readonly origin: "operator" | "import" });

export const keyOf = ({ scope, value, action }: Pick<Decision, "scope" | "value" | "action">): DecisionKey => ({
  scope,
  value,
  isAllow: action === "allow",
});

/** The lists in which decisions stand, in the order of their names: addresses and networks are one list, and who is allowed is on one beside it. */
export const LISTS = ["i", "j", "u", "v"] as const;
export type ListName = (typeof LISTS)[number];

export function listOf({ scope, isAllow }: Omit<DecisionKey, "value">): ListName {
  if (scope === "account") return isAllow ? "v" : "u";
  return isAllow ? "j" : "i";
}

/** The name of a decision as one text. */
export const idOf = (key: DecisionKey): string => listOf(key) + key.value;

export function keyOfId(id: string): DecisionKey {
  const list = id[0] as ListName;
  return keyIn(list, id.slice(1));
}

/** What has a slash in it among the addresses is a network. */
export const scopeOfAddress = (value: string): DecisionScope => (value.includes("/") ? "network" : "address");

export function keyIn(list: ListName, value: string): DecisionKey {
  const isAccount = list === "u" || list === "v";
  return { scope: isAccount ? "account" : scopeOfAddress(value), value, isAllow: list === "j" || list === "v" };
}

/** The one form in which a value of this scope is known; `null` when it is none. */
export function canonicalValue(scope: DecisionScope, text: string): string | null {
  if (scope === "account") return text;
  return scope === "address" ? parseIpAddress(text) : (parseCidrRange(text)?.text ?? null);
}

export const isLive = (until: Until | undefined, now: UnixMs): boolean => until !== undefined && (until === null || until > now);

/** How strongly an action restricts: more is stronger, 0 is not at all. */
export const STRENGTH = { none: 0, observe: 1, throttle: 2, block: 3, allow: 4 } as const;
export type Strength = (typeof STRENGTH)[keyof typeof STRENGTH];
