/**
 * Events over HTTP, on real sockets and a real file: a receiver that fails a third of the time and a process that dies in the middle still
 * get every event to its end, in order per SKU and signed; and pages and streams need the admin key.
 */
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook as Verifier } from "standardwebhooks";
import type { OrderId, SaleId, Sku, UserId } from "../src/core/ids.ts";
import { GroupCommit } from "../src/edge/group-commit.ts";
import { HttpServer } from "../src/edge/http-server.ts";
import { sendWebhook } from "../src/edge/webhook-sender.ts";
import type { DoorbusterEvent } from "../src/events/event.ts";
import { EventStreams } from "../src/events/event-streams.ts";
import { OUTBOX_SCHEMA, Outbox } from "../src/events/outbox.ts";
import { eventRoutes, webhookRoutes } from "../src/events/routes.ts";
import { WEBHOOKS_SCHEMA, WebhookStore } from "../src/events/webhook-store.ts";
import { Webhooks } from "../src/events/webhooks.ts";
import { getJson, postJson } from "./system.ts";
import { waitFor } from "./wait.ts";

const ADMIN_KEY = "the operator's key";
const admin = { authorization: `Bearer ${ADMIN_KEY}` };

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

/** Chance that is the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function freshFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-events-"));
  opened.push(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "db");
  const db = new Database(path);
  db.run("pragma journal_mode = wal");
  db.run(OUTBOX_SCHEMA + WEBHOOKS_SCHEMA);
  db.close();
  return path;
}

/** One life of a process over a file. */
class Life {
  readonly #db: Database;
  readonly #turns: GroupCommit;
  readonly #clock: { nowMs: number };
  readonly outbox: Outbox;
  readonly streams: EventStreams;
  readonly webhooks: Webhooks;
  readonly url: string;
  deliveriesUnderWay = 0;
  #isKilled = false;

  constructor(path: string, clock: { nowMs: number }, random: () => number) {
    this.#clock = clock;
    this.#db = new Database(path);
    this.#turns = new GroupCommit(this.#db, () => {});
    const now = { now: () => clock.nowMs, monotonicUs: () => clock.nowMs * 1_000 };
    this.outbox = new Outbox(this.#db, this.#turns, "eur");
    this.streams = new EventStreams(this.outbox, now);
    const onBug = (error: unknown): void => {
      throw error;
    };
    this.webhooks = new Webhooks(new WebhookStore(this.#db), {
      ...{ outbox: this.outbox, turns: this.#turns, clock: now, random, randomBytes, onBug },
      send: async (post) => {
        this.deliveriesUnderWay += 1;
        const answer = await sendWebhook(post);
        this.deliveriesUnderWay -= 1;
        // A process that has been killed never sees what it was answered.
        return this.#isKilled ? new Promise(() => {}) : answer;
      },
    });
    const server = new HttpServer({
      ...{ host: "127.0.0.1", port: 0, adminKey: ADMIN_KEY, onBug, onReply: () => {} },
      routes: [...eventRoutes(this.outbox, this.streams), ...webhookRoutes(this.webhooks)],
    });
    this.url = `http://127.0.0.1:${server.port}`;
    opened.push(() => {
      server.abort();
      this.kill();
    });
  }

  add(events: readonly DoorbusterEvent[]): Promise<void> {
    return this.#turns.turn(() => {
      for (const event of events) this.outbox.add(event);
    });
  }

  /** Time passes only while nobody waits for an answer, so that it does not matter how fast the machine is. */
  async works(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      if (this.deliveriesUnderWay === 0) this.#clock.nowMs += 100;
      this.webhooks.tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Nothing is saved, nobody is told. */
  kill(): void {
    if (this.#isKilled) return;
    this.#isKilled = true;
    this.#db.close();
  }
}

const SKUS = ["SKU0001", "SKU0002", "SKU0003", "SKU0004", "SKU0005"].map((sku) => sku as Sku);

/** What a drop makes happen: mostly holds, sometimes an order of two SKUs, sometimes a sale of all of them. */
function happenings(count: number, random: () => number): DoorbusterEvent[] {
  const anySku = (): Sku => SKUS[Math.floor(random() * SKUS.length)] as Sku;
  return Array.from({ length: count }, (_, index): DoorbusterEvent => {
    const kind = random();
    const userId = `u${index}` as UserId;
    if (kind < 0.7) return { type: "hold.created", at: index, sku: anySku(), userId, sessionId: null, quantity: 1, heldUntil: 1_000 };
    if (kind < 0.95) {
      const items = [anySku(), anySku()].map((sku) => ({ sku, quantity: 1, priceCents: 100, heldUntil: 1_000 }));
      const order = {
        orderId: `o${index}` as OrderId,
        userId,
        userLevel: 1,
        items,
        state: "paid",
        placedAt: 1,
        payUntil: 2,
        since: 3,
      } as const;
      return { type: "order.paid", at: index, order: { ...order, payment: null } };
    }
    return { type: "sale.paused", at: index, saleId: "drop" as SaleId, name: "The drop", skus: SKUS };
  });
}

/** Takes what is signed, and fails a third of the time: before it has taken the event, or after. */
class Receiver {
  readonly url: string;
  /** Ids in the order in which they were taken for the first time. */
  readonly taken: number[] = [];
  readonly #verifier: Verifier;
  refusals = 0;
  forgeries = 0;

  constructor(secret: string, random: () => number) {
    this.#verifier = new Verifier(secret);
    const server = Bun.serve({
      ...{ port: 0, hostname: "127.0.0.1" },
      fetch: async (request) => {
        const body = await request.text();
        const luck = random();
        if (luck < 1 / 6) return this.#refuse();
        this.#take(body, Object.fromEntries(request.headers));
        return luck < 1 / 3 ? this.#refuse() : new Response(null, { status: 204 });
      },
    });
    opened.push(() => server.stop(true));
    this.url = `http://127.0.0.1:${server.port}/hook`;
  }

  #refuse(): Response {
    this.refusals += 1;
    return new Response("not now", { status: this.refusals % 2 === 0 ? 500 : 302, headers: { location: "http://127.0.0.1:1/" } });
  }

  #take(body: string, headers: Record<string, string>): void {
    try {
      const { id } = this.#verifier.verify(body, headers) as { id: string };
      if (!this.taken.includes(Number(id))) this.taken.push(Number(id));
    } catch {
      this.forgeries += 1;
    }
  }
}

describe("a receiver that fails a third of the time", () => {
  test("has every event at least once, signed, and in order per SKU, although the process was killed in between", async () => {
    const random = seeded(20_261_127);
    const secret = `whsec_${randomBytes(32).toString("base64")}`;
    const receiver = new Receiver(secret, random);
    const path = freshFile();
    // The verifying library reads the machine's clock, and takes what is up to five minutes off.
    const startedAt = Date.now();
    const clock = { nowMs: startedAt };
    const first = new Life(path, clock, random);
    expect((await postJson(`${first.url}/webhooks`, { url: receiver.url, secrets: [secret] }, admin)).status).toBe(201);
    const events = happenings(300, random);
    for (let from = 0; from < 200; from += 10) await first.add(events.slice(from, from + 10));
    await first.works(() => receiver.taken.length >= 120);
    first.kill();

    const second = new Life(path, clock, random);
    await second.add(events.slice(200));
    await second.works(() => second.webhooks.list()[0]?.progress.position === events.length);

    expect(receiver.taken.toSorted((a, b) => a - b)).toEqual(events.map((_, index) => index + 1));
    expect([receiver.forgeries, receiver.refusals > 50]).toEqual([0, true]);
    const skusOf = new Map(second.outbox.read(0, events.length).map(({ id, skus }) => [id, skus]));
    for (const sku of SKUS) {
      const order = receiver.taken.filter((id) => skusOf.get(id)?.includes(sku));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
    expect(clock.nowMs - startedAt).toBeLessThan(4 * 60_000);
  });
});

describe("events over HTTP", () => {
  test("need the admin key, as webhooks do", async () => {
    const { url } = new Life(freshFile(), { nowMs: 0 }, Math.random);
    for (const path of ["/events", "/webhooks", "/webhooks/wh_0000000000000000"]) expect((await getJson(url + path)).status).toBe(401);
    expect((await getJson(`${url}/events`, admin)).body).toEqual({ events: [], next: "0", hasMore: false });
  });

  test("are read a page at a time until there are no more", async () => {
    const life = new Life(freshFile(), { nowMs: 0 }, Math.random);
    await life.add(happenings(25, seeded(1)));
    const ids: string[] = [];
    for (let after = "0", hasMore = true; hasMore; ) {
      const page = (await getJson(`${life.url}/events?after=${after}&limit=10`, admin)).body as {
        readonly events: readonly { readonly id: string }[];
        readonly next: string;
        readonly hasMore: boolean;
      };
      ids.push(...page.events.map(({ id }) => id));
      ({ next: after, hasMore } = page);
    }
    expect(ids).toEqual(Array.from({ length: 25 }, (_, index) => String(index + 1)));
  });

  test.each(["after=-1", "after=x", "limit=0", "limit=1001", "type=order.unheard-of", "sku="])("refuse ?%s with 400", async (query) => {
    const { url } = new Life(freshFile(), { nowMs: 0 }, Math.random);
    expect((await getJson(`${url}/events?${query}`, admin)).status).toBe(400);
  });

  test("are streamed as they come, and the place is free again when the client has gone", async () => {
    const clock = { nowMs: 0 };
    const life = new Life(freshFile(), clock, Math.random);
    const leaving = new AbortController();
    const response = await fetch(`${life.url}/events`, { headers: { ...admin, accept: "text/event-stream" }, signal: leaving.signal });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    let text = "";
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    })().catch(() => {});
    await waitFor(() => text.includes("retry:"), "the stream has begun");
    await life.add(happenings(1, seeded(1)));
    life.streams.tick();
    await waitFor(() => text.includes("id: 1\ndata: {"), "the event has come");
    leaving.abort();
    await reading;
    await waitFor(() => {
      clock.nowMs += 5_000;
      life.streams.tick();
      return life.streams.open === 0;
    }, "the stream has ended");
  });
});
