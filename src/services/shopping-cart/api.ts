/** ShoppingCart's routes, as in the contract. None needs the admin key: explicit release is always possible. */
import Type from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { SessionIdSchema, SkuSchema, UserIdSchema } from "../../core/ids.ts";
import { PurchaseQuantity, StockQuantity } from "../../core/quantity.ts";
import { reply, throttled, unavailable } from "../../core/reply-schema.ts";

const none = Type.Object({});
const CartBody = Type.Object({
  sessionID: SessionIdSchema,
  userID: UserIdSchema,
  goodsSKU: SkuSchema,
  goodsQuantity: PurchaseQuantity,
  // Accepted and ignored: the ledger's own figure decides.
  totalQuantity: Type.Optional(StockQuantity),
  quantityLimit: Type.Optional(StockQuantity),
});
const userPath = Type.Object({ uid: UserIdSchema });
const read = { method: "GET", query: none, body: null, needsAdminKey: false } as const;

const ExpiresAt = Type.Integer({ description: "the end of the hold, in unix ms" });
const Verdict = Type.Object({
  sessionID: SessionIdSchema,
  userID: UserIdSchema,
  goodsSKU: SkuSchema,
  goodsQuantity: Type.Integer({ minimum: 0, description: "frozen for the user now; asked for, when it is refused" }),
  isAllowed: Type.Boolean(),
  isThrottled: Type.Boolean(),
  version: Type.String(),
  expiresAt: Type.Optional(ExpiresAt),
  reason: Type.Optional(Type.String({ description: "why not: sold-out, limit-reached, unknown-goods, throttled, ..." })),
});
const CartLines = Type.Array(
  Type.Object({
    sessionID: SessionIdSchema,
    userID: UserIdSchema,
    goodsSKU: SkuSchema,
    goodsQuantity: PurchaseQuantity,
    totalQuantity: Type.Literal(0),
    quantityLimit: Type.Literal(0),
    expiresAt: ExpiresAt,
  }),
);

const bodyExample = {
  ...{ sessionID: "113e5d875f81", userID: "UID0000000001", goodsSKU: "SKU0002", goodsQuantity: 1 },
  ...{ totalQuantity: 990_000, quantityLimit: 5 },
};
const asked = { sessionID: "113e5d875f81", userID: "UID0000000001", goodsSKU: "SKU0002", goodsQuantity: 1 };
const heldExample = { ...asked, isAllowed: true, isThrottled: false, version: "1.0", expiresAt: 1_795_322_400_000 };
const refusedExample = { ...asked, isAllowed: false, isThrottled: true, version: "1.0", reason: "throttled" };
const unavailableExample = { ...refusedExample, isThrottled: false, reason: "cart-unavailable" };
const cartReplies = {
  200: reply("Frozen until `expiresAt`, or refused with a `reason`.", Verdict, heldExample),
  429: throttled(Verdict, refusedExample),
  503: unavailable("The ledger could not answer: nothing is frozen, or it is and ends at its deadline.", Verdict, unavailableExample),
};
const linesExample = [{ ...asked, totalQuantity: 0, quantityLimit: 0, expiresAt: 1_795_322_400_000 }];

export const shoppingCartApi = {
  doAddGoodsToCart: {
    name: "doAddGoodsToCart",
    method: "POST",
    path: "/add",
    params: none,
    query: none,
    body: CartBody,
    needsAdminKey: false,
    summary: "Freezes goods for a user; the same SKU again adds to what is frozen, until the same deadline.",
    replies: cartReplies,
    example: { body: bodyExample },
  },
  updateGoodsInCart: {
    name: "updateGoodsInCart",
    method: "PUT",
    path: "/update",
    params: none,
    query: none,
    body: CartBody,
    needsAdminKey: false,
    summary: "Sets how many a user has frozen; the difference is frozen or released in one step.",
    replies: cartReplies,
    problems: { 404: "The user has no live hold of that SKU: nothing revives what has expired." },
    example: { body: bodyExample },
  },
  findAllItemsByUserID: {
    ...read,
    name: "findAllItemsByUserID",
    path: "/all/userid/{uid}",
    params: userPath,
    summary: "A user's cart.",
    replies: { 200: reply("What is frozen for the user now.", CartLines, linesExample) },
    example: { params: { uid: "UID0000000001" } },
  },
  getGoodsByUidSKU: {
    ...read,
    name: "getGoodsByUidSKU",
    path: "/sid/{sid}/userid/{uid}/sku/{sku}",
    params: Type.Object({ sid: SessionIdSchema, uid: UserIdSchema, sku: SkuSchema }),
    summary: "How many of one SKU a user has frozen.",
    replies: {
      200: reply("`isAllowed` tells whether there is a live hold.", Verdict, {
        ...{ sessionID: "SID000001", userID: "UID0000000001", goodsSKU: "SKU0002", goodsQuantity: 0 },
        ...{ isAllowed: false, isThrottled: false, version: "1.0" },
      }),
    },
    example: { params: { sid: "SID000001", uid: "UID0000000001", sku: "SKU0002" } },
  },
  removeGoodsInCart: {
    name: "removeGoodsInCart",
    method: "DELETE",
    path: "/delete/userid/{uid}/sku/{sku}",
    params: Type.Object({ uid: UserIdSchema, sku: SkuSchema }),
    query: none,
    body: null,
    needsAdminKey: false,
    summary: "Releases what a user has frozen of one SKU.",
    replies: { 200: reply("What is left in the cart.", CartLines, []) },
    example: { params: { uid: "UID0000000001", sku: "SKU0002" } },
  },
} satisfies Record<string, Endpoint>;
