/**
 * New holds that differ in nothing but whose they are, told as one: a crowd buys one thing, and what is told of each would cost more than its hold. They are
 * written down together as `scripts/partition.lua` writes them, are kept so, and are taken apart by who reads them.
 */
import type { SessionId, Sku, UserId } from "../core/ids.ts";
import type { UnixMs } from "../core/time.ts";
import type { HoldEvent, LedgerEvent } from "./ledger.ts";

export interface HoldsTogether {
  readonly type: "holds.created";
  readonly at: UnixMs;
  readonly count: number;
  /** One line of JSON. */
  readonly text: string;
}

/** What a ledger tells. */
export type Told = LedgerEvent | HoldsTogether;

const HEAD = '{"type":"holds.created",';
export const areHoldsTogether = (text: string): boolean => text.startsWith(HEAD);

interface Written {
  readonly at: UnixMs;
  readonly sku: Sku;
  readonly quantity: number;
  readonly heldUntil: UnixMs;
  readonly userIds: readonly UserId[];
  readonly sessionIds: readonly SessionId[];
}

/** The events that they are, in their order. @param text of `HoldsTogether` */
export function holdsApart(text: string): HoldEvent[] {
  const { at, sku, quantity, heldUntil, userIds, sessionIds } = JSON.parse(text) as Written;
  return userIds.map((userId, n) => ({
    ...{ type: "hold.created", at, sku, userId, sessionId: sessionIds[n] as SessionId, quantity, heldUntil },
  }));
}
