/** The header in which an operator's tool says who sits before it. It is a word, not a proof: whoever has the admin key can send any. */
import Type from "typebox";
import type { HttpReply } from "../core/endpoint.ts";
import { ID_PATTERN, isId } from "../core/ids.ts";
import { problem } from "../core/problem.ts";

const HEADER = "X-Doorbuster-Operator";
const DETAIL = "1-128 characters, no control characters; percent-encoded as UTF-8, because a header carries ASCII only";

/** For the API's description. */
export const operatorHeader = {
  [HEADER]: Type.Optional(Type.String({ description: `who asks for the change, for the audit trail: ${DETAIL}` })),
};

/** As an operator's name is told. */
export const OperatorName = Type.Union([Type.String({ pattern: ID_PATTERN }), Type.Null()], {
  description: "the name that the request gave in X-Doorbuster-Operator; null: none",
});

export function readOperator(headers: {
  get(name: string): string | null;
}): { readonly operator: string | null } | { readonly refusal: HttpReply } {
  const header = headers.get(HEADER);
  if (header === null) return { operator: null };
  const name = percentDecode(header);
  if (name !== null && isId(name)) return { operator: name };
  const detail = `must be ${DETAIL}`;
  return { refusal: problem(400, `the header ${HEADER} ${detail}`, { errors: [{ pointer: `#/header/${HEADER}`, detail }] }) };
}

/** `null`: it is not percent-encoded UTF-8. */
function percentDecode(text: string): string | null {
  if (!/^[\x20-\x7e]+$/.test(text)) return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
