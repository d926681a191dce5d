/**
 * What is true afterwards, from the services' own words: nothing oversold, nothing lost, nothing frozen twice. Pure: evidence in, findings out.
 *
 * A hold near its deadline or past it may be gone, and then its absence proves nothing; such holds are left out, and said to be.
 */
import type { DurationMs, UnixMs } from "../core/time.ts";
import type { Winner } from "./tally.ts";

export interface GoodsReading {
  readonly onHand: number;
  readonly frozen: number;
  readonly available: number;
  readonly readAt: UnixMs;
}

export interface CartReading {
  /** Of the goods of the run. */
  readonly quantity: number;
  readonly readAt: UnixMs;
}

export interface Evidence {
  readonly before: GoodsReading;
  readonly after: GoodsReading;
  /** What each buyer asked for. */
  readonly quantity: number;
  readonly winners: readonly Winner[];
  readonly undecided: readonly string[];
  /** Of every winner and every undecided user. */
  readonly carts: ReadonlyMap<string, CartReading>;
  readonly wasToldSoldOut: boolean;
  readonly isShared: boolean;
}

export interface Finding {
  readonly verdict: "ok" | "broken" | "not checked";
  readonly text: string;
}

/** Clocks of two machines, and the way between them. */
const DEADLINE_MARGIN_MS: DurationMs = 2_000;
const EXAMPLES_MAX = 5;

const ok = (text: string): Finding => ({ verdict: "ok", text });
const broken = (text: string): Finding => ({ verdict: "broken", text });
const notChecked = (text: string): Finding => ({ verdict: "not checked", text });

export function verify(evidence: Evidence): readonly Finding[] {
  return [
    stockHolds(evidence),
    ...winnersHave(evidence),
    undecidedHaveAtMost(evidence),
    totalsAgree(evidence),
    soldToTheEnd(evidence),
  ].filter((finding) => finding !== null);
}

function stockHolds({ after }: Evidence): Finding {
  const { onHand, frozen, available } = after;
  const figures = `${frozen} frozen, ${available} available, ${onHand} on hand`;
  const isSound = frozen >= 0 && available >= 0 && frozen <= onHand && available === onHand - frozen;
  return isSound ? ok(`nothing is oversold: ${figures}`) : broken(`OVERSOLD: ${figures}`);
}

const isLive = (winner: Winner, at: UnixMs): boolean => winner.expiresAt > at + DEADLINE_MARGIN_MS;

/** Every acknowledged hold that must still be there is in its user's cart, with exactly the acknowledged quantity. */
function winnersHave({ winners, carts, quantity }: Evidence): Finding[] {
  const lost: string[] = [];
  const excess: string[] = [];
  let checked = 0;
  for (const winner of winners) {
    const cart = carts.get(winner.userId) ?? { quantity: 0, readAt: 0 };
    const what = `${winner.userId} was promised ${winner.quantity} and has ${cart.quantity}`;
    if (winner.quantity !== quantity) excess.push(`${winner.userId} asked for ${quantity} and was told ${winner.quantity}`);
    else if (cart.quantity > winner.quantity) excess.push(what);
    else if (isLive(winner, cart.readAt)) {
      checked += 1;
      if (cart.quantity < winner.quantity) lost.push(what);
    }
  }
  const findings: Finding[] = [];
  if (lost.length > 0) findings.push(broken(`LOST: ${lost.length} acknowledged holds are not in their carts: ${examples(lost)}`));
  if (excess.length > 0) findings.push(broken(`DOUBLE-FROZEN: ${excess.length} buyers have more than they asked for: ${examples(excess)}`));
  if (findings.length === 0) findings.push(ok(`${checked} acknowledged holds are in their buyers' carts with exactly their quantity`));
  const ended = winners.length - checked - lost.length - excess.length;
  if (findings.length === 1 && ended > 0) findings.push(notChecked(`${ended} holds were at their deadline or past it`));
  return findings;
}

function undecidedHaveAtMost({ undecided, carts, quantity }: Evidence): Finding | null {
  if (undecided.length === 0) return null;
  const excess = undecided.filter((userId) => (carts.get(userId)?.quantity ?? 0) > quantity);
  if (excess.length > 0)
    return broken(`DOUBLE-FROZEN: ${excess.length} buyers without an answer have more than they asked for: ${examples(excess)}`);
  return ok(`${undecided.length} buyers without a final answer have at most what they asked for`);
}

/** What the carts of this run hold, and what of it was still certain to be frozen when the goods were read. */
function heldInCarts({ winners, undecided, carts, after }: Evidence): { readonly atLeast: number; readonly atMost: number } {
  const sum = (userIds: readonly string[]) => userIds.reduce((total, userId) => total + (carts.get(userId)?.quantity ?? 0), 0);
  const certain = winners.filter((winner) => isLive(winner, after.readAt)).map((winner) => winner.userId);
  const atMost = Math.max(
    winners.reduce((total, winner) => total + winner.quantity, 0),
    sum(winners.map((winner) => winner.userId)),
  );
  return { atLeast: sum(certain), atMost: atMost + sum(undecided) };
}

/** The goods count as frozen what the carts hold: not less (sold twice), and not more (frozen for nobody). */
function totalsAgree(evidence: Evidence): Finding {
  const { before, after, isShared } = evidence;
  const { atLeast, atMost } = heldInCarts(evidence);
  const change = after.frozen - before.frozen;
  if (after.frozen < atLeast) return broken(`OVERSOLD: the carts hold ${atLeast}, the goods count only ${after.frozen} as frozen`);
  if (isShared) return notChecked("the change of frozenQuantity: others were buying");
  if (change > atMost) return broken(`DOUBLE-FROZEN: frozenQuantity grew by ${change}, the buyers of this run have ${atMost}`);
  if (change < atLeast)
    return ok(`frozenQuantity covers the carts of this run (${atLeast}); ${atLeast - change} frozen before it have ended meanwhile`);
  return ok(`frozenQuantity grew by ${change}, which is what the carts of this run hold`);
}

/** Nobody may hear "sold out" while there are goods, unless goods came back later because holds ended. */
function soldToTheEnd(evidence: Evidence): Finding | null {
  const { before, after, quantity, winners, wasToldSoldOut, isShared } = evidence;
  const won = winners.reduce((total, winner) => total + winner.quantity, 0);
  if (!wasToldSoldOut)
    return notChecked(`whether the stock is sold to the end: nobody was told "sold-out" (${won} of ${before.available} sold)`);
  if (isShared) return notChecked("whether the stock is sold to the end: others were buying");
  const endedOurs = winners.filter((winner) => !isLive(winner, after.readAt)).reduce((total, winner) => total + winner.quantity, 0);
  const endedOthers = Math.max(0, before.frozen + heldInCarts(evidence).atLeast - after.frozen);
  const cameBack = endedOurs + endedOthers + Math.max(0, after.onHand - before.onHand);
  if (after.available >= quantity + cameBack)
    return broken(`UNDERSOLD: buyers were told "sold-out" while ${after.available} are available`);
  if (after.available >= quantity) return ok(`the stock was sold to the end; ${cameBack} came back since, because holds ended`);
  return ok(`exactly the stock is sold: ${won} of the ${before.available} that were available, ${after.available} left`);
}

const examples = (texts: readonly string[]): string =>
  texts.slice(0, EXAMPLES_MAX).join("; ") + (texts.length > EXAMPLES_MAX ? `; and ${texts.length - EXAMPLES_MAX} more` : "");
