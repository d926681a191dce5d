/** What an operator sees and does about refunds. */
import { type HttpReply, json, on, type Route } from "../core/endpoint.ts";
import { priceOf } from "../core/money.ts";
import { listReply } from "../core/paging.ts";
import { problem } from "../core/problem.ts";
import { PAGE_ROWS_DEFAULT } from "../limits.ts";
import { refundsApi as api } from "./api.ts";
import type { Refund } from "./refund-schedule.ts";
import type { Refunds } from "./refunds.ts";

export function refundRoutes(refunds: Refunds): Route[] {
  return [
    on(api.findRefunds, ({ query }) => {
      const { state = null, after = 0, limit = PAGE_ROWS_DEFAULT } = query;
      return listReply<Refund, number>({
        read: (cursor, rows) => refunds.list(state, cursor ?? 0, rows),
        cursorOf: ({ id }) => id,
        after,
        limit,
        show: refundBody,
        nextPage: (id) => `/refunds?${state === null ? "" : `state=${state}&`}after=${id}&limit=${limit}`,
      });
    }),
    on(api.markRefundDone, async ({ params }) => oneReply(params.id, await refunds.markDone(params.id))),
    on(api.tryRefundAgain, async ({ params }) => {
      const refund = await refunds.tryAgain(params.id);
      if (refund === null || refund.state === "done" || refunds.canTry(refund)) return oneReply(params.id, refund);
      const { provider } = refund.payment;
      return problem(409, `${provider} has no refund address: pay back by hand, then POST /refunds/${params.id}/done; or configure one`);
    }),
  ];
}

const oneReply = (id: number, refund: Refund | null): HttpReply =>
  refund ? json(refundBody(refund)) : problem(404, `there is no refund ${id}; GET /refunds lists them`);

const refundBody = ({ id, payment, orderId, state, attempts, nextAt, tryUntil, lastError, since }: Refund) => ({
  id,
  provider: payment.provider,
  paymentID: payment.paymentId,
  orderID: orderId,
  amount: priceOf(payment.amountCents),
  currency: payment.currency,
  state,
  attempts,
  nextAttemptAt: nextAt,
  tryUntil,
  lastError,
  since,
});
