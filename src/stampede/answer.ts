/** What a buyer was told: the reply of `/buy`, read with no trust in whoever sent it. */

export type BuyAnswer =
  | { readonly kind: "held"; readonly quantity: number; readonly expiresAt: number }
  | { readonly kind: "refused"; readonly reason: string }
  /** A step could not answer (503): nothing is frozen, or it is and ends by itself. */
  | { readonly kind: "failed"; readonly reason: string }
  /** The request itself was refused (4xx). */
  | { readonly kind: "rejected"; readonly status: number }
  /** An answer that the contract does not know. */
  | { readonly kind: "strange"; readonly status: number };

type Fields = Readonly<Record<string, unknown>>;

export function readAnswer(status: number, body: string): BuyAnswer {
  if (status >= 400 && status < 500 && status !== 429) return { kind: "rejected", status };
  const reply = fieldsOf(body);
  const strange = { kind: "strange", status } as const;
  if (!reply) return strange;
  const { repResult, reason, hold } = reply;
  if (status === 200 && repResult === true) return isFields(hold) ? heldFrom(hold, status) : strange;
  if (repResult !== false || typeof reason !== "string") return strange;
  if (status === 503) return { kind: "failed", reason };
  return status === 200 || status === 429 ? { kind: "refused", reason } : strange;
}

function heldFrom(hold: Fields, status: number): BuyAnswer {
  const { goodsQuantity, expiresAt } = hold;
  if (!Number.isSafeInteger(goodsQuantity) || !Number.isSafeInteger(expiresAt)) return { kind: "strange", status };
  return { kind: "held", quantity: goodsQuantity as number, expiresAt: expiresAt as number };
}

/** The fields of a JSON object, or `null` when the text is none. */
export function fieldsOf(text: string): Fields | null {
  const value = jsonOf(text);
  return isFields(value) ? value : null;
}

/** `undefined` when the text is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
