import { beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { JWTPayload } from "jose";
import {
  AUDIENCE,
  forged,
  goodClaims,
  inSeconds,
  newSigner,
  SECRET,
  Shop,
  type Signer,
  setOf,
  signWithSecret,
} from "../../test/signed-tokens.ts";
import type { UserId } from "../core/ids.ts";
import { TOKEN_CHARS_MAX, TOKEN_CLOCK_TOLERANCE_MS, USER_LEVEL_MAX } from "../limits.ts";
import type { Claimed, Shopper } from "./identity.ts";

const shopper = (userId: string, userLevel: number): Shopper => ({ userId, userLevel, clientIp: "192.0.2.7" }) as Shopper;
const user = (name: string): Claimed => ({ userID: name as UserId });
const without = (claim: string): JWTPayload => Object.fromEntries(Object.entries(goodClaims()).filter(([name]) => name !== claim));

let rsa: Signer;
let other: Signer;

beforeAll(async () => {
  [rsa, other] = await Promise.all([newSigner("RS256", "rsa"), newSigner("RS256", "rsa")]);
});

describe("a good token", () => {
  test("signed with the shared secret names its shopper", async () => {
    const shop = await Shop.withSecret();
    expect(await shop.told(await signWithSecret())).toEqual(shopper("UID1", 5));
  });

  test.each(["RS256", "EdDSA", "ES256"] as const)("signed with %s names its shopper, by PEM, JWK and JWK set", async (alg) => {
    const signer = await newSigner(alg, "k1");
    for (const text of [signer.publicPem, JSON.stringify(signer.publicJwk), setOf(rsa, signer)]) {
      const shop = await Shop.withFile(text);
      expect(await shop.told(await signer.sign())).toEqual(shopper("UID1", 5));
    }
  });

  test("may carry user and level in other claims", async () => {
    const shop = await Shop.withSecret({ userClaim: "https://shop.example/user", levelClaim: "tier" });
    const claims = { ...goodClaims(), "https://shop.example/user": "UID2", tier: 7 };
    expect(await shop.told(await signWithSecret(claims))).toEqual(shopper("UID2", 7));
  });

  test("without a level is of the lowest", async () => {
    const shop = await Shop.withSecret();
    expect(await shop.told(await signWithSecret(without("level")))).toEqual(shopper("UID1", 0));
  });

  test("may be for several audiences", async () => {
    const shop = await Shop.withSecret();
    expect(await shop.told(await signWithSecret({ ...goodClaims(), aud: ["another", AUDIENCE] }))).toEqual(shopper("UID1", 5));
  });

  test("from whoever, for whomever is good when issuer and audience of a shared secret are not set", async () => {
    const shop = await Shop.withSecret({ issuer: null, audience: null });
    expect(await shop.told(await signWithSecret({ sub: "UID1", exp: inSeconds(60) }))).toEqual(shopper("UID1", 0));
  });

  test("is good while its end is within the tolerance of the clocks, and no longer, remembered or not", async () => {
    const shop = await Shop.withSecret();
    const token = await signWithSecret({ ...goodClaims(), exp: inSeconds(10) });
    shop.pass(10_000 + TOKEN_CLOCK_TOLERANCE_MS - 1);
    expect(await shop.told(token)).toEqual(shopper("UID1", 5));
    expect(shop.ask(`Bearer ${token}`)).toEqual(shopper("UID1", 5));
    shop.pass(1);
    expect(await shop.told(token)).toBe("401 expired");
    expect(await (await Shop.withSecret()).told(await signWithSecret({ ...goodClaims(), exp: inSeconds(-6) }))).toBe("401 expired");
  });
});

describe("what the request claims beside its token", () => {
  test("counts for nothing: level and address are the token's and the connection's", async () => {
    const shop = await Shop.withSecret();
    const claimed = { ...user("UID1"), userLevel: 9, clientIP: "203.0.113.9" };
    expect(await shop.told(await signWithSecret(), claimed)).toEqual(shopper("UID1", 5));
  });

  test("may not be another user, and the field is named, remembered or not", async () => {
    const shop = await Shop.withSecret();
    const token = `Bearer ${await signWithSecret()}`;
    for (const [root, pointer] of [
      [undefined, "#/userID"],
      ["#/query", "#/query/userID"],
    ] as const) {
      const told = await shop.ask(token, user("UID2"), root);
      if (!("refusal" in told)) throw new Error("another user was believed");
      expect(told.refusal.status).toBe(403);
      expect(JSON.parse(String(told.refusal.body))).toMatchObject({ status: 403, errors: [{ pointer }] });
    }
  });
});

describe("a token is refused with 401", () => {
  test.each<[string, string, () => Promise<string>]>([
    ["that has expired", "expired", () => rsa.sign({ ...goodClaims(), exp: inSeconds(-60) })],
    ["that never expires", "no-expiry", () => rsa.sign(without("exp"))],
    ["that is not valid yet", "not-yet-valid", () => rsa.sign({ ...goodClaims(), nbf: inSeconds(60) })],
    ["from another issuer", "wrong-issuer", () => rsa.sign({ ...goodClaims(), iss: "https://elsewhere.example" })],
    ["from no issuer", "wrong-issuer", () => rsa.sign(without("iss"))],
    ["for another audience", "wrong-audience", () => rsa.sign({ ...goodClaims(), aud: "another" })],
    ["for nobody", "wrong-audience", () => rsa.sign(without("aud"))],
    ["whose exp is no number", "bad-claim", () => rsa.sign({ ...goodClaims(), exp: "never" as unknown as number })],
    ["without a user", "bad-user", () => rsa.sign(without("sub"))],
    ["whose user is no id", "bad-user", () => rsa.sign({ ...goodClaims(), sub: "a\nb" })],
    ["whose user is a number", "bad-user", () => rsa.sign({ ...goodClaims(), sub: 7 as unknown as string })],
    ["whose level is a text", "bad-level", () => rsa.sign({ ...goodClaims(), level: "5" })],
    ["whose level is null", "bad-level", () => rsa.sign({ ...goodClaims(), level: null })],
    ["whose level is a fraction", "bad-level", () => rsa.sign({ ...goodClaims(), level: 1.5 })],
    ["whose level is negative", "bad-level", () => rsa.sign({ ...goodClaims(), level: -1 })],
    ["whose level is beyond the range", "bad-level", () => rsa.sign({ ...goodClaims(), level: USER_LEVEL_MAX + 1 })],
    ["that somebody else has signed under the same key id", "bad-signature", () => other.sign()],
    ["whose key id nobody knows", "unknown-key", () => other.sign(goodClaims(), { kid: "elsewhere" })],
    ["whose claims were changed", "bad-signature", async () => tampered(await rsa.sign())],
    ["with alg none", "wrong-algorithm", async () => forged({ alg: "none" }, goodClaims())],
    ["with alg none and a signature", "wrong-algorithm", async () => forged({ alg: "none", kid: "rsa" }, goodClaims(), "AAAA")],
    ["with alg none, oddly spelled", "wrong-algorithm", async () => forged({ alg: "nOnE" }, goodClaims())],
    ["whose secret is the public key's PEM text", "wrong-algorithm", () => signWithSecret(goodClaims(), rsa.publicPem)],
    ["whose secret is the public key's JWK", "wrong-algorithm", () => signWithSecret(goodClaims(), JSON.stringify(rsa.publicJwk))],
    ["that brings its own key", "bad-signature", async () => withOwnKey()],
    ["that asks for an extension nobody knows", "malformed", async () => forged({ alg: "RS256", crit: ["x"], x: 1 }, goodClaims(), "AAAA")],
    ["whose claims are no object", "bad-signature", async () => forged({ alg: "RS256", kid: "rsa" }, [1], "AAAA")],
  ])("%s", async (_, reason, make) => {
    const token = await make();
    const shop = await Shop.withFile(setOf(rsa));
    expect(await shop.told(token)).toBe(`401 ${reason}`);
    // Refusals are not remembered as something else.
    expect(await shop.told(token)).toBe(`401 ${reason}`);
  });

  test("of HS256 made from the key file's own text, whatever form the file has", async () => {
    for (const text of [rsa.publicPem, JSON.stringify(rsa.publicJwk), setOf(rsa)]) {
      const shop = await Shop.withFile(text);
      for (const secret of [text, text.trim(), rsa.publicPem, rsa.publicJwk.n as string]) {
        expect(await shop.told(await signWithSecret(goodClaims(), secret))).toBe("401 wrong-algorithm");
      }
    }
  });

  test("of any other algorithm when the key is a shared secret", async () => {
    const shop = await Shop.withSecret();
    expect(await shop.told(await rsa.sign())).toBe("401 wrong-algorithm");
    expect(await shop.told(await signWithSecret(goodClaims(), `${SECRET} and longer, as long as HS512 wants it`, "HS512"))).toBe(
      "401 wrong-algorithm",
    );
    expect(await shop.told(await signWithSecret(goodClaims(), "a secret that the shop does not know of"))).toBe("401 bad-signature");
  });

  test("of an RSA algorithm that the key's kind does not stand for", async () => {
    const shop = await Shop.withFile(setOf(rsa));
    const pss = forged({ alg: "PS256", kid: "rsa" }, goodClaims(), "AAAA");
    expect(await shop.told(pss)).toBe("401 wrong-algorithm");
  });

  test("that names no key when several keys could have signed it", async () => {
    const [first, second] = await Promise.all([newSigner("EdDSA", "a"), newSigner("EdDSA", "b")]);
    const shop = await Shop.withFile(setOf(first, second));
    const { publicJwk, ...nameless } = first;
    expect(publicJwk.kid).toBe("a");
    const token = await nameless.sign(goodClaims(), { kid: undefined as unknown as string });
    expect(await shop.told(token)).toBe("401 ambiguous-key");
  });

  test("that is longer than the bound, and one that is as long is read", async () => {
    const shop = await Shop.withSecret();
    const padded = async (chars: number) => {
      const base = (await signWithSecret({ ...goodClaims(), pad: "" })).length;
      for (let pad = Math.floor(((chars - base) * 3) / 4) - 2; ; pad += 1) {
        const token = await signWithSecret({ ...goodClaims(), pad: "x".repeat(pad) });
        if (token.length >= chars) return token;
      }
    };
    const long = await padded(TOKEN_CHARS_MAX);
    expect(long.length).toBe(TOKEN_CHARS_MAX);
    expect(await shop.told(long)).toEqual(shopper("UID1", 5));
    expect(await shop.told(await padded(TOKEN_CHARS_MAX + 1))).toBe("401 too-long");
    expect(await shop.told("x".repeat(1_000_000))).toBe("401 too-long");
  });
});

describe("the header", () => {
  test("must be there, and without it nothing is called invalid", async () => {
    const told = await (await Shop.withSecret()).ask(null, user("UID1"));
    if (!("refusal" in told)) throw new Error("nobody was believed");
    expect(reasonOfRefusal(told)).toBe("no-token");
    expect(told.refusal.headers?.["www-authenticate"]).toBe('Bearer realm="doorbuster"');
  });

  test("says in the reply what was wrong, as a problem document and as RFC 6750 has it", async () => {
    const told = await (await Shop.withSecret()).ask(`Bearer ${await signWithSecret({ ...goodClaims(), exp: inSeconds(-60) })}`);
    if (!("refusal" in told)) throw new Error("an expired token was believed");
    expect(told.refusal.headers).toEqual({
      "content-type": "application/problem+json",
      "www-authenticate": 'Bearer error="invalid_token", error_description="the token has expired; get a new one"',
    });
    expect(JSON.parse(String(told.refusal.body))).toMatchObject({ status: 401, reason: "expired" });
  });

  test("may spell its scheme in any case", async () => {
    const told = await (await Shop.withSecret()).ask(`bEARER ${await signWithSecret()}`);
    expect(told).toEqual(shopper("UID1", 5));
  });

  test("must hold one token and nothing else", async () => {
    const shop = await Shop.withSecret();
    const token = await signWithSecret();
    const wrong = [
      "",
      token,
      `Basic ${token}`,
      `Bearer ${token}, Bearer ${token}`,
      `Bearer ${token} ${token}`,
      `Bearer ${token}.x`,
      "Bearer ",
    ];
    for (const header of wrong) expect(reasonOfRefusal(await shop.ask(header))).toBe("malformed");
  });

  test("of any kind gets an answer, and no one is believed who cannot sign", async () => {
    const shop = await Shop.withFile(setOf(rsa));
    const part = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.json().map((text) => Buffer.from(text).toString("base64url")),
      fc.constantFrom("RS256", "HS256", "none").map((alg) => Buffer.from(JSON.stringify({ alg, kid: "rsa" })).toString("base64url")),
    );
    const header = fc
      .tuple(fc.constantFrom("Bearer ", "bearer", ""), fc.array(part, { maxLength: 5 }))
      .map(([scheme, parts]) => scheme + parts.join("."));
    await fc.assert(
      fc.asyncProperty(header, async (text) => {
        expect(reasonOfRefusal(await shop.ask(text))).not.toBe("");
      }),
      { numRuns: 1_000, seed: 1 },
    );
  });
});

function reasonOfRefusal(told: Awaited<ReturnType<Shop["ask"]>>): string {
  if (!("refusal" in told)) return "";
  return (JSON.parse(String(told.refusal.body)) as { readonly reason: string }).reason;
}

function tampered(token: string): string {
  const [header, , signature] = token.split(".");
  return [header, Buffer.from(JSON.stringify({ ...goodClaims(), sub: "UID2" })).toString("base64url"), signature].join(".");
}

/** A token whose header holds the key that it was signed with, as RFC 7515 allows and nobody should believe. */
async function withOwnKey(): Promise<string> {
  return other.sign(goodClaims(), { ...{ jwk: other.publicJwk }, kid: "rsa" });
}
