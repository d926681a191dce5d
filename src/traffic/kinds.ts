/**
 * What an event says about who made it. Every event is of one kind; what the scenarios ask for (`signals.ts`) are sums of kinds.
 *
 * - `held`: a purchase that froze goods
 * - `excused`: a refusal that says nothing against the shopper: sold out, ended, paused, throttled
 * - `refused`: the same request would be refused on any day: no such goods, a level too low, a limit reached, a key used twice
 * - `early`: before the sale's start
 * - `blocked`: a decision stands against them already
 * - `malformed`: no request that our pages or our client would make
 * - `released`: what was frozen, given back
 * - `other`: anything else. An answer that we could not give is here: while a service is down, everybody asks again and again. A token that has ended, and an address where nothing is, are everyday things behind a browser, so they are here too
 */
import { isFailure, type Reason } from "../core/reason.ts";
import type { TrafficEvent } from "./event.ts";

export const KINDS = ["held", "excused", "refused", "early", "blocked", "malformed", "released", "other"] as const;
export type Kind = (typeof KINDS)[number];
export const KIND_COUNT = KINDS.length;
/** A kind by its number, as counts are kept. */
export const KIND: Readonly<Record<Kind, number>> = {
  ...{ held: 0, excused: 1, refused: 2, early: 3, blocked: 4, malformed: 5, released: 6, other: 7 },
};

const OF_PURCHASE: ReadonlyMap<string, number> = new Map([
  ...["level-too-low", "limit-reached", "unknown-goods", "key-reused"].map((reason) => [reason, KIND.refused] as const),
  ["not-started", KIND.early],
  ["blacklisted", KIND.blocked],
]);
const OF_REQUEST: ReadonlyMap<string, number> = new Map([
  ...["malformed", "method-not-allowed", "too-large"].map((reason) => [reason, KIND.malformed] as const),
  ["throttled", KIND.excused],
]);
/** The requests that give back what was frozen. */
const RELEASES: ReadonlySet<string> = new Set(["DELETE /cart/{sku}", "POST /orders/{id}/cancel"]);

export function kindOf({ request, reason, steps }: Pick<TrafficEvent, "request" | "reason" | "steps">): number {
  if (request === null) {
    if (reason !== null) return isFailure(reason as Reason) ? KIND.other : (OF_PURCHASE.get(reason) ?? KIND.excused);
    // A reply that is given again has frozen nothing.
    return steps.at(-1)?.step === "cart" ? KIND.held : KIND.other;
  }
  if (reason !== null) return OF_REQUEST.get(reason) ?? KIND.other;
  return RELEASES.has(request) ? KIND.released : KIND.other;
}
