/** Where webhooks survive: one row each, a hundred at most. */
import type { Database } from "bun:sqlite";
import type { Progress, Webhook, WebhookId } from "./webhook.ts";

export const WEBHOOKS_SCHEMA = `
-- One row per webhook: what the operator has set, and how far delivery has come. Both are JSON.
create table webhooks (id text primary key, webhook text not null, progress text not null) strict, without rowid;
`;

export class WebhookStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Within a turn. */
  save(webhook: Webhook, progress: Progress): void {
    this.#db.query("insert or replace into webhooks values (?, ?, ?)").run(webhook.id, JSON.stringify(webhook), JSON.stringify(progress));
  }

  /** Within a turn. */
  remove(id: WebhookId): void {
    this.#db.query("delete from webhooks where id = ?").run(id);
  }

  all(): readonly { readonly webhook: Webhook; readonly progress: Progress }[] {
    const rows = this.#db.query<{ webhook: string; progress: string }, []>("select webhook, progress from webhooks").all();
    return rows.map(({ webhook, progress }) => ({ webhook: JSON.parse(webhook) as Webhook, progress: JSON.parse(progress) as Progress }));
  }
}
