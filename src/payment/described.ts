/** A refund as the wire carries it, as a schema, and what is said of each operation of payments beside its route. */
import Type, { type TSchema } from "typebox";
import { OrderIdSchema } from "../core/ids.ts";
import { listOf, noContent, type ReplySchema, reply, text } from "../core/reply-schema.ts";
import { REFUND_STATES } from "./refund-schedule.ts";

const unixMs = (description: string) => Type.Integer({ description: `${description}, in unix ms` });
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const RefundDocument = Type.Object({
  id: Type.Integer({ minimum: 1, description: "refunds are numbered in the order in which they were requested" }),
  provider: Type.String(),
  paymentID: Type.String({ description: "the provider's own name for the payment" }),
  amount: Type.Number({ minimum: 0, description: "in whole currency units, with at most two decimals" }),
  currency: Type.String({ description: "ISO 4217, in lower case" }),
  orderID: OrderIdSchema,
  state: Type.Enum([...REFUND_STATES]),
  attempts: Type.Integer({ minimum: 0, description: "how often the provider was asked without success" }),
  nextAttemptAt: orNull(unixMs("when the provider is asked next; null: never by itself")),
  tryUntil: unixMs("until when the provider is asked"),
  lastError: orNull(Type.String()),
  since: unixMs("since when it has been in this state"),
});

const refundExample = {
  ...{ id: 7, provider: "stripe", paymentID: "pi_3PqX2eHk1", orderID: "8d0f5c3a9b1e47d2", amount: 45.9, currency: "usd" },
  ...{ state: "due", attempts: 1, nextAttemptAt: 1_795_321_560_000, tryUntil: 1_795_580_700_000 },
  ...{ lastError: "the provider did not answer in time", since: 1_795_321_500_000 },
};
const refundDoneExample = { ...refundExample, state: "done", nextAttemptAt: null, since: 1_795_325_100_000 };
const refundAgainExample = { ...refundExample, attempts: 0, nextAttemptAt: 1_795_325_100_000, tryUntil: 1_795_584_300_000 };

const oneRefund = { params: { id: refundExample.id } };
const unknownRefund = { 404: "There is no such refund." } as const;

/** A refusal, too, is a page: a person reads it. */
const page = (description: string): ReplySchema => text(description, "text/html; charset=utf-8");
const badLink = page("The signature does not fit the address: it was changed, or the shop was started again.");
const bill = {
  params: { orderID: refundExample.orderID },
  query: { amountCents: 4_590, currency: "usd", payUntil: 1_795_321_500_000, signature: "AqM0d1Yk3xkDq0Jt6xWq1rKxkqXv4m1yq2m1o3b0m5E" },
};

export const payPageDescribed = {
  showPayPage: {
    summary: "The demo's page to pay on, in English or Chinese, behind an address that the shop has signed.",
    replies: { 200: page("The page."), 403: badLink, 404: page("There is no such order.") },
    headers: Type.Object({ "Accept-Language": Type.Optional(Type.String({ description: "en or zh: the language of the page" })) }),
    example: bill,
  },
  pay: {
    summary: "A choice made on that page: pay, be declined, or pay the wrong amount.",
    replies: {
      303: { ...noContent("The shop has been told; the page shows what became of the order."), headers: { Location: "The page." } },
      403: badLink,
      503: page("The shop could not be told. To choose again does not pay twice."),
    },
    headers: Type.Object({ "Accept-Language": Type.Optional(Type.String({ description: "en or zh: the language of a refusal" })) }),
    example: { ...bill, query: { ...bill.query, choice: "pay" } },
  },
} as const;

export const refundsDescribed = {
  findRefunds: {
    summary: "The refunds, or those in one state, a page at a time.",
    replies: { 200: listOf("The refunds.", RefundDocument, [refundExample]) },
    example: { query: { state: "due" } },
  },
  markRefundDone: {
    summary: "Says that an operator has paid back by hand; a refund that was made already stays as it is.",
    replies: { 200: reply("The refund.", RefundDocument, refundDoneExample) },
    problems: unknownRefund,
    example: oneRefund,
  },
  tryRefundAgain: {
    summary: "Lets the system ask the provider again for its full time, also when it had given up.",
    replies: { 200: reply("The refund.", RefundDocument, refundAgainExample) },
    problems: { ...unknownRefund, 409: "The provider has no refund address; the refund stays as it was." },
    example: oneRefund,
  },
} as const;
