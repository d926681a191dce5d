/**
 * SafeProtector: refuses who is blocked, slows down who is throttled, counts who is observed, and lets pass who is allowed. Operators decide
 * through its routes; the analysis of the traffic proposes what it has learned.
 */
import type { Answer } from "../../core/answer.ts";
import { type HttpReply, json } from "../../core/endpoint.ts";
import type { IpAddress, SessionId, UserId } from "../../core/ids.ts";
import { parseCidrRange, parseIpAddress } from "../../core/ip-address.ts";
import type { Throttle } from "../../core/throttle.ts";
import type { Clock, UnixMs } from "../../core/time.ts";
import { LEARNED_PER_CHANGE } from "../../limits/decisions.ts";
import { DECISIONS_MAX, SWEEP_ROWS_PER_TURN } from "../../limits.ts";
import {
  type Decision,
  type DecisionKey,
  type DecisionScope,
  isLive,
  keyOf,
  type ListName,
  type Proposal,
  STRENGTH,
  type Strength,
} from "./decision.ts";
import { blockedRows, type DecisionFilter, type DecisionPage, decisionPage } from "./decision-pages.ts";
import type { Decisions } from "./decisions.ts";
import { Importer, type ImportOutcome, type ImportTerms } from "./import.ts";
import { decideProposals, isOfUse } from "./learn.ts";
import { type ObservedCounts, Refusals } from "./refusals.ts";
import { SUSPECT_ACCOUNT, SUSPECT_ADDRESS } from "./rulings.ts";
import type { StandingDecisions } from "./standing.ts";
import { ThrottledBuckets } from "./throttled.ts";

export interface SafeCheck {
  readonly sessionId: SessionId;
  readonly userId: UserId;
  readonly clientIp: IpAddress;
}

export type SafeVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: "throttled"; readonly retryAfterSeconds?: number }
  | { readonly allowed: false; readonly reason: "blacklisted"; readonly isBadGuy: boolean; readonly isBadIp: boolean };

const ALLOWED: SafeVerdict = { allowed: true };
const THROTTLED: SafeVerdict = { allowed: false, reason: "throttled" };

export class SafeProtector {
  readonly refusals = new Refusals();
  readonly #decisions: Decisions;
  readonly #throttle: Throttle;
  readonly #clock: Clock;
  readonly #buckets = new ThrottledBuckets();
  readonly #importer: Importer;

  /** @param collectGarbage called after each import: the memory that a list has taken is given back then, and not when the engine finds the time */
  constructor(decisions: Decisions, throttle: Throttle, clock: Clock, collectGarbage: () => void = () => undefined) {
    this.#decisions = decisions;
    this.#throttle = throttle;
    this.#clock = clock;
    this.#importer = new Importer(decisions, collectGarbage);
  }

  /** Whether what others have decided is in force here. */
  get isCurrent(): boolean {
    return this.#decisions.table.isCurrent;
  }

  /** How many decisions there are, those on the allow-list and those that are only remembered included. */
  get decisions(): number {
    return this.#standing.size;
  }

  get #standing(): StandingDecisions {
    return this.#decisions.table.view;
  }

  /** One verdict per check, in order. */
  validate(checks: readonly SafeCheck[]): Answer<readonly SafeVerdict[]> {
    const now = this.#clock.now();
    const served = this.#throttle.admit(checks.length);
    const standing = this.#standing;
    const suspects = standing.suspects(checks);
    return checks.map((check, index) => {
      if (index >= served) return THROTTLED;
      const suspected = suspects[index] as number;
      if (suspected === 0) return ALLOWED;
      const ofAccount = suspected & SUSPECT_ACCOUNT ? standing.ofAccount(check.userId, now) : 0;
      const ofAddress = suspected & SUSPECT_ADDRESS ? standing.ofAddress(check.clientIp, now) : 0;
      return ofAccount + ofAddress === 0 ? ALLOWED : this.#judge(check, ofAccount, ofAddress, now);
    });
  }

  /** Of somebody against whom something stands. */
  #judge({ userId, clientIp }: SafeCheck, ofAccount: Strength, ofAddress: Strength, now: UnixMs): SafeVerdict {
    const standing = this.#standing;
    if (standing.isAllowed(userId, clientIp, now)) return ALLOWED;
    const isBadGuy = ofAccount === STRENGTH.block;
    const isBadIp = ofAddress === STRENGTH.block;
    if (isBadGuy || isBadIp) {
      this.refusals.count(isBadGuy ? standing.causeOfAccount(userId) : standing.causeOfAddress(clientIp, now));
      return { allowed: false, reason: "blacklisted", isBadGuy, isBadIp };
    }
    const against = standing.allAgainst(userId, clientIp, now);
    for (const { scope, value, strength } of against) if (strength === STRENGTH.observe) this.refusals.observe(scope, value);
    const throttled = against.filter(({ strength }) => strength === STRENGTH.throttle);
    const refusal = this.#buckets.refusal(throttled, this.#clock.monotonicUs());
    if (refusal === null) return ALLOWED;
    this.refusals.count(standing.causeOf(refusal.by));
    return { allowed: false, reason: "throttled", retryAfterSeconds: refusal.retryAfterSeconds };
  }

  isBadGuy(user: UserId): boolean {
    return this.#standing.ofAccount(user, this.#clock.now()) === STRENGTH.block;
  }

  /** @param text an address or a CIDR range */
  isBadIp(text: string): boolean {
    const now = this.#clock.now();
    const strength = parseCidrRange(text)
      ? this.#standing.ofRange(text, now)
      : this.#standing.ofAddress(parseIpAddress(text) as IpAddress, now);
    return strength === STRENGTH.block;
  }

  /** The blocked of a list: up to `limit` from behind a value, ordered by value. */
  listBlocked(list: ListName, after: string | null, limit: number): Answer<readonly Decision[]> {
    return blockedRows(this.#decisions, list, after ?? "", limit, this.#clock.now());
  }

  /** The decisions in force that match. @param after what the page before named as `next`, or nothing */
  find(filter: DecisionFilter, after: string, limit: number): Answer<DecisionPage> {
    return decisionPage(this.#decisions, filter, after, limit, this.#clock.now());
  }

  /** Makes an operator's decision, in the place of the one that stands; `null` when there are too many. */
  decide(
    { scope, value, action }: Pick<Decision, "scope" | "value" | "action">,
    durationSeconds: number | undefined,
    note: string,
  ): Promise<Decision | null> {
    const since = this.#clock.now();
    const until = durationSeconds === undefined ? null : since + durationSeconds * 1_000;
    const origin = "operator";
    const decision: Decision = { scope, value, action, since, until, scenario: null, origin, note, offences: 0, evidence: null };
    return this.#decisions.table.change((standing) => {
      // A full list still lets a decision that stands be replaced.
      const isFull = standing.size >= DECISIONS_MAX && !standing.has(keyOf(decision));
      return isFull ? { reply: null, changes: [], events: [] } : { reply: decision, changes: [{ put: decision }], events: [] };
    });
  }

  /** Removes a decision, and what is remembered of its offences; resolves with whether one was in force. */
  remove(key: DecisionKey): Promise<boolean> {
    const now = this.#clock.now();
    return this.#decisions.table.change((standing) => {
      const wasInForce = isLive(standing.untilOf(key), now);
      return { reply: wasInForce, changes: standing.has(key) ? [{ remove: key }] : [], events: [] };
    });
  }

  /** As above, if it blocks. */
  async unblock(scope: DecisionScope, value: string): Promise<void> {
    const key = { scope, value, isAllow: false };
    await this.#decisions.table.change((standing) => {
      const isBlocked = standing.action(key) === "block";
      return { reply: undefined, changes: isBlocked ? [{ remove: key }] : [], events: [] };
    });
  }

  /**
   * Takes over what the analysis of the traffic has learned, some hundred proposals in each change. What is on the allow-list, what an operator
   * or an import has decided, and an offence that is known already change nothing. @throws Failure when the store cannot be reached
   */
  async learn(proposals: readonly Proposal[]): Promise<void> {
    for (let from = 0; from < proposals.length; from += LEARNED_PER_CHANGE) {
      const some = proposals.slice(from, from + LEARNED_PER_CHANGE);
      const now = this.#clock.now();
      // Most of what is told again and again changes nothing, and then needs no commit.
      if (decideProposals(this.#standing, some, now).length === 0) continue;
      await this.#decisions.table.change((standing) => ({
        reply: undefined,
        changes: decideProposals(standing, some, now),
        events: [],
      }));
    }
  }

  /** Takes over a list of addresses, networks or accounts, a line each. @throws Failure as `Importer.take` does */
  importList(text: string, terms: ImportTerms): Promise<ImportOutcome> {
    return this.#importer.take(text, terms, this.#clock.now());
  }

  /** What is being observed, for who counts it. */
  observed(): readonly Pick<Decision, "scope" | "value">[] {
    return this.#standing.observed(this.#clock.now());
  }

  /** From now on `counts` says what observed decisions would have blocked. */
  countObservedBy(counts: ObservedCounts): void {
    this.refusals.countObservedBy(counts);
  }

  /** How many decisions are in force, by action and origin. */
  decisionCounts(): ReturnType<StandingDecisions["counts"]> {
    return this.#standing.counts(this.#clock.now());
  }

  /** Removes some decisions that are of no use any more; resolves with whether more are left. */
  async sweep(now: UnixMs): Promise<boolean> {
    const forgotten = await this.#decisions.forgotten(now, SWEEP_ROWS_PER_TURN);
    if (forgotten.length === 0) return false;
    await this.#decisions.table.change((standing) => {
      // Looked at again within the step: a decision may have been extended meanwhile.
      const gone = forgotten.filter((key) => standing.has(key) && !isOfUse(standing, key, now));
      return { reply: undefined, changes: gone.map((key) => ({ remove: key })), events: [] };
    });
    return forgotten.length === SWEEP_ROWS_PER_TURN;
  }

  /** A single validation, as its route answers it. */
  async reply(check: SafeCheck): Promise<HttpReply> {
    const [verdict] = (await this.validate([check])) as [SafeVerdict];
    const blacklisted = !verdict.allowed && verdict.reason === "blacklisted" ? verdict : null;
    const throttled = !verdict.allowed && verdict.reason === "throttled" ? verdict : null;
    const body = {
      sessionID: check.sessionId,
      userID: check.userId,
      isBadGuy: blacklisted?.isBadGuy ?? false,
      clientIP: check.clientIp,
      isBadIP: blacklisted?.isBadIp ?? false,
      isAllowed: verdict.allowed,
      isThrottled: throttled !== null,
      version: "1.0",
      ...(!verdict.allowed && { reason: verdict.reason }),
    };
    if (throttled === null) return json(body);
    const { retryAfterSeconds = this.#throttle.retryAfterSeconds() } = throttled;
    return { status: 429, body: JSON.stringify(body), headers: { "retry-after": String(retryAfterSeconds) } };
  }
}
