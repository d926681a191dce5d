/** What a test needs to be the operator of webhooks, and their receivers. */
import { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import type { Answer } from "../src/core/answer.ts";
import type { Route } from "../src/core/endpoint.ts";
import { Failure } from "../src/core/failure.ts";
import type { Sku } from "../src/core/ids.ts";
import { GroupCommit } from "../src/edge/group-commit.ts";
import type { Post, PostAnswer } from "../src/events/courier.ts";
import { OUTBOX_SCHEMA, Outbox } from "../src/events/outbox.ts";
import { webhookRoutes } from "../src/events/routes.ts";
import { WEBHOOKS_SCHEMA, WebhookStore } from "../src/events/webhook-store.ts";
import { Webhooks } from "../src/events/webhooks.ts";

export interface Shown {
  readonly id: string;
  readonly state: string;
  readonly types?: readonly string[];
  readonly deliveredUpTo: string;
  readonly disabledBecause?: string;
  readonly secrets?: readonly string[];
  readonly failing?: { readonly eventID: string };
  readonly lastError?: { readonly detail: string };
}
export interface Reply {
  readonly status: number;
  readonly body: Shown;
}

export const ok: PostAnswer = { status: 200 };
export const secret = (fill: number): string => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;
/** Everything that is not waiting for a tick has come to its end. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** An operator, a store, and a receiver that answers as it is told. */
export interface WebhooksUnderTest {
  readonly posts: Post[];
  readonly bugs: unknown[];
  /** Of the posts, in their order. */
  readonly delivered: string[];
  answer: (post: Post) => PostAnswer | Promise<PostAnswer>;
  nowMs: number;
  /** Whether the store has too much to do to take anything more. */
  isStoreBusy: boolean;
  call(name: string, body?: object, id?: string): Promise<Reply>;
  create(body?: object): Promise<Reply>;
  see(id: string): Promise<Shown>;
  add(...skus: readonly string[]): Promise<void>;
  /** Ticks once, and lets what was sent come back. */
  step(): Promise<void>;
  /** As above, until nothing moves any more. */
  works(): Promise<void>;
  sweep(): Promise<unknown>;
  /** When the oldest event was told that an enabled webhook has not taken, as an operator is shown it; `null`: they have taken all. */
  untakenSince(): Promise<number | null>;
  /** The process stops in good order. */
  stop(): Promise<void>;
  /** Another life over the same store; the one before ends without a word, unless it was stopped. */
  restart(): Answer<void>;
}

export async function callRoute(routes: readonly Route[], name: string, body: object, id: string): Promise<Reply> {
  const route = routes.find(({ endpoint }) => endpoint.name === name) as Route;
  const input = { params: { id }, query: {}, body: body as never, headers: { get: () => null }, peer: () => "" };
  const reply = await route.handle(input);
  return { status: reply.status, body: JSON.parse(reply.body as string) as Shown };
}

export const deliveredIn = (posts: readonly Post[]): string[] =>
  posts.map(({ body }) => (JSON.parse(body) as { data: { goodsSKU: string } }).data.goodsSKU);

/** Over a store of one process. */
export class WebhookDesk implements WebhooksUnderTest {
  readonly #db = new Database(":memory:");
  #routes: readonly Route[] = [];
  readonly bugs: unknown[] = [];
  readonly posts: Post[] = [];
  answer: (post: Post) => PostAnswer | Promise<PostAnswer> = () => ok;
  // The library that verifies signatures has a clock of its own.
  nowMs = Date.now();
  outbox!: Outbox;
  webhooks!: Webhooks;

  constructor() {
    this.#db.run(OUTBOX_SCHEMA + WEBHOOKS_SCHEMA);
    this.restart();
  }

  isStoreBusy = false;

  #busyOr(turns: GroupCommit): Pick<GroupCommit, "turn"> {
    const busy = () => Promise.reject(new Failure("overloaded", "too many changes wait", true));
    return { turn: (work) => (this.isStoreBusy ? busy() : turns.turn(work)) };
  }

  restart(): void {
    const turns = new GroupCommit(this.#db, () => {});
    this.outbox = new Outbox(this.#db, turns, "eur", { keptMs: 48 * 3_600_000, eventsMax: 1_000_000 });
    this.webhooks = new Webhooks(new WebhookStore(this.#db), {
      ...{ outbox: this.outbox, turns: this.#busyOr(turns), clock: { now: () => this.nowMs, monotonicUs: () => 0 }, random: () => 0 },
      send: async (post) => {
        this.posts.push(post);
        return this.answer(post);
      },
      randomBytes,
      onBug: (error) => this.bugs.push(error),
    });
    this.#routes = webhookRoutes(this.webhooks);
    this.add = (...skus) =>
      turns.turn(() => {
        for (const sku of skus) this.outbox.add({ type: "goods.sold-out", at: this.nowMs, sku: sku as Sku });
      });
  }

  add!: (...skus: readonly string[]) => Promise<void>;

  call(name: string, body: object = {}, id = ""): Promise<Reply> {
    return callRoute(this.#routes, name, body, id);
  }

  create(body: object = {}): Promise<Reply> {
    return this.call("addWebhook", { url: "https://shop.example/hook", ...body });
  }

  async see(id: string): Promise<Shown> {
    return (await this.call("getWebhook", {}, id)).body;
  }

  async step(): Promise<void> {
    this.webhooks.tick();
    await settled();
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

  async untakenSince(): Promise<number | null> {
    return this.webhooks.counts.untakenSince;
  }

  stop(): Promise<void> {
    return this.webhooks.close();
  }

  get delivered(): string[] {
    return deliveredIn(this.posts);
  }
}
