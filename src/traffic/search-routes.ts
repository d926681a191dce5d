/** Answers operators from the event store, wherever that is. */
import { type HttpReply, json, on, type Route } from "../core/endpoint.ts";
import { problem } from "../core/problem.ts";
import type { Clock } from "../core/time.ts";
import { EVENTS_FOUND_DEFAULT } from "../limits/event-store.ts";
import type { TrafficEvent } from "./event.ts";
import { type EventQuery, type EventStore, SearchRefused } from "./event-store.ts";
import { searchApi as api } from "./search-api.ts";

export const searchRoutes = (events: Pick<EventStore, "search" | "report">, clock: Clock): Route[] => [
  on(api.search, ({ query }) =>
    answered(async () => {
      const { events: found, next, tookMs } = await events.search(queryOf(query));
      return { events: found.map(shown), next, tookMs };
    }),
  ),
  on(api.report, ({ query }) => answered(() => events.report(query.from ?? 0, query.until ?? clock.now() + 1))),
];

async function answered(ask: () => Promise<unknown>): Promise<HttpReply> {
  try {
    return json(await ask());
  } catch (error) {
    if (!(error instanceof SearchRefused)) throw error;
    const { why, detail } = error;
    if (why === "unknown-cursor") return problem(400, detail, { errors: [{ pointer: "#/query/before", detail }] });
    return problem(503, detail, { fields: { code: why }, headers: { "retry-after": "5" } });
  }
}

interface Asked {
  readonly traceId?: string;
  readonly userID?: string;
  readonly clientIP?: string;
  readonly goodsSKU?: string;
  readonly reason?: string;
  readonly step?: string;
  readonly from?: number;
  readonly until?: number;
  readonly before?: string;
  readonly limit?: number;
}

function queryOf({ userID, clientIP, goodsSKU, from, until, limit, ...rest }: Asked): EventQuery {
  return {
    ...rest,
    ...(userID !== undefined && { userId: userID }),
    ...(clientIP !== undefined && { clientIp: clientIP }),
    ...(goodsSKU !== undefined && { sku: goodsSKU }),
    ...(from !== undefined && { fromMs: from }),
    ...(until !== undefined && { untilMs: until }),
    limit: limit ?? EVENTS_FOUND_DEFAULT,
  };
}

const shown = ({ at, traceId, clientIp, userId, sku, quantity, steps, reason, totalUs, instance, request, status }: TrafficEvent) => ({
  ...{ at, traceId, clientIP: clientIp, userID: userId, goodsSKU: sku, goodsQuantity: quantity, steps, reason, totalUs },
  ...{ instance, request, status },
});
