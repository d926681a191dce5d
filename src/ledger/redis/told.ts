/** What the scripts append to a partition's stream, and who reads it back: events, and notes of what operators have set. */
import type { SessionId, Sku, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import type { LedgerEvent } from "../ledger.ts";

/** What operators have set, for a Redis that loses its data. */
export type Note =
  | { readonly type: "note.stocked"; readonly at: UnixMs; readonly sku: Sku; readonly stocked: number; readonly priceCents: number }
  | { readonly type: "note.removed"; readonly sku: Sku }
  | {
      readonly type: "note.recorded";
      readonly sku: Sku;
      readonly userId: UserId;
      readonly ordered: number;
      readonly userLevel: number;
    };

/** New holds of one batch that differ in nothing but whose they are. */
interface HoldsCreated {
  readonly type: "holds.created";
  readonly at: UnixMs;
  readonly sku: Sku;
  readonly quantity: number;
  readonly heldUntil: UnixMs;
  readonly userIds: readonly UserId[];
  readonly sessionIds: readonly SessionId[];
}

export const isNote = (told: LedgerEvent | Note): told is Note => told.type.startsWith("note.");

/** @param text of one entry */
export function readTold(text: string): readonly (LedgerEvent | Note)[] {
  const told: (LedgerEvent | Note)[] = [];
  for (const one of JSON.parse(text) as readonly (LedgerEvent | Note | HoldsCreated)[]) {
    if (one.type !== "holds.created") {
      told.push(one);
      continue;
    }
    const { at, sku, quantity, heldUntil, userIds, sessionIds } = one;
    for (const [n, userId] of userIds.entries())
      told.push({ type: "hold.created", at, sku, userId, sessionId: sessionIds[n] as SessionId, quantity, heldUntil });
  }
  return told;
}
