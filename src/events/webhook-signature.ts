/** Standard Webhooks (standardwebhooks.com): how a receiver knows that a delivery is ours, whole, and recent. */
import { Webhook as Signer } from "standardwebhooks";
import type { UnixMs } from "../core/time.ts";

const SECRET = /^whsec_([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
export const NEW_SECRET_BYTES = 32;

export const secretOf = (bytes: Uint8Array): string => `whsec_${Buffer.from(bytes).toString("base64")}`;

export function isSecret(text: string): boolean {
  const bytes = Buffer.from(text.slice("whsec_".length), "base64").length;
  return SECRET.test(text) && bytes >= SECRET_BYTES_MIN && bytes <= SECRET_BYTES_MAX;
}

/** The headers of one delivery. Every key signs, so that a receiver may still know the old one only, or the new one already. */
export function signedHeaders(secrets: readonly string[], id: string, now: UnixMs, body: string): Record<string, string> {
  return {
    "content-type": "application/json",
    "user-agent": "doorbuster",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now / 1_000)),
    "webhook-signature": secrets.map((secret) => new Signer(secret).sign(id, new Date(now), body)).join(" "),
  };
}
