/** Webhooks over a real store: what an operator sets and sees, when one is disabled, and what survives. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { Webhook as Verifier } from "standardwebhooks";
import type { Route } from "../core/endpoint.ts";
import type { Sku } from "../core/ids.ts";
import { GroupCommit } from "../edge/group-commit.ts";
import { InputChecker } from "../edge/request-input.ts";
import { WEBHOOK_GIVE_UP_MS, WEBHOOK_RETRY_MS_MAX, WEBHOOK_SAVE_MS, WEBHOOKS_MAX } from "../limits.ts";
import type { Post, PostAnswer } from "./courier.ts";
import { OUTBOX_SCHEMA, Outbox } from "./outbox.ts";
import { webhookRoutes } from "./routes.ts";
import { WEBHOOKS_SCHEMA, WebhookStore } from "./webhook-store.ts";
import { Webhooks } from "./webhooks.ts";

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly deliveredUpTo: string;
  readonly disabledBecause?: string;
  readonly secrets?: readonly string[];
  readonly failing?: { readonly eventID: string };
  readonly lastError?: { readonly detail: string };
}
interface Reply {
  readonly status: number;
  readonly body: Shown;
}

const ok: PostAnswer = { status: 200 };
const secret = (fill: number): string => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;
/** Everything that is not waiting for a tick has come to its end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** An operator, a store, and a receiver that answers as it is told. */
class Desk {
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

  /** Another life over the same store; the one before ends without a word. */
  restart(): void {
    const turns = new GroupCommit(this.#db, () => {});
    this.outbox = new Outbox(this.#db, turns, "eur", { keptMs: 48 * 3_600_000, eventsMax: 1_000_000 });
    this.webhooks = new Webhooks(new WebhookStore(this.#db), {
      ...{ outbox: this.outbox, turns, clock: { now: () => this.nowMs, monotonicUs: () => 0 }, random: () => 0 },
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

  async call(name: string, body: object = {}, id = ""): Promise<Reply> {
    const route = this.#routes.find(({ endpoint }) => endpoint.name === name) as Route;
    const input = { params: { id }, query: {}, body: body as never, headers: { get: () => null }, peer: () => "" };
    const reply = await route.handle(input);
    return { status: reply.status, body: JSON.parse(reply.body as string) as Shown };
  }

  create(body: object = {}): Promise<Reply> {
    return this.call("addWebhook", { url: "https://shop.example/hook", ...body });
  }

  async see(id: string): Promise<Shown> {
    return (await this.call("getWebhook", {}, id)).body;
  }

  /** Ticks, and lets what was sent come back, until nothing moves any more. */
  async works(): Promise<void> {
    for (let before = -1; before !== this.posts.length; ) {
      before = this.posts.length;
      this.webhooks.tick();
      await settled();
    }
  }

  get delivered(): string[] {
    return this.posts.map(({ body }) => (JSON.parse(body) as { data: { goodsSKU: string } }).data.goodsSKU);
  }
}

describe("an operator", () => {
  test("gets a secret that is made for the webhook, and sees it once", async () => {
    const desk = new Desk();
    const { status, body } = await desk.create();
    expect([status, body.state, body.secrets]).toEqual([201, "enabled", [expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/)]]);
    expect(JSON.stringify([await desk.see(body.id), await desk.call("findAllWebhooks")])).not.toContain("whsec_");
  });

  test("is never shown a secret of their own", async () => {
    const desk = new Desk();
    const { body } = await desk.create({ secrets: [secret(1)] });
    const changed = await desk.call("updateWebhook", { url: "https://b.example/", secrets: [secret(2)] }, body.id);
    expect(JSON.stringify([body, changed.body])).not.toContain("whsec_");
  });

  test("hears 404 for a webhook that is not there, and 409 for one too many", async () => {
    const desk = new Desk();
    for (const name of ["getWebhook", "updateWebhook", "removeWebhook"])
      expect((await desk.call(name, { url: "https://b.example/" }, "wh_0000000000000000")).status).toBe(404);
    for (let count = 0; count < WEBHOOKS_MAX; count += 1) expect((await desk.create()).status).toBe(201);
    expect((await desk.create()).status).toBe(409);
  });

  test("finds everything as it was after a restart", async () => {
    const desk = new Desk();
    const { body } = await desk.create({ types: ["goods.sold-out"] });
    const gone = await desk.create();
    await desk.call("removeWebhook", {}, gone.body.id);
    const { secrets: _, ...seen } = body;
    desk.restart();
    expect(await desk.call("findAllWebhooks")).toEqual({ status: 200, body: [seen] as unknown as Shown });
  });

  test("who removes a webhook does not find it again, whatever came back of its deliveries meanwhile", async () => {
    for (const answer of [ok, { status: 410 }]) {
      const desk = new Desk();
      const { body } = await desk.create();
      desk.answer = () => answer;
      await desk.add("a");
      const removed = desk.call("removeWebhook", {}, body.id);
      // The receiver answers at once, and its answer is saved in the same turn, behind the removal.
      desk.webhooks.tick();
      desk.nowMs += WEBHOOK_SAVE_MS;
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      desk.webhooks.tick();
      expect((await removed).status).toBe(200);
      desk.restart();
      expect(desk.webhooks.list()).toEqual([]);
    }
  });

  const checker = (name: string): InputChecker =>
    new InputChecker((webhookRoutes(new Desk().webhooks).find(({ endpoint }) => endpoint.name === name) as Route).endpoint);
  test.each([
    [{ url: "ftp://shop.example/" }, "#/url"],
    [{ url: "https://user:pass@shop.example/" }, "#/url"],
    [{ url: "shop.example" }, "#/url"],
    [{ url: "https://shop.example/", types: ["order.unheard-of"] }, "#/types/0"],
    [{ url: "https://shop.example/", types: [] }, "#/types"],
    [{ url: "https://shop.example/", secrets: ["secret"] }, "#/secrets/0"],
    [{ url: "https://shop.example/", secrets: [`whsec_${Buffer.alloc(23).toString("base64")}`] }, "#/secrets/0"],
    [{ url: "https://shop.example/", secrets: [] }, "#/secrets"],
  ])("is told what is wrong with %j", (body, pointer) => {
    const checked = checker("addWebhook").body(JSON.stringify(body));
    expect("refusal" in checked && JSON.parse(checked.refusal.body as string).errors[0].pointer).toBe(pointer);
  });
});

describe("a delivery", () => {
  test("is signed with every key, so that a receiver may know any of them", async () => {
    const desk = new Desk();
    await desk.create({ secrets: [secret(1), secret(2)] });
    await desk.add("a");
    await desk.works();
    const [{ body, headers }] = desk.posts as [Post];
    expect([headers["webhook-id"], headers["webhook-timestamp"]]).toEqual(["1", String(Math.floor(desk.nowMs / 1_000))]);
    for (const each of [secret(1), secret(2)]) expect(new Verifier(each).verify(body, headers)).toMatchObject({ id: "1" });
    expect(() => new Verifier(secret(3)).verify(body, headers)).toThrow();
  });

  test("is signed with the new keys and goes to the new URL as soon as they are changed", async () => {
    const desk = new Desk();
    const { body } = await desk.create({ secrets: [secret(1)] });
    await desk.call("updateWebhook", { url: "https://b.example/", secrets: [secret(2)] }, body.id);
    await desk.add("a");
    await desk.works();
    const [post] = desk.posts as [Post];
    expect(post.url).toBe("https://b.example/");
    expect(() => new Verifier(secret(2)).verify(post.body, post.headers)).not.toThrow();
  });

  test("is signed with the keys as they were when a change names none", async () => {
    const desk = new Desk();
    const { body } = await desk.create({ secrets: [secret(1)] });
    await desk.call("updateWebhook", { url: "https://b.example/" }, body.id);
    await desk.add("a");
    await desk.works();
    const [post] = desk.posts as [Post];
    expect(() => new Verifier(secret(1)).verify(post.body, post.headers)).not.toThrow();
  });

  test("is made for what happens after the webhook was added, and only of the types asked for", async () => {
    const desk = new Desk();
    await desk.add("before");
    const { body } = await desk.create({ types: ["order.paid"] });
    const all = await desk.create();
    await desk.add("after");
    await desk.works();
    expect(desk.delivered).toEqual(["after"]);
    expect([(await desk.see(body.id)).deliveredUpTo, (await desk.see(all.body.id)).deliveredUpTo]).toEqual(["2", "2"]);
  });

  test.each([
    [{ status: 500 }, "status 500"],
    [{ status: 302 }, "status 302: redirects are not followed, give the final URL"],
    [{ status: 404 }, "status 404"],
    [{ error: "connection refused" }, "connection refused"],
  ] as const)("that is answered with %j is made again until the answer is a yes", async (no, detail) => {
    const desk = new Desk();
    const { body } = await desk.create();
    desk.answer = () => (desk.posts.length < 3 ? no : ok);
    await desk.add("a");
    desk.webhooks.tick();
    await settled();
    const seen = await desk.see(body.id);
    expect([seen.deliveredUpTo, seen.lastError?.detail]).toEqual(["0", detail]);
    await desk.works();
    expect([desk.delivered, (await desk.see(body.id)).deliveredUpTo]).toEqual([["a", "a", "a"], "1"]);
    expect(desk.bugs).toEqual([]);
  });

  test("that its receiver has answered is not made again after a restart, once the position was saved", async () => {
    const desk = new Desk();
    await desk.create();
    await desk.add("a", "b");
    await desk.works();
    desk.nowMs += WEBHOOK_SAVE_MS;
    await desk.works();
    desk.restart();
    await desk.add("c");
    await desk.works();
    expect(desk.delivered.toSorted()).toEqual(["a", "b", "c"]);
  });

  test("that was under way when the process died is made again", async () => {
    const desk = new Desk();
    await desk.create();
    desk.answer = () => new Promise<PostAnswer>(() => {});
    await desk.add("a");
    await desk.works();
    desk.restart();
    desk.answer = () => ok;
    await desk.works();
    expect(desk.delivered).toEqual(["a", "a"]);
  });

  test("is let go of when the process stops, and how far it came is saved", async () => {
    const desk = new Desk();
    const { body } = await desk.create();
    await desk.add("a");
    await desk.works();
    desk.answer = ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve({ error: "ended" })));
    await desk.add("b");
    await desk.works();
    await desk.webhooks.close();
    desk.restart();
    desk.answer = () => ok;
    await desk.works();
    expect(desk.delivered).toEqual(["a", "b", "b"]);
    // That we have hung up is no error of the receiver's.
    expect((await desk.see(body.id)).lastError).toBeUndefined();
  });

  test("follows the one before of the same goods, while those of other goods go on", async () => {
    const desk = new Desk();
    await desk.create();
    // Two names in different lanes.
    desk.answer = ({ body }) => (body.includes("SKU0001") && desk.posts.length < 10 ? { status: 500 } : ok);
    await desk.add("SKU0001", "SKU0002", "SKU0001", "SKU0002");
    await desk.works();
    const order = desk.posts.map(({ headers }) => headers["webhook-id"]);
    expect(order.indexOf("4")).toBeLessThan(order.lastIndexOf("1"));
    expect(order.indexOf("3")).toBeGreaterThan(order.lastIndexOf("1"));
  });
});

describe("a webhook is disabled", () => {
  test("when its receiver answers 410, durably, and goes on where it was when it is enabled again", async () => {
    const desk = new Desk();
    const { body } = await desk.create();
    desk.answer = () => ({ status: 410 });
    await desk.add("a", "b");
    await desk.works();
    desk.restart();
    const seen = await desk.see(body.id);
    expect([seen.state, seen.disabledBecause, seen.deliveredUpTo]).toEqual(["disabled", expect.stringContaining("410"), "0"]);
    desk.posts.length = 0;
    await desk.works();
    expect(desk.posts).toEqual([]);
    desk.answer = () => ok;
    const { body: enabled } = await desk.call("updateWebhook", { url: "https://shop.example/hook", enabled: true }, body.id);
    expect([enabled.state, enabled.disabledBecause]).toEqual(["enabled", undefined]);
    await desk.works();
    expect(desk.delivered.toSorted()).toEqual(["a", "b"]);
  });

  test("when one event could not be delivered for 24 hours, and says so", async () => {
    const desk = new Desk();
    const { body } = await desk.create();
    desk.answer = () => ({ status: 503 });
    await desk.add("a");
    desk.webhooks.tick();
    await settled();
    for (let passed = 0; passed < WEBHOOK_GIVE_UP_MS; passed += WEBHOOK_RETRY_MS_MAX) {
      expect((await desk.see(body.id)).state).toBe("enabled");
      desk.nowMs += WEBHOOK_RETRY_MS_MAX;
      desk.webhooks.tick();
      await settled();
    }
    const seen = await desk.see(body.id);
    expect([seen.state, seen.disabledBecause]).toEqual(["disabled", expect.stringContaining("24 hours")]);
    expect([seen.failing?.eventID, seen.lastError?.detail]).toEqual(["1", "status 503"]);
  });

  test("when events that it has not received are removed: it is never told of later ones as if nothing was missing", async () => {
    const desk = new Desk();
    const dead = await desk.create();
    const alive = await desk.create({ url: "https://alive.example/" });
    desk.answer = ({ url }) => (url.includes("alive") ? ok : new Promise<PostAnswer>(() => {}));
    for (const sku of ["a", "b", "c"]) await desk.add(sku);
    await desk.works();
    desk.nowMs += 48 * 3_600_000 + 1;
    await desk.outbox.sweep(desk.nowMs);
    expect((await desk.see(alive.body.id)).state).toBe("enabled");
    const seen = await desk.see(dead.body.id);
    expect([seen.state, seen.disabledBecause]).toEqual(["disabled", expect.stringContaining("from 1 to 2")]);
    desk.restart();
    expect((await desk.see(dead.body.id)).state).toBe("disabled");
    await desk.call("updateWebhook", { url: "https://alive.example/", enabled: true }, dead.body.id);
    desk.posts.length = 0;
    await desk.works();
    expect(desk.delivered).toEqual(["c"]);
    expect(desk.bugs).toEqual([]);
  });

  test("by an operator, from the next delivery on", async () => {
    const desk = new Desk();
    const { body } = await desk.create();
    await desk.call("updateWebhook", { url: "https://shop.example/hook", enabled: false }, body.id);
    await desk.add("a");
    await desk.works();
    expect([desk.posts, (await desk.see(body.id)).state]).toEqual([[], "disabled"]);
    await desk.call("updateWebhook", { url: "https://shop.example/hook" }, body.id);
    expect((await desk.see(body.id)).state).toBe("disabled");
  });
});
