/** The settings of what stands around the purchase: what may be left out, what belongs together, and what is refused, in which words. */
import { describe, expect, test } from "bun:test";
import { PAYMENT_WINDOW_MS_MAX } from "../limits.ts";
import { readSettings } from "./read.ts";
import { SHOP_SETTINGS, type ShopSettings } from "./shop.ts";

type Flags = Readonly<Record<string, unknown>>;

function shopOf(flags: Flags): ShopSettings {
  const read = readSettings({ flags, environment: {}, configFileText: null });
  if ("error" in read) throw new Error(read.error);
  return read.settings.shop;
}

function errorOf(flags: Flags): string {
  const read = readSettings({ flags, environment: {}, configFileText: null });
  if ("settings" in read) throw new Error("accepted");
  return read.error;
}

const isAccepted = (flags: Flags): boolean => "settings" in readSettings({ flags, environment: {}, configFileText: null });

const ADMIN_KEY = "correct-horse-battery";
const SECRET = "0123456789abcdef0123456789abcdef";
const WHSEC = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const WHSEC_OF_TOMORROW = `whsec_${Buffer.alloc(32, 2).toString("base64")}`;
const PAY_PAGE = "https://pay.example/{orderID}?sum={amountCents}&sig={signature}";
const jwt = { identity: "jwt", jwtSecret: SECRET };

test("a shop on this machine needs no setting: requests are trusted, prices are in dollars, nobody is asked for money", () => {
  expect(shopOf({})).toEqual({
    saleAvailability: "rough",
    currency: "usd",
    paymentWindowMs: 900_000,
    identity: { kind: "trusted", proxies: { trusted: [], header: "x-forwarded-for" } },
    isIdentityChosen: false,
    providers: { stripe: null, generic: null },
  });
});

describe("identity", () => {
  test("is trusted unless it is given, and it is known whether it was: who serves others by default has to be warned", () => {
    for (const flags of [{}, { host: "0.0.0.0", adminKey: ADMIN_KEY }])
      expect(shopOf(flags)).toMatchObject({ identity: { kind: "trusted" }, isIdentityChosen: false });
    expect(shopOf({ identity: "trusted" })).toMatchObject({ identity: { kind: "trusted" }, isIdentityChosen: true });
    expect(shopOf(jwt)).toMatchObject({ identity: { kind: "jwt" }, isIdentityChosen: true });
  });

  test("is trusted or jwt and nothing else", () => {
    expect(errorOf({ identity: "none" })).toBe('--identity: "none" is not known; give trusted or jwt');
  });

  const sources = { jwtSecret: SECRET, jwtKeyFile: "/etc/keys.json", jwtKeysUrl: "https://id.example/keys" };

  test("by token has one key: a secret, a file, or an address", () => {
    const keySourceOf = (flags: Flags): unknown => (shopOf({ identity: "jwt", ...flags }).identity as { keySource?: unknown }).keySource;
    expect(keySourceOf({ jwtSecret: SECRET })).toEqual({ kind: "secret", secret: SECRET });
    expect(keySourceOf({ jwtKeyFile: sources.jwtKeyFile })).toEqual({ kind: "file", path: sources.jwtKeyFile });
    expect(keySourceOf({ jwtKeysUrl: sources.jwtKeysUrl })).toEqual({ kind: "url", url: sources.jwtKeysUrl });
  });

  test("by token without a key, or with more than one, is refused: nobody could say which counts", () => {
    const message = "--identity jwt needs exactly one key: give one of --jwt-secret, --jwt-key-file, --jwt-keys-url";
    const { jwtSecret, jwtKeyFile, jwtKeysUrl } = sources;
    for (const keys of [{}, { jwtSecret, jwtKeyFile }, { jwtKeyFile, jwtKeysUrl }, { jwtSecret, jwtKeysUrl }, sources])
      expect(errorOf({ identity: "jwt", ...keys })).toBe(message);
  });

  test("by token reads the user from sub and the level from level, unless other claims are named", () => {
    expect(shopOf(jwt).identity).toMatchObject({ userClaim: "sub", levelClaim: "level", issuer: null, audience: null });
    const named = { ...jwt, jwtUserClaim: "uid", jwtLevelClaim: "tier", jwtIssuer: "https://id.example", jwtAudience: "shop" };
    expect(shopOf(named).identity).toMatchObject({
      userClaim: "uid",
      levelClaim: "tier",
      issuer: "https://id.example",
      audience: "shop",
    });
  });

  test.each([
    ["--jwt-secret", { jwtSecret: SECRET }],
    ["--jwt-key-file", { jwtKeyFile: "/etc/keys.json" }],
    ["--jwt-keys-url", { jwtKeysUrl: "https://id.example/keys" }],
    ["--jwt-issuer", { jwtIssuer: "https://id.example" }],
    ["--jwt-audience", { jwtAudience: "shop" }],
  ])("by trust refuses %s: whoever gives it believes that tokens are checked", (flag, given) => {
    const message = `${flag}: means nothing to a shop that trusts its requests; give --identity jwt too`;
    expect([errorOf(given), errorOf({ identity: "trusted", ...given })]).toEqual([message, message]);
  });

  test("knows proxies as addresses and ranges, with the header that they write", () => {
    const flags = { trustedProxies: "10.0.0.0/8, 192.0.2.7 ,::1", proxyHeader: "forwarded" };
    const { proxies } = shopOf(flags).identity;
    expect(proxies.header).toBe("forwarded");
    expect(proxies.trusted).toEqual(shopOf({ trustedProxies: "10.0.0.0/8,192.0.2.7/32,::1/128" }).identity.proxies.trusted);
    expect(proxies.trusted).toHaveLength(3);
    expect(shopOf({ ...flags, ...jwt }).identity.proxies).toEqual(proxies);
  });
});

describe("Stripe", () => {
  const stripe = { stripeSecretKey: "sk_test_0123456789", stripeWebhookSecrets: WHSEC };

  test("takes a key and the secrets of its notifications, and no address but its own", () => {
    expect(shopOf(stripe).providers.stripe).toEqual({
      secretKey: stripe.stripeSecretKey,
      webhookSecrets: [WHSEC],
      baseUrl: null,
    });
    const many = { ...stripe, stripeWebhookSecrets: `${WHSEC},${WHSEC_OF_TOMORROW}`, stripeUrl: "http://127.0.0.1:12111" };
    expect(shopOf(many).providers.stripe).toMatchObject({
      webhookSecrets: [WHSEC, WHSEC_OF_TOMORROW],
      baseUrl: new URL("http://127.0.0.1:12111"),
    });
  });

  test("without a secret for its notifications is refused: money would be taken, and nobody would get goods for it", () => {
    expect(errorOf({ stripeSecretKey: stripe.stripeSecretKey })).toBe(
      "--stripe-secret-key: without a secret no payment can be believed; give --stripe-webhook-secrets too",
    );
  });

  test.each([
    ["--stripe-webhook-secrets", { stripeWebhookSecrets: WHSEC }],
    ["--stripe-url", { stripeUrl: "http://127.0.0.1:12111" }],
  ])("without its key refuses %s: nothing would be paid through it", (flag, given) => {
    expect(errorOf(given)).toBe(`${flag}: means nothing without a key; give --stripe-secret-key too`);
  });
});

describe("any other provider", () => {
  const generic = { genericPayUrl: PAY_PAGE, genericSecrets: WHSEC };

  test("takes the address of its pay page and its secrets, and an address for refunds where it has one", () => {
    expect(shopOf(generic).providers.generic).toEqual({ name: "generic", redirectTemplate: PAY_PAGE, secrets: [WHSEC], refundUrl: null });
    const more = { ...generic, genericSecrets: `${WHSEC}, ${WHSEC_OF_TOMORROW}`, genericRefundUrl: "https://pay.example/refunds" };
    expect(shopOf(more).providers.generic).toMatchObject({
      secrets: [WHSEC, WHSEC_OF_TOMORROW],
      refundUrl: "https://pay.example/refunds",
    });
  });

  test("without a secret is refused", () => {
    expect(errorOf({ genericPayUrl: PAY_PAGE })).toBe(
      "--generic-pay-url: without a secret no payment can be believed; give --generic-secrets too",
    );
  });

  test.each([
    ["--generic-secrets", { genericSecrets: WHSEC }],
    ["--generic-refund-url", { genericRefundUrl: "https://pay.example/refunds" }],
  ])("without a pay page refuses %s", (flag, given) => {
    expect(errorOf(given)).toBe(`${flag}: means nothing without a pay page; give --generic-pay-url too`);
  });

  test("stands beside Stripe", () => {
    const { providers } = shopOf({ ...generic, stripeSecretKey: "sk_test_0123456789", stripeWebhookSecrets: WHSEC });
    expect([providers.stripe, providers.generic]).not.toContain(null);
  });
});

describe("bounds", () => {
  const withKey = { stripeSecretKey: "sk_test_0123456789" };
  const withSecrets = { genericSecrets: WHSEC };
  const accepted: [string, readonly unknown[], readonly unknown[], Flags?][] = [
    ["saleAvailability", ["rough", "exact"], ["", "some", "Rough"]],
    ["currency", ["usd", "EUR", "chf"], ["", "us", "dollars", "jpy", "krw", "isk", "mga", "bhd", "clf"]],
    ["paymentWindow", ["1s", "15m", "1h", `${PAYMENT_WINDOW_MS_MAX}ms`], ["0", "999ms", `${PAYMENT_WINDOW_MS_MAX + 1}ms`, "soon"]],
    ["jwtSecret", ["x".repeat(32), "x".repeat(4_096)], ["x".repeat(31), "x".repeat(4_097), `${SECRET} `, ""], { identity: "jwt" }],
    ["jwtKeyFile", ["keys.pem", "/etc/keys.json"], ["", "--identity", "a\nb"], { identity: "jwt" }],
    ["jwtKeysUrl", ["http://127.0.0.1/keys", "https://id.example/keys"], ["", "id.example", "file:///etc/keys"], { identity: "jwt" }],
    ["jwtIssuer", ["https://id.example", "me"], ["", "a b", "x".repeat(257)], jwt],
    ["jwtUserClaim", ["sub", "https://shop.example/user"], ["", "a b"], jwt],
    ["trustedProxies", ["10.0.0.1", "10.0.0.0/8,::1", "2001:db8::/32"], ["", "proxy", "10.0.0.0/33", "10.0.0.1,", "10.0.0.1;10.0.0.2"]],
    ["proxyHeader", ["x-forwarded-for", "forwarded"], ["", "x-real-ip"]],
    ["stripeWebhookSecrets", [WHSEC, `${WHSEC},${WHSEC_OF_TOMORROW}`], ["", "secret", `${WHSEC},`, "whsec_"], withKey],
    [
      "genericPayUrl",
      [PAY_PAGE, "https://pay.example/?o={orderID}"],
      ["", "https://pay.example/", "https://{orderID}/", `${PAY_PAGE}{card}`],
      withSecrets,
    ],
    ["genericSecrets", [WHSEC, WHSEC.slice(6)], ["", "short", `${WHSEC},`, `whsec_${"!".repeat(40)}`], { genericPayUrl: PAY_PAGE }],
  ];
  for (const [name, good, bad, others = {}] of accepted) {
    test(`${name} takes what is within its bounds and nothing else`, () => {
      for (const value of good)
        expect({ value, isAccepted: isAccepted({ ...others, [name]: value }) }).toEqual({ value, isAccepted: true });
      for (const value of bad)
        expect({ value, isAccepted: isAccepted({ ...others, [name]: value }) }).toEqual({ value, isAccepted: false });
    });
  }

  test("a currency without two decimals is refused with the reason: every price would be wrong by a factor", () => {
    expect(errorOf({ currency: "jpy" })).toBe(
      '--currency: "jpy" is a currency whose prices do not have two decimals, which ours have; give the ISO 4217 code of a currency with two decimals, for example eur',
    );
    expect(shopOf({ currency: "EUR" }).currency).toBe("eur");
  });

  test("a list of more than a hundred is refused", () => {
    const addresses = (count: number): string => Array.from({ length: count }, (_, index) => `10.0.0.${index}`).join(",");
    expect(isAccepted({ trustedProxies: addresses(100) })).toBe(true);
    expect(errorOf({ trustedProxies: addresses(101) })).toContain("has more than 100 entries");
  });
});

test("no message shows a secret, whichever is wrong", () => {
  const bad = "tiny secret, and wrong";
  const secrets = SHOP_SETTINGS.filter(({ kind }) => kind === "key").map(({ name }) => name);
  expect(secrets).toEqual(["jwtSecret", "stripeSecretKey", "stripeWebhookSecrets", "genericSecrets"]);
  const messages = [
    ...secrets.map((name) => errorOf({ [name]: bad })),
    ...secrets.map((name) => errorOf({ [name]: `${WHSEC},${bad}` })),
    // Good ones, in a combination that is refused.
    errorOf({ jwtSecret: SECRET }),
    errorOf({ ...jwt, jwtKeyFile: "/etc/keys.json" }),
    errorOf({ stripeSecretKey: "sk_test_0123456789" }),
    errorOf({ stripeWebhookSecrets: WHSEC }),
    errorOf({ genericSecrets: WHSEC }),
  ];
  for (const message of messages) for (const secret of [bad, SECRET, WHSEC, "sk_test_0123456789"]) expect(message).not.toContain(secret);
});
