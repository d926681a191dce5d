/** Orders on ShoppingCart's port: everybody's, behind the admin key. */
import { json, on, type Route } from "../core/endpoint.ts";
import type { OrderId } from "../core/ids.ts";
import { listReply } from "../core/paging.ts";
import type { Order } from "../ledger/ledger.ts";
import { PAGE_ROWS_DEFAULT } from "../limits.ts";
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
    on(api.findOrders, ({ query }) =>
      listReply<Order, OrderId>({
        read: (after, limit) => desk.ordersOf(query.userID, after, limit),
        cursorOf: ({ orderId }) => orderId,
        after: query.after ?? null,
        limit: query.limit ?? PAGE_ROWS_DEFAULT,
        show: (order) => orderBody(order, cashier.currency),
        nextPage: (after) =>
          `/orders?userID=${encodeURIComponent(query.userID)}&after=${encodeURIComponent(after)}&limit=${query.limit ?? PAGE_ROWS_DEFAULT}`,
      }),
    ),
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
