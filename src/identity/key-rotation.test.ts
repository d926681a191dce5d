/** Keys that change, go away or cannot be read, as shoppers with tokens feel it. */
import { describe, expect, spyOn, test } from "bun:test";
import type { JWTPayload } from "jose";
import { goodClaims, inSeconds, KeyPlace, newSigner, Shop, setOf, signWithSecret } from "../../test/signed-tokens.ts";
import { Failure } from "../core/failure.ts";
import { KEYS_FRESH_MS, KEYS_REREAD_MS_MIN, VERIFICATIONS_IN_FLIGHT_MAX, VERIFIED_TOKEN_MS_MAX } from "../limits.ts";

const [first, second] = await Promise.all([newSigner("EdDSA", "first"), newSigner("EdDSA", "second")]);

const longLived = (sub = "UID1"): JWTPayload => ({ ...goodClaims(), sub, exp: inSeconds(24 * 3_600) });

async function shopOf(text: string) {
  const place = new KeyPlace(text);
  return { place, shop: await Shop.withUrl(place) };
}

const failureOf = async (asking: Promise<unknown>): Promise<string> => {
  const error = await asking.catch((thrown: unknown) => thrown);
  return error instanceof Failure ? `${error.code}, outcome ${error.outcomeKnown ? "known" : "unknown"}` : `no failure: ${String(error)}`;
};

describe("a verified token", () => {
  test("is answered at once when it comes again", async () => {
    const { shop } = await shopOf(setOf(first));
    const header = `Bearer ${await first.sign()}`;
    expect(shop.ask(header)).toBeInstanceOf(Promise);
    await shop.ask(header);
    expect(shop.ask(header)).toMatchObject({ userId: "UID1", userLevel: 5 });
  });

  test("that is still being checked is checked once for all who ask", async () => {
    const { shop } = await shopOf(setOf(first));
    const header = `Bearer ${await first.sign()}`;
    const checks = spyOn(crypto.subtle, "verify");
    try {
      const [one, two] = await Promise.all([shop.ask(header), shop.ask(header, { userLevel: 9 })]);
      expect(one).toMatchObject({ userId: "UID1" });
      expect(one).toEqual(two);
      expect(checks).toHaveBeenCalledTimes(1);
    } finally {
      checks.mockRestore();
    }
  });

  test("ends at its own end, at once", async () => {
    const shop = await Shop.withSecret();
    const token = await signWithSecret({ ...goodClaims(), exp: inSeconds(20) });
    expect(await shop.told(token)).toMatchObject({ userId: "UID1" });
    shop.pass(25_000);
    expect(await shop.told(token)).toBe("401 expired");
  });

  test("is still known when its keys have become old, were read again, and are the same in another order", async () => {
    const { shop, place } = await shopOf(setOf(first, second));
    const header = `Bearer ${await first.sign(longLived())}`;
    await shop.ask(header);
    place.text = setOf(second, first);
    shop.pass(VERIFIED_TOKEN_MS_MAX);
    expect(await shop.told(await second.sign(longLived("UID2")))).toMatchObject({ userId: "UID2" });
    expect(place.readings).toBe(2);
    expect(shop.ask(header)).toMatchObject({ userId: "UID1" });
  });

  test("beyond the bound of checks under way is a failure, and a known one is not", async () => {
    const { shop } = await shopOf(setOf(first));
    const known = `Bearer ${await first.sign()}`;
    await shop.ask(known);
    const underWay = Array.from({ length: VERIFICATIONS_IN_FLIGHT_MAX }, (_, index) => shop.ask(`Bearer ${index}`));
    expect(await failureOf(Promise.resolve(shop.ask("Bearer one.too.many")))).toBe("overloaded, outcome known");
    expect(shop.ask(known)).toMatchObject({ userId: "UID1" });
    await Promise.all(underWay);
    expect(await shop.told(await second.sign())).toBe("401 unknown-key");
  });
});

describe("a key that is taken away", () => {
  test("ends its tokens within the bound, however often they are used, and the new key's are good", async () => {
    const { shop, place } = await shopOf(setOf(first));
    const token = await first.sign(longLived());
    await shop.told(token);
    place.text = setOf(second);
    const stepMs = 1_000;
    let goodForMs = 0;
    for (; typeof (await shop.told(token)) !== "string"; goodForMs += stepMs) shop.pass(stepMs);
    expect(goodForMs).toBeLessThanOrEqual(VERIFIED_TOKEN_MS_MAX);
    expect(await shop.told(token)).toBe("401 unknown-key");
    expect(await shop.told(await second.sign(longLived()))).toMatchObject({ userId: "UID1" });
  });

  test("ends its tokens within the bound counted from when the keys were asked for, however long the answer took", async () => {
    const { shop, place } = await shopOf(setOf(first));
    const token = await first.sign(longLived());
    await shop.told(token);
    shop.pass(VERIFIED_TOKEN_MS_MAX);
    place.whileReading = () => shop.pass(10_000);
    await shop.told(token);
    place.whileReading = () => undefined;
    place.text = setOf(second);
    shop.pass(VERIFIED_TOKEN_MS_MAX - 10_000);
    expect(await shop.told(token)).toBe("401 unknown-key");
  });

  test("ends its tokens within the bound when nobody has asked meanwhile", async () => {
    const { shop, place } = await shopOf(setOf(first));
    const token = await first.sign(longLived());
    await shop.told(token);
    place.text = setOf(second);
    shop.pass(VERIFIED_TOKEN_MS_MAX);
    expect(await shop.told(token)).toBe("401 unknown-key");
  });

  test("and comes back under its old id with another value ends its tokens too", async () => {
    const impostor = await newSigner("EdDSA", "first");
    const { shop, place } = await shopOf(setOf(first));
    const token = await first.sign(longLived());
    await shop.told(token);
    place.text = setOf(impostor);
    shop.pass(VERIFIED_TOKEN_MS_MAX);
    expect(await shop.told(token)).toBe("401 bad-signature");
  });
});

describe("a key that is new", () => {
  test("is read when the first token names it", async () => {
    const { shop, place } = await shopOf(setOf(first));
    place.text = setOf(first, second);
    shop.pass(KEYS_REREAD_MS_MIN);
    expect(await shop.told(await second.sign())).toMatchObject({ userId: "UID1" });
    expect(place.readings).toBe(2);
  });

  test("is not looked for more often than the bound allows, whoever names keys that nobody has", async () => {
    const { shop, place } = await shopOf(setOf(first));
    shop.pass(KEYS_REREAD_MS_MIN);
    const strangers = await Promise.all(Array.from({ length: 50 }, (_, index) => second.sign(goodClaims(), { kid: `stranger ${index}` })));
    expect(new Set(await Promise.all(strangers.map((token) => shop.told(token))))).toEqual(new Set(["401 unknown-key"]));
    expect(place.readings).toBe(2);
    shop.pass(KEYS_REREAD_MS_MIN - 1);
    expect(await shop.told(strangers[0] as string)).toBe("401 unknown-key");
    expect(place.readings).toBe(2);
    shop.pass(1);
    await shop.told(strangers[0] as string);
    expect(place.readings).toBe(3);
  });
});

describe("keys that cannot be read", () => {
  test("are read ahead of time, while the old ones still count", async () => {
    const { shop, place } = await shopOf(setOf(first));
    const token = await first.sign(longLived());
    await shop.told(token);
    shop.pass(KEYS_FRESH_MS + 1);
    expect(shop.ask(`Bearer ${token}`)).not.toBeInstanceOf(Promise);
    expect(place.readings).toBe(2);
  });

  test("leave the last ones in force up to the bound; then nobody can say, until they can be read again", async () => {
    const { shop, place } = await shopOf(setOf(first));
    const token = await first.sign(longLived());
    await shop.told(token);
    place.isReachable = false;
    shop.pass(VERIFIED_TOKEN_MS_MAX - 1);
    expect(await shop.told(token)).toMatchObject({ userId: "UID1" });
    shop.pass(1);
    expect(await failureOf(shop.told(token))).toBe("keys-unavailable, outcome known");
    expect(await failureOf(shop.told(await first.sign(longLived("UID2"))))).toBe("keys-unavailable, outcome known");
    place.isReachable = true;
    shop.pass(KEYS_REREAD_MS_MIN);
    expect(await shop.told(token)).toMatchObject({ userId: "UID1" });
    expect(shop.reports).toEqual([
      "the keys for signed tokens cannot be read: nobody answers",
      "the keys for signed tokens can be read again",
    ]);
  });

  test("make a token of an unknown key a failure, not a refusal: it may be the new one", async () => {
    const { shop, place } = await shopOf(setOf(first));
    place.isReachable = false;
    shop.pass(KEYS_REREAD_MS_MIN);
    expect(await failureOf(shop.told(await second.sign()))).toBe("keys-unavailable, outcome known");
    expect(await shop.told(await first.sign())).toMatchObject({ userId: "UID1" });
  });

  test("at start do not keep the shop from starting, when they lie on another machine", async () => {
    const place = new KeyPlace(setOf(first));
    place.isReachable = false;
    const shop = await Shop.withUrl(place);
    expect(shop.reports).toEqual(["the key set for signed tokens: nobody answers"]);
    expect(await failureOf(shop.told(await first.sign()))).toBe("keys-unavailable, outcome known");
    place.isReachable = true;
    shop.pass(KEYS_REREAD_MS_MIN);
    expect(await shop.told(await first.sign())).toMatchObject({ userId: "UID1" });
  });

  test("because their text is damaged leave the last ones in force too", async () => {
    const { shop, place } = await shopOf(setOf(first));
    place.text = '{"keys":[';
    shop.pass(KEYS_FRESH_MS + 1);
    expect(await shop.told(await first.sign())).toMatchObject({ userId: "UID1" });
    expect(await shop.told(await first.sign(longLived("UID2")))).toMatchObject({ userId: "UID2" });
    expect(shop.reports).toEqual(["the keys for signed tokens cannot be read: not JSON"]);
  });
});
