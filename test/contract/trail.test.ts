/** The audit trail of the running system: what operators change on any of its ports stands in it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { deleteJson, freshDataDir, getJson, type JsonReply, postJson, type System, startSystem } from "../system.ts";
import { expectMatch, expectProblem } from "./problem.ts";

setDefaultTimeout(60_000);

const KEY = { authorization: "Bearer the-key-of-the-trail" };
const ANN = { ...KEY, "x-doorbuster-operator": "Ann" };
const dataDir = freshDataDir();
let system: System;
beforeAll(async () => {
  system = await startSystem({ dataDir, args: ["--admin-key", "the-key-of-the-trail"] });
});
afterAll(async () => {
  await system.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

interface Change {
  readonly id: number;
  readonly who: string;
  readonly operator: string | null;
  readonly service: string;
  readonly operation: string;
  readonly asked: unknown;
  readonly before: unknown;
  readonly status: number;
  readonly after: unknown;
}
const trail = async (query = ""): Promise<{ changes: readonly Change[]; next: number | null }> => {
  const { status, body } = await getJson(`${system.policy}/trail${query}`, KEY);
  expect(status).toBe(200);
  return body as { changes: readonly Change[]; next: number | null };
};
const goods = (goodsQuantity: number) => ({ goodsSKU: "SKU-1", goodsQuantity, goodsPrice: 9.5 });

test("has the changes of every service, with who made them, newest first", async () => {
  await postJson(`${system.inventory}/add`, goods(5), ANN);
  await postJson(`${system.inventory}/add`, goods(7), ANN);
  await postJson(`${system.policy}/policy/add`, { goodsSKU: "SKU-1", userLevel: 1, quantityLimit: 2 }, KEY);
  await postJson(`${system.protector}/badguy/add`, { userID: "UID-1", isBadGuy: true }, ANN);
  const { body } = await postJson(`${system.cart}/webhooks`, { url: "https://shop.example/" }, KEY);
  await deleteJson(`${system.cart}/webhooks/${(body as { id: string }).id}`, KEY);
  const { changes, next } = await trail();
  expect(changes.map(({ service, operation, operator, status }) => [service, operation, operator, status])).toEqual([
    ["ShoppingCart", "removeWebhook", null, 200],
    ["ShoppingCart", "addWebhook", null, 201],
    ["SafeProtector", "addBadGuy", "Ann", 200],
    ["PolicyController", "addPolicy", null, 200],
    ["InventoryManager", "addGoods", "Ann", 200],
    ["InventoryManager", "addGoods", "Ann", 200],
  ]);
  expect(next).toBeNull();
  expectMatch(changes[4], { before: goods(5), after: goods(7) });
  expect(new Set(changes.map(({ who }) => who)).size).toBe(1);
});

test("has the order that somebody cancels by name, as it was before, and none that the shop's own servers cancel", async () => {
  const orderIDs: string[] = [];
  for (const userID of ["UID-2", "UID-3"]) {
    const line = { sessionID: "s", userID, goodsSKU: "SKU-1", goodsQuantity: 1, totalQuantity: 0, quantityLimit: 0 };
    expect((await postJson(`${system.cart}/add`, line, KEY)).body).toMatchObject({ isAllowed: true });
    orderIDs.push(((await postJson(`${system.cart}/orders`, { userID }, KEY)).body as { orderID: string }).orderID);
  }
  expect((await postJson(`${system.cart}/orders/${orderIDs[0]}/cancel`, {}, KEY)).status).toBe(200);
  expect((await postJson(`${system.cart}/orders/${orderIDs[1]}/cancel`, {}, ANN)).status).toBe(200);
  const { changes } = await trail("?operation=cancelOrder");
  expect(changes).toMatchObject([
    { operator: "Ann", asked: { id: orderIDs[1] }, before: { state: "payment-pending" }, status: 200, after: { state: "cancelled" } },
  ]);
});

test("is filtered, and read a page at a time", async () => {
  const first = await trail("?operation=addGoods&who=Ann&limit=1");
  expect(first.changes.map(({ after }) => (after as { goodsQuantity: number }).goodsQuantity)).toEqual([7]);
  const second = await trail(`?operation=addGoods&who=Ann&limit=1&before=${first.next}`);
  expect(second.changes.map(({ after }) => (after as { goodsQuantity: number }).goodsQuantity)).toEqual([5]);
  expect((await trail("?service=SafeProtector")).changes.map(({ operation }) => operation)).toEqual(["addBadGuy"]);
  expect((await trail(`?since=${Date.now() + 3_600_000}`)).changes).toEqual([]);
});

test("is for whoever has the key, and what is asked of it has its form", async () => {
  const without: JsonReply = await getJson(`${system.policy}/trail`);
  expectProblem(without, 401);
  for (const query of ["limit=0", "limit=201", "before=x", "since=-1", "who=", "until=tomorrow"])
    expectProblem(await getJson(`${system.policy}/trail?${query}`, KEY), 400, [`#/query/${query.split("=")[0]}`]);
});

test("has no change whose operator's name has not the form of an id, because it is not made", async () => {
  const unnamed = await postJson(`${system.inventory}/add`, goods(9), { ...KEY, "x-doorbuster-operator": "a%0Ab" });
  expectProblem(unnamed, 400, ["#/header/X-Doorbuster-Operator"]);
  expectMatch((await getJson(`${system.inventory}/sku/SKU-1`)).body, { goodsQuantity: 7 });
  expect((await trail("?operation=addGoods")).changes).toHaveLength(2);
});
