/** The routes of events and webhooks, on the ShoppingCart's port. They tell who buys what, so all of them need the admin key. */
import Type from "typebox";
import type { Endpoint } from "../core/endpoint.ts";
import { SkuSchema } from "../core/ids.ts";
import { type ReplySchema, reply } from "../core/reply-schema.ts";
import { EVENTS_PER_PAGE_MAX, WEBHOOK_SECRETS_MAX, WEBHOOK_URL_CHARS_MAX } from "../limits.ts";
import { EVENT_TYPES } from "./event.ts";
import { EVENT_ID, EventDocument, EventIdText, EventTypeSchema } from "./event-schema.ts";
import { WebhookIdSchema } from "./webhook.ts";
import { isSecret } from "./webhook-signature.ts";

const eventIdPattern = new RegExp(EVENT_ID);
export const isEventId = (text: string): boolean => eventIdPattern.test(text);

const WebhookUrl = Type.Refine(
  Type.String({ maxLength: WEBHOOK_URL_CHARS_MAX, description: "an http or https URL without a user name, password or fragment" }),
  isWebhookUrl,
  () => "must be an http or https URL without a user name, password or fragment",
);

const Secret = Type.Refine(
  Type.String({ description: "whsec_ and 24 to 64 bytes as base64" }),
  isSecret,
  () => "must be whsec_ and 24 to 64 bytes as base64",
);

const someTypes = { minItems: 1, maxItems: EVENT_TYPES.length } as const;
const WebhookTypes = Type.Optional(Type.Array(EventTypeSchema, { ...someTypes, description: "absent: all" }));
const ChangedTypes = Type.Optional(
  Type.Union([Type.Array(EventTypeSchema, someTypes), Type.Null()], {
    description:
      "absent: stay as they are; null: all, also those that are yet to come; what waits and is not among them is not sent any more",
  }),
);
const webhookFields = {
  url: WebhookUrl,
  secrets: Type.Optional(Type.Array(Secret, { minItems: 1, maxItems: WEBHOOK_SECRETS_MAX, description: "each signs every delivery" })),
};
const none = Type.Object({});
const idPath = Type.Object({ id: WebhookIdSchema });

const EventPage = Type.Object({
  events: Type.Array(EventDocument),
  next: Type.String({ description: "the cursor with which to ask on: the last event that was looked at" }),
  hasMore: Type.Boolean(),
});
const EventStream = Type.String({ description: "each event as `data`, with its `id`; what carries no `data` is no event" });
const WebhookDocument = Type.Object({
  ...{ id: WebhookIdSchema, url: WebhookUrl, types: WebhookTypes },
  state: Type.Enum(["enabled", "disabled"]),
  disabledBecause: Type.Optional(Type.String()),
  createdAt: Type.Integer({ description: "in unix ms" }),
  deliveredUpTo: Type.String({ description: "the id of an event: it and all before it were delivered, or not asked for" }),
  failing: Type.Optional(
    Type.Object(
      { eventID: EventIdText, since: Type.Integer({ description: "in unix ms" }) },
      { description: "what is refused for the longest time" },
    ),
  ),
  lastError: Type.Optional(Type.Object({ at: Type.Integer({ description: "in unix ms" }), eventID: EventIdText, detail: Type.String() })),
  secrets: Type.Optional(Type.Array(Type.String(), { description: "in the answer to POST only, and only when none were given" })),
});

const webhookId = "wh_0123456789abcdef";
const asked = { url: "https://shop.example/doorbuster", types: ["order.paid", "order.refund-due"] };
const webhookExample = { id: webhookId, ...asked, state: "enabled", createdAt: 1_795_322_400_000, deliveredUpTo: "1041" };
const eventExample = {
  ...{ id: "1042", type: "goods.sold-out", timestamp: "2026-11-22T10:00:03.120Z" },
  data: { goodsSKU: "SKU0001" },
};
const webhookReply = (description: string): ReplySchema => reply(description, WebhookDocument, webhookExample);
const unknownWebhook = { 404: "There is no such webhook." };

const read = { method: "GET", query: none, body: null, needsAdminKey: true } as const;

export const eventsApi = {
  findEvents: {
    ...read,
    name: "findEvents",
    path: "/events",
    params: none,
    query: Type.Object({
      after: Type.Optional(EventIdText),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: EVENTS_PER_PAGE_MAX, description: `a number from 1 to ${EVENTS_PER_PAGE_MAX}` }),
      ),
      type: Type.Optional(EventTypeSchema),
      sku: Type.Optional(SkuSchema),
    }),
    headers: Type.Object({
      accept: Type.Optional(Type.String({ description: "text/event-stream: server-sent events, each with its id, without end" })),
      "last-event-id": Type.Optional(Type.String({ description: "where a stream resumes; counts more than `after`" })),
    }),
    summary: "What happened, in order, behind a cursor: a page, or with `Accept: text/event-stream` a stream of server-sent events.",
    replies: {
      200: {
        ...reply("The events, oldest first.", EventPage, { events: [eventExample], next: "1042", hasMore: false }),
        otherForms: { "text/event-stream": EventStream },
      },
    },
    problems: {
      410: "The events behind the cursor are no longer kept, or not known; the answer names the oldest (`oldestID`).",
      503: "Too many event streams are open.",
    },
    example: { query: { limit: 100, type: "goods.sold-out" } },
  },
  addWebhook: {
    name: "addWebhook",
    method: "POST",
    path: "/webhooks",
    params: none,
    query: none,
    body: Type.Object({ ...webhookFields, types: WebhookTypes }),
    needsAdminKey: true,
    summary: "Sends every event from now on to a URL, signed as in Standard Webhooks, at least once and in order per SKU.",
    replies: { 201: webhookReply("The webhook; with its secret, if it was made here: it is not shown again.") },
    problems: { 409: "There are too many webhooks." },
    example: { body: asked },
  },
  findAllWebhooks: {
    ...read,
    name: "findAllWebhooks",
    path: "/webhooks",
    params: none,
    summary: "All webhooks, without their secrets.",
    replies: { 200: reply("Oldest first.", Type.Array(WebhookDocument), [webhookExample]) },
    example: {},
  },
  getWebhook: {
    ...read,
    name: "getWebhook",
    path: "/webhooks/{id}",
    params: idPath,
    summary: "A webhook: its state, how far it has come, and what went wrong last.",
    replies: { 200: webhookReply("The webhook, without its secrets.") },
    problems: unknownWebhook,
    example: { params: { id: webhookId } },
  },
  updateWebhook: {
    name: "updateWebhook",
    method: "PUT",
    path: "/webhooks/{id}",
    params: idPath,
    query: none,
    body: Type.Object({
      ...{ ...webhookFields, types: ChangedTypes },
      enabled: Type.Optional(Type.Boolean({ description: "absent: stays as it is" })),
    }),
    needsAdminKey: true,
    summary: "Changes a webhook. Types and secrets that are not given stay; enabled again, it goes on where it was.",
    replies: { 200: webhookReply("The webhook as it is now.") },
    problems: unknownWebhook,
    example: { params: { id: webhookId }, body: { ...asked, enabled: true } },
  },
  removeWebhook: {
    name: "removeWebhook",
    method: "DELETE",
    path: "/webhooks/{id}",
    params: idPath,
    query: none,
    body: null,
    needsAdminKey: true,
    summary: "Removes a webhook; nothing more is sent to it.",
    replies: {
      200: reply("It is removed.", Type.Object({ id: WebhookIdSchema, state: Type.Literal("removed") }), {
        id: webhookId,
        state: "removed",
      }),
    },
    problems: unknownWebhook,
    example: { params: { id: webhookId } },
  },
} as const satisfies Record<string, Endpoint>;

function isWebhookUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" && url.hash === "";
}
