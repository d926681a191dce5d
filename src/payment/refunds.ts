/**
 * Money goes back: a durable queue of refunds, and the work of asking their providers until they have accepted. A refund is requested in the
 * turn that finds it due, so that no crash loses it; it is asked for with the payment's own key, so that no crash, and no answer that did not
 * arrive, makes it twice. Each provider has its own bound on what is under way, and is gone on with as each attempt ends: one that does not
 * answer holds up nobody else.
 */
import type { Answer } from "../core/answer.ts";
import { Failure } from "../core/failure.ts";
import type { OrderId } from "../core/ids.ts";
import type { Clock } from "../core/time.ts";
import type { Payment } from "../ledger/ledger.ts";
import { REFUND_KEPT_MS, REFUNDS_IN_FLIGHT_MAX, REFUNDS_PER_PROVIDER_MAX } from "../limits.ts";
import type { PaymentEvent } from "./payment-event.ts";
import type { Providers } from "./provider.ts";
import type { NewRefund, RefundBook, RefundStep } from "./refund-book.ts";
import { afterFailure, begun, made, type Refund, type RefundState, triedAgain } from "./refund-schedule.ts";

export interface RefundParts {
  readonly book: RefundBook;
  readonly providers: Providers;
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
  /** How many attempts have ended. */
  #ended = 0;
  /** What was asked for and could not be saved, since the last call of `work`. */
  readonly #unsaved = new Set<number>();
  #isClosed = false;

  constructor(parts: RefundParts) {
    this.#parts = parts;
  }

  /** What the book has to save, in the step that finds the payment due back. The same payment is refunded once, however often this is asked. */
  requested(payment: Payment, orderId: OrderId): NewRefund {
    const canRefund = this.canTry({ payment });
    const refund = begun(payment, orderId, canRefund, this.#parts.clock.now());
    const requested = this.#told(refund, "payment.refund-requested", "the payment goes back to the shopper");
    if (canRefund) return { refund, told: [requested] };
    const byHand = `${payment.provider} has no refund address: pay back by hand, then mark the refund as done`;
    return { refund, told: [requested, this.#told(refund, "payment.refund-failed", byHand)] };
  }

  /** Starts what is due, as many at one time as the bounds allow, and goes on as they end. Resolves when nothing is left that it could
   *  start; nobody has to wait for it. For one process at a time. */
  async work(): Promise<void> {
    if (this.#isClosed) return;
    await unlessStoreStopped(this.#workThrough());
  }

  /** Starts nothing more, and waits for what is in flight. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#inFlight.values()].map(({ ended }) => ended));
  }

  /** Up to `limit` refunds in the order of their ids, from behind `after`. @param state `null`: all */
  list(state: RefundState | null, after: number, limit: number): Answer<readonly Refund[]> {
    return this.#parts.book.list(state, after, limit);
  }

  /** The operator has paid back. `null`: there is no such refund. One that was made already stays as it is. */
  markDone(id: number): Promise<Refund | null> {
    return this.#change(id, (refund, now) => {
      if (refund.state === "done") return { refund, told: null };
      const done = made(refund, now);
      return { refund: done, told: this.#told(done, "payment.refunded", "marked as done by the operator") };
    });
  }

  /** The operator wants the system to try for its full time again. `null`: there is no such refund. One that was made stays as it is, and so
   *  does one whose provider has no way to make it (`canTry`). */
  tryAgain(id: number): Promise<Refund | null> {
    return this.#change(id, (refund, now) => {
      const isToStay = refund.state === "done" || !this.canTry(refund);
      return { refund: isToStay ? refund : triedAgain(refund, now), told: null };
    });
  }

  /** A provider that is not configured at the moment may be again before the time is over. */
  canTry({ payment }: Pick<Refund, "payment">): boolean {
    return this.#parts.providers.get(payment.provider)?.canRefund ?? true;
  }

  async #workThrough(): Promise<void> {
    const { book, clock } = this.#parts;
    this.#unsaved.clear();
    await book.forgetMade(clock.now() - REFUND_KEPT_MS);
    const providers = [...(await book.providers())];
    await Promise.all(providers.map((provider) => this.#goOnWith(provider)));
  }

  /** Starts what there is room for, and again as each of these ends. What failed is due later, so that this comes to an end. */
  async #goOnWith(provider: string): Promise<void> {
    const attempts = await this.#startDue(provider);
    await Promise.all(attempts.map(async ({ ended }) => (await ended) && this.#goOnWith(provider)));
  }

  async #startDue(provider: string): Promise<readonly Attempt[]> {
    const { book, clock } = this.#parts;
    while (this.#hasRoomFor(provider)) {
      const ended = this.#ended;
      // Those in flight are still due, so that a crash finds them again; there are fewer of them than are read here.
      const due = await book.waiting(provider, clock.now(), REFUNDS_PER_PROVIDER_MAX);
      // What ended while the book was read may stand there as if it were due, and would be asked for again.
      if (ended !== this.#ended) continue;
      const isFree = ({ id }: Refund): boolean => !this.#inFlight.has(id) && !this.#unsaved.has(id);
      return due.flatMap((refund) => (isFree(refund) && this.#hasRoomFor(provider) ? [this.#attempt(refund)] : []));
    }
    return [];
  }

  #hasRoomFor(provider: string): boolean {
    const ofProvider = this.#inFlight.values().reduce((count, attempt) => (attempt.provider === provider ? count + 1 : count), 0);
    return !this.#isClosed && ofProvider < REFUNDS_PER_PROVIDER_MAX && this.#inFlight.size < REFUNDS_IN_FLIGHT_MAX;
  }

  #attempt(refund: Refund): Attempt {
    const attempt = { provider: refund.payment.provider, ended: this.#carryOut(refund) };
    this.#inFlight.set(refund.id, attempt);
    return attempt;
  }

  async #carryOut(refund: Refund): Promise<boolean> {
    let isSaved = false;
    try {
      isSaved = await this.#ask(refund);
      return isSaved;
    } finally {
      this.#inFlight.delete(refund.id);
      this.#ended += 1;
      // It is still due: to go on with it at once would ask for it again and again.
      if (!isSaved) this.#unsaved.add(refund.id);
    }
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
        if (refund.state !== "due") return { refund, told: null };
        const next = error === null ? made(refund, now) : afterFailure(refund, error, now, this.#parts.chance());
        return { refund: next, told: this.#toldAfter(next, error) };
      }),
    );
  }

  #toldAfter(refund: Refund, error: string | null): PaymentEvent | null {
    if (refund.state === "done") return this.#told(refund, "payment.refunded", `accepted by ${refund.payment.provider}`);
    if (refund.state === "due") return null;
    const detail = `given up after ${refund.attempts} attempts (${error}): pay back by hand, or try again`;
    return this.#told(refund, "payment.refund-failed", detail);
  }

  #change(id: number, next: (refund: Refund, now: number) => RefundStep): Promise<Refund | null> {
    const { book, clock } = this.#parts;
    return book.change(id, (refund) => next(refund, clock.now()));
  }

  #told({ orderId, payment }: Omit<Refund, "id">, type: PaymentEvent["type"], detail: string): PaymentEvent {
    return { type, at: this.#parts.clock.now(), orderId, payment, detail };
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
