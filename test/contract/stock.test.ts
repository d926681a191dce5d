/** Where goods stand, as an operator watches it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { getJson, postJson, type System, startSystem } from "../system.ts";
import { waitFor } from "../wait.ts";
import { expectProblem } from "./problem.ts";

setDefaultTimeout(60_000);

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

interface Stock {
  readonly at: number;
  readonly goods: readonly object[];
  readonly more: boolean;
}
const stock = async (query = ""): Promise<Stock> => {
  const { status, body } = await getJson(`${system.inventory}/stock${query}`);
  expect(status).toBe(200);
  return body as Stock;
};

test("tells of all goods in the order of their SKUs what is on hand, frozen, in unpaid orders, sold and available", async () => {
  const before = Date.now();
  for (const goodsSKU of ["c", "a", "b"]) await postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity: 10, goodsPrice: 5 });
  const line = { sessionID: "s", goodsSKU: "a", totalQuantity: 0, quantityLimit: 0 };
  await postJson(`${system.cart}/add`, { ...line, userID: "ann", goodsQuantity: 3 });
  await postJson(`${system.cart}/add`, { ...line, userID: "bob", goodsQuantity: 2 });
  const { status } = await postJson(`${system.cart}/orders`, { userID: "bob" });
  expect(status).toBe(201);
  const { at, goods, more } = await stock();
  const untouched = { onHand: 10, frozen: 0, paymentPending: 0, sold: 0, available: 10 };
  expect(goods).toEqual([
    { goodsSKU: "a", onHand: 10, frozen: 5, paymentPending: 2, sold: 0, available: 5 },
    { goodsSKU: "b", ...untouched },
    { goodsSKU: "c", ...untouched },
  ]);
  expect(more).toBe(false);
  expect(at).toBeGreaterThanOrEqual(before);
});

test("is in PolicyController's metrics, each unit in one state", async () => {
  const unitsOfA = async (): Promise<Readonly<Record<string, number>>> => {
    const { text } = await getJson(`${system.policy}/metrics`);
    const found = [...text.matchAll(/^doorbuster_goods_units\{sku="a",state="(\w+)",[^}]*\} (\d+)$/gm)];
    return Object.fromEntries(found.map(([, state, units]) => [state, Number(units)]));
  };
  const expected = JSON.stringify({ available: 5, held: 3, payment_pending: 2, sold: 0 });
  await waitFor(async () => JSON.stringify(await unitsOfA()) === expected, "the metrics tell where the goods stand");
});

test("is read a page at a time", async () => {
  const first = await stock("?limit=2");
  expect([first.goods.length, first.more]).toEqual([2, true]);
  const second = await stock("?limit=2&after=b");
  expect(second.goods).toMatchObject([{ goodsSKU: "c" }]);
  expect(second.more).toBe(false);
  for (const query of ["limit=0", "limit=1001"]) expectProblem(await getJson(`${system.inventory}/stock?${query}`), 400, ["#/query/limit"]);
});
