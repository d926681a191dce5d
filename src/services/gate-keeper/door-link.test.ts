/** The shopper's door over a link says what it says directly, and hostile requests over it reach nothing. */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SaleDesk } from "../../../test/sale-desk.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { SessionId, Sku, UserId } from "../../core/ids.ts";
import { Throttle } from "../../core/throttle.ts";
import { HttpServer } from "../../edge/http-server.ts";
import { linkPost } from "../../edge/link-post.ts";
import { linkSockets } from "../../edge/link-socket.ts";
import { RequestHandler } from "../../edge/request-handler.ts";
import { ClientAddresses } from "../../identity/client-address.ts";
import { TrustedIdentity } from "../../identity/trusted.ts";
import { EmbeddedLedger } from "../../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../../ledger/embedded/memory-journal.ts";
import { DOOR_REPLY_CHARS_MAX } from "../../limits/links.ts";
import { Link } from "../../links/link.ts";
import { Cashier } from "../../orders/cashier.ts";
import { KeyedRequests } from "../../orders/keyed-requests.ts";
import { OrderDesk } from "../../orders/order-desk.ts";
import type { PaymentProvider } from "../../payment/provider.ts";
import { SaleBoard } from "../../sales/board.ts";
import { doorLinkRoutes, handedOn } from "./door-link.ts";
import { shopperApi } from "./shopper-api.ts";
import { ShopperDoor, type ShopperDoorParts, shopperRoutes } from "./shopper-door.ts";

const cleanups: (() => unknown)[] = [];
afterAll(() => {
  for (const cleanUp of cleanups.splice(0).reverse()) cleanUp();
});
const bugs: unknown[] = [];
afterEach(() => expect(bugs.splice(0)).toEqual([]));

const serverWith = (routes: ConstructorParameters<typeof RequestHandler>[0]["routes"]): HttpServer => {
  const server = new HttpServer({
    ...{ host: "127.0.0.1", port: 0, routes, adminKey: null, onReply: () => undefined },
    onBug: (error) => bugs.push(error),
  });
  cleanups.push(() => server.abort());
  return server;
};

/** A bank that starts every payment, and believes what it is told in the right words. */
const bank: PaymentProvider = {
  ...{ name: "bank", canRefund: false, refund: async () => undefined },
  start: async ({ orderId }) => ({ paymentId: `pay-${orderId}`, url: `https://bank.example/${orderId}` }) as never,
  readNotification: (body: string) => (body.includes("good") ? { kind: "other" } : ({ kind: "refused", detail: "no" } as never)),
};

/** A shop of its own with a door, directly or over a link. */
class Shop {
  readonly sales = new SaleDesk();
  readonly ledger = new EmbeddedLedger(new MemoryJournal());
  readonly far: HttpServer;
  readonly door: HttpServer;

  constructor(isLinked: boolean) {
    const { ledger, sales } = this;
    const { clock } = sales;
    const nothing = { limitOf: () => 0, isGoingBack: () => false, requestRefund: async () => undefined };
    let orders = 0;
    const newId = (): string => {
      orders += 1;
      return `order-${orders}`;
    };
    const throttle = new Throttle({ ratePerSecond: null, burst: 1 }, clock);
    const parts: ShopperDoorParts = {
      identity: new TrustedIdentity(new ClientAddresses({ trusted: [], header: "x-forwarded-for" })),
      board: new SaleBoard({ book: sales.book, ledger, clock, availability: "exact" }),
      ledger,
      checkout: {
        desk: new OrderDesk({ ledger, boughtUnder: () => null, paymentWindowMs: 60_000, clock }),
        cashier: new Cashier({ ledger, providers: new Map([["bank", bank]]), currency: "eur", ...nothing, clock }),
      },
      keyed: new KeyedRequests({ replies: ledger, claims: null, keysInFlight: new Set(), newId, clock }),
      ...{ clock, throttle },
    };
    const routes = shopperRoutes(new ShopperDoor(parts), parts);
    const settings = { routes, adminKey: null, onBug: (error: unknown) => bugs.push(error), onReply: () => undefined };
    const handler = new RequestHandler(settings, () => "");
    this.far = serverWith(isLinked ? doorLinkRoutes((request) => handler.answerByPath(request)) : routes);
    this.door = isLinked ? serverWith(handedOn(endpoints, this.#link(), throttle)) : this.far;
  }

  #link(): Link {
    const sockets = linkSockets(null, linkPost(null));
    cleanups.push(() => sockets.close());
    const urls = [`http://127.0.0.1:${this.far.port}`];
    return new Link({
      ...{ service: "shopping-cart", instances: () => urls, post: sockets.post, random: () => 0, nextTurn: setImmediate },
      clock: { now: () => this.sales.now, monotonicUs: () => 0 },
      onBug: (error) => expect(error).toBeUndefined(),
    });
  }

  async hold(userId: string, sku: string): Promise<void> {
    const { ledger, sales } = this;
    await ledger.stock([{ verb: "stock", mode: "put", sku: sku as Sku, onHand: 10, priceCents: 100 }], sales.now);
    const whose = { userId: userId as UserId, quantity: 1, limit: 0, sessionId: "s" as SessionId, key: null };
    await ledger.hold([{ verb: "hold", sku: sku as Sku, ...whose, opensAt: 0, closesAt: 0, frozenForMs: 600_000 }], sales.now);
  }

  async ask(method: string, path: string, body?: string, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const init = { method, headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers } };
    const reply = await fetch(`http://127.0.0.1:${this.door.port}${path}`, { ...init, ...(body !== undefined && { body }) });
    const { date: _, ...kept } = Object.fromEntries(reply.headers);
    return { status: reply.status, headers: kept, text: await reply.text() };
  }
}
const { sales: _, sale: __, ...handed } = shopperApi;
const endpoints: readonly Endpoint[] = Object.values(handed);

type Step = readonly [method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>];
const ALICE = { userID: "alice & bob/?#%€" };
const OF_ALICE = `userID=${encodeURIComponent(ALICE.userID)}`;
const STEPS: readonly Step[] = [
  ["GET", `/cart?${OF_ALICE}`],
  ["GET", "/cart"],
  ["HEAD", `/cart?${OF_ALICE}`],
  ["POST", "/orders", { ...ALICE, goodsSKUs: ["A/1"], provider: "bank" }, { "idempotency-key": "one" }],
  ["POST", "/orders", { ...ALICE, goodsSKUs: ["A/1"], provider: "bank" }, { "idempotency-key": "one" }],
  ["POST", "/orders", { ...ALICE, goodsSKUs: ["B"], provider: "bank" }, { "idempotency-key": "one" }],
  ["POST", "/orders", { ...ALICE, goodsSKUs: ["nothing"] }, { "accept-language": "zh" }],
  ["POST", "/orders", { ...ALICE, goodsSKUs: ["B"], unknown: true }, { "idempotency-key": "not a key \u00e9" }],
  ["POST", "/orders", "{"],
  ["POST", "/orders", { ...ALICE }, { "content-type": "text/plain" }],
  ["GET", `/orders?${OF_ALICE}&limit=1`],
  ["GET", `/orders?${OF_ALICE}&limit=zero`],
  ["GET", `/orders/ORDER?${OF_ALICE}`],
  ["GET", "/orders/ORDER?userID=mallory"],
  ["GET", `/orders/${encodeURIComponent("no / such")}?${OF_ALICE}`],
  ["POST", "/orders/ORDER/payment", { ...ALICE, provider: "bank" }],
  ["POST", "/orders/ORDER/payment", { ...ALICE, provider: "none" }],
  ["POST", "/orders/ORDER/cancel", ALICE, { "idempotency-key": "two" }],
  ["POST", "/orders/ORDER/cancel", ALICE],
  ["DELETE", `/cart/${encodeURIComponent("B")}?${OF_ALICE}`],
  ["DELETE", `/cart/${encodeURIComponent("not there")}?${OF_ALICE}`],
  ["POST", "/payments/bank", '{ "good" : "news" }', { "stripe-signature": "t=1" }],
  ["POST", "/payments/bank", "not even JSON \u0000 €"],
  ["POST", "/payments/nobody", "{}"],
  ["PUT", "/orders", {}],
  ["GET", "/nowhere"],
];

test("every endpoint of the door says over a link what it says directly", async () => {
  const shops = [new Shop(false), new Shop(true)] as const;
  for (const shop of shops) for (const sku of ["A/1", "B"]) await shop.hold(ALICE.userID, sku);
  const statuses: number[] = [];
  let order = "";
  for (const [method, path, body, headers] of STEPS) {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const askOf = (shop: Shop): Promise<unknown> => shop.ask(method, path.replace("ORDER", order), text as string | undefined, headers);
    const [directly, linked] = await Promise.all(shops.map(askOf));
    expect({ method, path, said: linked }).toEqual({ method, path, said: directly });
    const { status, text: said } = directly as { readonly status: number; readonly text: string };
    statuses.push(status);
    if (status === 201) order = (JSON.parse(said) as { readonly orderID: string }).orderID;
  }
  // It is a way through the shop, not a row of refusals.
  expect(statuses.filter((status) => status < 300).length).toBeGreaterThan(10);
});

describe("over the link to the door", () => {
  const shop = new Shop(true);
  const send = async (name: string, item: unknown): Promise<number> => {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ items: [item] }) };
    return (await fetch(`http://127.0.0.1:${shop.far.port}/link/${name}`, init)).status;
  };
  const good = { method: "GET", path: "/orders?userID=alice", headers: {}, body: null };

  test.each<[string, object]>([
    ["a body where there can be none", { body: "x" }],
    ["another method", { method: "POST" }],
    ["a path that is none", { path: "orders" }],
    ["a path with a line break", { path: "/orders\r\nx: y" }],
    ["a header that nobody hands on", { headers: { cookie: "x" } }],
    ["a header name that is none", { headers: { "a b": "x" } }],
    ["a header with a line break", { headers: { authorization: "x\r\ny: z" } }],
    ["a header that no header can hold", { headers: { authorization: "€" } }],
  ])("%s is refused", async (_name, change) => {
    expect(await send("read-door", good)).toBe(200);
    expect(await send("read-door", { ...good, ...change })).toBe(400);
  });

  test("whatever fits the form is answered, and never a fault of ours", async () => {
    const printable = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) });
    const latin = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
    const header = fc.constantFrom("authorization", "accept-language", "idempotency-key", "if-none-match", "stripe-signature");
    const request = fc.record({
      method: fc.constantFrom("POST", "PUT", "DELETE"),
      path: fc.oneof(
        printable.map((text) => `/${text}`),
        fc.constantFrom("/orders", "/payments/bank", "/cart/x?userID=y", "//orders", "/.."),
      ),
      headers: fc.dictionary(header, latin, { noNullPrototype: true }),
      body: fc.option(fc.oneof(fc.string({ unit: "grapheme" }), fc.json())),
    });
    await fc.assert(
      fc.asyncProperty(request, async (item) => {
        expect([200, 400]).toContain(await send("pass-door", item));
        expect(bugs).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

test("a list that is too long for a link is refused with what to do, and the next question is answered as ever", async () => {
  const answers = [new Response('"'.repeat(DOOR_REPLY_CHARS_MAX)), new Response("x".repeat(DOOR_REPLY_CHARS_MAX + 1)), new Response("[]")];
  const far = serverWith(doorLinkRoutes(() => answers.shift() as Response));
  const sockets = linkSockets(null, linkPost(null));
  cleanups.push(() => sockets.close());
  const clock = { now: () => 1_800_000_000_000, monotonicUs: () => 0 };
  const unlimited = new Throttle({ ratePerSecond: null, burst: 1 }, clock);
  const instances = [`http://127.0.0.1:${far.port}`];
  const link = new Link({
    ...{ service: "shopping-cart", instances: () => instances, post: sockets.post, random: () => 0, nextTurn: setImmediate },
    clock,
    onBug: (error) => expect(error).toBeUndefined(),
  });
  const door = serverWith(handedOn([shopperApi.orders], link, unlimited));
  const ask = async () => {
    const reply = await fetch(`http://127.0.0.1:${door.port}/orders?userID=ann&limit=10000`);
    return [reply.status, (await reply.text()).slice(0, 200)];
  };
  expect(await ask()).toEqual([200, '"'.repeat(200)]);
  const [status, problem] = await ask();
  expect([status, problem]).toEqual([400, expect.stringContaining("ask for less")]);
  expect(await ask()).toEqual([200, "[]"]);
});
