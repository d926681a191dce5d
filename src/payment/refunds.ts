/**
 * Money goes back: a durable queue of refunds, and the work of asking their providers until they have accepted. A refund is requested in the
 * turn that finds it due, so that no crash loses it; it is asked for with the payment's own key, so that no crash, and no answer that did not
 * arrive, makes it twice. Each provider has its own bound on what is under way, and is gone on with as each attempt ends: one that does not
 * answer holds up nobody else.
 */
import { Failure } from "../core/failure.ts";
import type { OrderId } from "../core/ids.ts";
import type { Clock } from "../core/time.ts";
import type { Payment } from "../ledger/ledger.ts";
import { REFUND_KEPT_MS, REFUNDS_IN_FLIGHT_MAX, REFUNDS_PER_PROVIDER_MAX, REFUNDS_SWEPT_PER_TURN } from "../limits.ts";
import type { PaymentEvent } from "./payment-event.ts";
import type { Providers } from "./provider.ts";
import { afterFailure, begun, made, type Refund, type RefundState, triedAgain } from "./refund-schedule.ts";
import type { RefundStore } from "./refund-store.ts";

export interface RefundParts {
  readonly store: RefundStore;
  readonly turns: { turn<T>(work: () => T): Promise<T> };
  readonly providers: Providers;
  /** Called inside the turn that saves the change. */
  readonly emit: (event: PaymentEvent) => void;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly chance: () => number;
}

interface Attempt {
  readonly provider: string;
  /** Resolves with whether its end is saved. */
  readonly ended: Promise<boolean>;
}

export class Refunds {
  readonly #parts: RefundParts;
  readonly #inFlight = new Map<number, Attempt>();
  /** Configured or not: whoever has ever owed a refund. */
  readonly #providerNames: Set<string>;
  #isClosed = false;

  constructor(parts: RefundParts) {
    this.#parts = parts;
    this.#providerNames = new Set(parts.store.providers());
  }

  /** Within a turn. The same payment is refunded once, however often this is asked. */
  request(payment: Payment, orderId: OrderId): void {
    const { store, clock } = this.#parts;
    const canRefund = this.canTry({ payment });
    const refund = begun(payment, orderId, canRefund, clock.now());
    if (!store.add(refund)) return;
    this.#providerNames.add(payment.provider);
    this.#tell(refund, "payment.refund-requested", "the payment goes back to the shopper");
    if (!canRefund)
      this.#tell(
        refund,
        "payment.refund-failed",
        `${payment.provider} has no refund address: pay back by hand, then mark the refund as done`,
      );
  }

  /** Whether this payment goes back, or has gone. */
  has(payment: Payment): boolean {
    return this.#parts.store.has(payment);
  }

  /** Starts what is due, as many at one time as the bounds allow, and goes on as they end. Resolves when nothing is left that it could
   *  start; nobody has to wait for it. */
  async work(): Promise<void> {
    const { store, turns, clock } = this.#parts;
    if (this.#isClosed) return;
    const before = clock.now() - REFUND_KEPT_MS;
    if (store.hasMadeBefore(before)) await unlessStoreStopped(turns.turn(() => store.forgetMade(before, REFUNDS_SWEPT_PER_TURN)));
    await Promise.all([...this.#providerNames].flatMap((provider) => this.#startDue(provider)));
  }

  /** Starts nothing more, and waits for what is in flight. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#inFlight.values()].map(({ ended }) => ended));
  }

  /** Up to `limit` refunds in the order of their ids, from behind `after`. @param state `null`: all */
  list(state: RefundState | null, after: number, limit: number): readonly Refund[] {
    return this.#parts.store.list(state, after, limit);
  }

  count(state: RefundState): number {
    return this.#parts.store.count(state);
  }

  /** The operator has paid back. `null`: there is no such refund. One that was made already stays as it is. */
  markDone(id: number): Promise<Refund | null> {
    return this.#change(id, (refund, now) => {
      if (refund.state === "done") return refund;
      const done = made(refund, now);
      this.#tell(done, "payment.refunded", "marked as done by the operator");
      return done;
    });
  }

  /** The operator wants the system to try for its full time again. `null`: there is no such refund. One that was made stays as it is, and so
   *  does one whose provider has no way to make it (`canTry`). */
  tryAgain(id: number): Promise<Refund | null> {
    return this.#change(id, (refund, now) => (refund.state === "done" || !this.canTry(refund) ? refund : triedAgain(refund, now)));
  }

  /** A provider that is not configured at the moment may be again before the time is over. */
  canTry({ payment }: Pick<Refund, "payment">): boolean {
    return this.#parts.providers.get(payment.provider)?.canRefund ?? true;
  }

  #startDue(provider: string): Promise<void>[] {
    const lines: Promise<void>[] = [];
    for (let refund = this.#nextDue(provider); refund !== null; refund = this.#nextDue(provider)) lines.push(this.#goOnFrom(refund));
    return lines;
  }

  /** One attempt after the other. What failed is due later, so that this comes to an end. */
  async #goOnFrom(first: Refund): Promise<void> {
    for (let refund: Refund | null = first; refund !== null; refund = this.#nextDue(first.payment.provider)) {
      // What is not saved is still due: to go on at once would ask for it again and again.
      if (!(await this.#attempt(refund))) return;
    }
  }

  #nextDue(provider: string): Refund | null {
    const ofProvider = this.#inFlight.values().reduce((count, attempt) => (attempt.provider === provider ? count + 1 : count), 0);
    if (this.#isClosed || ofProvider === REFUNDS_PER_PROVIDER_MAX || this.#inFlight.size === REFUNDS_IN_FLIGHT_MAX) return null;
    // Those in flight are still due, so that a crash finds them again; there are fewer of them than are read here.
    const due = this.#parts.store.waiting(provider, this.#parts.clock.now(), REFUNDS_PER_PROVIDER_MAX);
    return due.find(({ id }) => !this.#inFlight.has(id)) ?? null;
  }

  #attempt(refund: Refund): Promise<boolean> {
    const ended = this.#ask(refund).finally(() => this.#inFlight.delete(refund.id));
    this.#inFlight.set(refund.id, { provider: refund.payment.provider, ended });
    return ended;
  }

  /** Resolves with whether what came of it is saved. */
  async #ask({ id, payment, orderId }: Refund): Promise<boolean> {
    const provider = this.#parts.providers.get(payment.provider);
    let error: string | null = null;
    try {
      if (!provider) throw new Error(`no provider of the name ${payment.provider} is configured`);
      await provider.refund(payment, orderId);
    } catch (cause) {
      error = causeOf(cause);
    }
    return unlessStoreStopped(
      this.#change(id, (refund, now) => {
        // The operator was faster.
        if (refund.state !== "due") return refund;
        const next = error === null ? made(refund, now) : afterFailure(refund, error, now, this.#parts.chance());
        if (next.state === "done") this.#tell(next, "payment.refunded", `accepted by ${payment.provider}`);
        if (next.state === "given-up")
          this.#tell(next, "payment.refund-failed", `given up after ${next.attempts} attempts (${error}): pay back by hand, or try again`);
        return next;
      }),
    );
  }

  #change(id: number, next: (refund: Refund, now: number) => Refund): Promise<Refund | null> {
    const { store, turns, clock } = this.#parts;
    return turns.turn(() => {
      const refund = store.byId(id);
      if (!refund) return null;
      const changed = next(refund, clock.now());
      if (changed !== refund) store.save(changed);
      return changed;
    });
  }

  #tell({ orderId, payment }: Omit<Refund, "id">, type: PaymentEvent["type"], detail: string): void {
    this.#parts.emit({ type, at: this.#parts.clock.now(), orderId, payment, detail });
  }
}

/** Resolves with whether it was saved. A store that has stopped has told its owner already; the refund is still due when the process starts
 *  again. */
async function unlessStoreStopped(change: Promise<unknown>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return false;
  }
}

function causeOf(error: unknown): string {
  const cause = error instanceof Failure ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
