/** The settings of what stands around the purchase: sales, who the shopper is, and how orders are paid. */
import { type CidrRange, parseCidrRange, parseIpAddress } from "../core/ip-address.ts";
import type { IdentitySettings, KeySource } from "../identity/identity.ts";
import { PAYMENT_WINDOW_MS_MAX } from "../limits.ts";
import { currencyOf } from "../payment/currency.ts";
import { redirectTemplateFault } from "../payment/generic-provider.ts";
import type { ProviderSettings } from "../payment/providers.ts";
import { choice, duration, flagOf, InvalidSetting, list, type Setting, tested, text } from "./kinds.ts";

export interface ShopSettings {
  readonly saleAvailability: "rough" | "exact";
  /** Lower-case ISO 4217. */
  readonly currency: string;
  readonly paymentWindowMs: number;
  readonly identity: IdentitySettings;
  /** Whether somebody has said so: who serves other machines and trusts them by default is warned. */
  readonly isIdentityChosen: boolean;
  readonly providers: ProviderSettings;
}

const ADDRESS = {
  pattern: /^https?:\/\/[^\s]{1,2000}$/,
  fault: "is no http or https address",
  allowed: "an http or https address",
} as const;
const SECRET = {
  pattern: /^[\x21-\x7e]{32,4096}$/,
  fault: "is no usable secret",
  allowed: "32 to 4096 visible ASCII characters without spaces",
} as const;
const WORD = {
  pattern: /^[\x21-\x7e]{1,256}$/,
  fault: "is not usable",
  allowed: "1 to 256 visible ASCII characters without spaces",
} as const;

const saleAvailability = choice("saleAvailability", ["rough", "exact"], {
  fallback: "rough",
  help: "How shoppers are told what is left of a sale: many, few or none, or the number.",
});
const currency = tested("currency", "text", {
  parse: (given) => {
    const read = currencyOf(given);
    return "fault" in read ? read : { value: read.currency };
  },
  allowed: "the ISO 4217 code of a currency with two decimals, for example eur",
  fallback: "usd",
  defaultText: "usd",
  help: "The currency of all prices.",
});
const paymentWindow = duration("paymentWindow", {
  min: 1_000,
  max: PAYMENT_WINDOW_MS_MAX,
  fallback: 15 * 60_000,
  help: "How long an order waits for its payment, where its sale says nothing else.",
});

const identity = choice("identity", ["trusted", "jwt"], {
  fallback: null,
  defaultText: "the request is believed (trusted); who serves other machines is warned",
  help: "Who the shopper is: trusted believes userID, userLevel and clientIP of the request, jwt believes a signed token alone.",
});
const jwtSecret = text("jwtSecret", "key", {
  ...SECRET,
  fallback: null,
  help: "The secret that tokens are signed with (HS256); better given as a variable or in the file.",
});
const jwtKeyFile = text("jwtKeyFile", "path", {
  pattern: /^(?!-)[^\p{Cc}]{1,4096}$/u,
  fault: "is no path",
  allowed: "the path of a PEM, JWK or JWK set file",
  fallback: null,
  help: "The public key that tokens are verified with (RS256, EdDSA); read again when it changes.",
});
const jwtKeysUrl = text("jwtKeysUrl", "text", {
  ...ADDRESS,
  fallback: null,
  help: "The address of a JWK set with the keys that tokens are verified with.",
});
const jwtIssuer = text("jwtIssuer", "text", { ...WORD, fallback: null, help: "Who must have issued a token (iss)." });
const jwtAudience = text("jwtAudience", "text", { ...WORD, fallback: null, help: "For whom a token must have been issued (aud)." });
const jwtUserClaim = text("jwtUserClaim", "text", { ...WORD, fallback: "sub", help: "The claim of a token that is the user." });
const jwtLevelClaim = text("jwtLevelClaim", "text", { ...WORD, fallback: "level", help: "The claim of a token that is the user's level." });
const trustedProxies = list<CidrRange>("trustedProxies", "text", {
  parse: (given) => {
    const address = parseIpAddress(given);
    const range = parseCidrRange(address === null ? given : `${address}/${address.includes(":") ? 128 : 32}`);
    return range ? { value: range } : { fault: "is no address or CIDR range" };
  },
  allowed: "addresses or CIDR ranges, separated by commas",
  help: "The proxies in front of the gate whose word on the client's address counts.",
});
const proxyHeader = choice("proxyHeader", ["x-forwarded-for", "forwarded"], {
  fallback: "x-forwarded-for",
  help: "The header in which they give it.",
});

const stripeSecretKey = text("stripeSecretKey", "key", {
  ...WORD,
  fallback: null,
  help: "The secret key of a Stripe account; with it, orders are paid through Stripe.",
});
const stripeWebhookSecrets = list<string>("stripeWebhookSecrets", "key", {
  parse: (given) => (/^whsec_[\x21-\x7e]{8,512}$/.test(given) ? { value: given } : { fault: "is no endpoint secret" }),
  allowed: "the endpoint's secrets (whsec_...), separated by commas",
  help: "What Stripe signs its notifications to /payments/stripe with; several while one is replaced.",
});
const stripeUrl = text("stripeUrl", "text", {
  ...ADDRESS,
  fallback: null,
  help: "Another address than Stripe's own, for a proxy or a double.",
});
const genericPayUrl = tested("genericPayUrl", "text", {
  parse: (given) => {
    const fault = redirectTemplateFault(given);
    return fault === null ? { value: given } : { fault };
  },
  allowed: "an address with {orderID}, and {amount}, {amountCents}, {currency}, {payUntil}, {signature} where they are wanted",
  fallback: null,
  defaultText: "none",
  help: "The pay page of any other provider; with it, orders are paid there.",
});
const genericSecrets = list<string>("genericSecrets", "key", {
  parse: (given) => (/^(whsec_)?[A-Za-z0-9+/]{32,512}={0,2}$/.test(given) ? { value: given } : { fault: "is no secret" }),
  allowed: "base64 secrets of 24 bytes or more (whsec_...), separated by commas",
  help: "What that provider signs its notifications to /payments/generic with (Standard Webhooks); several while one is replaced.",
});
const genericRefundUrl = text("genericRefundUrl", "text", {
  ...ADDRESS,
  fallback: null,
  help: "Where that provider takes requests for refunds; without it, they are made by hand.",
});

export const SHOP_SETTINGS: readonly Setting<unknown>[] = [
  ...[saleAvailability, currency, paymentWindow],
  ...[identity, jwtSecret, jwtKeyFile, jwtKeysUrl, jwtIssuer, jwtAudience, jwtUserClaim, jwtLevelClaim, trustedProxies, proxyHeader],
  ...[stripeSecretKey, stripeWebhookSecrets, stripeUrl, genericPayUrl, genericSecrets, genericRefundUrl],
];

type Pick = <T>(setting: Setting<T>) => T;

export function shopSettingsFrom(pick: Pick): ShopSettings {
  return {
    saleAvailability: pick(saleAvailability),
    currency: pick(currency),
    paymentWindowMs: pick(paymentWindow),
    identity: identityFrom(pick),
    isIdentityChosen: pick(identity) !== null,
    providers: { stripe: stripeFrom(pick), generic: genericFrom(pick) },
  };
}

function identityFrom(pick: Pick): IdentitySettings {
  const kind = pick(identity) ?? "trusted";
  const proxies = { trusted: pick(trustedProxies), header: pick(proxyHeader) };
  const tokenSettings = [jwtSecret, jwtKeyFile, jwtKeysUrl, jwtIssuer, jwtAudience];
  const given = tokenSettings.find((setting) => pick<unknown>(setting) !== null);
  if (kind === "trusted") {
    if (given)
      throw new InvalidSetting(`${flagOf(given)}: means nothing to a shop that trusts its requests; give ${flagOf(identity)} jwt too`);
    return { kind, proxies };
  }
  return {
    kind,
    proxies,
    keySource: keySourceFrom(pick),
    issuer: pick(jwtIssuer),
    audience: pick(jwtAudience),
    userClaim: pick(jwtUserClaim),
    levelClaim: pick(jwtLevelClaim),
  };
}

function keySourceFrom(pick: Pick): KeySource {
  const [secret, path, url] = [pick(jwtSecret), pick(jwtKeyFile), pick(jwtKeysUrl)];
  const sources: KeySource[] = [
    ...(secret === null ? [] : [{ kind: "secret", secret } as const]),
    ...(path === null ? [] : [{ kind: "file", path } as const]),
    ...(url === null ? [] : [{ kind: "url", url } as const]),
  ];
  const [source] = sources;
  if (source && sources.length === 1) return source;
  const names = [jwtSecret, jwtKeyFile, jwtKeysUrl].map(flagOf).join(", ");
  throw new InvalidSetting(`${flagOf(identity)} jwt needs exactly one key: give one of ${names}`);
}

function stripeFrom(pick: Pick): ProviderSettings["stripe"] {
  const secretKey = pick(stripeSecretKey);
  const webhookSecrets = pick(stripeWebhookSecrets);
  const url = pick(stripeUrl);
  if (secretKey === null) {
    const lost = webhookSecrets.length > 0 ? stripeWebhookSecrets : url === null ? null : stripeUrl;
    if (lost) throw new InvalidSetting(`${flagOf(lost)}: means nothing without a key; give ${flagOf(stripeSecretKey)} too`);
    return null;
  }
  if (webhookSecrets.length === 0)
    throw new InvalidSetting(
      `${flagOf(stripeSecretKey)}: without a secret no payment can be believed; give ${flagOf(stripeWebhookSecrets)} too`,
    );
  return { secretKey, webhookSecrets, baseUrl: url === null ? null : new URL(url) };
}

function genericFrom(pick: Pick): ProviderSettings["generic"] {
  const redirectTemplate = pick(genericPayUrl);
  const [first, ...others] = pick(genericSecrets);
  const refundUrl = pick(genericRefundUrl);
  if (redirectTemplate === null) {
    const lost = first !== undefined ? genericSecrets : refundUrl === null ? null : genericRefundUrl;
    if (lost) throw new InvalidSetting(`${flagOf(lost)}: means nothing without a pay page; give ${flagOf(genericPayUrl)} too`);
    return null;
  }
  if (first === undefined)
    throw new InvalidSetting(`${flagOf(genericPayUrl)}: without a secret no payment can be believed; give ${flagOf(genericSecrets)} too`);
  return { name: "generic", redirectTemplate, secrets: [first, ...others], refundUrl };
}
