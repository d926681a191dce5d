/**
 * When a refund is asked for again. Pure.
 *
 * - *due*: it has to be made. A failed attempt is repeated after a growing, jittered wait, for 72 hours. `nextAt` `null` means that the system
 *   cannot make it at all: the provider has no way, and it waits for the operator.
 * - *done*: the provider has accepted it, or the operator has made it by hand. This is an end.
 * - *given-up*: 72 hours have not been enough. The operator makes it by hand, or lets the system try for another 72 hours.
 */
import type { OrderId } from "../core/ids.ts";
import type { DurationMs, UnixMs } from "../core/time.ts";
import type { Payment } from "../ledger/ledger.ts";
import { REFUND_ERROR_CHARS_MAX, REFUND_RETRY_MS_MAX, REFUND_RETRY_MS_MIN, REFUND_TRIED_FOR_MS } from "../limits.ts";

export const REFUND_STATES = ["due", "done", "given-up"] as const;
export type RefundState = (typeof REFUND_STATES)[number];

export interface Refund {
  /** In the order in which refunds were requested. */
  readonly id: number;
  readonly payment: Payment;
  readonly orderId: OrderId;
  readonly state: RefundState;
  readonly attempts: number;
  /** Until when the system tries. */
  readonly tryUntil: UnixMs;
  /** `null`: never by itself. */
  readonly nextAt: UnixMs | null;
  readonly lastError: string | null;
  /** When it reached its present state. */
  readonly since: UnixMs;
}

export function begun(payment: Payment, orderId: OrderId, canRefund: boolean, now: UnixMs): Omit<Refund, "id"> {
  const nextAt = canRefund ? now : null;
  return { payment, orderId, state: "due", attempts: 0, tryUntil: now + REFUND_TRIED_FOR_MS, nextAt, lastError: null, since: now };
}

export const made = (refund: Refund, now: UnixMs): Refund => ({ ...refund, state: "done", nextAt: null, since: now });

export const triedAgain = (refund: Refund, now: UnixMs): Refund => ({
  ...refund,
  state: "due",
  attempts: 0,
  tryUntil: now + REFUND_TRIED_FOR_MS,
  nextAt: now,
  since: now,
});

/** @param chance from 0 up to 1: spreads refunds that failed together, so that they do not come back together */
export function afterFailure(refund: Refund, error: string, now: UnixMs, chance: number): Refund {
  const failed = { ...refund, attempts: refund.attempts + 1, lastError: error.slice(0, REFUND_ERROR_CHARS_MAX) };
  if (now >= refund.tryUntil) return { ...failed, state: "given-up", nextAt: null, since: now };
  // The last attempt is made when the time is over, not some while before.
  return { ...failed, nextAt: Math.min(now + waitMs(failed.attempts, chance), refund.tryUntil) };
}

/** Doubles with every attempt; between half of it and all of it. */
function waitMs(attempts: number, chance: number): DurationMs {
  const longest = Math.min(REFUND_RETRY_MS_MIN * 2 ** attempts, REFUND_RETRY_MS_MAX);
  return Math.round(longest * (0.5 + chance / 2));
}
