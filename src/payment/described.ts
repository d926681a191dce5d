/** Refunds as the wire carries them, as a schema, and what is said of each operation of payments beside its route. */
import Type, { type TSchema } from "typebox";
import { listOf, noContent, reply, text } from "../core/reply-schema.ts";

const unixMs = (description: string) => Type.Integer({ description: `${description}, in unix ms` });
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const Refund = Type.Object({
  id: Type.Integer(),
  provider: Type.String(),
  paymentID: Type.String(),
  orderID: Type.String(),
  amount: Type.Number({ description: "in whole currency units, with at most two decimals" }),
  currency: Type.String({ description: "ISO 4217, in lower case" }),
  state: Type.Enum(["due", "done", "given-up"]),
  attempts: Type.Integer({ minimum: 0 }),
  nextAttemptAt: orNull(unixMs("when it is tried again")),
  tryUntil: unixMs("until when it is tried"),
  lastError: orNull(Type.String()),
  since: unixMs("when it was requested"),
});
const refundExample = {
  ...{ id: 1, provider: "stripe", paymentID: "pi_1", orderID: "8d0f5c3a9b1e47d2", amount: 45.9, currency: "usd" },
  ...{ state: "due", attempts: 0, nextAttemptAt: 1_795_320_600_000, tryUntil: 1_795_579_800_000 },
  ...{ lastError: null, since: 1_795_320_600_000 },
};
const oneRefund = { params: { id: 1 } };
const refundReply = { 200: reply("The refund.", Refund, refundExample) };
const unknownRefund = { 404: "There is no such refund." } as const;

const bill = { amountCents: 4_590, currency: "usd", payUntil: 1_795_321_500_000, signature: "v1,c2lnbmVk" };
const html = (description: string) => text(description, "text/html; charset=utf-8");
const pages = {
  403: html("A page that says: the address was changed after it was signed."),
  404: html("A page that says: there is no such order."),
};

export const payPageDescribed = {
  showPayPage: {
    summary: "The demo's pay page; its address is signed by the shop.",
    replies: { 200: html("The page, in the reader's language."), ...pages },
    example: { params: { orderID: refundExample.orderID }, query: bill },
  },
  pay: {
    summary: "Pays, declines, or pays the wrong amount, on the demo's pay page.",
    replies: { 303: noContent("It is done; the page says what became of the order."), ...pages },
    example: { params: { orderID: refundExample.orderID }, query: { ...bill, choice: "pay" } },
  },
} as const;

export const refundsDescribed = {
  findRefunds: {
    summary: "The refunds, in the order in which they were requested, a page at a time.",
    replies: { 200: listOf("The refunds.", Refund, [refundExample]) },
  },
  markRefundDone: {
    summary: "Says that an operator has paid it back by hand.",
    replies: refundReply,
    problems: unknownRefund,
    example: oneRefund,
  },
  tryRefundAgain: {
    summary: "Tries it again, also when it was given up.",
    replies: refundReply,
    problems: unknownRefund,
    example: oneRefund,
  },
} as const;
