/**
 * Why a token is not accepted, in words that help whoever sent it and tell nothing about keys. The signature is checked before the claims: who
 * cannot sign learns nothing about which issuer or audience would be right.
 */
import { errors } from "jose";
import type { HttpReply } from "../core/endpoint.ts";
import { problem } from "../core/problem.ts";

const details = {
  "no-token": "this call needs a signed token: send the header Authorization: Bearer <token>",
  "too-long": "the token is too long",
  malformed: "the header Authorization must be Bearer and one signed token (JWS compact form)",
  "wrong-algorithm": "the token is signed with an algorithm that is not accepted here",
  "unknown-key": "the token is signed with a key that is not known here",
  "ambiguous-key": "the token names no key, and several could have signed it: set kid in its header",
  "bad-signature": "the token's signature does not fit",
  "no-expiry": "the token has no exp claim",
  expired: "the token has expired; get a new one",
  "not-yet-valid": "the token is not valid yet",
  "wrong-issuer": "the token is from another issuer",
  "wrong-audience": "the token is for another audience",
  "bad-claim": "a claim of the token has a value that cannot be used",
  "bad-user": "the token's user claim must be a text of 1-128 characters, none of them a control character",
  "bad-level": "the token's level claim must be a whole number in the range of user levels",
} as const;
export type TokenFault = keyof typeof details;

/** 401 as RFC 6750 has it: without a token there is nothing to call invalid. */
export function refuseToken(fault: TokenFault): { readonly refusal: HttpReply } {
  const detail = details[fault];
  const challenge = fault === "no-token" ? 'Bearer realm="doorbuster"' : `Bearer error="invalid_token", error_description="${detail}"`;
  return { refusal: problem(401, detail, { headers: { "www-authenticate": challenge }, fields: { reason: fault } }) };
}

/** What jose has found wrong with a token; `null` for what is no fault of the token. */
export function faultOf(error: unknown): TokenFault | null {
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed) return faultOfClaim(error);
  if (error instanceof errors.JOSEAlgNotAllowed) return "wrong-algorithm";
  if (error instanceof errors.JWKSNoMatchingKey) return "unknown-key";
  if (error instanceof errors.JWKSMultipleMatchingKeys) return "ambiguous-key";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "bad-signature";
  return error instanceof errors.JOSEError ? "malformed" : null;
}

const byClaim: Readonly<Record<string, TokenFault>> = { iss: "wrong-issuer", aud: "wrong-audience" };

function faultOfClaim({ claim, reason }: errors.JWTClaimValidationFailed): TokenFault {
  if (claim === "exp" && reason === "missing") return "no-expiry";
  if (claim === "nbf" && reason === "check_failed") return "not-yet-valid";
  return byClaim[claim] ?? "bad-claim";
}
