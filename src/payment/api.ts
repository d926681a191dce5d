/** The routes of payments: notifications and the demo's pay page on the gate, refunds for the operator. */
import Type from "typebox";
import type { Endpoint } from "../core/endpoint.ts";
import { OrderIdSchema } from "../core/ids.ts";
import { PageLimit } from "../core/paging.ts";
import { payPageDescribed, refundsDescribed } from "./described.ts";
import { REFUND_STATES } from "./refund-schedule.ts";

const none = Type.Object({});
const WholeNumber = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const orderPath = Type.Object({ orderID: OrderIdSchema });
const refundPath = Type.Object({ id: WholeNumber });

/** What the address of the pay page says; the signature makes it true. */
const signed = { amountCents: WholeNumber, currency: Type.String(), payUntil: WholeNumber, signature: Type.String() };

export const PAY_CHOICES = ["pay", "decline", "wrong-amount"] as const;
export type PayChoice = (typeof PAY_CHOICES)[number];

const page = { params: orderPath, body: null, needsAdminKey: false } as const;
const operate = { query: none, params: refundPath, body: null, needsAdminKey: true, method: "POST" } as const;

export const payPageApi = {
  showPayPage: {
    ...page,
    ...payPageDescribed.showPayPage,
    name: "showPayPage",
    method: "GET",
    path: "/pay/{orderID}",
    query: Type.Object({ ...signed, outcome: Type.Optional(Type.Literal("declined")) }),
  },
  pay: {
    ...page,
    ...payPageDescribed.pay,
    name: "pay",
    method: "POST",
    path: "/pay/{orderID}",
    query: Type.Object({ ...signed, choice: Type.Enum([...PAY_CHOICES]) }),
  },
} satisfies Record<string, Endpoint>;

export const refundsApi = {
  findRefunds: {
    ...refundsDescribed.findRefunds,
    name: "findRefunds",
    method: "GET",
    path: "/refunds",
    params: none,
    query: Type.Object({
      state: Type.Optional(Type.Enum([...REFUND_STATES])),
      after: Type.Optional(WholeNumber),
      limit: PageLimit,
    }),
    body: null,
    needsAdminKey: true,
  },
  markRefundDone: { ...operate, ...refundsDescribed.markRefundDone, name: "markRefundDone", path: "/refunds/{id}/done" },
  tryRefundAgain: { ...operate, ...refundsDescribed.tryRefundAgain, name: "tryRefundAgain", path: "/refunds/{id}/try-again" },
} satisfies Record<string, Endpoint>;
