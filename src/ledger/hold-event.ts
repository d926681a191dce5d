/** What a change of a hold means to whoever hears the ledger's events. */
import type { SessionId, Sku, UserId } from "../core/ids.ts";
import type { UnixMs } from "../core/time.ts";
import { availableOf } from "./decision.ts";
import type { Goods, HoldEndEvent, HoldEvent, Line } from "./ledger.ts";

export type HoldVerb = "hold" | "change" | "release" | "cancel";

/** @returns `null` when nothing about the hold has changed; a hold that became part of an order is told by `order.placed` */
export function holdEvent(
  verb: HoldVerb,
  before: Line,
  after: Line,
  sku: Sku,
  userId: UserId,
  sessionId: SessionId | null,
  at: UnixMs,
): HoldEvent | HoldEndEvent | null {
  if (after.held === before.held) return null;
  if (after.held > 0) {
    const type = before.held === 0 ? "hold.created" : "hold.changed";
    return { type, at, sku, userId, sessionId, quantity: after.held, heldUntil: after.heldUntil };
  }
  return verb === "release" ? { type: "hold.released", at, sku, userId, quantity: before.held } : null;
}

/** Whether the last of what was available has just gone. Goods that are no longer sold are not sold out. */
export const hasSoldOut = (before: Goods | null, after: Goods | null): boolean =>
  before !== null && after !== null && availableOf(before) > 0 && availableOf(after) === 0;
