/** The routes of orders on ShoppingCart's port, for operators and for the shop's own servers. A shopper's are the gate's (`shopper-api.ts`). */
import Type from "typebox";
import type { Endpoint } from "../core/endpoint.ts";
import { OrderIdSchema, SkuSchema, UserIdSchema } from "../core/ids.ts";
import { PageLimit } from "../core/paging.ts";
import { UserLevel } from "../core/quantity.ts";
import { ORDER_ITEMS_MAX } from "../limits.ts";
import { ordersDescribed as described, OrderStateName } from "./described.ts";

const none = Type.Object({});
export const orderPath = Type.Object({ id: OrderIdSchema });
/** The SKUs to order; without them, everything in the cart. */
export const OrderedSkus = Type.Optional(
  Type.Array(SkuSchema, { minItems: 1, maxItems: ORDER_ITEMS_MAX, description: `1 to ${ORDER_ITEMS_MAX} SKUs` }),
);
export const ProviderName = Type.Optional(Type.String({ pattern: "^[a-z]{1,32}$", description: "the name of a payment provider" }));

export const ordersApi = {
  placeOrder: {
    ...described.placeOrder,
    name: "placeOrder",
    method: "POST",
    path: "/orders",
    params: none,
    query: none,
    body: Type.Object({
      userID: UserIdSchema,
      userLevel: Type.Optional(UserLevel),
      goodsSKUs: OrderedSkus,
      provider: ProviderName,
    }),
    needsAdminKey: true,
  },
  findOrders: {
    ...described.findOrders,
    name: "findOrders",
    method: "GET",
    path: "/orders",
    params: none,
    query: Type.Object({
      userID: Type.Optional(UserIdSchema),
      state: Type.Optional(OrderStateName),
      paidLate: Type.Optional(
        Type.Enum(["true", "false"], {
          description:
            "`true`: only those whose money came at their payment deadline or later; they are `paid` all the same, or `refund-due`",
        }),
      ),
      after: Type.Optional(OrderIdSchema),
      limit: PageLimit,
    }),
    body: null,
    needsAdminKey: true,
  },
  getOrder: {
    ...described.getOrder,
    name: "getOrder",
    method: "GET",
    path: "/orders/{id}",
    params: orderPath,
    query: none,
    body: null,
    needsAdminKey: true,
  },
  cancelOrder: {
    ...described.cancelOrder,
    name: "cancelOrder",
    method: "POST",
    path: "/orders/{id}/cancel",
    params: orderPath,
    query: none,
    body: Type.Object({}),
    needsAdminKey: true,
  },
} satisfies Record<string, Endpoint>;
