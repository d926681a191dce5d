/** A webhook: where events are sent, which of them, signed with which keys, and how far that has come. */
import Type from "typebox";
import type { UnixMs } from "../core/time.ts";
import type { Failing } from "./delivery-queue.ts";
import type { EventType } from "./event.ts";

declare const brand: unique symbol;
export type WebhookId = string & { readonly [brand]: "WebhookId" };
export const WebhookIdSchema = Type.Unsafe<WebhookId>(
  Type.String({ pattern: "^wh_[0-9a-f]{16}$", description: "the id of a webhook: wh_ and 16 hexadecimal digits" }),
);

export interface Webhook {
  readonly id: WebhookId;
  readonly url: string;
  /** `null`: all. */
  readonly types: readonly EventType[] | null;
  /** `whsec_` and base64, as in Standard Webhooks. Each signs every delivery. */
  readonly secrets: readonly string[];
  readonly createdAt: UnixMs;
  /** `null`: it is enabled. */
  readonly disabledBecause: string | null;
}

export interface Progress {
  /** All events up to it were delivered, or are of types not asked for. */
  readonly position: number;
  readonly failing: Failing | null;
  readonly lastError: DeliveryError | null;
}

export interface DeliveryError {
  readonly at: UnixMs;
  readonly eventId: number;
  readonly detail: string;
}

/** As an operator sees it: everything but the secrets. */
export const webhookBody = (webhook: Webhook, { position, failing, lastError }: Progress) => ({
  id: webhook.id,
  url: webhook.url,
  ...(webhook.types && { types: webhook.types }),
  state: webhook.disabledBecause === null ? "enabled" : "disabled",
  ...(webhook.disabledBecause !== null && { disabledBecause: webhook.disabledBecause }),
  createdAt: webhook.createdAt,
  deliveredUpTo: String(position),
  ...(failing && { failing: { eventID: String(failing.eventId), since: failing.since } }),
  ...(lastError && { lastError: { at: lastError.at, eventID: String(lastError.eventId), detail: lastError.detail } }),
});
