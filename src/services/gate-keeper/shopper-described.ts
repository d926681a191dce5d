/** What is said of each operation of the shopper's door beside its route. */
import Type from "typebox";
import { SkuSchema, UserIdSchema } from "../../core/ids.ts";
import { Price, PurchaseQuantity } from "../../core/quantity.ts";
import { listOf, noContent, reply } from "../../core/reply-schema.ts";
import {
  cancelledExample,
  nothingToOrder,
  OrderDocument,
  OrderWithPayment,
  orderEnded,
  orderExample,
  orderWithPaymentExample,
  unknownOrder,
} from "../../orders/described.ts";
import { saleHeadExample, saleHeadFields, saleItemFields, salePlanExample } from "../../sales/described.ts";
import { acceptLanguage, keyProblems, ShopperHeaders } from "./api.ts";

const serverNow = Type.Integer({ description: "this server's clock, in unix ms, to set one's own by" });
const Availability = Type.Union([
  Type.Enum(["many", "few", "none"]),
  Type.Integer({ minimum: 0, description: "exactly, where the shop tells it" }),
]);
const BoardSale = Type.Object({
  ...saleHeadFields,
  items: Type.Array(Type.Object({ ...saleItemFields, availability: Availability })),
});
/** The public board. */
export const BoardDocument = Type.Object({ serverNow, sales: Type.Array(BoardSale) });
const OneSale = Type.Object({ serverNow, ...BoardSale.properties });
const Cart = Type.Object({
  userID: UserIdSchema,
  items: Type.Array(
    Type.Object({
      goodsSKU: SkuSchema,
      goodsQuantity: PurchaseQuantity,
      goodsPrice: Price,
      expiresAt: Type.Integer({ description: "when the hold ends, in unix ms" }),
    }),
  ),
  serverNow,
});

const ifNoneMatch = { "If-None-Match": Type.Optional(Type.String({ description: "the ETag of what one has" })) };
const tagged = { ETag: "To ask with `If-None-Match` the next time.", "Cache-Control": "no-store: a kept copy would tell an old time." };
const notModified = {
  304: {
    ...noContent("Nothing of it has changed but the time."),
    headers: { ...tagged, "Server-Now": "This server's clock, in unix ms: what `serverNow` is in a body." },
  },
};
const onBoard = { ...saleHeadExample, items: [{ ...salePlanExample.items[0], availability: "many" }] };
const now = 1_795_320_600_000;
const cartExample = {
  userID: orderExample.userID,
  items: [{ goodsSKU: "SKU0001", goodsQuantity: 1, goodsPrice: 45.9, expiresAt: 1_795_322_400_000 }],
  serverNow: now,
};
const { orderID, amount, currency } = orderExample;
/** As the generic provider sends it, after Standard Webhooks. */
const paidNotification = JSON.stringify({
  ...{ type: "payment.paid", timestamp: "2026-11-22T10:00:03.120Z" },
  data: { orderID, paymentID: "pay_3PqX2eHk1", amount, currency },
});
const ofUser = { userID: orderExample.userID };
const mine = { params: { id: orderExample.orderID }, query: ofUser };
const shoppers = { isForShoppers: true } as const;
const keyed = { ...shoppers, headers: ShopperHeaders } as const;

export const shopperDescribed = {
  sales: {
    summary: "What is on sale, what will be, and what was lately.",
    headers: Type.Object(ifNoneMatch),
    replies: {
      200: {
        ...reply("The board.", BoardDocument, { serverNow: now, sales: [onBoard] }),
        headers: tagged,
      },
      ...notModified,
    },
  },
  sale: {
    summary: "One sale, with what is left of its goods.",
    headers: Type.Object({ ...ifNoneMatch, ...acceptLanguage }),
    replies: { 200: { ...reply("The sale.", OneSale, { serverNow: now, ...onBoard }), headers: tagged }, ...notModified },
    problems: { 404: "There is no such sale." },
    example: { params: { id: salePlanExample.id } },
  },
  cart: {
    ...shoppers,
    summary: "The shopper's cart.",
    replies: { 200: reply("What is frozen for them now.", Cart, cartExample) },
    example: { query: ofUser },
  },
  removeFromCart: {
    ...shoppers,
    summary: "Releases what the shopper has frozen of one SKU.",
    replies: { 200: reply("What is left in the cart.", Cart, { ...cartExample, items: [] }) },
    example: { params: { sku: "SKU0001" }, query: ofUser },
  },
  placeOrder: {
    ...keyed,
    summary: "Makes one order of the shopper's holds, all or those named, with one payment deadline and the prices of this moment.",
    replies: { 201: reply("The order, and what its payment needs.", OrderWithPayment, orderWithPaymentExample) },
    problems: { ...keyProblems, 409: `${nothingToOrder} With \`Retry-After\`: ${keyProblems[409]}` },
    example: { body: { ...ofUser, goodsSKUs: ["SKU0001"] } },
  },
  orders: {
    ...shoppers,
    summary: "The shopper's orders, newest first, or a page of them.",
    replies: { 200: listOf("The orders.", OrderDocument, [orderExample]) },
    example: { query: ofUser },
  },
  order: {
    ...shoppers,
    summary: "One order of the shopper.",
    headers: Type.Object(acceptLanguage),
    replies: { 200: reply("The order.", OrderDocument, orderExample) },
    problems: { 404: unknownOrder },
    example: mine,
  },
  cancelOrder: {
    ...keyed,
    summary: "Ends the shopper's unpaid order; its goods are free at that instant.",
    replies: { 200: reply("It is cancelled.", OrderDocument, cancelledExample) },
    problems: { ...keyProblems, 404: unknownOrder, 409: `${orderEnded} With \`Retry-After\`: ${keyProblems[409]}` },
    example: { params: mine.params, body: ofUser },
  },
  startPayment: {
    ...keyed,
    summary: "Starts the payment of an unpaid order, or gives what was started before.",
    replies: { 200: reply("The order, and what its payment needs.", OrderWithPayment, orderWithPaymentExample) },
    problems: { ...keyProblems, 404: unknownOrder, 409: `${orderEnded} With \`Retry-After\`: ${keyProblems[409]}` },
    example: { params: mine.params, body: ofUser },
  },
  notifyPayment: {
    summary: "Where payment providers report; their signature over the raw body tells who they are.",
    replies: { 200: reply("It is dealt with, durably.", Type.Object({ received: Type.Boolean() }), { received: true }) },
    problems: { 404: "There is no such payment provider here." },
    example: { params: { provider: "generic" }, body: paidNotification },
  },
} as const;
