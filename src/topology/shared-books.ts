/**
 * The books that the processes of one system share in Postgres: what was told, who is told of it, and what has to be paid back. Every process reads them
 * and writes to them; the one that leads delivers to webhooks, asks for refunds, and removes what is old.
 */
import { randomBytes } from "node:crypto";
import { assert } from "../core/assert.ts";
import { Failure } from "../core/failure.ts";
import type { OrderId } from "../core/ids.ts";
import type { SqlDatabase, Tx } from "../core/sql.ts";
import type { Clock, DurationMs } from "../core/time.ts";
import { chance } from "../edge/chance.ts";
import { PostgresLeadership } from "../edge/postgres-leadership.ts";
import { timers } from "../edge/timers.ts";
import type { Post, PostAnswer } from "../events/courier.ts";
import type { DoorbusterEvent } from "../events/event.ts";
import { PostgresOutbox } from "../events/postgres-outbox.ts";
import { PostgresWebhooks } from "../events/postgres-webhooks.ts";
import { SharedDeliveries } from "../events/shared-deliveries.ts";
import type { Told } from "../ledger/holds-together.ts";
import type { Payment } from "../ledger/ledger.ts";
import { OUTBOX_TICK_MS, REFUND_TICK_MS, SWEEP_TICK_MS, WEBHOOK_TICK_MS } from "../limits.ts";
import { PostgresRefundBook } from "../payment/postgres-refund-book.ts";
import type { NewRefund } from "../payment/refund-book.ts";
import type { Refunds } from "../payment/refunds.ts";
import { PostgresTrail } from "../trail/postgres-trail.ts";
import type { Outgoing } from "./gauges.ts";

export interface SharedBooksParts {
  /** Migrated. */
  readonly db: SqlDatabase;
  /** Of the same database: who leads has a connection of its own. */
  readonly url: string;
  /** Of all prices, lower-case ISO 4217. */
  readonly currency: string;
  readonly send: (post: Post) => Promise<PostAnswer>;
  readonly clock: Clock;
  /** Takes a sentence for the operator. */
  readonly report: (message: string) => void;
  readonly onBug: (error: unknown) => void;
}

export class SharedBooks {
  readonly outbox: PostgresOutbox;
  readonly refundBook: PostgresRefundBook;
  readonly webhooks: PostgresWebhooks;
  readonly trail: PostgresTrail;
  readonly #deliveries: SharedDeliveries;
  readonly #parts: SharedBooksParts;
  #leadership: PostgresLeadership | null = null;
  #stopTimers: readonly (() => void)[] = [];
  #isAway = false;

  /** Nothing happens before `start`, but all can be read and written. */
  constructor(parts: SharedBooksParts) {
    this.#parts = parts;
    const { db, currency, send, clock, onBug } = parts;
    this.outbox = new PostgresOutbox(db, currency);
    this.refundBook = new PostgresRefundBook({ db, tell: (tx, events) => this.outbox.append(tx, events) });
    this.webhooks = new PostgresWebhooks({ db, outbox: this.outbox, clock, randomBytes });
    this.trail = new PostgresTrail({ db, clock, report: parts.report });
    this.#deliveries = new SharedDeliveries({ db, outbox: this.outbox, send, clock, random: chance, onBug });
  }

  get isLeading(): boolean {
    return this.#leadership?.isLeading === true;
  }

  /** Whether the database could be used when it was last asked. */
  get isReachable(): boolean {
    return !this.#isAway;
  }

  /** For the metrics, which must not wait. */
  get outgoing(): Outgoing {
    const { webhooks } = this;
    const underWay = () => this.#deliveries.underWay;
    const counts = {
      get counts() {
        return { ...webhooks.counts, deliveries: underWay() };
      },
    };
    return { outbox: this.outbox, webhooks: counts, refunds: this.refundBook };
  }

  /** Writes events into the outbox, in the transaction of what they tell of. What is due back is asked for in the same one that finds it due. */
  async tell(
    tx: Tx,
    events: readonly (DoorbusterEvent | Told)[],
    requested: (payment: Payment, orderId: OrderId) => NewRefund,
  ): Promise<void> {
    await this.outbox.append(tx, events);
    for (const event of events) {
      if (event.type !== "order.refund-due") continue;
      const { payment, orderId } = event.order;
      assert(payment !== null, "money made the order refund-due");
      // An order of free goods can expire while it is being paid with nothing.
      if (payment.amountCents > 0) await this.refundBook.request(tx, requested(payment, orderId));
    }
  }

  /** Makes it durable that a payment goes back. */
  saveRefund(refund: NewRefund): Promise<void> {
    return this.#parts.db.transaction((tx) => this.refundBook.request(tx, refund));
  }

  /** From now on this process gives ids to events, and leads when nobody else does. @param refunds over this book */
  start(refunds: Refunds): void {
    const { url, clock } = this.#parts;
    const duties = { begin: () => this.#deliveries.begin(), end: () => this.#deliveries.end() };
    this.#leadership = new PostgresLeadership(url, duties, clock);
    this.#stopTimers = [
      this.#every(OUTBOX_TICK_MS, async () => {
        await this.outbox.tick();
        this.#isBack();
      }),
      this.#every(WEBHOOK_TICK_MS, async () => this.#deliveries.tick()),
      this.#every(SWEEP_TICK_MS, async () => {
        while (this.isLeading && (await this.outbox.sweep(clock.now())));
        while (this.isLeading && (await this.trail.sweep(clock.now())));
      }),
      // A provider that does not answer must not keep the others waiting: the next look comes before this one has ended.
      timers.every(REFUND_TICK_MS, () => {
        if (this.isLeading) void refunds.work().catch(this.#parts.onBug);
      }),
      this.#every(REFUND_TICK_MS, async () => {
        await this.refundBook.recount();
        await this.webhooks.recount();
      }),
    ];
  }

  /** After the servers have closed and the refunds under way have ended, before the database is let go of. */
  async close(): Promise<void> {
    for (const stop of this.#stopTimers) stop();
    await this.#deliveries.close();
    await this.#leadership?.close();
  }

  /** One at a time. A database that is away is asked again at the next tick, and the operator hears of it once. */
  #every(period: DurationMs, work: () => Promise<void>): () => void {
    let isBusy = false;
    return timers.every(period, () => {
      if (isBusy) return;
      isBusy = true;
      const done = work().catch((error: unknown) => this.#failed(error));
      void done.finally(() => {
        isBusy = false;
      });
    });
  }

  #isBack(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#parts.report("the database is there again");
  }

  #failed(error: unknown): void {
    if (!(error instanceof Failure)) this.#parts.onBug(error);
    else if (error.code === "store-unavailable") this.#isLost(error);
  }

  #isLost(error: Failure): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#parts.report(
      `the database is away (${error.cause instanceof Error ? error.cause.message : error.message}); it is asked again and again`,
    );
  }
}
