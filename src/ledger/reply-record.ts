/** How kept replies stand in the store: a JSON array for some of one turn, an array of fields per reply, so that a million refusals stay small. */
import type { SessionId, Sku } from "../core/ids.ts";
import type { Step } from "../core/reason.ts";
import type { KeptReply } from "./ledger.ts";

type PurchaseFields = [
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
/** Told from the fields of a purchase by how many they are. */
type ResponseFields = [key: string, fingerprint: string, status: number, body: string];

export const encodeReplies = (replies: readonly KeptReply[]): string => JSON.stringify(replies.map(fieldsOf));

/** Reads what `encodeReplies` has written; the file is ours alone and was checked when it was opened. */
export const decodeReplies = (entries: string): KeptReply[] => (JSON.parse(entries) as (PurchaseFields | ResponseFields)[]).map(replyOf);

function fieldsOf(reply: KeptReply): PurchaseFields | ResponseFields {
  const { text, fingerprint } = reply.key;
  if (reply.kind === "response") return [text, fingerprint, reply.status, reply.body];
  const { sessionId, step, reason, sku, quantity, heldUntil, frozenForMs } = reply;
  return [text, fingerprint, sessionId, step, reason, sku, quantity, heldUntil, frozenForMs];
}

function replyOf(fields: PurchaseFields | ResponseFields): KeptReply {
  if (fields.length === 4) {
    const [text, fingerprint, status, body] = fields;
    return { kind: "response", key: { text, fingerprint }, status, body };
  }
  const [text, fingerprint, sessionId, step, reason, sku, quantity, heldUntil, frozenForMs] = fields;
  return { kind: "purchase", key: { text, fingerprint }, sessionId, step, reason, sku, quantity, heldUntil, frozenForMs };
}
