/**
 * The keys that tokens are checked with, from the text in which an operator or an identity provider gives them. What kind of key it is fixes
 * the algorithm: a public key never checks HS256 and a secret never checks anything else, so that no token can choose how it is checked
 * (RFC 8725, 2.1 and 3.1).
 */
import { createPublicKey } from "node:crypto";
import { createLocalJWKSet, importJWK, type JWK, type JWTVerifyGetKey } from "jose";
import { RSA_KEY_BITS_MIN, TOKEN_SECRET_BYTES_MIN } from "../limits.ts";

export interface TokenKeys {
  readonly algorithms: readonly string[];
  /** The key for a token's header; rejects with an error of jose's when there is none. */
  readonly keyFor: JWTVerifyGetKey;
  /** Equal for two readings exactly when the same keys count. */
  readonly fingerprint: string;
  readonly isSecret: boolean;
}

/** The text holds no key that can be used; the message is for the operator and quotes nothing of it. */
export class KeysInvalid extends Error {
  override readonly name = "KeysInvalid";
}

/** By type and curve of a public key. `Ed25519` is the newer name of the same algorithm (RFC 9864). */
const publicKinds: Readonly<Record<string, readonly string[]>> = {
  RSA: ["RS256"],
  "OKP Ed25519": ["EdDSA", "Ed25519"],
  "EC P-256": ["ES256"],
};
const PUBLIC_ALGORITHMS = Object.values(publicKinds).flat();
const SUPPORTED = "RSA, Ed25519 or P-256";

export async function secretKeys(secret: string): Promise<TokenKeys> {
  if (secret.includes("-----BEGIN")) throw new KeysInvalid("the secret is a key file's text; give the path of that file instead");
  return keysOfSecret(Buffer.from(secret));
}

/** Reads a key file: PEM, one JWK, or a JWK set. */
export async function keysOfFile(text: string): Promise<TokenKeys> {
  const trimmed = text.trim();
  if (trimmed.startsWith("-----BEGIN")) return keysOfOne(jwkOfPem(trimmed));
  const document = parseObject(trimmed, "neither PEM nor JSON");
  if ("keys" in document) return keysOfSet(document);
  if (document.kty !== "oct") return keysOfOne(document);
  if (typeof document.k !== "string") throw new KeysInvalid("the JWK of kind oct has no k");
  if (document.alg !== undefined && document.alg !== "HS256") throw new KeysInvalid("a secret is used with HS256 only");
  return keysOfSecret(Buffer.from(document.k, "base64url"));
}

/** Reads what a key set's server answers: nothing but a JWK set, of public keys. */
export async function keysOfSetText(text: string): Promise<TokenKeys> {
  const document = parseObject(text, "not JSON");
  if (!("keys" in document)) throw new KeysInvalid("no JWK set");
  return keysOfSet(document);
}

async function keysOfSecret(bytes: Uint8Array<ArrayBuffer>): Promise<TokenKeys> {
  if (bytes.length < TOKEN_SECRET_BYTES_MIN)
    throw new KeysInvalid(`the secret has ${bytes.length} bytes, fewer than ${TOKEN_SECRET_BYTES_MIN}`);
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  // The fingerprint stays in this process, next to the key itself.
  return { algorithms: ["HS256"], keyFor: async () => key, fingerprint: Buffer.from(bytes).toString("base64url"), isSecret: true };
}

/** One public key checks every token, whatever key the token names. */
async function keysOfOne(jwk: JWK): Promise<TokenKeys> {
  const fault = await faultOf(jwk);
  if (fault !== null) throw new KeysInvalid(fault);
  const [algorithm = "", ...alsoKnownAs] = algorithmsOf(jwk);
  const key = await importJWK(jwk, algorithm);
  return { algorithms: [algorithm, ...alsoKnownAs], keyFor: async () => key, fingerprint: JSON.stringify(jwk), isSecret: false };
}

/** Sets of identity providers hold keys for other uses too: those are left out, and with them whatever cannot be used. */
async function keysOfSet(document: JWK): Promise<TokenKeys> {
  const { keys: given } = document as { readonly keys?: unknown };
  if (!Array.isArray(given)) throw new KeysInvalid("the JWK set's keys are no array");
  const candidates = given.filter(isObject);
  if (candidates.some(isPrivate)) throw new KeysInvalid("the JWK set holds private keys; everybody who can read it can sign tokens");
  const faults = await Promise.all(candidates.map(faultOf));
  const keys = candidates.filter((_, index) => faults[index] === null);
  if (keys.length === 0) throw new KeysInvalid(`the JWK set holds no public key of kind ${SUPPORTED} for signatures`);
  const fingerprint = keys
    .map((key) => JSON.stringify(key))
    .sort()
    .join("\n");
  return { algorithms: PUBLIC_ALGORITHMS, keyFor: createLocalJWKSet({ keys }), fingerprint, isSecret: false };
}

/** Why a public JWK cannot be used, or `null`. */
async function faultOf(jwk: JWK): Promise<string | null> {
  if (isPrivate(jwk)) return "the key is private; give the public key, so that this machine cannot sign tokens";
  const algorithms = algorithmsOf(jwk);
  const [algorithm] = algorithms;
  if (algorithm === undefined) return `the key is of another kind than ${SUPPORTED}`;
  if (jwk.alg !== undefined && !algorithms.includes(jwk.alg)) return `the key is for another algorithm than ${algorithms.join(", ")}`;
  if (jwk.use !== undefined && jwk.use !== "sig") return "the key is not for signatures";
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes("verify")))
    return "the key is not for checking signatures";
  try {
    const { modulusLength } = ((await importJWK(jwk, algorithm)) as CryptoKey).algorithm as { readonly modulusLength?: number };
    const isShort = modulusLength !== undefined && modulusLength < RSA_KEY_BITS_MIN;
    return isShort ? `the RSA key has ${modulusLength} bits, fewer than ${RSA_KEY_BITS_MIN}` : null;
  } catch {
    return "the key is damaged";
  }
}

const algorithmsOf = ({ kty, crv }: JWK): readonly string[] => publicKinds[kty === "RSA" ? kty : `${kty} ${crv}`] ?? [];

const isPrivate = (jwk: JWK): boolean => jwk.d !== undefined || jwk.priv !== undefined;

function jwkOfPem(pem: string): JWK {
  // OpenSSL would work out the public key of a private one, and nobody would hear that the private one lies here.
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) throw new KeysInvalid("the key is private; give the public key");
  try {
    return createPublicKey(pem).export({ format: "jwk" }) as JWK;
  } catch {
    throw new KeysInvalid("the PEM text is damaged, or its key is of an unknown kind");
  }
}

function parseObject(text: string, fault: string): JWK {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new KeysInvalid(fault);
  }
  if (!isObject(document)) throw new KeysInvalid("no JSON object");
  return document;
}

const isObject = (value: unknown): value is JWK => typeof value === "object" && value !== null && !Array.isArray(value);
