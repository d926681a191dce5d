/** Events and webhooks as the wire carries them, as schemas, and what is said of each operation beside its route. */
import Type from "typebox";
import { reply } from "../core/reply-schema.ts";

const unixMs = (description: string) => Type.Integer({ description: `${description}, in unix ms` });
const eventId = (description: string) => Type.String({ pattern: "^[0-9]+$", description });

const Event = Type.Object({
  id: eventId("events are numbered in the order in which they happened"),
  type: Type.String({ description: "hold.created, order.paid, sale.started, ..." }),
  timestamp: Type.String({ description: "ISO 8601" }),
  data: Type.Record(Type.String(), Type.Unknown()),
});
const EventPage = Type.Object({
  events: Type.Array(Event),
  next: eventId("the cursor of the next page: give it as `after`"),
  hasMore: Type.Boolean(),
});
const Webhook = Type.Object({
  id: Type.String(),
  url: Type.String(),
  types: Type.Optional(Type.Array(Type.String(), { description: "left out: all" })),
  state: Type.Enum(["enabled", "disabled"]),
  disabledBecause: Type.Optional(Type.String()),
  createdAt: unixMs("when it was added"),
  deliveredUpTo: eventId("all events up to it were delivered, or are of types not asked for"),
  failing: Type.Optional(Type.Object({ eventID: eventId("what cannot be delivered"), since: unixMs("since when") })),
  lastError: Type.Optional(Type.Object({ at: unixMs("when"), eventID: eventId("of which event"), detail: Type.String() })),
});
const AddedWebhook = Type.Object({
  ...Webhook.properties,
  secrets: Type.Optional(Type.Array(Type.String(), { description: "shown this once, and only when we have made it" })),
});

const webhookExample = {
  ...{ id: "wh_0123456789abcdef", url: "https://shop.example/doorbuster", types: ["order.paid"] },
  ...{ state: "enabled", createdAt: 1_795_320_600_000, deliveredUpTo: "0" },
};
const bodyExample = { url: webhookExample.url, types: webhookExample.types };
const oneWebhook = { params: { id: webhookExample.id } };
const unknownWebhook = { 404: "There is no such webhook." } as const;
const webhookReply = { 200: reply("The webhook, without its secrets.", Webhook, webhookExample) };

export const eventsDescribed = {
  findEvents: {
    summary: "What happened, a page at a time; with `Accept: text/event-stream` as it happens.",
    headers: Type.Object({
      Accept: Type.Optional(Type.String({ description: "text/event-stream: server-sent events, each with its id" })),
      "Last-Event-ID": Type.Optional(Type.String({ description: "of the last event seen of a stream; counts before `after`" })),
    }),
    replies: {
      200: reply("The events that follow.", EventPage, {
        events: [{ id: "41", type: "goods.sold-out", timestamp: "2026-11-22T04:31:42.000Z", data: { goodsSKU: "SKU0001" } }],
        ...{ next: "41", hasMore: false },
      }),
    },
    problems: { 410: "The events that follow are no longer kept; `oldestID` and `lastID` say which are." },
    example: { query: { limit: 100 } },
  },
  addWebhook: {
    summary: "Has events sent to an address, signed as Standard Webhooks says.",
    replies: { 201: reply("It is added.", AddedWebhook, { ...webhookExample, secrets: ["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"] }) },
    problems: { 409: "There is no room for one more webhook." },
    example: { body: bodyExample },
  },
  findAllWebhooks: {
    summary: "All webhooks.",
    replies: { 200: reply("The webhooks, without their secrets.", Type.Array(Webhook), [webhookExample]) },
  },
  getWebhook: {
    summary: "One webhook, and how far its deliveries have come.",
    replies: webhookReply,
    problems: unknownWebhook,
    example: oneWebhook,
  },
  updateWebhook: {
    summary: "Changes a webhook: its address, its types, its secrets, whether it is enabled.",
    replies: webhookReply,
    problems: unknownWebhook,
    example: { ...oneWebhook, body: { ...bodyExample, enabled: true } },
  },
  removeWebhook: {
    summary: "Removes a webhook.",
    replies: {
      200: reply("It is gone.", Type.Object({ id: Type.String(), state: Type.Literal("removed") }), {
        ...{ id: webhookExample.id, state: "removed" },
      }),
    },
    problems: unknownWebhook,
    example: oneWebhook,
  },
} as const;
