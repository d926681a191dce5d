/** What the product is for: a crowd far larger than the stock, and afterwards exactly the stock is sold and everybody has what they were told. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type LoadExchange, requestText, runClosedLoop, targetOf } from "../src/edge/http-load-client.ts";
import { getJson, postJson, type System, startSystem } from "./system.ts";

const BUYERS = 20_000;
const CONNECTIONS = 250;
const STOCK = 500;

let system: System;
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(() => system.stop());

interface Purchase {
  readonly userID: string;
  readonly goodsSKU: string;
  readonly goodsQuantity: number;
}

interface BuyReply {
  readonly repResult: boolean;
  readonly reason?: string;
  readonly hold?: { readonly goodsSKU: string; readonly goodsQuantity: number };
}

const addressOf = (index: number): string => `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;

/** Sends all purchases over the given number of connections, and answers with what each was told. */
async function buyAll(purchases: readonly Purchase[], connections = CONNECTIONS): Promise<readonly BuyReply[]> {
  const replies: BuyReply[] = [];
  const result = await runClosedLoop({
    target: targetOf(system.gate),
    connections,
    requests: purchases.length,
    requestAt: (index) => requestText("POST", "/buy", { ...purchases[index], clientIP: addressOf(index), userLevel: 5 }),
    onEnd: (index, exchange) => {
      replies[index] = bodyOf(exchange) as BuyReply;
    },
  });
  expect(result.byStatus).toEqual(new Map([[200, purchases.length]]));
  return replies;
}

function bodyOf(exchange: LoadExchange): unknown {
  if (exchange.kind !== "reply") throw new Error(`no reply: ${exchange.kind}`);
  return JSON.parse(exchange.body);
}

/** By user, what the cart holds: `SKU x quantity`. */
async function cartsOf(userIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const carts = new Map<string, string>();
  await runClosedLoop({
    target: targetOf(system.cart),
    connections: 32,
    requests: userIds.length,
    requestAt: (index) => requestText("GET", `/all/userid/${userIds[index]}`),
    onEnd: (index, exchange) => {
      const lines = bodyOf(exchange) as { readonly goodsSKU: string; readonly goodsQuantity: number }[];
      carts.set(userIds[index] as string, lines.map((line) => `${line.goodsSKU} x ${line.goodsQuantity}`).join(", "));
    },
  });
  return carts;
}

async function stock(goodsSKU: string, goodsQuantity: number): Promise<void> {
  expect((await postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity, goodsPrice: 9.9 })).status).toBe(200);
}

async function limit(goodsSKU: string, quantityLimit: number): Promise<void> {
  expect((await postJson(`${system.policy}/policy/add`, { goodsSKU, userLevel: 1, quantityLimit })).status).toBe(200);
}

const goods = async (sku: string): Promise<unknown> => (await getJson(`${system.inventory}/sku/${sku}`)).body;

function countBy<T>(items: readonly T[], nameOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[nameOf(item)] = (counts[nameOf(item)] ?? 0) + 1;
  return counts;
}

const outcomeOf = (reply: BuyReply): string => (reply.repResult ? "held" : String(reply.reason));

/** Winners have exactly what they were told, and nobody else has anything. */
async function expectCartsAsTold(purchases: readonly Purchase[], replies: readonly BuyReply[]): Promise<void> {
  const told = new Map(purchases.map(({ userID, goodsSKU }, index) => [userID, replies[index]?.repResult ? `${goodsSKU} x 1` : ""]));
  expect(await cartsOf([...told.keys()])).toEqual(told);
}

test("20,000 buyers want one of 500: exactly 500 have it, and everybody else is told that it is sold out", async () => {
  await stock("ONE", STOCK);
  const purchases = Array.from({ length: BUYERS }, (_, index) => ({ userID: `ONE-${index}`, goodsSKU: "ONE", goodsQuantity: 1 }));
  const replies = await buyAll(purchases);
  expect(countBy(replies, outcomeOf)).toEqual({ held: STOCK, "sold-out": BUYERS - STOCK });
  expect(await goods("ONE")).toMatchObject({ goodsQuantity: STOCK, frozenQuantity: STOCK, availableQuantity: 0 });
  await expectCartsAsTold(purchases, replies);
}, 60_000);

test("20,000 buyers want 50 SKUs of 10 each at once: exactly 10 of each are sold", async () => {
  const skus = Array.from({ length: 50 }, (_, index) => `MANY-${index}`);
  for (const sku of skus) await stock(sku, STOCK / skus.length);
  const purchases = Array.from({ length: BUYERS }, (_, index) => ({
    userID: `MANY-BUYER-${index}`,
    goodsSKU: skus[index % skus.length] as string,
    goodsQuantity: 1,
  }));
  const replies = await buyAll(purchases);
  expect(countBy(replies, outcomeOf)).toEqual({ held: STOCK, "sold-out": BUYERS - STOCK });
  const held = replies.filter((reply) => reply.repResult);
  expect(countBy(held, (reply) => reply.hold?.goodsSKU ?? "")).toEqual(Object.fromEntries(skus.map((sku) => [sku, 10])));
  for (const sku of skus) expect(await goods(sku)).toMatchObject({ frozenQuantity: 10, availableQuantity: 0 });
  await expectCartsAsTold(purchases, replies);
}, 60_000);

test("one user who asks 200 times at once for a SKU with a limit of 2 has exactly 2", async () => {
  await stock("LIMITED", STOCK);
  await limit("LIMITED", 2);
  const purchases = Array.from({ length: 200 }, () => ({ userID: "GREEDY", goodsSKU: "LIMITED", goodsQuantity: 1 }));
  const replies = await buyAll(purchases, 200);
  expect(countBy(replies, outcomeOf)).toEqual({ held: 2, "limit-reached": 198 });
  expect(await goods("LIMITED")).toMatchObject({ frozenQuantity: 2, availableQuantity: STOCK - 2 });
  expect(await cartsOf(["GREEDY"])).toEqual(new Map([["GREEDY", "LIMITED x 2"]]));
}, 60_000);

test("a limit counts units, not purchases, also when a hundred users ask at once", async () => {
  await stock("UNITS", 10_000);
  await limit("UNITS", 5);
  const purchases = Array.from({ length: 2_000 }, (_, index) => ({ userID: `UNITS-${index % 100}`, goodsSKU: "UNITS", goodsQuantity: 2 }));
  const replies = await buyAll(purchases, 200);
  expect(countBy(replies, outcomeOf)).toEqual({ held: 200, "limit-reached": 1_800 });
  expect(await goods("UNITS")).toMatchObject({ frozenQuantity: 400 });
  const users = [...new Set(purchases.map(({ userID }) => userID))];
  expect(await cartsOf(users)).toEqual(new Map(users.map((user) => [user, "UNITS x 4"])));
}, 60_000);

test("the last units go to whoever asks for no more than is left", async () => {
  await stock("LAST", 7);
  const purchases = Array.from({ length: 1_000 }, (_, index) => ({
    userID: `LAST-${index}`,
    goodsSKU: "LAST",
    goodsQuantity: index % 2 === 0 ? 3 : 2,
  }));
  const replies = await buyAll(purchases);
  const units = replies.reduce((sum, reply) => sum + (reply.hold?.goodsQuantity ?? 0), 0);
  // Threes and twos fill 7 completely or leave a single unit, which nobody wanted.
  expect(units).toBeWithin(6, 8);
  expect(await goods("LAST")).toMatchObject({ frozenQuantity: units, availableQuantity: 7 - units });
}, 60_000);
