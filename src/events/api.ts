/** The routes of events and webhooks, on the ShoppingCart's port. They tell who buys what, so all of them need the admin key. */
import Type from "typebox";
import type { Endpoint } from "../core/endpoint.ts";
import { SkuSchema } from "../core/ids.ts";
import { EVENTS_PER_PAGE_MAX, WEBHOOK_SECRETS_MAX, WEBHOOK_URL_CHARS_MAX } from "../limits.ts";
import { EVENT_TYPES, type EventType } from "./event.ts";
import { WebhookIdSchema } from "./webhook.ts";
import { isSecret } from "./webhook-signature.ts";

const EVENT_ID = "^(0|[1-9][0-9]{0,14})$";
const eventIdPattern = new RegExp(EVENT_ID);
export const isEventId = (text: string): boolean => eventIdPattern.test(text);

const EventTypeSchema = Type.Unsafe<EventType>(
  Type.String({ pattern: `^(${EVENT_TYPES.join("|").replaceAll(".", "\\.")})$`, description: `one of ${EVENT_TYPES.join(", ")}` }),
);

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

const webhook = {
  url: WebhookUrl,
  types: Type.Optional(Type.Array(EventTypeSchema, { minItems: 1, maxItems: EVENT_TYPES.length })),
  secrets: Type.Optional(Type.Array(Secret, { minItems: 1, maxItems: WEBHOOK_SECRETS_MAX })),
};
const none = Type.Object({});
const idPath = Type.Object({ id: WebhookIdSchema });

export const eventsApi = {
  findEvents: {
    ...{ name: "findEvents", method: "GET", path: "/events", params: none, body: null, needsAdminKey: true },
    query: Type.Object({
      after: Type.Optional(Type.String({ pattern: EVENT_ID, description: "the id of an event, or 0" })),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: EVENTS_PER_PAGE_MAX, description: `a number from 1 to ${EVENTS_PER_PAGE_MAX}` }),
      ),
      type: Type.Optional(EventTypeSchema),
      sku: Type.Optional(SkuSchema),
    }),
  },
  addWebhook: {
    ...{ name: "addWebhook", method: "POST", path: "/webhooks", params: none, query: none, needsAdminKey: true },
    body: Type.Object(webhook),
  },
  findAllWebhooks: {
    ...{ name: "findAllWebhooks", method: "GET", path: "/webhooks", params: none, query: none, body: null, needsAdminKey: true },
  },
  getWebhook: {
    ...{ name: "getWebhook", method: "GET", path: "/webhooks/{id}", params: idPath, query: none, body: null, needsAdminKey: true },
  },
  updateWebhook: {
    ...{ name: "updateWebhook", method: "PUT", path: "/webhooks/{id}", params: idPath, query: none, needsAdminKey: true },
    body: Type.Object({ ...webhook, enabled: Type.Optional(Type.Boolean()) }),
  },
  removeWebhook: {
    ...{ name: "removeWebhook", method: "DELETE", path: "/webhooks/{id}", params: idPath, query: none, body: null, needsAdminKey: true },
  },
} as const satisfies Record<string, Endpoint>;

function isWebhookUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" && url.hash === "";
}
