/** The book of refunds that many processes share: a refund is requested in the transaction of its order's change, told in the same, and made by the process that leads. */

import type { OrderId } from "../core/ids.ts";
import type { SqlDatabase, Tx } from "../core/sql.ts";
import type { UnixMs } from "../core/time.ts";
import type { Payment } from "../ledger/ledger.ts";
import { REFUND_RETRY_MS_MAX, REFUNDS_SWEPT_PER_TURN } from "../limits.ts";
import type { PaymentEvent } from "./payment-event.ts";
import type { NewRefund, RefundBook, RefundStep } from "./refund-book.ts";
import type { Refund, RefundState } from "./refund-schedule.ts";

export interface PostgresRefundParts {
  readonly db: SqlDatabase;
  /** Saves what is told in the same transaction. */
  readonly tell: (tx: Tx, events: readonly PaymentEvent[]) => Promise<void>;
}

interface Row {
  readonly id: number;
  readonly provider: string;
  readonly paymentId: string;
  readonly orderId: OrderId;
  readonly amountCents: number;
  readonly currency: string;
  readonly state: RefundState;
  readonly attempts: number;
  readonly tryUntil: UnixMs;
  readonly nextAt: UnixMs | null;
  readonly lastError: string | null;
  readonly since: UnixMs;
}

export class PostgresRefundBook implements RefundBook {
  readonly #parts: PostgresRefundParts;
  #counts: Readonly<Partial<Record<RefundState, number>>> = {};

  constructor(parts: PostgresRefundParts) {
    this.#parts = parts;
  }

  /** In the transaction of the change that makes the payment due back. The same payment is refunded once, however often this is asked. */
  async request(tx: Tx, { refund, told }: NewRefund): Promise<void> {
    const { provider, paymentId, amountCents, currency } = refund.payment;
    const { affectedRows } = await tx`
      insert into refunds (provider, payment_id, order_id, amount_cents, currency, state, attempts, try_until_ms, next_at_ms, last_error, since_ms)
      values (${provider}, ${paymentId}, ${refund.orderId}, ${amountCents}, ${currency}, ${refund.state}, ${refund.attempts},
        ${refund.tryUntil}, ${refund.nextAt}, ${refund.lastError}, ${refund.since})
      on conflict (provider, payment_id) do nothing`;
    if (affectedRows > 0) await this.#parts.tell(tx, told);
  }

  async has({ provider, paymentId }: Payment): Promise<boolean> {
    const { db } = this.#parts;
    return (await db.read`select 1 from refunds where provider = ${provider} and payment_id = ${paymentId}`).length > 0;
  }

  async list(state: RefundState | null, after: number, limit: number): Promise<readonly Refund[]> {
    const rows = await this.#parts.db.read<Row>`
      select id, provider, payment_id as "paymentId", order_id as "orderId", amount_cents as "amountCents", currency, state, attempts,
        try_until_ms as "tryUntil", next_at_ms as "nextAt", last_error as "lastError", since_ms as since
      from refunds where (${state}::text is null or state = ${state}) and id > ${after} order by id limit ${limit}`;
    return rows.map(refundOf);
  }

  async providers(): Promise<readonly string[]> {
    const rows = await this.#parts.db.read<{ provider: string }>`select distinct provider from refunds where next_at_ms is not null`;
    return rows.map(({ provider }) => provider);
  }

  /** A time that lies further ahead than any wait was written by a clock that was ahead, and nobody has to wait for it. */
  async waiting(provider: string, now: UnixMs, limit: number): Promise<readonly Refund[]> {
    const rows = await this.#parts.db.read<Row>`
      select id, provider, payment_id as "paymentId", order_id as "orderId", amount_cents as "amountCents", currency, state, attempts,
        try_until_ms as "tryUntil", next_at_ms as "nextAt", last_error as "lastError", since_ms as since
      from refunds where provider = ${provider} and (next_at_ms <= ${now} or next_at_ms > ${now + REFUND_RETRY_MS_MAX})
      order by next_at_ms limit ${limit}`;
    return rows.map(refundOf);
  }

  change(id: number, next: (refund: Refund) => RefundStep): Promise<Refund | null> {
    const { db, tell } = this.#parts;
    return db.transaction(async (tx) => {
      const [row] = await tx<Row>`
        select id, provider, payment_id as "paymentId", order_id as "orderId", amount_cents as "amountCents", currency, state, attempts,
          try_until_ms as "tryUntil", next_at_ms as "nextAt", last_error as "lastError", since_ms as since
        from refunds where id = ${id} for update`;
      if (!row) return null;
      const before = refundOf(row);
      const { refund, told } = next(before);
      if (refund !== before)
        await tx`
          update refunds set state = ${refund.state}, attempts = ${refund.attempts}, try_until_ms = ${refund.tryUntil},
            next_at_ms = ${refund.nextAt}, last_error = ${refund.lastError}, since_ms = ${refund.since}
          where id = ${id}`;
      if (told) await tell(tx, [told]);
      return refund;
    });
  }

  async forgetMade(before: UnixMs): Promise<void> {
    const { db } = this.#parts;
    if ((await db.read`select 1 from refunds where state = 'done' and since_ms < ${before} limit 1`).length === 0) return;
    await db.transaction(
      (tx) => tx`
        delete from refunds
        where id in (select id from refunds where state = 'done' and since_ms < ${before} limit ${REFUNDS_SWEPT_PER_TURN})`,
    );
  }

  /** As it was at the last call of `recount`: metrics must not wait. */
  count(state: RefundState): number {
    return this.#counts[state] ?? 0;
  }

  async recount(): Promise<void> {
    const rows = await this.#parts.db.read<{ state: RefundState; count: number }>`
      select state, count(*) as count from refunds where state <> 'done' group by state`;
    this.#counts = Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }
}

const refundOf = ({ provider, paymentId, amountCents, currency, ...refund }: Row): Refund => ({
  ...refund,
  payment: { provider, paymentId, amountCents, currency },
});
