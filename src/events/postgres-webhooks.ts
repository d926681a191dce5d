/**
 * The webhooks that many processes share, as operators see and change them. Any process answers; what is changed is durable before it is, and the
 * process that delivers learns of it within `WEBHOOK_SAVE_MS`. How far delivery has come is as that one has saved it.
 */
import type { Sql, SqlDatabase } from "../core/sql.ts";
import type { Clock } from "../core/time.ts";
import { WEBHOOKS_MAX } from "../limits.ts";
import type { PostgresOutbox } from "./postgres-outbox.ts";
import type { Progress, Webhook, WebhookId } from "./webhook.ts";
import {
  changedWebhook,
  firstUntaken,
  type NewWebhook,
  newWebhook,
  resumed,
  type WebhookBook,
  type WebhookChange,
  type WebhookCounts,
  type WebhookStatus,
} from "./webhook-book.ts";

export interface PostgresWebhookParts {
  readonly db: SqlDatabase;
  readonly outbox: PostgresOutbox;
  readonly clock: Clock;
  /** Unpredictable ones: secrets are made of them. */
  readonly randomBytes: (count: number) => Uint8Array;
}

export interface VersionedWebhook extends WebhookStatus {
  /** Raised by every change but that of the progress. */
  readonly version: number;
}

interface Row {
  readonly version: number;
  readonly webhook: string;
  readonly disabledBecause: string | null;
  readonly progress: string;
}

export class PostgresWebhooks implements WebhookBook {
  readonly #parts: PostgresWebhookParts;
  #counts: WebhookCounts = { disabled: 0, failing: 0, untakenSince: null };

  constructor(parts: PostgresWebhookParts) {
    this.#parts = parts;
  }

  async list(): Promise<readonly WebhookStatus[]> {
    const all = await allWebhooks(this.#parts.db.read);
    return all.toSorted((a, b) => a.webhook.createdAt - b.webhook.createdAt);
  }

  async find(id: WebhookId): Promise<WebhookStatus | null> {
    const [row] = await this.#parts.db.read<Row>`
      select version, webhook, disabled_because as "disabledBecause", progress from webhooks where id = ${id}`;
    return row ? statusOf(row) : null;
  }

  async add(asked: NewWebhook): Promise<WebhookStatus | null> {
    const { db, outbox, clock, randomBytes } = this.#parts;
    const webhook = newWebhook(asked, randomBytes, clock.now());
    return db.transaction(async (tx) => {
      // Two that add the last one at once: the second waits, and then sees the first.
      await tx`lock table webhooks in share row exclusive mode`;
      const [kept] = await tx<{ count: number }>`select count(*) as count from webhooks`;
      if ((kept?.count ?? 0) >= WEBHOOKS_MAX) return null;
      const { lastId } = await outbox.rangeIn(tx);
      const progress: Progress = { position: lastId, failing: null, lastError: null };
      await tx`
        insert into webhooks (id, version, webhook, disabled_because, progress)
        values (${webhook.id}, 1, ${JSON.stringify(webhook)}, null, ${JSON.stringify(progress)})`;
      return { webhook, progress };
    });
  }

  change(id: WebhookId, change: WebhookChange): Promise<WebhookStatus | null> {
    const { db, outbox } = this.#parts;
    return db.transaction(async (tx) => {
      const [row] = await tx<Row>`
        select version, webhook, disabled_because as "disabledBecause", progress from webhooks where id = ${id} for update`;
      if (!row) return null;
      const before = statusOf(row);
      const webhook = changedWebhook(before.webhook, change);
      const isResumed = before.webhook.disabledBecause !== null && webhook.disabledBecause === null;
      const progress = isResumed ? resumed(before.progress, await outbox.rangeIn(tx)) : before.progress;
      await tx`
        update webhooks set version = version + 1, webhook = ${JSON.stringify(webhook)}, disabled_because = ${webhook.disabledBecause},
          progress = ${JSON.stringify(progress)}
        where id = ${id}`;
      return { webhook, progress };
    });
  }

  remove(id: WebhookId): Promise<boolean> {
    return this.#parts.db.transaction(async (tx) => (await tx`delete from webhooks where id = ${id}`).affectedRows > 0);
  }

  /** As they were at the last call of `recount`: metrics must not wait. */
  get counts(): WebhookCounts {
    return this.#counts;
  }

  async recount(): Promise<void> {
    const { db, outbox } = this.#parts;
    const all = await allWebhooks(db.read);
    const enabled = all.flatMap(({ webhook, progress }) => (webhook.disabledBecause === null ? progress : []));
    const failing = enabled.filter((progress) => progress.failing !== null).length;
    const first = firstUntaken(enabled, outbox.lastId);
    const untakenSince = first === null ? null : await outbox.toldAt(first);
    this.#counts = { disabled: all.length - enabled.length, failing, untakenSince };
  }
}

export async function allWebhooks(sql: Sql): Promise<readonly VersionedWebhook[]> {
  const rows = await sql<Row>`select version, webhook, disabled_because as "disabledBecause", progress from webhooks`;
  return rows.map(statusOf);
}

const statusOf = ({ version, webhook, disabledBecause, progress }: Row): VersionedWebhook => ({
  version,
  webhook: { ...(JSON.parse(webhook) as Webhook), disabledBecause },
  progress: JSON.parse(progress) as Progress,
});
