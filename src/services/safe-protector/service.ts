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
import { Blacklist, type Decision, type Scope } from "./blacklist.ts";
import type { DecisionStore } from "./decision-store.ts";

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

/** One transaction for what is written in one turn of the event loop. */
interface Turns {
  turn<T>(work: () => T): Promise<T>;
}

export class SafeProtector {
  readonly #blacklist = new Blacklist();
  readonly #store: DecisionStore;
  readonly #turns: Turns;
  readonly #throttle: Throttle;
  readonly #clock: Clock;

  constructor(store: DecisionStore, turns: Turns, throttle: Throttle, clock: Clock) {
    this.#store = store;
    this.#turns = turns;
    this.#throttle = throttle;
    this.#clock = clock;
    for (const entry of store.all()) this.#blacklist.add(entry);
  }

  get decisions(): number {
    return this.#blacklist.size;
  }

  /** One verdict per check, in order. */
  validate(checks: readonly SafeCheck[]): Answer<readonly SafeVerdict[]> {
    const now = this.#clock.now();
    const served = this.#throttle.admit(checks.length);
    return checks.map(({ userId, clientIp }, index) => {
      if (index >= served) return THROTTLED;
      const isBadGuy = this.#blacklist.hasUser(userId, now);
      const isBadIp = this.#blacklist.hasAddress(clientIp, now);
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

  list(scopes: readonly Scope[], after: string | null, limit: number): readonly Decision[] {
    return this.#store.list(scopes, after, limit, this.#clock.now());
  }

  /** Adds a decision or replaces the one that stands; `null` when the list is full. */
  add(scope: Scope, value: string, durationSeconds: number | undefined, note: string): Promise<Decision | null> {
    const until = durationSeconds === undefined ? null : this.#clock.now() + durationSeconds * 1_000;
    return this.#turns.turn(() => {
      // A full list still lets an entry that stands be replaced.
      if (this.#blacklist.size >= DECISIONS_MAX && !this.#store.has(scope, value)) return null;
      const decision: Decision = { scope, value, until, note };
      this.#store.save(decision);
      this.#blacklist.add(decision);
      return decision;
    });
  }

  remove(scope: Scope, value: string): Promise<void> {
    return this.#turns.turn(() => {
      this.#store.remove(scope, value);
      this.#blacklist.remove({ scope, value });
    });
  }

  /** Removes some decisions that have ended; resolves with whether more are left. */
  async sweep(now: UnixMs): Promise<boolean> {
    const ended = this.#store.ended(now, SWEEP_ROWS_PER_TURN);
    if (ended.length === 0) return false;
    await this.#turns.turn(() => {
      // Read again within the turn: an entry may have been extended meanwhile.
      for (const { scope, value } of this.#store.ended(now, SWEEP_ROWS_PER_TURN)) {
        this.#store.remove(scope, value);
        this.#blacklist.remove({ scope, value });
      }
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
