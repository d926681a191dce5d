/** An order as the wire carries it, as a schema, and what is said of each operation on ShoppingCart's port beside its route. */
import Type from "typebox";
import { OrderIdSchema, SkuSchema, UserIdSchema } from "../core/ids.ts";
import { Price, PurchaseQuantity } from "../core/quantity.ts";
import { listOf, reply } from "../core/reply-schema.ts";

const unixMs = (description: string) => Type.Integer({ description: `${description}, in unix ms` });
const Amount = Type.Number({ minimum: 0, description: "in whole currency units, with at most two decimals" });

export const OrderStateName = Type.Enum(["payment-pending", "paid", "cancelled", "expired", "refund-due"]);
export const PaymentDocument = Type.Object({ provider: Type.String(), paymentID: Type.String(), amount: Amount, currency: Type.String() });
export const OrderDocument = Type.Object({
  orderID: OrderIdSchema,
  userID: UserIdSchema,
  items: Type.Array(Type.Object({ goodsSKU: SkuSchema, goodsQuantity: PurchaseQuantity, goodsPrice: Price })),
  amount: Amount,
  currency: Type.String({ description: "ISO 4217, in lower case" }),
  state: OrderStateName,
  placedAt: unixMs("when it was placed"),
  payUntil: unixMs("the payment deadline"),
  since: unixMs("since when it has been in this state"),
  paidWith: Type.Union([PaymentDocument, Type.Null()]),
});

/** What a shopper's page needs to let them pay. */
const PaymentStart = Type.Object({
  provider: Type.String(),
  paymentID: Type.Union([Type.String(), Type.Null()]),
  clientSecret: Type.Optional(Type.String({ description: "for the provider's own script" })),
  redirectUrl: Type.Optional(Type.String({ description: "where to send the shopper" })),
});
export const OrderWithPayment = Type.Object({ ...OrderDocument.properties, payment: Type.Union([PaymentStart, Type.Null()]) });

export const orderExample = {
  ...{ orderID: "8d0f5c3a9b1e47d2", userID: "UID0000000001" },
  items: [{ goodsSKU: "SKU0001", goodsQuantity: 1, goodsPrice: 45.9 }],
  ...{ amount: 45.9, currency: "usd", state: "payment-pending" },
  ...{ placedAt: 1_795_320_600_000, payUntil: 1_795_321_500_000, since: 1_795_320_600_000, paidWith: null },
};
export const orderWithPaymentExample = {
  ...orderExample,
  payment: { provider: "test", paymentID: null, redirectUrl: "/pay/8d0f5c3a9b1e47d2" },
};
export const cancelledExample = { ...orderExample, state: "cancelled", since: 1_795_320_660_000 };

export const nothingToOrder = "`reason` says why nothing was ordered: empty-cart, no-hold (with `goodsSKUs`), too-many-items.";
export const orderEnded = "It had ended before; `state` and `order` say how.";
export const unknownOrder = "There is no such order.";

const oneOrder = { params: { id: orderExample.orderID } };

export const ordersDescribed = {
  placeOrder: {
    summary: "Makes one order of a user's holds, all or those named, with one payment deadline and the prices of this moment.",
    replies: { 201: reply("The order, and what its payment needs.", OrderWithPayment, orderWithPaymentExample) },
    problems: { 409: nothingToOrder },
    example: { body: { userID: orderExample.userID, goodsSKUs: ["SKU0001"] } },
  },
  findOrders: {
    summary: "Orders, newest first, of one user or of all, in any state or in one. A page can be short, and have a next one all the same.",
    replies: { 200: listOf("The orders.", OrderDocument, [orderExample]) },
    example: { query: { state: "refund-due" } },
  },
  getOrder: {
    summary: "One order.",
    replies: { 200: reply("The order.", OrderDocument, orderExample) },
    problems: { 404: unknownOrder },
    example: oneOrder,
  },
  cancelOrder: {
    summary: "Ends an unpaid order; its goods are free at that instant.",
    replies: { 200: reply("It is cancelled.", OrderDocument, cancelledExample) },
    problems: { 404: unknownOrder, 409: orderEnded },
    example: { ...oneOrder, body: {} },
  },
} as const;
