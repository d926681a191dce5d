/**
 * The shopper's door besides `buy`: what is on sale, their cart, their orders, and where payment providers report. Who the shopper is comes from
 * the token; in trusted mode from `userID` in the query or the body.
 */
import Type from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { OrderIdSchema, SaleIdSchema, SkuSchema, UserIdSchema } from "../../core/ids.ts";
import { PageLimit } from "../../core/paging.ts";
import { UserLevel } from "../../core/quantity.ts";
import { OrderedSkus, orderPath, ProviderName } from "../../orders/api.ts";
import { shopperDescribed as described } from "./shopper-described.ts";

const none = Type.Object({});
/** Needed in trusted mode; with a token it may be left out, and must be the token's otherwise. */
const userID = Type.Optional(UserIdSchema);
const ofUser = Type.Object({ userID });
const read = { method: "GET", params: none, query: none, body: null, needsAdminKey: false } as const;
const post = { method: "POST", query: none, needsAdminKey: false } as const;

export const shopperApi = {
  sales: { ...read, ...described.sales, name: "sales", path: "/sales" },
  sale: {
    ...read,
    ...described.sale,
    name: "sale",
    path: "/sales/{id}",
    params: Type.Object({ id: SaleIdSchema }),
  },
  cart: { ...read, ...described.cart, name: "cart", path: "/cart", query: ofUser },
  removeFromCart: {
    ...read,
    ...described.removeFromCart,
    name: "removeFromCart",
    method: "DELETE",
    path: "/cart/{sku}",
    params: Type.Object({ sku: SkuSchema }),
    query: ofUser,
  },
  placeOrder: {
    ...post,
    ...described.placeOrder,
    name: "placeOrder",
    path: "/orders",
    params: none,
    body: Type.Object({ userID, userLevel: Type.Optional(UserLevel), goodsSKUs: OrderedSkus, provider: ProviderName }),
  },
  orders: {
    ...read,
    ...described.orders,
    name: "orders",
    path: "/orders",
    query: Type.Object({ userID, after: Type.Optional(OrderIdSchema), limit: PageLimit }),
  },
  order: { ...read, ...described.order, name: "order", path: "/orders/{id}", params: orderPath, query: ofUser },
  cancelOrder: { ...post, ...described.cancelOrder, name: "cancelOrder", path: "/orders/{id}/cancel", params: orderPath, body: ofUser },
  startPayment: {
    ...post,
    ...described.startPayment,
    name: "startPayment",
    path: "/orders/{id}/payment",
    params: orderPath,
    body: Type.Object({ userID, provider: ProviderName }),
  },
  notifyPayment: {
    ...post,
    ...described.notifyPayment,
    name: "notifyPayment",
    path: "/payments/{provider}",
    params: Type.Object({ provider: Type.String({ pattern: "^[a-z]{1,32}$", description: "the name of a payment provider" }) }),
    body: Type.String({ description: "the provider's own document, signed" }),
    isBodyRaw: true,
  },
} satisfies Record<string, Endpoint>;
