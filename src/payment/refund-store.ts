/** Where refunds survive: one row per payment that has to go back. */
import type { Database } from "bun:sqlite";
import type { OrderId } from "../core/ids.ts";
import type { UnixMs } from "../core/time.ts";
import type { Payment } from "../ledger/ledger.ts";
import { REFUND_RETRY_MS_MAX } from "../limits.ts";
import type { Refund, RefundState } from "./refund-schedule.ts";

export const REFUNDS_SCHEMA = `
-- Money that has to go back. A payment is refunded once, whoever asks for it and however often.
create table refunds (
  id integer primary key, provider text not null, payment_id text not null, order_id text not null, amount_cents integer not null,
  currency text not null, state text not null, attempts integer not null, try_until_ms integer not null, next_at_ms integer,
  last_error text, since_ms integer not null, unique (provider, payment_id)
) strict;
create index refunds_waiting on refunds (provider, next_at_ms) where next_at_ms is not null;
create index refunds_by_state on refunds (state, id);
create index refunds_made on refunds (since_ms) where state = 'done';
`;

interface Row {
  readonly id: number;
  readonly provider: string;
  readonly payment_id: string;
  readonly order_id: OrderId;
  readonly amount_cents: number;
  readonly currency: string;
  readonly state: RefundState;
  readonly attempts: number;
  readonly try_until_ms: UnixMs;
  readonly next_at_ms: UnixMs | null;
  readonly last_error: string | null;
  readonly since_ms: UnixMs;
}

export class RefundStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  has({ provider, paymentId }: Payment): boolean {
    return this.#db.query("select 1 from refunds where provider = ? and payment_id = ?").get(provider, paymentId) !== null;
  }

  /** Within a turn. `false`: this payment has a refund already, and nothing has changed. */
  add({ payment, orderId, state, attempts, tryUntil, nextAt, lastError, since }: Omit<Refund, "id">): boolean {
    const { provider, paymentId, amountCents, currency } = payment;
    const { changes } = this.#db
      .query("insert into refunds values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing")
      .run(provider, paymentId, orderId, amountCents, currency, state, attempts, tryUntil, nextAt, lastError, since);
    return changes === 1;
  }

  /** Within a turn. */
  save({ id, state, attempts, tryUntil, nextAt, lastError, since }: Refund): void {
    this.#db
      .query("update refunds set state = ?, attempts = ?, try_until_ms = ?, next_at_ms = ?, last_error = ?, since_ms = ? where id = ?")
      .run(state, attempts, tryUntil, nextAt, lastError, since, id);
  }

  /** Within a turn. Removes up to `limit` refunds that were made before `before`. */
  forgetMade(before: UnixMs, limit: number): void {
    this.#db
      .query("delete from refunds where id in (select id from refunds where state = 'done' and since_ms < ? limit ?)")
      .run(before, limit);
  }

  /** Whether `forgetMade` has something to do. */
  hasMadeBefore(before: UnixMs): boolean {
    return this.#db.query("select 1 from refunds where state = 'done' and since_ms < ? limit 1").get(before) !== null;
  }

  byId(id: number): Refund | null {
    const row = this.#db.query<Row, [number]>("select * from refunds where id = ?").get(id);
    return row && refundOf(row);
  }

  of({ provider, paymentId }: Pick<Payment, "provider" | "paymentId">): Refund | null {
    const row = this.#db
      .query<Row, [string, string]>("select * from refunds where provider = ? and payment_id = ?")
      .get(provider, paymentId);
    return row && refundOf(row);
  }

  /** Up to `limit` of a provider's refunds whose time has come, the longest waiting first. A time that lies further ahead than any wait was
   *  written by a clock that was ahead, and nobody has to wait for it. */
  waiting(provider: string, now: UnixMs, limit: number): Refund[] {
    return this.#db
      .query<Row, [string, UnixMs, UnixMs, number]>(
        "select * from refunds where provider = ? and (next_at_ms <= ? or next_at_ms > ?) order by next_at_ms limit ?",
      )
      .all(provider, now, now + REFUND_RETRY_MS_MAX, limit)
      .map(refundOf);
  }

  /** The names of all providers that a refund was ever due from, as far as they are kept. Looks at all refunds: for the start. */
  providers(): string[] {
    return this.#db
      .query<{ provider: string }, []>("select distinct provider from refunds")
      .all()
      .map(({ provider }) => provider);
  }

  /** Up to `limit` refunds in the order of their ids, from behind `after`. @param state `null`: all */
  list(state: RefundState | null, after: number, limit: number): Refund[] {
    if (state === null)
      return this.#db
        .query<Row, [number, number]>("select * from refunds where id > ? order by id limit ?")
        .all(after, limit)
        .map(refundOf);
    return this.#db
      .query<Row, [string, number, number]>("select * from refunds where state = ? and id > ? order by id limit ?")
      .all(state, after, limit)
      .map(refundOf);
  }

  count(state: RefundState): number {
    return (
      this.#db.query<{ count: number }, [string]>("select count(*) as count from refunds where state = ?").get(state) as { count: number }
    ).count;
  }
}

const refundOf = (row: Row): Refund => ({
  id: row.id,
  payment: { provider: row.provider, paymentId: row.payment_id, amountCents: row.amount_cents, currency: row.currency },
  orderId: row.order_id,
  state: row.state,
  attempts: row.attempts,
  tryUntil: row.try_until_ms,
  nextAt: row.next_at_ms,
  lastError: row.last_error,
  since: row.since_ms,
});
