/**
 * What becomes of a proposal. Pure. For one value, in this order:
 *
 * - Who is on the allow-list is left alone, and so is a decision of an operator or of an import that is in force.
 * - The same offence told twice (several workers see it, or its window is still open) changes nothing, unless it is taken more seriously now.
 * - A weaker action than the learned one in force changes nothing. A stronger one takes its place.
 * - Everything else is an offence more, and each doubles for how long it stands, up to `LEARNED_MS_MAX`. That goes on after the end, as long as
 *   the decision is remembered. What was only observed does not make the first real measure longer.
 */
import type { UnixMs } from "../../core/time.ts";
import {
  EVIDENCE_COUNTS_MAX,
  EVIDENCE_TRACE_IDS_MAX,
  LEARNED_DECISIONS_MAX,
  LEARNED_LOOKS_FOR_ROOM,
  LEARNED_MS_MAX,
  LEARNED_REMEMBERED_MS,
  OFFENCES_MAX,
} from "../../limits/decisions.ts";
import type { Change } from "../../tables/table.ts";
import {
  type Decision,
  type DecisionKey,
  type DecisionOrigin,
  type Evidence,
  idOf,
  isLive,
  keyOf,
  type Proposal,
  STRENGTH,
} from "./decision.ts";
import type { StandingDecisions } from "./standing.ts";

/** What there is about the value of a proposal. */
export interface About {
  readonly isAllowed: boolean;
  /** Who has made the decision in force; `null`: none is. */
  readonly inForceBy: DecisionOrigin | null;
  /** What was learned about it, in force or remembered. */
  readonly learned: Decision | null;
}

/** When a decision's row is of no use any more; `null`: it stands until removed. */
export const forgottenAt = ({ origin, until }: Pick<Decision, "origin" | "until">): UnixMs | null =>
  until !== null && origin === "learned" ? until + LEARNED_REMEMBERED_MS : until;

/** Whether a decision is in force or remembered. */
export function isOfUse(standing: StandingDecisions, key: DecisionKey, now: UnixMs): boolean {
  const learned = key.isAllow ? undefined : standing.learned.get(idOf(key));
  return isLive(learned ? forgottenAt(learned) : standing.untilOf(key), now);
}

/** `null`: nothing changes. */
export function decideProposal({ isAllowed, inForceBy, learned }: About, proposal: Proposal, now: UnixMs): Decision | null {
  if (isAllowed || (inForceBy !== null && inForceBy !== "learned")) return null;
  const remembered = learned !== null && (forgottenAt(learned) ?? now) > now ? learned : null;
  if (remembered === null) return decided(proposal, 1, now, now);
  const isInForce = isLive(remembered.until, now);
  const [wanted, standing] = [STRENGTH[proposal.action], STRENGTH[remembered.action]];
  if (isInForce && wanted < standing) return null;
  if (wanted > standing) return decided(proposal, remembered.action === "observe" ? 1 : remembered.offences + 1, now, now);
  if (isSameOffence(remembered.evidence, proposal.evidence)) return null;
  const again = decided(proposal, remembered.offences + 1, isInForce ? remembered.since : now, now);
  return isInForce ? { ...again, until: Math.max(again.until ?? now, remembered.until ?? now) } : again;
}

/** Numbers of windows that overlap are of one offence. */
const isSameOffence = (seen: Evidence | null, told: Evidence): boolean => seen !== null && told.at - told.windowMs < seen.at;

function decided(
  { scope, value, action, durationMs, scenario, evidence }: Proposal,
  offence: number,
  since: UnixMs,
  now: UnixMs,
): Decision {
  const offences = Math.min(offence, OFFENCES_MAX);
  // Two to the power of a thousand is already infinite.
  const standsMs = Math.min(LEARNED_MS_MAX, Math.round(durationMs * 2 ** Math.min(offences - 1, 100)));
  return {
    ...{ scope, value, action, since, until: now + standsMs, scenario, origin: "learned", note: "", offences },
    evidence: bounded(evidence),
  };
}

const bounded = ({ windowMs, counts, traceIds, at }: Evidence): Evidence => ({
  windowMs,
  counts: Object.fromEntries(Object.entries(counts).slice(0, EVIDENCE_COUNTS_MAX)),
  traceIds: traceIds.slice(0, EVIDENCE_TRACE_IDS_MAX),
  at,
});

/** What many proposals change together; later ones see what became of earlier ones. */
export function decideProposals(standing: StandingDecisions, proposals: readonly Proposal[], now: UnixMs): Change<Decision, DecisionKey>[] {
  const made = new Map<string, Decision>();
  const room = new Room(standing, now);
  for (const proposal of proposals) {
    const key: DecisionKey = { scope: proposal.scope, value: proposal.value, isAllow: false };
    const id = idOf(key);
    const isAllowed = standing.isValueAllowed(key, now);
    const learned = made.get(id) ?? standing.learned.get(id) ?? null;
    const inForceBy = made.has(id) ? "learned" : standing.origin(key, now);
    const decision = decideProposal({ isAllowed, inForceBy, learned }, proposal, now);
    if (decision !== null && (learned !== null || room.take())) made.set(id, decision);
  }
  // Who makes room may have come back in the same breath.
  const gone = room.forgotten.filter((decision) => !made.has(idOf(keyOf(decision))));
  return [...gone.map((decision) => ({ remove: keyOf(decision) })), ...[...made.values()].map((decision) => ({ put: decision }))];
}

/** Room for what is learned for the first time. When it is used up, those give way that have ended, who was learned first first. */
class Room {
  readonly forgotten: Decision[] = [];
  #left: number;
  #looksLeft = LEARNED_LOOKS_FOR_ROOM;
  readonly #now: UnixMs;
  readonly #candidates: Iterator<Decision>;

  constructor(standing: StandingDecisions, now: UnixMs) {
    this.#left = LEARNED_DECISIONS_MAX - standing.learned.size;
    this.#now = now;
    this.#candidates = standing.learned.values();
  }

  take(): boolean {
    if (this.#left > 0) {
      this.#left -= 1;
      return true;
    }
    for (; this.#looksLeft > 0; this.#looksLeft -= 1) {
      const { value: candidate, done } = this.#candidates.next();
      if (done) return false;
      if (isLive(candidate.until, this.#now)) continue;
      this.forgotten.push(candidate);
      return true;
    }
    return false;
  }
}
