/** SafeProtector: refuses blacklisted users and addresses. Learning from live traffic will add decisions through the same door. */
import type { Answer } from "../../core/answer.ts";
import { type HttpReply, json, on, type Route } from "../../core/endpoint.ts";
import type { IpAddress, SessionId, UserId } from "../../core/ids.ts";
import { parseCidrRange, parseIpAddress } from "../../core/ip-address.ts";
import { listReply } from "../../core/paging.ts";
import { problem } from "../../core/problem.ts";
import type { Throttle } from "../../core/throttle.ts";
import type { Clock, UnixMs } from "../../core/time.ts";
import { DECISIONS_MAX, PAGE_ROWS_DEFAULT, SWEEP_ROWS_PER_TURN } from "../../limits.ts";
import { safeProtectorApi as api } from "./api.ts";
import type { Blacklist, Decision, Scope } from "./blacklist.ts";
import type { Decisions, ListedScopes } from "./decisions.ts";
import { isLive, type Until } from "./networks.ts";

export interface SafeCheck {
  readonly sessionId: SessionId;
  readonly userId: UserId;
  readonly clientIp: IpAddress;
}

export type SafeVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: "throttled" }
  | { readonly allowed: false; readonly reason: "blacklisted"; readonly isBadGuy: boolean; readonly isBadIp: boolean };

const ALLOWED: SafeVerdict = { allowed: true };
const THROTTLED: SafeVerdict = { allowed: false, reason: "throttled" };

export class SafeProtector {
  readonly #decisions: Decisions;
  readonly #throttle: Throttle;
  readonly #clock: Clock;

  constructor(decisions: Decisions, throttle: Throttle, clock: Clock) {
    this.#decisions = decisions;
    this.#throttle = throttle;
    this.#clock = clock;
  }

  /** Whether what others have decided is in force here. */
  get isCurrent(): boolean {
    return this.#decisions.table.isCurrent;
  }

  get decisions(): number {
    return this.#blacklist.size;
  }

  get #blacklist(): Blacklist {
    return this.#decisions.table.view;
  }

  /** One verdict per check, in order. */
  validate(checks: readonly SafeCheck[]): Answer<readonly SafeVerdict[]> {
    const now = this.#clock.now();
    const served = this.#throttle.admit(checks.length);
    const blacklist = this.#blacklist;
    return checks.map(({ userId, clientIp }, index) => {
      if (index >= served) return THROTTLED;
      const isBadGuy = blacklist.hasUser(userId, now);
      const isBadIp = blacklist.hasAddress(clientIp, now);
      return isBadGuy || isBadIp ? { allowed: false, reason: "blacklisted", isBadGuy, isBadIp } : ALLOWED;
    });
  }

  isBadGuy(user: UserId): boolean {
    return this.#blacklist.hasUser(user, this.#clock.now());
  }

  /** @param text an address or a CIDR range */
  isBadIp(text: string): boolean {
    const now = this.#clock.now();
    const range = parseCidrRange(text);
    return range ? this.#blacklist.hasRange(range, now) : this.#blacklist.hasAddress(parseIpAddress(text) as IpAddress, now);
  }

  list(scopes: ListedScopes, after: string | null, limit: number): Answer<readonly Decision[]> {
    return this.#decisions.list(scopes, after, limit, this.#clock.now());
  }

  /** Adds a decision or replaces the one that stands; `null` when the list is full. */
  add(scope: Scope, value: string, durationSeconds: number | undefined, note: string): Promise<Decision | null> {
    const until = durationSeconds === undefined ? null : this.#clock.now() + durationSeconds * 1_000;
    const decision: Decision = { scope, value, until, note };
    return this.#decisions.table.change((blacklist) => {
      // A full list still lets an entry that stands be replaced.
      const isFull = blacklist.size >= DECISIONS_MAX && blacklist.untilOf(decision) === undefined;
      return isFull ? { reply: null, changes: [], events: [] } : { reply: decision, changes: [{ put: decision }], events: [] };
    });
  }

  remove(scope: Scope, value: string): Promise<void> {
    return this.#decisions.table.change(() => ({ reply: undefined, changes: [{ remove: { scope, value } }], events: [] }));
  }

  /** Removes some decisions that have ended; resolves with whether more are left. */
  async sweep(now: UnixMs): Promise<boolean> {
    const ended = await this.#decisions.ended(now, SWEEP_ROWS_PER_TURN);
    if (ended.length === 0) return false;
    await this.#decisions.table.change((blacklist) => {
      // Looked at again within the step: an entry may have been extended meanwhile.
      const gone = ended.filter((key) => hasEnded(blacklist.untilOf(key), now));
      return { reply: undefined, changes: gone.map((key) => ({ remove: key })), events: [] };
    });
    return ended.length === SWEEP_ROWS_PER_TURN;
  }

  /** A single validation, as its route answers it. */
  async reply(check: SafeCheck): Promise<HttpReply> {
    const [verdict] = (await this.validate([check])) as [SafeVerdict];
    const blacklisted = !verdict.allowed && verdict.reason === "blacklisted" ? verdict : null;
    const isThrottled = !verdict.allowed && verdict.reason === "throttled";
    const body = {
      sessionID: check.sessionId,
      userID: check.userId,
      isBadGuy: blacklisted?.isBadGuy ?? false,
      clientIP: check.clientIp,
      isBadIP: blacklisted?.isBadIp ?? false,
      isAllowed: verdict.allowed,
      isThrottled,
      version: "1.0",
      ...(!verdict.allowed && { reason: verdict.reason }),
    };
    return isThrottled ? this.#throttle.reply(body) : json(body);
  }
}

const hasEnded = (until: Until | undefined, now: UnixMs): boolean => until !== undefined && !isLive(until, now);

/** A decision as it is shown, with `until` in unix ms where it ends. */
const badGuy = (decision: Decision): object => ({ userID: decision.value, isBadGuy: true, ...standing(decision) });
const badIp = (decision: Decision): object => ({ clientIP: decision.value, isBadIP: true, ...standing(decision) });
const standing = ({ until, note }: Decision): object => ({ ...(until !== null && { until }), ...(note !== "" && { note }) });

const scopeOf = (text: string): Scope => (parseCidrRange(text) ? "range" : "address");
const canonical = (text: string): string => parseCidrRange(text)?.text ?? (parseIpAddress(text) as string);
const listFull = (): HttpReply => problem(409, `the blacklist is full (${DECISIONS_MAX} entries); remove some, or give entries a duration`);

export function routes(protector: SafeProtector): Route[] {
  const removeBadGuy = async ({ params }: { params: { uid: UserId } }) => {
    await protector.remove("user", params.uid);
    return json({ userID: params.uid, isBadGuy: false });
  };
  const removeBadIp = async ({ params }: { params: { ip: string } }) => {
    const value = canonical(params.ip);
    await protector.remove(scopeOf(params.ip), value);
    return json({ clientIP: value, isBadIP: false });
  };
  return [
    on(api.doSafeValidation, ({ params }) =>
      protector.reply({ sessionId: params.sid, userId: params.uid, clientIp: parseIpAddress(params.ip) as IpAddress }),
    ),
    on(api.addBadGuy, async ({ body }) => {
      const added = await protector.add("user", body.userID, body.durationSeconds, body.note ?? "");
      return added ? json(badGuy(added)) : listFull();
    }),
    on(api.addBadIP, async ({ body }) => {
      const added = await protector.add(scopeOf(body.clientIP), canonical(body.clientIP), body.durationSeconds, body.note ?? "");
      return added ? json(badIp(added)) : listFull();
    }),
    on(api.findAllBadGuys, ({ query }) =>
      listReply<Decision, string>({
        read: (after, limit) => protector.list(["user"], after, limit),
        cursorOf: (decision) => decision.value,
        after: query.after ?? null,
        limit: query.limit ?? PAGE_ROWS_DEFAULT,
        show: badGuy,
        nextPage: (after) => `/badguy/all?after=${encodeURIComponent(after)}&limit=${query.limit ?? PAGE_ROWS_DEFAULT}`,
      }),
    ),
    on(api.findAllBadIPs, ({ query }) =>
      listReply<Decision, string>({
        read: (after, limit) => protector.list(["address", "range"], after, limit),
        cursorOf: (decision) => decision.value,
        after: query.after === undefined ? null : canonical(query.after),
        limit: query.limit ?? PAGE_ROWS_DEFAULT,
        show: badIp,
        nextPage: (after) => `/badip/all?after=${encodeURIComponent(after)}&limit=${query.limit ?? PAGE_ROWS_DEFAULT}`,
      }),
    ),
    on(api.getBadGuy, ({ params }) => json({ userID: params.uid, isBadGuy: protector.isBadGuy(params.uid) })),
    on(api.getBadIP, ({ params }) => json({ clientIP: canonical(params.ip), isBadIP: protector.isBadIp(params.ip) })),
    on(api.removeBadGuy, removeBadGuy),
    on(api.removeBadGuyShort, removeBadGuy),
    on(api.removeBadIP, removeBadIp),
    on(api.removeBadIPShort, removeBadIp),
  ];
}
