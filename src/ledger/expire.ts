/**
 * What a deadline does to an unpaid order. (A hold simply ends: nothing is held any more.) What is past its deadline is free at that instant: a
 * store ends everything due before it lets `decide` look, so that no command ever sees a dead hold, whether or not a sweeper has run. The freed
 * quantity is summed by the store and taken from the goods once: 100,000 holds can be due in the same millisecond.
 */
import { assert } from "../core/assert.ts";
import type { UnixMs } from "../core/time.ts";
import type { Order } from "./ledger.ts";

/** The order after its payment window; it frees all its items. It ended at its deadline, however late somebody looked. */
export function expireOrder(order: Order, at: UnixMs): Order {
  assert(order.state === "payment-pending" && order.payUntil <= at, "only an unpaid order past its deadline expires");
  return { ...order, state: "expired", since: order.payUntil };
}
