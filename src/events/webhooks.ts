/**
 * The webhooks: who is told, and that everybody enabled has a courier. What an operator changes is durable before it is answered; how far
 * delivery has come is saved every second, so that after a crash some events are delivered again and none is left out.
 */
import { Failure } from "../core/failure.ts";
import type { UnixMs } from "../core/time.ts";
import { WEBHOOK_SAVE_MS, WEBHOOKS_MAX } from "../limits.ts";
import { Courier, type CourierTools } from "./courier.ts";
import { DeliverySlots } from "./delivery-slots.ts";
import type { Outbox } from "./outbox.ts";
import type { Progress, Webhook, WebhookId } from "./webhook.ts";
import {
  changedWebhook,
  firstUntaken,
  missedBecause,
  type NewWebhook,
  newWebhook,
  resumed,
  type WebhookBook,
  type WebhookChange,
  type WebhookCounts,
  type WebhookStatus,
} from "./webhook-book.ts";
import type { WebhookStore } from "./webhook-store.ts";

interface Turns {
  turn<T>(work: () => T): Promise<T>;
}

export interface WebhookTools extends CourierTools {
  readonly outbox: Outbox;
  readonly turns: Turns;
  /** Unpredictable ones: secrets are made of them. */
  readonly randomBytes: (count: number) => Uint8Array;
}

interface Kept {
  webhook: Webhook;
  /** As it is saved; while there is a courier, that one knows better. */
  progress: Progress;
  courier: Courier | null;
  /** Why the courier has stopped for good, until that is saved. */
  givenUpBecause: string | null;
}

export class Webhooks implements WebhookBook {
  readonly #store: WebhookStore;
  readonly #tools: WebhookTools;
  readonly #kept = new Map<WebhookId, Kept>();
  readonly #slots = new DeliverySlots();
  #savedAt: UnixMs = 0;
  #isSaving = false;
  #isStopped = false;

  constructor(store: WebhookStore, tools: WebhookTools) {
    this.#store = store;
    this.#tools = tools;
    for (const { webhook, progress } of store.all()) {
      const kept: Kept = { webhook, progress, courier: null, givenUpBecause: null };
      this.#kept.set(webhook.id, kept);
      if (webhook.disabledBecause === null) this.#employ(kept);
    }
    tools.outbox.onRemoval((oldestId) => this.#disableThoseBehind(oldestId));
  }

  /** How many there are of each kind that an operator should know of, and the deliveries under way. */
  get counts(): WebhookCounts & { readonly deliveries: number } {
    const { outbox } = this.#tools;
    const enabled = [...this.#kept.values()].flatMap(({ courier }) => courier?.progress ?? []);
    const failing = enabled.filter((progress) => progress.failing !== null).length;
    const first = firstUntaken(enabled, outbox.lastId);
    const untakenSince = first === null ? null : outbox.toldAt(first);
    return { disabled: this.#kept.size - enabled.length, failing, untakenSince, deliveries: this.#slots.taken };
  }

  list(): readonly WebhookStatus[] {
    return [...this.#kept.values()].map(statusOf).sort((a, b) => a.webhook.createdAt - b.webhook.createdAt);
  }

  find(id: WebhookId): WebhookStatus | null {
    const kept = this.#kept.get(id);
    return kept ? statusOf(kept) : null;
  }

  add(asked: NewWebhook): Promise<WebhookStatus | null> {
    const { turns, outbox, clock, randomBytes } = this.#tools;
    const webhook = newWebhook(asked, randomBytes, clock.now());
    return turns.turn(() => {
      if (this.#kept.size >= WEBHOOKS_MAX) return null;
      const progress: Progress = { position: outbox.lastId, failing: null, lastError: null };
      const kept: Kept = { webhook, progress, courier: null, givenUpBecause: null };
      this.#store.save(webhook, kept.progress);
      this.#kept.set(webhook.id, kept);
      this.#employ(kept);
      return statusOf(kept);
    });
  }

  change(id: WebhookId, change: WebhookChange): Promise<WebhookStatus | null> {
    return this.#tools.turns.turn(() => {
      const kept = this.#kept.get(id);
      if (!kept) return null;
      kept.webhook = changedWebhook(kept.webhook, change);
      kept.courier?.change(kept.webhook);
      if (kept.webhook.disabledBecause !== null) dismiss(kept);
      else if (kept.courier === null) {
        kept.progress = resumed(kept.progress, this.#tools.outbox);
        this.#employ(kept);
      }
      this.#save(kept);
      return statusOf(kept);
    });
  }

  remove(id: WebhookId): Promise<boolean> {
    return this.#tools.turns.turn(() => {
      this.#kept.get(id)?.courier?.stop();
      this.#store.remove(id);
      return this.#kept.delete(id);
    });
  }

  /** Sends what is new or due again. Called every `WEBHOOK_TICK_MS`. */
  tick(): void {
    if (this.#isStopped) return;
    for (const { courier } of this.#kept.values()) courier?.work();
    // Not before all have asked, so that the first does not take everything.
    this.#slots.handOut();
    const now = this.#tools.clock.now();
    // A clock that went back must not keep positions from being saved.
    if (Math.abs(now - this.#savedAt) < WEBHOOK_SAVE_MS) return;
    this.#savedAt = now;
    for (const kept of this.#kept.values()) if (kept.givenUpBecause !== null) void this.#disableGivenUp(kept);
    void this.#saveProgress();
  }

  /** Ends what is under way and saves how far it came. Before the store closes. */
  async close(): Promise<void> {
    this.#isStopped = true;
    for (const { courier } of this.#kept.values()) courier?.stop();
    await this.#saveProgress();
  }

  #employ(kept: Kept): void {
    kept.courier = new Courier(kept.webhook, kept.progress, this.#tools, this.#slots, (reason) => {
      kept.givenUpBecause = reason;
      void this.#disableGivenUp(kept);
    });
  }

  /** Until it is saved: a store with too much to do is asked again at the next tick. */
  async #disableGivenUp(kept: Kept): Promise<void> {
    await this.#durably(() => {
      const { givenUpBecause } = kept;
      if (givenUpBecause !== null) this.#disable(kept, givenUpBecause);
    });
  }

  /** Within a turn. */
  #disable(kept: Kept, reason: string): void {
    if (this.#kept.get(kept.webhook.id) !== kept || kept.webhook.disabledBecause !== null) return;
    kept.webhook = { ...kept.webhook, disabledBecause: reason };
    kept.givenUpBecause = null;
    dismiss(kept);
    this.#save(kept);
  }

  /** Within the turn that removes events: a receiver that did not get them must not be told of later ones as if nothing was missing. */
  #disableThoseBehind(oldestId: number): void {
    for (const kept of this.#kept.values()) {
      if (kept.courier === null) continue;
      const reason = missedBecause(kept.courier.progress, oldestId);
      if (reason === null) this.#save(kept);
      else this.#disable(kept, reason);
    }
  }

  async #saveProgress(): Promise<void> {
    const changed = [...this.#kept.values()].filter(({ courier, progress }) => courier && !isSame(courier.progress, progress));
    if (this.#isSaving || changed.length === 0) return;
    this.#isSaving = true;
    await this.#durably(() => {
      for (const kept of changed) if (this.#kept.get(kept.webhook.id) === kept) this.#save(kept);
    });
    this.#isSaving = false;
  }

  /** A store that has failed has told its owner already, and what is not saved is delivered again. */
  #durably(work: () => void): Promise<void> {
    return this.#tools.turns.turn(work).catch((error: unknown) => {
      if (!(error instanceof Failure)) this.#tools.onBug(error);
    });
  }

  /** Within a turn. */
  #save(kept: Kept): void {
    kept.progress = statusOf(kept).progress;
    this.#store.save(kept.webhook, kept.progress);
  }
}

const statusOf = ({ webhook, courier, progress }: Kept): WebhookStatus => ({ webhook, progress: courier?.progress ?? progress });

function dismiss(kept: Kept): void {
  kept.progress = statusOf(kept).progress;
  kept.courier?.stop();
  kept.courier = null;
}

const isSame = (a: Progress, b: Progress): boolean => JSON.stringify(a) === JSON.stringify(b);
