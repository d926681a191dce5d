/** GateKeeper's route of the contract. What else a shopper may ask stands in `shopper-api.ts`. */
import Type, { type Static } from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { SessionIdSchema, SkuSchema, UserIdSchema } from "../../core/ids.ts";
import { PurchaseQuantity, UserLevel } from "../../core/quantity.ts";
import { type Reason, STEPS, type Step } from "../../core/reason.ts";
import { reply, throttled, unavailable } from "../../core/reply-schema.ts";
import { IDEMPOTENCY_KEY_CHARS_MAX } from "../../limits.ts";
import { IpAddressText } from "../safe-protector/api.ts";
import { refusalText, successText } from "./messages.ts";

const none = Type.Object({});

const BuyBody = Type.Object({
  // The gate makes the trace id, whatever the client sent.
  sessionID: Type.Optional(SessionIdSchema),
  clientIP: IpAddressText,
  userID: UserIdSchema,
  userLevel: UserLevel,
  goodsSKU: SkuSchema,
  goodsQuantity: PurchaseQuantity,
});
/** Where a signed token says who buys, the body need not; what it says of the user must be the token's, and the rest does not count. */
const TokenBuyBody = Type.Object({
  sessionID: Type.Optional(SessionIdSchema),
  clientIP: Type.Optional(IpAddressText),
  userID: Type.Optional(UserIdSchema),
  userLevel: Type.Optional(UserLevel),
  goodsSKU: SkuSchema,
  goodsQuantity: PurchaseQuantity,
});
export type BuyBody = Static<typeof TokenBuyBody>;

export const acceptLanguage = { "Accept-Language": Type.Optional(Type.String({ description: "en or zh: the language of messages" })) };

/** What a shopper's POST reads beside its body. The server checks the key itself: it may be quoted. */
export const ShopperHeaders = Type.Object({
  "Idempotency-Key": Type.Optional(
    Type.String({
      description: `1 to ${IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters, quoted or bare: the same key with the same request gets the first answer again`,
      maxLength: IDEMPOTENCY_KEY_CHARS_MAX + 2,
    }),
  ),
  ...acceptLanguage,
});

export const keyProblems = {
  409: "A request with this Idempotency-Key is on its way: ask again with the same key after `Retry-After`.",
  422: "This Idempotency-Key was used for another request.",
} as const;

const common = {
  reponseMsg: Type.String({ description: "for the shopper: what happened and what to do next" }),
  isThrottled: Type.Boolean(),
  version: Type.String(),
  sessionID: Type.String({ description: "the trace id of this purchase" }),
  step: Type.Enum(STEPS),
};
const Held = Type.Object({
  ...common,
  repResult: Type.Literal(true),
  reason: Type.Null(),
  hold: Type.Object({
    goodsSKU: SkuSchema,
    goodsQuantity: Type.Integer({ minimum: 1, description: "what this user has frozen of this SKU now" }),
    expiresAt: Type.Integer({ description: "when the hold ends, in unix ms" }),
  }),
});
const Refused = Type.Object({
  ...common,
  repResult: Type.Literal(false),
  reason: Type.String({ description: "why not: sold-out, limit-reached, level-too-low, blacklisted, not-started, ended, paused, ..." }),
  opensAt: Type.Optional(Type.Integer({ description: "with not-started: when the sale opens, in unix ms" })),
});

const sessionID = "7f3a91c04be85d2016e9a4b3c8d70512";
const refusedExample = (step: Step, reason: Reason) => ({
  ...{ reponseMsg: refusalText(reason, "en"), repResult: false, isThrottled: reason === "throttled", version: "1.0" },
  ...{ step, reason, sessionID },
});
const heldExample = {
  ...{ reponseMsg: successText(30 * 60_000, "en"), repResult: true, isThrottled: false, version: "1.0" },
  ...{ sessionID, step: "cart", reason: null },
  hold: { goodsSKU: "SKU0001", goodsQuantity: 1, expiresAt: 1_795_322_400_000 },
};

const buy = {
  name: "buy",
  method: "POST",
  path: "/buy",
  params: none,
  query: none,
  body: BuyBody,
  needsAdminKey: false,
  isForShoppers: true,
  headers: ShopperHeaders,
  summary: "Buys: freezes goods for a shopper until a deadline, or says why not.",
  replies: {
    200: reply("`repResult` tells which of the two it is.", Type.Union([Held, Refused]), heldExample),
    429: throttled(Refused, refusedExample("throttle", "throttled")),
    503: unavailable(
      "A step could not answer: nothing is frozen, or it is and ends at its deadline. Ask again with the same key.",
      Refused,
      refusedExample("cart", "cart-unavailable"),
    ),
  },
  problems: keyProblems,
  example: {
    body: {
      ...{ sessionID: "xxxx", clientIP: "202.100.100.1", userID: "UID0000000001", userLevel: 5 },
      ...{ goodsSKU: "SKU0001", goodsQuantity: 1 },
    },
  },
} satisfies Endpoint;

export const gateKeeperApi = { buy, buyWithToken: { ...buy, body: TokenBuyBody, needsToken: true } } satisfies Record<string, Endpoint>;
