/** What an operator is told at start, when the keys are not what they should be. */
import { describe, expect, test } from "bun:test";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { exportJWK, exportPKCS8, generateKeyPair } from "jose";
import { KeyPlace, newSigner, SECRET, Shop, setOf } from "../../test/signed-tokens.ts";
import { IdentityRefused, type KeySource, type TokenSettings } from "./identity.ts";

const FILE: KeySource = { kind: "file", path: "keys" };
const [rsa, ed25519] = await Promise.all([newSigner("RS256"), newSigner("EdDSA")]);
const pair = await generateKeyPair("RS256", { extractable: true });
const privatePem = await exportPKCS8(pair.privateKey);
const privateJwk = await exportJWK(pair.privateKey);
const shortKey = generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey;
const shortJwk = shortKey.export({ format: "jwk" });
const oct = (bytes: number) => ({ kty: "oct", k: Buffer.alloc(bytes, 7).toString("base64url") });
const unbound: Partial<TokenSettings> = { issuer: null, audience: null };

async function refusalOf(source: KeySource, text = "", settings: Partial<TokenSettings> = {}): Promise<string> {
  const error = await Shop.open(source, new KeyPlace(text), settings).catch((thrown: unknown) => thrown);
  return error instanceof IdentityRefused ? error.message : "accepted";
}

describe("a key file is refused", () => {
  test.each<[string, string, RegExp]>([
    ["that is empty", "", /neither PEM nor JSON/],
    ["that is a text of its own", SECRET, /neither PEM nor JSON/],
    ["that holds a list", "[]", /no JSON object/],
    ["that holds a private PEM key", privatePem, /private/],
    [
      "that holds a private PEM key of the older form",
      String(createPrivateKey(privatePem).export({ type: "pkcs1", format: "pem" })),
      /private/,
    ],
    ["that holds a private JWK", JSON.stringify(privateJwk), /private/],
    ["that holds a set with a private key", JSON.stringify({ keys: [rsa.publicJwk, privateJwk] }), /private/],
    ["that holds a damaged PEM key", rsa.publicPem.replace(/\n.{40}/, "\n"), /damaged/],
    ["that holds a damaged JWK", JSON.stringify({ kty: "OKP", crv: "Ed25519", x: "AA" }), /damaged/],
    ["that holds a key of another kind", JSON.stringify({ kty: "EC", crv: "P-384", x: "AA", y: "AA" }), /RSA, Ed25519 or P-256/],
    ["whose kind is no kind", JSON.stringify({ kty: "constructor" }), /RSA, Ed25519 or P-256/],
    ["that holds a key for encryption", JSON.stringify({ ...rsa.publicJwk, use: "enc" }), /not for signatures/],
    ["that holds a key for making signatures", JSON.stringify({ ...rsa.publicJwk, key_ops: ["sign"] }), /not for checking signatures/],
    ["that holds a key for another algorithm", JSON.stringify({ ...rsa.publicJwk, alg: "PS256" }), /another algorithm/],
    ["that holds a short RSA key", JSON.stringify(shortJwk), /1024 bits, fewer than 2048/],
    ["that holds a short RSA key as PEM", String(shortKey.export({ type: "spki", format: "pem" })), /1024 bits/],
    ["that holds a short secret", JSON.stringify(oct(31)), /31 bytes, fewer than 32/],
    ["that holds a secret for another algorithm", JSON.stringify({ ...oct(64), alg: "HS512" }), /HS256 only/],
    ["that holds a secret without a value", JSON.stringify({ kty: "oct" }), /no k/],
    ["that holds an empty set", '{"keys":[]}', /no public key/],
    ["that holds a set of secrets", JSON.stringify({ keys: [oct(32)] }), /no public key/],
    ["that holds a set that is none", '{"keys":{}}', /no array/],
  ])("%s", async (_, text, reason) => {
    expect(await refusalOf(FILE, text)).toMatch(reason);
  });

  test("that cannot be read", async () => {
    const place = new KeyPlace("");
    place.isReachable = false;
    await expect(Shop.open(FILE, place)).rejects.toThrow("the key file for signed tokens: nobody answers");
  });

  test("with one line that quotes nothing of it", async () => {
    for (const text of [privatePem, JSON.stringify(privateJwk), SECRET, JSON.stringify(oct(16))]) {
      const message = await refusalOf(FILE, text);
      expect(message).not.toContain("\n");
      expect(message).not.toContain(text.slice(30, 40));
    }
  });
});

describe("a key file is accepted", () => {
  test.each<[string, string]>([
    ["with one public key as PEM", rsa.publicPem],
    ["with space around it", `\n  ${rsa.publicPem}\n\n`],
    ["with one public JWK", JSON.stringify(ed25519.publicJwk)],
    ["with one secret as JWK", JSON.stringify({ ...oct(32), alg: "HS256" })],
    [
      "with a set, some of whose keys are for other uses",
      JSON.stringify({ keys: [{ ...rsa.publicJwk, use: "enc" }, oct(8), shortJwk, ed25519.publicJwk] }),
    ],
  ])("%s", async (_, text) => {
    expect(await refusalOf(FILE, text)).toBe("accepted");
  });
});

describe("a shared secret is refused", () => {
  test("that is short", async () => {
    expect(await refusalOf({ kind: "secret", secret: "too short to be a secret" })).toMatch(/24 bytes, fewer than 32/);
  });

  test("that is a public key's text: everybody could sign with it", async () => {
    expect(await refusalOf({ kind: "secret", secret: rsa.publicPem })).toMatch(/give the path of that file/);
  });
});

describe("a key set's URL", () => {
  const url = (text: string): KeySource => ({ kind: "url", url: text });

  test.each(["https://login.example/keys", "http://127.0.0.1:8080/keys", "http://localhost/keys", "http://[::1]:80/keys"])(
    "may be %s",
    async (text) => {
      expect(await refusalOf(url(text), setOf(rsa))).toBe("accepted");
    },
  );

  test.each(["http://login.example/keys", "http://127.0.0.1.example/keys", "ftp://login.example/keys", "file:///etc/keys", "keys", ""])(
    "may not be %p",
    async (text) => {
      expect(await refusalOf(url(text), setOf(rsa))).toMatch(/must be https, or http on this machine/);
    },
  );

  test("must answer with a set: a secret or a single key behind it is refused", async () => {
    for (const text of [JSON.stringify(oct(32)), JSON.stringify(rsa.publicJwk), rsa.publicPem]) {
      expect(await refusalOf(url("https://login.example/keys"), text)).toMatch(/no JWK set|not JSON/);
    }
  });
});

describe("issuer and audience", () => {
  test("may both be missing only with a secret: a public key's owner signs for others too", async () => {
    expect(await refusalOf(FILE, rsa.publicPem, unbound)).toMatch(/give the issuer or the audience/);
    expect(await refusalOf({ kind: "url", url: "https://login.example/keys" }, "", unbound)).toMatch(/give the issuer or the audience/);
    expect(await refusalOf({ kind: "secret", secret: SECRET }, "", unbound)).toBe("accepted");
    expect(await refusalOf(FILE, rsa.publicPem, { issuer: null })).toBe("accepted");
    expect(await refusalOf(FILE, rsa.publicPem, { audience: null })).toBe("accepted");
  });
});
