/**
 * Delivers to the webhooks that many processes share, in the one that leads. Every second it learns what operators have changed at any process, and
 * saves how far it has come. Who leads next goes on from what was saved: some events are delivered again then, and none is left out.
 */
import { Failure } from "../core/failure.ts";
import type { SqlDatabase, Tx } from "../core/sql.ts";
import type { UnixMs } from "../core/time.ts";
import { WEBHOOK_SAVE_MS } from "../limits.ts";
import { Courier, type CourierTools } from "./courier.ts";
import { DeliverySlots } from "./delivery-slots.ts";
import type { PostgresOutbox } from "./postgres-outbox.ts";
import { allWebhooks, type VersionedWebhook } from "./postgres-webhooks.ts";
import type { Progress, Webhook, WebhookId } from "./webhook.ts";
import { missedBecause } from "./webhook-book.ts";

export interface SharedDeliveryTools extends CourierTools {
  readonly db: SqlDatabase;
  readonly outbox: PostgresOutbox;
}

interface Known {
  version: number;
  webhook: Webhook;
  /** While there is a courier, that one knows better. */
  progress: Progress;
  /** As text, as it stands in the database. */
  saved: string;
  courier: Courier | null;
  /** Why nothing more must be sent, until that is saved. */
  givenUpBecause: string | null;
}

export class SharedDeliveries {
  readonly #tools: SharedDeliveryTools;
  readonly #slots = new DeliverySlots();
  readonly #known = new Map<WebhookId, Known>();
  #isLeading = false;
  #syncedAt: UnixMs = 0;
  #syncing: Promise<void> | null = null;

  constructor(tools: SharedDeliveryTools) {
    this.#tools = tools;
    tools.outbox.onRemoval((tx, oldestId) => this.#saveBeforeRemoval(tx, oldestId));
  }

  /** Deliveries under way. */
  get underWay(): number {
    return this.#slots.taken;
  }

  /** This process leads from now on. */
  begin(): void {
    this.#isLeading = true;
    this.#syncedAt = this.#tools.clock.now();
    void this.sync();
  }

  /** It does not lead any more: what is under way is let go of, and whoever leads now makes it again. */
  end(): void {
    this.#isLeading = false;
    for (const { courier } of this.#known.values()) courier?.stop();
    this.#known.clear();
  }

  /** Sends what is new or due again. Called every `WEBHOOK_TICK_MS`. */
  tick(): void {
    if (!this.#isLeading) return;
    for (const { courier } of this.#known.values()) courier?.work();
    // Not before all have asked, so that the first does not take everything.
    this.#slots.handOut();
    const now = this.#tools.clock.now();
    // A clock that went back must not keep positions from being saved.
    if (Math.abs(now - this.#syncedAt) < WEBHOOK_SAVE_MS) return;
    this.#syncedAt = now;
    void this.sync();
  }

  /** Learns what was changed and saves how far delivery has come. Never rejects; a call while one is under way joins it. */
  sync(): Promise<void> {
    this.#syncing ??= this.#syncOnce()
      .catch((error: unknown) => {
        // A database that cannot be had is asked again in a second; what is not saved is delivered again.
        if (!(error instanceof Failure)) this.#tools.onBug(error);
      })
      .finally(() => {
        this.#syncing = null;
      });
    return this.#syncing;
  }

  /** Ends what is under way and saves how far it came. Before the leadership ends. */
  async close(): Promise<void> {
    if (!this.#isLeading) return;
    for (const known of this.#known.values()) dismiss(known);
    await this.#syncing;
    await this.sync();
    this.end();
  }

  async #syncOnce(): Promise<void> {
    const { db, outbox } = this.#tools;
    const { oldestId } = await outbox.range();
    const all = await allWebhooks(db.read);
    if (!this.#isLeading) return;
    this.#learn(all, oldestId);
    await this.#saveProgress();
    for (const known of this.#known.values()) if (known.givenUpBecause !== null) await this.#disable(known, known.givenUpBecause);
  }

  #learn(all: readonly VersionedWebhook[], oldestId: number): void {
    const gone = new Map(this.#known);
    for (const now of all) {
      const { id } = now.webhook;
      gone.delete(id);
      const known = this.#known.get(id);
      if (known?.version === now.version) continue;
      if (known) this.#change(known, now, oldestId);
      else this.#meet(now, oldestId);
    }
    for (const [id, { courier }] of gone) {
      courier?.stop();
      this.#known.delete(id);
    }
  }

  #meet({ version, webhook, progress }: VersionedWebhook, oldestId: number): void {
    const known: Known = { version, webhook, progress, saved: JSON.stringify(progress), courier: null, givenUpBecause: null };
    this.#known.set(webhook.id, known);
    if (webhook.disabledBecause === null) this.#employ(known, oldestId);
  }

  #change(known: Known, { version, webhook, progress }: VersionedWebhook, oldestId: number): void {
    known.version = version;
    known.webhook = webhook;
    known.courier?.change(webhook);
    if (webhook.disabledBecause !== null) {
      dismiss(known);
      known.givenUpBecause = null;
    } else if (known.courier === null && known.givenUpBecause === null) {
      known.progress = progress;
      known.saved = JSON.stringify(progress);
      this.#employ(known, oldestId);
    }
  }

  #employ(known: Known, oldestId: number): void {
    known.givenUpBecause = missedBecause(known.progress, oldestId);
    if (known.givenUpBecause !== null) return;
    known.courier = new Courier(known.webhook, known.progress, this.#tools, this.#slots, (reason) => {
      dismiss(known);
      known.givenUpBecause = reason;
      void this.sync();
    });
  }

  async #saveProgress(): Promise<void> {
    const changed = [...this.#known.values()]
      .map((known) => ({ known, text: JSON.stringify(progressOf(known)) }))
      .filter(({ known, text }) => text !== known.saved);
    if (changed.length === 0) return;
    await this.#tools.db.transaction((tx) => saveAll(tx, new Map(changed.map(({ known, text }) => [known.webhook.id, text]))));
    for (const { known, text } of changed) known.saved = text;
  }

  /** An operator who has changed it meanwhile raised the version: then it is tried again with what they have set. */
  async #disable(known: Known, reason: string): Promise<void> {
    const version = await this.#tools.db.transaction(async (tx) => {
      const [row] = await tx<{ version: number }>`
        update webhooks set version = version + 1, disabled_because = ${reason}
        where id = ${known.webhook.id} and version = ${known.version} and disabled_because is null returning version`;
      return row?.version;
    });
    if (version === undefined) return;
    known.version = version;
    known.webhook = { ...known.webhook, disabledBecause: reason };
    known.givenUpBecause = null;
  }

  /** Within the transaction that removes events: whoever leads next must not find a position from before it, and a receiver that did not get
   *  them must not be told of later ones as if nothing was missing. The couriers of these end when the change is learned of. */
  async #saveBeforeRemoval(tx: Tx, oldestId: number): Promise<void> {
    const employed = [...this.#known.values()].filter(({ courier }) => courier !== null);
    await saveAll(tx, new Map(employed.map((known) => [known.webhook.id, JSON.stringify(progressOf(known))])));
    for (const known of employed) {
      const reason = missedBecause(progressOf(known), oldestId);
      if (reason === null) continue;
      await tx`
        update webhooks set version = version + 1, disabled_because = ${reason}
        where id = ${known.webhook.id} and disabled_because is null`;
    }
  }
}

const progressOf = ({ courier, progress }: Known): Progress => courier?.progress ?? progress;

function dismiss(known: Known): void {
  known.progress = progressOf(known);
  known.courier?.stop();
  known.courier = null;
}

async function saveAll(tx: Tx, progress: ReadonlyMap<WebhookId, string>): Promise<void> {
  await tx`
    update webhooks set progress = come.progress
    from unnest(${[...progress.keys()]}::text[], ${[...progress.values()]}::text[]) as come(id, progress)
    where webhooks.id = come.id`;
}
