import { describe, expect, test } from "bun:test";
import { NOTICE_SECRETS_MAX } from "../limits.ts";
import { openProviders } from "./providers.ts";

const clock = { now: () => 0, monotonicUs: () => 0 };
const SECRET = `whsec_${Buffer.from("a secret of thirty-two characters").toString("base64")}`;
const stripe = { secretKey: "sk_test_1", webhookSecrets: ["whsec_1"], baseUrl: null };
const generic = { name: "generic", redirectTemplate: "https://pay.example/{orderID}", secrets: [SECRET], refundUrl: null } as const;
const open = async (settings: { readonly stripe?: object; readonly generic?: object }): Promise<string[]> => {
  const providers = await openProviders(
    {
      stripe: settings.stripe ? { ...stripe, ...settings.stripe } : null,
      generic: settings.generic ? { ...generic, ...settings.generic } : null,
    },
    globalThis.fetch,
    clock,
  );
  return providers.map(({ name }) => name);
};

describe("the configured providers", () => {
  test("are none, one or both", async () => {
    expect(await open({})).toEqual([]);
    expect(await open({ stripe: { baseUrl: new URL("http://localhost:12111") } })).toEqual(["stripe"]);
    expect(await open({ stripe: {}, generic: {} })).toEqual(["stripe", "generic"]);
  });

  test("are refused at start when they could take money and never hear of it", async () => {
    await expect(open({ stripe: { webhookSecrets: [] } })).rejects.toThrow("stripe cannot be used: it needs a secret");
    await expect(open({ generic: { secrets: [] } })).rejects.toThrow("it needs a secret");
    await expect(open({ generic: { secrets: Array(NOTICE_SECRETS_MAX + 1).fill(SECRET) } })).rejects.toThrow("more than");
    await expect(open({ generic: { secrets: ["not base64!"] } })).rejects.toThrow();
  });

  test("are refused at start when an address of theirs cannot be used", async () => {
    for (const url of ["ftp://stripe.example", "https://stripe.example/v1", "https://user@stripe.example"])
      await expect(open({ stripe: { baseUrl: new URL(url) } })).rejects.toThrow("base URL");
    await expect(open({ generic: { redirectTemplate: "https://pay.example/" } })).rejects.toThrow("{orderID}");
    await expect(open({ generic: { refundUrl: "pay.example/refunds" } })).rejects.toThrow("refund address");
  });
});
