/** What an operator asks of webhooks, whichever store keeps them, and what becomes of a webhook by it. */
import type { Answer } from "../core/answer.ts";
import type { UnixMs } from "../core/time.ts";
import type { EventType } from "./event.ts";
import type { EventRange } from "./event-source.ts";
import type { Progress, Webhook, WebhookId } from "./webhook.ts";
import { NEW_SECRET_BYTES, secretOf } from "./webhook-signature.ts";

export interface NewWebhook {
  readonly url: string;
  /** Absent: all. */
  readonly types?: readonly EventType[];
  readonly secrets?: readonly string[];
}

/** What is absent stays as it is. */
export interface WebhookChange {
  readonly url: string;
  /** `null`: all. */
  readonly types?: readonly EventType[] | null;
  readonly secrets?: readonly string[];
  readonly enabled?: boolean;
}

export interface WebhookStatus {
  readonly webhook: Webhook;
  readonly progress: Progress;
}

export interface WebhookBook {
  /** Oldest first. */
  list(): Answer<readonly WebhookStatus[]>;
  find(id: WebhookId): Answer<WebhookStatus | null>;
  /** Tells the receiver what happens from now on. `null`: there are too many. */
  add(asked: NewWebhook): Promise<WebhookStatus | null>;
  /** Types and secrets that are not given stay. Enabled again, it goes on where it was, or with the oldest event that is still there. */
  change(id: WebhookId, change: WebhookChange): Promise<WebhookStatus | null>;
  /** Whether there was one. */
  remove(id: WebhookId): Promise<boolean>;
}

const BY_OPERATOR = "disabled by an operator";

/** @param randomBytes unpredictable ones: secrets are made of them */
export function newWebhook({ url, types, secrets }: NewWebhook, randomBytes: (count: number) => Uint8Array, now: UnixMs): Webhook {
  return {
    id: `wh_${Buffer.from(randomBytes(8)).toString("hex")}` as WebhookId,
    url,
    types: types ?? null,
    secrets: secrets ?? [secretOf(randomBytes(NEW_SECRET_BYTES))],
    createdAt: now,
    disabledBecause: null,
  };
}

export function changedWebhook(before: Webhook, { url, types, secrets, enabled }: WebhookChange): Webhook {
  const disabledBecause = enabled === undefined ? before.disabledBecause : enabled ? null : (before.disabledBecause ?? BY_OPERATOR);
  return {
    ...{ ...before, url, disabledBecause },
    types: types === undefined ? before.types : types,
    secrets: secrets ?? before.secrets,
  };
}

/** With the oldest event that is still there, if what followed is not; the day for its first event begins anew. */
export const resumed = (progress: Progress, { oldestId }: Pick<EventRange, "oldestId">): Progress => ({
  ...progress,
  position: Math.max(progress.position, oldestId - 1),
  failing: null,
});

/** Why a webhook whose next events were removed is not told of later ones as if nothing was missing. `null`: none was. */
export function missedBecause({ position }: Progress, oldestId: number): string | null {
  if (position + 1 >= oldestId) return null;
  return `the events from ${position + 1} to ${oldestId - 1} were not delivered and are no longer kept`;
}

/** What an operator should know of all webhooks together. */
export interface WebhookCounts {
  readonly disabled: number;
  readonly failing: number;
  /** When the oldest event was told that an enabled webhook has not taken; `null`: they have taken all. */
  readonly untakenSince: UnixMs | null;
}

/** The id of the first event that one of these has not taken, or not looked at yet; `null`: there is none. */
export function firstUntaken(enabled: readonly Progress[], lastId: number): number | null {
  const position = Math.min(lastId, ...enabled.map((progress) => progress.position));
  return position < lastId ? position + 1 : null;
}
