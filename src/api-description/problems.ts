/** The problem documents that an endpoint can answer, those of the edge among them: no endpoint has to name what is true of all. */
import Type from "typebox";
import type { Endpoint } from "../core/endpoint.ts";
import { BODY_BYTES_MAX } from "../limits.ts";

/** RFC 9457. */
export const ProblemDocument = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: "what is wrong and what to do next, for a person" }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: "the wrong field: `#/goodsQuantity`, `#/path/qty`, `#/query/limit`" }),
          detail: Type.String(),
        }),
      ),
    ),
  },
  { description: "A problem document (RFC 9457)." },
);

export function problemsOf(endpoint: Endpoint): Readonly<Record<string, string>> {
  const takesInput =
    endpoint.body !== null || [endpoint.params, endpoint.query].some(({ properties }) => Object.keys(properties).length > 0);
  return {
    ...(takesInput && { 400: "The request is malformed, or a field is wrong; `errors` names every one." }),
    ...(endpoint.needsAdminKey && { 401: "The admin key is missing or wrong." }),
    ...(endpoint.needsToken && {
      401: "The token is missing, or is none of ours.",
      403: "The request names another user than the token.",
    }),
    ...(endpoint.body && { 413: `The body is longer than ${endpoint.bodyBytesMax ?? BODY_BYTES_MAX} bytes.` }),
    ...(endpoint.body &&
      !endpoint.isBodyRaw && {
        415: endpoint.otherBodies ? "The body is in none of the documented forms." : "The body is not declared as JSON.",
      }),
    ...endpoint.problems,
  };
}
