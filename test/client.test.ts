/** The client: what it asks, how it asks again, and that what is made of it is what its source makes. Time, chance and network are given. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { apiTypes, library } from "../client/build.ts";
import {
  type CommonOptions,
  Doorbuster,
  DoorbusterFailure,
  type DoorbusterOptions,
  type TokenOptions,
  type TrustedOptions,
} from "../client/doorbuster.ts";
import type { FetchReply, FetchRequest } from "../client/surroundings.ts";
import { postJson, type System, startSystem } from "./system.ts";

const CLIENT = join(import.meta.dir, "../client");
const BUILD_MS_MAX = 60_000;

interface Sent {
  readonly url: string;
  readonly request: FetchRequest;
}
type Reaction = FetchReply | Error;

const replied = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): FetchReply => ({
  status,
  headers: new Headers(headers),
  text: async () => JSON.stringify(body),
});
const held = replied(200, { repResult: true, hold: { goodsSKU: "SKU0001", goodsQuantity: 1, expiresAt: 1_000 } });
const soldOut = replied(200, { repResult: false, reason: "sold-out", reponseMsg: "Not enough of these goods are left." });

const UID1 = { userID: "UID0000000001", userLevel: 5, clientIP: "192.0.2.1" };

/** A client whose network reacts as told, in order, and whose waiting takes no time. */
function clientOf(reactions: readonly Reaction[], options: Partial<CommonOptions> = {}, who: TokenOptions | TrustedOptions = UID1) {
  const sent: Sent[] = [];
  const waitedMs: number[] = [];
  let keys = 0;
  const client = new Doorbuster({
    ...{ url: "https://shop.example/", ...who, ...options },
    surroundings: {
      fetch: async (url, request) => {
        const reaction = reactions[sent.length];
        sent.push({ url, request });
        if (reaction === undefined) throw new Error("nobody expected one more request");
        if (reaction instanceof Error) throw reaction;
        return reaction;
      },
      wait: async (ms) => void waitedMs.push(ms),
      random: () => 0.5,
      newKey: () => {
        keys += 1;
        return `key-${keys}`;
      },
    },
  });
  return { client, sent, waitedMs };
}
const keysOf = (sent: readonly Sent[]) => sent.map(({ request }) => request.headers["idempotency-key"]);

describe("what is asked", () => {
  test("a purchase names the shopper, the goods, and a key of its own", async () => {
    const { client, sent } = clientOf([held, held]);
    expect(await client.buy({ sku: "SKU0001" })).toMatchObject({ ok: true, value: { hold: { expiresAt: 1_000 } } });
    await client.buy({ sku: "SKU0001", quantity: 2 });
    expect(sent.map(({ url, request }) => [request.method, url])).toEqual([
      ["POST", "https://shop.example/buy"],
      ["POST", "https://shop.example/buy"],
    ]);
    const shopper = { userID: "UID0000000001", userLevel: 5, clientIP: "192.0.2.1" };
    expect(JSON.parse(sent[1]?.request.body ?? "")).toEqual({ ...shopper, goodsSKU: "SKU0001", goodsQuantity: 2 });
    expect(keysOf(sent)).toEqual(["key-1", "key-2"]);
  });

  test("ids are encoded, and the shopper is named where there is no token", async () => {
    const { client, sent } = clientOf([replied(200, {}), replied(200, {}), replied(200, {})], {}, { ...UID1, userID: "a&b" });
    await client.removeFromCart("S/1");
    await client.order("o?1");
    await client.sale("x y");
    expect(sent.map(({ request, url }) => `${request.method} ${url}`)).toEqual([
      "DELETE https://shop.example/cart/S%2F1?userID=a%26b",
      "GET https://shop.example/orders/o%3F1?userID=a%26b",
      "GET https://shop.example/sales/x%20y",
    ]);
    expect(keysOf(sent)).toEqual([undefined, undefined, undefined]);
  });

  test("a token is asked for anew for every attempt", async () => {
    let tokens = 0;
    const token = (): string => {
      tokens += 1;
      return `token-${tokens}`;
    };
    for (const given of [token, async () => token()]) {
      const { client, sent } = clientOf([new Error("reset"), held], {}, { token: given });
      tokens = 0;
      await client.buy({ sku: "SKU0001" });
      expect(sent.map(({ request }) => new Headers(request.headers).get("authorization"))).toEqual(["Bearer token-1", "Bearer token-2"]);
      // The token says who buys.
      expect(JSON.parse(sent[0]?.request.body ?? "")).toEqual({ goodsSKU: "SKU0001", goodsQuantity: 1 });
    }
  });

  test("is said by a token, or in trusted mode by all three that a purchase needs, or by nothing to look at sales", () => {
    type Takes<T> = T extends DoorbusterOptions ? true : false;
    const taken: readonly [
      Takes<{ url: string }>,
      Takes<{ url: string; token: () => Promise<string> }>,
      Takes<{ url: string; userID: string; userLevel: number; clientIP: string }>,
      Takes<{ url: string; userID: string }>,
      Takes<{ url: string; userID: string; userLevel: number }>,
      Takes<{ url: string; token: string; userLevel: number }>,
    ] = [true, true, true, false, false, false];
    expect(taken.length).toBe(6);
  });

  test("nothing is asked of a browser's memory, whose answers would tell an old time", async () => {
    const { client, sent } = clientOf([replied(200, {}), held]);
    await client.sales();
    await client.buy({ sku: "SKU0001" });
    expect(sent.map(({ request }) => request.cache)).toEqual(["no-store", "no-store"]);
  });

  test("orders are listed a page at a time, and their payment is started with a key", async () => {
    const { client, sent } = clientOf([replied(200, [{ orderID: "o2" }]), replied(200, []), replied(200, { payment: null })]);
    expect(await client.orders()).toMatchObject({ ok: true, value: [{ orderID: "o2" }] });
    expect(await client.orders({ after: "o&2", limit: 10 })).toMatchObject({ ok: true, value: [] });
    expect(await client.startPayment("o/1", { provider: "stripe" })).toMatchObject({ ok: true, value: { payment: null } });
    expect(sent.map(({ request, url }) => `${request.method} ${url}`)).toEqual([
      "GET https://shop.example/orders?userID=UID0000000001",
      "GET https://shop.example/orders?userID=UID0000000001&after=o%262&limit=10",
      "POST https://shop.example/orders/o%2F1/payment",
    ]);
    expect(JSON.parse(sent[2]?.request.body ?? "")).toEqual({ userID: "UID0000000001", provider: "stripe" });
    expect(keysOf(sent)).toEqual([undefined, undefined, "key-1"]);
  });

  test("orders are placed of the whole cart or of what is named, and cancelled with a key", async () => {
    const { client, sent } = clientOf([
      replied(201, { orderID: "o1" }),
      replied(201, { orderID: "o2" }),
      replied(200, { state: "cancelled" }),
    ]);
    expect(await client.placeOrder()).toMatchObject({ ok: true, value: { orderID: "o1" } });
    await client.placeOrder({ skus: ["SKU0001"], provider: "stripe" });
    expect(await client.cancelOrder("o2")).toMatchObject({ ok: true, value: { state: "cancelled" } });
    expect(sent.map(({ request }) => JSON.parse(request.body ?? ""))).toEqual([
      { userID: "UID0000000001", userLevel: 5 },
      { userID: "UID0000000001", userLevel: 5, goodsSKUs: ["SKU0001"], provider: "stripe" },
      { userID: "UID0000000001" },
    ]);
    expect(new Set(keysOf(sent)).size).toBe(3);
  });
});

describe("a refusal is a value", () => {
  test("a purchase's has its reason, its message, and when the sale opens", async () => {
    const notStarted = replied(200, { repResult: false, reason: "not-started", reponseMsg: "Not yet.", opensAt: 5_000 });
    const { client } = clientOf([notStarted]);
    const { body: _, ...answer } = (await client.buy({ sku: "SKU0001" })) as { body: unknown };
    expect(answer).toEqual({ ok: false, status: 200, reason: "not-started", message: "Not yet.", opensAt: 5_000 } as never);
  });

  test("a problem document's has its reason or its title, and its detail", async () => {
    const ended = replied(409, { title: "Conflict", detail: "it is paid", reason: "order-ended", state: "paid" });
    const { client } = clientOf([ended, replied(404, { title: "Not Found", detail: "there is no order o2" })]);
    expect(await client.cancelOrder("o1")).toMatchObject({ ok: false, status: 409, reason: "order-ended", body: { state: "paid" } });
    expect(await client.order("o2")).toMatchObject({ ok: false, status: 404, reason: "not-found", message: "there is no order o2" });
  });
});

describe("asking again", () => {
  const inFlight = replied(409, { title: "Conflict" }, { "retry-after": "1" });
  const throttled = replied(429, { repResult: false, reason: "throttled", reponseMsg: "Too many." }, { "retry-after": "2" });
  const unavailable = replied(503, { repResult: false, reason: "cart-unavailable" }, { "retry-after": "1" });

  test("after a lost connection, a 503, a 429 and a 409 in flight, always with the one key of the call", async () => {
    const { client, sent, waitedMs } = clientOf([new Error("reset"), unavailable, throttled, inFlight, soldOut]);
    expect(await client.buy({ sku: "SKU0001" })).toMatchObject({ ok: false, reason: "sold-out" });
    expect(keysOf(sent)).toEqual(Array.from({ length: 5 }, () => "key-1"));
    expect(new Set(sent.map(({ request }) => request.body)).size).toBe(1);
    // Half of 400, 800, 1600 and 3200 ms by chance, beyond what the server asks for.
    expect(waitedMs).toEqual([200, 1_000 + 400, 2_000 + 800, 1_000 + 1_600]);
  });

  test("not after a refusal, nor after a 409 that is one", async () => {
    const { client, sent } = clientOf([soldOut, replied(409, { title: "Conflict", reason: "empty-cart" })]);
    await client.buy({ sku: "SKU0001" });
    expect(await client.placeOrder()).toMatchObject({ ok: false, reason: "empty-cart" });
    expect(sent.length).toBe(2);
  });

  test("no more often than allowed: then it is a failure that hands over the key, and the next call with it learns the outcome", async () => {
    const { client, sent } = clientOf([new Error("reset"), unavailable, held], { attemptsMax: 2 });
    const failure = (await client.buy({ sku: "SKU0001" }).catch((error: unknown) => error)) as DoorbusterFailure;
    expect(failure).toBeInstanceOf(DoorbusterFailure);
    expect({ key: failure.idempotencyKey, status: failure.status }).toEqual({ key: "key-1", status: 503 });
    expect(await client.buy({ sku: "SKU0001", idempotencyKey: failure.idempotencyKey ?? "" })).toMatchObject({ ok: true });
    expect(keysOf(sent)).toEqual(["key-1", "key-1", "key-1"]);
  });

  test("an order that was placed is not lost when its payment could not be started: the failure has it", async () => {
    const unpaid = replied(503, { title: "Service Unavailable", order: { orderID: "o1" } }, { "retry-after": "1" });
    const { client } = clientOf([unpaid, unpaid], { attemptsMax: 2 });
    const failure = (await client.placeOrder().catch((error: unknown) => error)) as DoorbusterFailure;
    const { order } = failure.body;
    expect([failure.status, failure.idempotencyKey, order]).toEqual([503, "key-1", { orderID: "o1" }]);
  });

  test("who is throttled to the end is told so, as a refusal", async () => {
    const { client } = clientOf([throttled, throttled], { attemptsMax: 2 });
    expect(await client.buy({ sku: "SKU0001" })).toMatchObject({ ok: false, status: 429, reason: "throttled", message: "Too many." });
  });

  test("an answer that is cut off, or no JSON, is no answer", async () => {
    const cutOff = { ...held, text: () => Promise.reject(new Error("cut off")) };
    const page = { ...held, text: async () => "<html>" };
    const { client, sent } = clientOf([cutOff, page, held]);
    expect(await client.buy({ sku: "SKU0001" })).toMatchObject({ ok: true });
    expect(keysOf(sent)).toEqual(["key-1", "key-1", "key-1"]);
  });
});

describe("what is made of the client", () => {
  test("its types are those of the gate's endpoints now; `npm run client` makes them anew", () => {
    expect(readFileSync(join(CLIENT, "api-types.ts"), "utf8")).toBe(apiTypes());
  });

  test(
    "its library is what its source makes now; `npm run client` makes it anew",
    async () => {
      const made = await library();
      expect(readdirSync(join(CLIENT, "lib")).toSorted()).toEqual([...made.keys()].toSorted());
      for (const [name, text] of made) expect(readFileSync(join(CLIENT, "lib", name), "utf8")).toBe(text);
    },
    BUILD_MS_MAX,
  );

  test("its library needs nothing but what a browser has", () => {
    const text = readFileSync(join(CLIENT, "lib/doorbuster.js"), "utf8");
    expect(text).not.toMatch(/\bimport\b|\brequire\(|\bBun\.|\bprocess\.|node:/);
  });
});

describe("against the system", () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem();
    await postJson(`${system.inventory}/add`, { goodsSKU: "SKU0001", goodsQuantity: 1, goodsPrice: 45.9 });
  });
  afterAll(() => system.stop());

  test("the built library, loaded by its public name in plain Node, buys and is refused", async () => {
    const script = `
      import { Doorbuster } from "doorbuster/client";
      const of = (userID) => new Doorbuster({ url: ${JSON.stringify(system.gate)}, userID, userLevel: 5, clientIP: "192.0.2.1", language: "zh" });
      const first = await of("UID1").buy({ sku: "SKU0001" });
      const second = await of("UID2").buy({ sku: "SKU0001" });
      console.log(JSON.stringify([first.ok, first.value.hold.goodsQuantity, second.ok, second.reason, second.message]));`;
    const node = Bun.spawn(["node", "--input-type=module", "-e", script], { cwd: join(CLIENT, ".."), stdout: "pipe", stderr: "pipe" });
    const [out, err] = await Promise.all([new Response(node.stdout).text(), new Response(node.stderr).text()]);
    expect(err).toBe("");
    expect(JSON.parse(out)).toEqual([true, 1, false, "sold-out", expect.stringContaining("库存不足")]);
  });

  test("an answer that was lost is learned with the same key: the goods are frozen once", async () => {
    await postJson(`${system.inventory}/add`, { goodsSKU: "SKU0002", goodsQuantity: 10, goodsPrice: 45.9 });
    let isLost = false;
    const client = new Doorbuster({
      ...{ url: system.gate, userID: "UID3", userLevel: 5, clientIP: "192.0.2.1" },
      surroundings: { wait: async () => undefined },
      fetch: async (url, request) => {
        const reply = await fetch(url, request);
        if (isLost) return reply;
        isLost = true;
        throw new Error("the connection was lost on the way back");
      },
    });
    expect(await client.buy({ sku: "SKU0002" })).toMatchObject({ ok: true, value: { hold: { goodsQuantity: 1 } } });
  });
});
