/** What a look at Redis and Postgres has found: how much each check looked at, and what breaks it. */
import { AUDIT_BREACHES_KEPT_MAX } from "../limits/ledger.ts";

/** What an audit of the two stores checks, in the order in which it tells of it. */
export const SHARED_CHECKS = {
  oversold: "never oversold: no more is frozen than is on hand, and nothing is less than nothing",
  frozen: "what is frozen is live holds and the parts of unpaid orders",
  deadlines: "what each deadline frees is what lines have frozen until then",
  holds: "every hold is of goods that exist and has a deadline",
  listed: "what is listed is what there is: goods, deadlines, order records",
  stocked: "sold and on hand are what was stocked, in Redis as in Postgres",
  ordered: "what users have ordered is the same in Redis and in Postgres",
  parts: "every unpaid order has its goods frozen, until its own deadline",
  ended: "nothing is frozen for an order that has ended, or that there is not",
  orders: "an order has items, at least one of each, no SKU twice, and gives nothing back before it ends",
  paid: "what was sold is what was paid for",
  payments: "an order that is paid or due back names its whole payment, and no other does",
  refunds: "money that is due back has its refund",
  streams: "no event is lost on its way from Redis to Postgres",
  events: "events have ids without a gap, up to the newest",
} as const;
export type SharedCheck = keyof typeof SHARED_CHECKS;

export type Evidence = Readonly<Record<string, string | number | null>>;

export class Findings {
  readonly looked = new Map<SharedCheck, number>();
  /** By check, and by what is broken: who looks twice knows it again. */
  readonly breaches = new Map<SharedCheck, Map<string, Evidence>>();
  /** Goods that somebody bought or returned while they were looked at, so that their figures could not be compared. */
  moved = 0;
  /** Goods and orders on their way between the two stores. */
  underWay = 0;

  look(check: SharedCheck, count: number): void {
    this.looked.set(check, (this.looked.get(check) ?? 0) + count);
  }

  /** @param subject tells the breach from others of the same check */
  breach(check: SharedCheck, subject: string, evidence: Evidence): void {
    const found = this.breaches.get(check) ?? new Map<string, Evidence>();
    this.breaches.set(check, found);
    if (found.size < AUDIT_BREACHES_KEPT_MAX) found.set(subject, evidence);
  }

  /** What was broken by an earlier look too. */
  confirming(earlier: Findings): Findings {
    for (const [check, found] of this.breaches) {
      const before = earlier.breaches.get(check);
      const isUncounted = found.size >= AUDIT_BREACHES_KEPT_MAX;
      if (!isUncounted) for (const subject of found.keys()) if (!before?.has(subject)) found.delete(subject);
      if (found.size === 0) this.breaches.delete(check);
    }
    return this;
  }
}
