/** Orders as an operator looks through them: everybody's, the newest first, in one state or in any. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Check } from "typebox/value";
import { OrderDocument } from "../../src/orders/described.ts";
import { getJson, postJson, type System, startSystem } from "../system.ts";
import { expectProblem } from "./problem.ts";

setDefaultTimeout(60_000);

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await postJson(`${system.inventory}/add`, { goodsSKU: "lamp", goodsQuantity: 10, goodsPrice: 5 });
  for (const userID of ["ann", "bob", "cem & co", "bob"]) {
    const line = { sessionID: "s", goodsSKU: "lamp", goodsQuantity: 1, totalQuantity: 0, quantityLimit: 0 };
    await postJson(`${system.cart}/add`, { ...line, userID });
    const { status, body } = await postJson(`${system.cart}/orders`, { userID });
    expect(status).toBe(201);
    placed.push((body as { orderID: string }).orderID);
  }
  expect((await postJson(`${system.cart}/orders/${placed[1]}/cancel`, {})).status).toBe(200);
});
afterAll(() => system.stop());

/** The ids of the orders in the order in which they were placed; the second one was cancelled. */
const placed: string[] = [];

async function orders(path: string): Promise<{ readonly found: number[]; readonly next: string | null }> {
  const { status, body, headers } = await getJson(`${system.cart}${path}`);
  expect(status).toBe(200);
  for (const order of body as unknown[]) expect(Check(OrderDocument, order)).toBe(true);
  const found = (body as { orderID: string }[]).map(({ orderID }) => placed.indexOf(orderID));
  return { found, next: headers.get("link")?.match(/^<(.+)>; rel="next"$/)?.[1] ?? null };
}

test("everybody's orders are listed, the newest first, and a page names the next one", async () => {
  expect(await orders("/orders")).toEqual({ found: [3, 2, 1, 0], next: null });
  const first = await orders("/orders?limit=3");
  expect(first.found).toEqual([3, 2, 1]);
  expect(await orders(first.next as string)).toEqual({ found: [0], next: null });
});

test("those of one state are listed, of everybody or of one user", async () => {
  expect((await orders("/orders?state=payment-pending")).found).toEqual([3, 2, 0]);
  expect((await orders("/orders?state=cancelled")).found).toEqual([1]);
  expect(await orders("/orders?state=refund-due")).toEqual({ found: [], next: null });
  expect((await orders("/orders?userID=bob")).found).toEqual([3, 1]);
  expect((await orders("/orders?userID=bob&state=cancelled")).found).toEqual([1]);
  expect((await orders("/orders?userID=nobody")).found).toEqual([]);
});

test("the next page is of the same user and state", async () => {
  const { found, next } = await orders("/orders?userID=bob&state=payment-pending&limit=1");
  expect([found, next]).toEqual([[3], null]);
  const ofAll = await orders("/orders?state=payment-pending&limit=1");
  expect(ofAll.found).toEqual([3]);
  expect((await orders(ofAll.next as string)).found).toEqual([2]);
  expect((await orders("/orders?userID=cem+%26+co&limit=1")).found).toEqual([2]);
});

test("nobody has paid late here, and a state that there is not is refused", async () => {
  expect(await orders("/orders?paidLate=true")).toEqual({ found: [], next: null });
  expect((await orders("/orders?paidLate=false")).found).toEqual([3, 2, 1, 0]);
  expectProblem(await getJson(`${system.cart}/orders?state=lost`), 400, ["#/query/state"]);
  expectProblem(await getJson(`${system.cart}/orders?paidLate=perhaps`), 400, ["#/query/paidLate"]);
});
