/** The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a quoted string, or the same without quotes. */
import Type from "typebox";
import { IDEMPOTENCY_KEY_CHARS_MAX } from "../limits.ts";
import type { HttpReply } from "./endpoint.ts";
import { problem } from "./problem.ts";

/** 1 to 255 visible ASCII characters. */
const keyPattern = new RegExp(`^[!-~]{1,${IDEMPOTENCY_KEY_CHARS_MAX}}$`);

/** A user's own key is longer than its header by the user's id. */
const KEY_CHARS_MAX = IDEMPOTENCY_KEY_CHARS_MAX + 200;
const FINGERPRINT_CHARS_MAX = 1_000;
/** A key with what it stands for, as it crosses between our processes. */
export const KeySchema = Type.Object({
  text: Type.String({ minLength: 1, maxLength: KEY_CHARS_MAX }),
  fingerprint: Type.String({ maxLength: FINGERPRINT_CHARS_MAX }),
});

/** The key without its quotes; `null` when it is none. */
export function parseIdempotencyKey(header: string): string | null {
  const bare = header.length >= 2 && header.startsWith('"') && header.endsWith('"') ? header.slice(1, -1) : header;
  return keyPattern.test(bare) ? bare : null;
}

/** The key as it is kept where it belongs to a shopper. Neither part has a control character, so no two pairs read the same. */
export const ownKey = (owner: string, key: string): string => `${owner}\n${key}`;

const POINTER = "#/header/Idempotency-Key";

export function invalidKey(): HttpReply {
  const detail = `must be 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters`;
  return problem(400, `the header Idempotency-Key ${detail}`, { errors: [{ pointer: POINTER, detail }] });
}

export const keyInFlight = (): HttpReply =>
  problem(409, "a request with this Idempotency-Key is on its way; ask again with the same key in a moment", {
    headers: { "retry-after": "1" },
  });

export const keyReused = (): HttpReply =>
  problem(422, "this Idempotency-Key was used for another request; use a new key for a new request", {
    errors: [{ pointer: POINTER, detail: "was used with another body" }],
  });
