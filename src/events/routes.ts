/** What happened, for those who ask (`GET /events`) and for those who want to be told (webhooks). */
import { type HttpReply, json, on, type Route } from "../core/endpoint.ts";
import { problem } from "../core/problem.ts";
import { EVENT_STREAMS_MAX, EVENTS_PER_PAGE_DEFAULT, WEBHOOKS_MAX } from "../limits.ts";
import { eventsApi as api, isEventId } from "./api.ts";
import { eventPage } from "./event-page.ts";
import type { EventRange, EventSource } from "./event-source.ts";
import type { EventStreams } from "./event-streams.ts";
import { type WebhookId, webhookBody } from "./webhook.ts";
import type { WebhookBook } from "./webhook-book.ts";

const STREAM_TYPE = "text/event-stream";
const STREAM_HEADERS = { "content-type": STREAM_TYPE, "cache-control": "no-store", "x-accel-buffering": "no" };

export function eventRoutes(outbox: EventSource, streams: EventStreams): Route[] {
  return [
    on(api.findEvents, async ({ query, headers }): Promise<HttpReply> => {
      const isStream = headers.get("accept")?.includes(STREAM_TYPE) === true;
      // A client that comes again sends the URL that it began with: its header is younger.
      // One that has heard of no event yet may send it empty.
      const lastEventId = (isStream && headers.get("last-event-id")) || null;
      if (lastEventId !== null && !isEventId(lastEventId))
        return problem(400, "Last-Event-ID is not the id of an event", {
          errors: [{ pointer: "#/header/Last-Event-ID", detail: "must be the id of an event, or 0" }],
        });
      const asked = lastEventId ?? query.after;
      const range = await outbox.range();
      const after = asked === undefined ? range.oldestId - 1 : Number(asked);
      if (after + 1 < range.oldestId || after > range.lastId) return unknownCursor(after, range);
      if (!isStream) return eventPage({ outbox, lastId: range.lastId }, after, query.limit ?? EVENTS_PER_PAGE_DEFAULT, query);
      if (streams.isFull)
        return problem(503, `${EVENT_STREAMS_MAX} event streams are open; try again later`, { headers: { "retry-after": "5" } });
      return { status: 200, headers: STREAM_HEADERS, body: streams.from(after, query) };
    }),
  ];
}

/** The oldest id is for whoever wants to go on in spite of the gap. */
function unknownCursor(after: number, { oldestId, lastId }: EventRange): HttpReply {
  const detail = `the events that follow ${after} are not known here: there are those from ${oldestId} to ${lastId}; ask again with after=${oldestId - 1}`;
  return problem(410, detail, { fields: { oldestID: String(oldestId), lastID: String(lastId) } });
}

export function webhookRoutes(webhooks: WebhookBook): Route[] {
  const unknown = (id: WebhookId): HttpReply => problem(404, `there is no webhook ${id}`);
  return [
    on(api.addWebhook, async ({ body }) => {
      const added = await webhooks.add(body);
      if (!added) return problem(409, `there are ${WEBHOOKS_MAX} webhooks already; remove one first`);
      // The only time that a secret is shown, and only if we have made it.
      const { secrets } = added.webhook;
      return json({ ...webhookBody(added.webhook, added.progress), ...(body.secrets === undefined && { secrets }) }, 201);
    }),
    on(api.findAllWebhooks, async () => json((await webhooks.list()).map(({ webhook, progress }) => webhookBody(webhook, progress)))),
    on(api.getWebhook, async ({ params }) => {
      const found = await webhooks.find(params.id);
      return found ? json(webhookBody(found.webhook, found.progress)) : unknown(params.id);
    }),
    on(api.updateWebhook, async ({ params, body }) => {
      const changed = await webhooks.change(params.id, body);
      return changed ? json(webhookBody(changed.webhook, changed.progress)) : unknown(params.id);
    }),
    on(api.removeWebhook, async ({ params }) =>
      (await webhooks.remove(params.id)) ? json({ id: params.id, state: "removed" }) : unknown(params.id),
    ),
  ];
}
