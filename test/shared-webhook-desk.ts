/** As `WebhookDesk`, for webhooks that many processes share: this one answers operators and leads. */
import { randomBytes } from "node:crypto";
import type { Route } from "../src/core/endpoint.ts";
import { Failure } from "../src/core/failure.ts";
import type { Sku } from "../src/core/ids.ts";
import type { SqlDatabase } from "../src/core/sql.ts";
import type { Post, PostAnswer } from "../src/events/courier.ts";
import { PostgresOutbox } from "../src/events/postgres-outbox.ts";
import { PostgresWebhooks } from "../src/events/postgres-webhooks.ts";
import { webhookRoutes } from "../src/events/routes.ts";
import { SharedDeliveries } from "../src/events/shared-deliveries.ts";
import { callRoute, deliveredIn, ok, type Reply, type Shown, settled, type WebhooksUnderTest } from "./webhook-desk.ts";

export class SharedWebhookDesk implements WebhooksUnderTest {
  readonly #db: SqlDatabase;
  #routes: readonly Route[] = [];
  #webhooks!: PostgresWebhooks;
  /** What this process asks of the database at the moment. */
  #asked = 0;
  readonly bugs: unknown[] = [];
  posts: Post[] = [];
  answer: (post: Post) => PostAnswer | Promise<PostAnswer> = () => ok;
  // The library that verifies signatures has a clock of its own.
  nowMs = Date.now();
  isStoreBusy = false;
  outbox!: PostgresOutbox;
  deliveries!: SharedDeliveries;

  constructor(db: SqlDatabase) {
    const counted = async <T>(asked: Promise<T>): Promise<T> => {
      this.#asked += 1;
      return asked.finally(() => {
        this.#asked -= 1;
      });
    };
    this.#db = {
      read: (text, ...parameters) => counted(db.read(text, ...parameters)),
      transaction: (work, options) =>
        this.isStoreBusy ? Promise.reject(new Failure("overloaded", "too much waits", true)) : counted(db.transaction(work, options)),
    };
    this.restart();
  }

  restart(): void {
    // Killed: what it does from now on is nobody's.
    this.deliveries?.end();
    const [db, clock] = [this.#db, { now: () => this.nowMs, monotonicUs: () => 0 }];
    this.outbox = new PostgresOutbox(db, "eur", { keptMs: 48 * 3_600_000, eventsMax: 1_000_000 });
    this.deliveries = new SharedDeliveries({
      ...{ db, clock, outbox: this.outbox, random: () => 0, onBug: (error) => this.bugs.push(error) },
      send: async (post) => {
        this.posts.push(post);
        return this.answer(post);
      },
    });
    this.#webhooks = new PostgresWebhooks({ db, outbox: this.outbox, clock, randomBytes });
    this.#routes = webhookRoutes(this.#webhooks);
    this.deliveries.begin();
  }

  call(name: string, body: object = {}, id = ""): Promise<Reply> {
    return callRoute(this.#routes, name, body, id);
  }

  create(body: object = {}): Promise<Reply> {
    return this.call("addWebhook", { url: "https://shop.example/hook", ...body });
  }

  async see(id: string): Promise<Shown> {
    return (await this.call("getWebhook", {}, id)).body;
  }

  async add(...skus: readonly string[]): Promise<void> {
    const events = skus.map((sku) => ({ type: "goods.sold-out", at: this.nowMs, sku: sku as Sku }) as const);
    await this.#db.transaction((tx) => this.outbox.append(tx, events));
    await this.outbox.tick();
  }

  async untakenSince(): Promise<number | null> {
    await this.#webhooks.recount();
    return this.#webhooks.counts.untakenSince;
  }

  async step(): Promise<void> {
    await this.outbox.tick().catch(() => undefined);
    await this.deliveries.sync();
    this.deliveries.tick();
    await this.#atRest();
    await this.deliveries.sync();
  }

  async works(): Promise<void> {
    for (let before = -1; before !== this.posts.length; ) {
      before = this.posts.length;
      await this.step();
    }
  }

  sweep(): Promise<unknown> {
    return this.outbox.sweep(this.nowMs);
  }

  stop(): Promise<void> {
    return this.deliveries.close();
  }

  get delivered(): string[] {
    return deliveredIn(this.posts);
  }

  /** Nothing of ours is with the database any more, and what came back from there has been dealt with. */
  async #atRest(): Promise<void> {
    do await settled();
    while (this.#asked > 0);
  }
}
