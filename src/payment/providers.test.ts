import { describe, expect, test } from "bun:test";
import { NOTICE_SECRETS_MAX } from "../limits.ts";
import { openProviders } from "./providers.ts";

const clock = { now: () => 0, monotonicUs: () => 0 };
const SECRET = `whsec_${Buffer.from("a secret of thirty-two characters").toString("base64")}`;
const stripe = { secretKey: "sk_test_1", webhookSecrets: ["whsec_1"], baseUrl: null };
const generic = { name: "generic", redirectTemplate: "https://pay.example/{orderID}", secrets: [SECRET], refundUrl: null } as const;
const open = (settings: { readonly stripe?: object; readonly generic?: object }): string[] =>
  openProviders(
    {
      stripe: settings.stripe ? { ...stripe, ...settings.stripe } : null,
      generic: settings.generic ? { ...generic, ...settings.generic } : null,
    },
    globalThis.fetch,
    clock,
  ).map(({ name }) => name);

describe("the configured providers", () => {
  test("are none, one or both", () => {
    expect(open({})).toEqual([]);
    expect(open({ stripe: { baseUrl: new URL("http://localhost:12111") } })).toEqual(["stripe"]);
    expect(open({ stripe: {}, generic: {} })).toEqual(["stripe", "generic"]);
  });

  test("are refused at start when they could take money and never hear of it", () => {
    expect(() => open({ stripe: { webhookSecrets: [] } })).toThrow("stripe cannot be used: it needs a secret");
    expect(() => open({ generic: { secrets: [] } })).toThrow("it needs a secret");
    expect(() => open({ generic: { secrets: Array(NOTICE_SECRETS_MAX + 1).fill(SECRET) } })).toThrow("more than");
    expect(() => open({ generic: { secrets: ["not base64!"] } })).toThrow();
  });

  test("are refused at start when an address of theirs cannot be used", () => {
    for (const url of ["ftp://stripe.example", "https://stripe.example/v1", "https://user@stripe.example"])
      expect(() => open({ stripe: { baseUrl: new URL(url) } })).toThrow("base URL");
    expect(() => open({ generic: { redirectTemplate: "https://pay.example/" } })).toThrow("{orderID}");
    expect(() => open({ generic: { refundUrl: "pay.example/refunds" } })).toThrow("refund address");
  });
});
