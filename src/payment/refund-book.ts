/** Where refunds are kept: what every book promises, and the one in the store of this process. */
import type { Answer } from "../core/answer.ts";
import type { UnixMs } from "../core/time.ts";
import type { Payment } from "../ledger/ledger.ts";
import { REFUNDS_SWEPT_PER_TURN } from "../limits.ts";
import type { PaymentEvent } from "./payment-event.ts";
import type { Refund, RefundState } from "./refund-schedule.ts";
import type { RefundStore } from "./refund-store.ts";

export interface NewRefund {
  readonly refund: Omit<Refund, "id">;
  /** Told only when the payment has no refund yet. */
  readonly told: readonly PaymentEvent[];
}

/** What becomes of a refund, and what is told of that. */
export interface RefundStep {
  readonly refund: Refund;
  readonly told: PaymentEvent | null;
}

export interface RefundBook {
  /** Whether this payment goes back, or has gone. */
  has(payment: Payment): Answer<boolean>;
  /** Up to `limit` refunds in the order of their ids, from behind `after`. @param state `null`: all */
  list(state: RefundState | null, after: number, limit: number): Answer<readonly Refund[]>;
  /** Whom a refund may be due from: all of them, and maybe some more. */
  providers(): Answer<Iterable<string>>;
  /** Up to `limit` of a provider's refunds whose time has come, the longest waiting first. */
  waiting(provider: string, now: UnixMs, limit: number): Answer<readonly Refund[]>;
  /**
   * One atomic step: `next` is shown the refund as it is, and what it answers is saved and told together. It may be asked more than once, of which the last
   * counts. The same refund given back means that nothing changes. `null`: there is no such refund.
   */
  change(id: number, next: (refund: Refund) => RefundStep): Promise<Refund | null>;
  /** Removes some of those that were made before. */
  forgetMade(before: UnixMs): Promise<void>;
}

export interface EmbeddedRefundParts {
  readonly store: RefundStore;
  readonly turns: { turn<T>(work: () => T): Promise<T> };
  /** Called inside the turn that saves the change. */
  readonly emit: (event: PaymentEvent) => void;
}

export class EmbeddedRefundBook implements RefundBook {
  readonly #parts: EmbeddedRefundParts;
  /** Configured or not: whoever has ever owed a refund. */
  readonly #providers: Set<string>;

  constructor(parts: EmbeddedRefundParts) {
    this.#parts = parts;
    this.#providers = new Set(parts.store.providers());
  }

  /** Within a turn. */
  request({ refund, told }: NewRefund): void {
    const { store, emit } = this.#parts;
    if (!store.add(refund)) return;
    this.#providers.add(refund.payment.provider);
    for (const event of told) emit(event);
  }

  has(payment: Payment): boolean {
    return this.#parts.store.has(payment);
  }

  list(state: RefundState | null, after: number, limit: number): readonly Refund[] {
    return this.#parts.store.list(state, after, limit);
  }

  count(state: RefundState): number {
    return this.#parts.store.count(state);
  }

  providers(): Iterable<string> {
    return this.#providers;
  }

  waiting(provider: string, now: UnixMs, limit: number): readonly Refund[] {
    return this.#parts.store.waiting(provider, now, limit);
  }

  change(id: number, next: (refund: Refund) => RefundStep): Promise<Refund | null> {
    const { store, turns, emit } = this.#parts;
    return turns.turn(() => {
      const before = store.byId(id);
      if (!before) return null;
      const { refund, told } = next(before);
      if (refund !== before) store.save(refund);
      if (told) emit(told);
      return refund;
    });
  }

  async forgetMade(before: UnixMs): Promise<void> {
    const { store, turns } = this.#parts;
    if (store.hasMadeBefore(before)) await turns.turn(() => store.forgetMade(before, REFUNDS_SWEPT_PER_TURN));
  }
}
