/** How kept replies stand in the store: a JSON array for some of one turn, an array of fields per reply, so that a million refusals stay small. */
import type { SessionId, Sku } from "../../core/ids.ts";
import type { Step } from "../../core/reason.ts";
import type { KeptReply } from "../ledger.ts";

type Fields = [
  key: string,
  fingerprint: string,
  sessionId: SessionId,
  step: Step,
  reason: string | null,
  sku: Sku,
  quantity: number,
  heldUntil: number,
  frozenForMs: number,
];

export function encodeReplies(replies: readonly KeptReply[]): string {
  return JSON.stringify(
    replies.map((reply): Fields => {
      const { key, sessionId, step, reason, sku, quantity, heldUntil, frozenForMs } = reply;
      return [key.text, key.fingerprint, sessionId, step, reason, sku, quantity, heldUntil, frozenForMs];
    }),
  );
}

export function decodeReplies(entries: string): KeptReply[] {
  // Written by encodeReplies above; the file is ours alone and was checked when it was opened.
  return (JSON.parse(entries) as Fields[]).map(([text, fingerprint, sessionId, step, reason, sku, quantity, heldUntil, frozenForMs]) => ({
    key: { text, fingerprint },
    sessionId,
    step,
    reason,
    sku,
    quantity,
    heldUntil,
    frozenForMs,
  }));
}
