/** Orders on ShoppingCart's port: everybody's, behind the admin key. */
import { json, on, type Route } from "../core/endpoint.ts";
import type { OrderId } from "../core/ids.ts";
import { searchReply } from "../core/paging.ts";
import type { Order } from "../ledger/ledger.ts";
import { ORDER_LOOKS_MAX, PAGE_ROWS_DEFAULT } from "../limits.ts";
import { ordersApi as api } from "./api.ts";
import { type Checkout, cancelOrder, placeOrder, unknownOrder } from "./checkout.ts";
import type { KeyedRequests } from "./keyed-requests.ts";
import { orderBody } from "./order-body.ts";

export function orderRoutes(checkout: Checkout, keyed: KeyedRequests): Route[] {
  const { desk, cashier } = checkout;
  return [
    on(api.placeOrder, ({ body, headers }) => {
      const { userID: userId, userLevel = 0, goodsSKUs: skus = null, provider } = body;
      const request = ["placeOrder", userId, userLevel, provider ?? "", ...(skus ?? [])];
      return keyed.once({ header: headers.get("idempotency-key"), owner: userId, isOwned: false, request }, (orderId) =>
        placeOrder(checkout, { customer: { userId, userLevel }, skus, provider, orderId: orderId as OrderId }),
      );
    }),
    on(api.findOrders, ({ query }) => {
      const { userID: userId = null, state = null, paidLate, after = null, limit = PAGE_ROWS_DEFAULT } = query;
      const wanted = { userId, state, isPaidLate: paidLate === "true" };
      return searchReply<Order, OrderId>({
        find: async (behind, rowsMax) => {
          const { orders: rows, next } = await desk.find(wanted, behind, rowsMax);
          return { rows, next };
        },
        cursorOf: ({ orderId }) => orderId,
        looksMax: ORDER_LOOKS_MAX,
        ...{ after, limit },
        show: (order) => orderBody(order, cashier.currency),
        nextPage: (behind) => {
          const search = new URLSearchParams({ ...query, after: behind, limit: String(limit) });
          return `/orders?${search}`;
        },
      });
    }),
    on(api.getOrder, async ({ params }) => {
      const order = await desk.order(params.id);
      return order ? json(orderBody(order, cashier.currency)) : unknownOrder(params.id);
    }),
    on(api.cancelOrder, ({ params, headers }) =>
      keyed.once({ header: headers.get("idempotency-key"), owner: "", isOwned: false, request: ["cancelOrder", params.id] }, () =>
        cancelOrder(checkout, params.id),
      ),
    ),
  ];
}
