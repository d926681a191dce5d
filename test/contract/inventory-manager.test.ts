/** The InventoryManager's rows and notes, and what holds do to the figures of goods. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { deleteJson, getJson, type JsonReply, postJson, putJson, type System, startSystem } from "../system.ts";
import { expectMatch, expectProblem } from "./problem.ts";

setDefaultTimeout(60_000);

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

const add = (goodsSKU: string, goodsQuantity: unknown, goodsPrice: unknown = 99.9) =>
  postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity, goodsPrice });
const update = (goodsSKU: string, goodsQuantity: unknown, goodsPrice: unknown = 99.9) =>
  putJson(`${system.inventory}/update`, { goodsSKU, goodsQuantity, goodsPrice });
const goodsOf = (sku: string) => getJson(`${system.inventory}/sku/${sku}`);
const remove = (sku: string) => deleteJson(`${system.inventory}/delete/sku/${sku}`);
const validate = (sku: string, quantity: unknown) => getJson(`${system.inventory}/validate/sid/sid00001/sku/${sku}/quantity/${quantity}`);
const freeze = (userID: string, goodsSKU: string, goodsQuantity: number) =>
  postJson(`${system.cart}/add`, { sessionID: "113e5d875f81", userID, goodsSKU, goodsQuantity, totalQuantity: 0, quantityLimit: 0 });

function expectReply(reply: JsonReply, body: unknown): void {
  expect({ status: reply.status, body: reply.body }).toEqual({ status: 200, body });
}

describe("addGoods, POST /add", () => {
  test('replies "the goods", with frozenQuantity and availableQuantity added', async () => {
    const goods = { goodsSKU: "SKU0003", goodsQuantity: 5, goodsPrice: 99.9, frozenQuantity: 0, availableQuantity: 5 };
    expectReply(await add("SKU0003", 5), goods);
    expectReply(await goodsOf("SKU0003"), goods);
  });

  test('"adding a SKU that exists is an upsert of quantity and price"', async () => {
    await add("upsert", 5, 10);
    expectReply(await add("upsert", 9, 12.5), {
      goodsSKU: "upsert",
      goodsQuantity: 9,
      goodsPrice: 12.5,
      frozenQuantity: 0,
      availableQuantity: 9,
    });
    expect((await goodsOf("upsert")).body).toMatchObject({ goodsQuantity: 9, goodsPrice: 12.5 });
  });

  test('"quantities are integers: 0..1,000,000,000 in stock"', async () => {
    for (const quantity of [0, 1_000_000_000])
      expect((await add("stock-bounds", quantity)).body).toMatchObject({ goodsQuantity: quantity });
    for (const quantity of [-1, 1_000_000_001, 1.5, "5", null, true, [5]])
      expectProblem(await add("stock-bounds", quantity), 400, ["#/goodsQuantity"]);
    expect((await goodsOf("stock-bounds")).body).toMatchObject({ goodsQuantity: 1_000_000_000 });
  });

  test('"goodsPrice is a JSON number with at most two decimals"', async () => {
    for (const price of [99, 99.9, 45.95, 0.01, 0.29, 1.15, 4.35, 1_234_567.89]) {
      expect((await add("price", 1, price)).body).toMatchObject({ goodsPrice: price });
      expect((await goodsOf("price")).body).toMatchObject({ goodsPrice: price });
    }
    for (const price of [9.999, 0.001, 1.005, -1, "9.99", null, 1e300]) expectProblem(await add("price", 1, price), 400, ["#/goodsPrice"]);
    expect((await goodsOf("price")).body).toMatchObject({ goodsPrice: 1_234_567.89 });
  });
});

describe("updateGoods, PUT /update", () => {
  test('replies "the goods"', async () => {
    await add("updated", 5);
    expectReply(await update("updated", 8, 45.9), {
      goodsSKU: "updated",
      goodsQuantity: 8,
      goodsPrice: 45.9,
      frozenQuantity: 0,
      availableQuantity: 8,
    });
  });

  test('"404 if there are none", and makes none', async () => {
    expectProblem(await update("never-added", 8), 404);
    expectProblem(await goodsOf("never-added"), 404);
  });
});

test("removeGoods, DELETE /delete/sku/{sku}, replies the empty goods, also when there are none", async () => {
  await add("removed", 5);
  const empty = { goodsSKU: null, goodsQuantity: 0, goodsPrice: 0 };
  expectReply(await remove("removed"), empty);
  expectProblem(await goodsOf("removed"), 404);
  expectReply(await remove("removed"), empty);
});

describe("findAllItems, GET /all", () => {
  test("lists every SKU in the order of its UTF-8 bytes", async () => {
    const skus = ["list-b", "list-B", "list-a", "list-é", "list-商品", "list-𝄞", "list-\uff5e"];
    for (const sku of skus) await add(sku, 3, 99);
    const reply = await getJson(`${system.inventory}/all`);
    const listed = (reply.body as { goodsSKU: string }[]).map((goods) => goods.goodsSKU);
    expect(listed).toEqual(listed.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed).toEqual(expect.arrayContaining(skus));
    expect(reply.body).toContainEqual({ goodsSKU: "list-a", goodsQuantity: 3, goodsPrice: 99, frozenQuantity: 0, availableQuantity: 3 });
  });

  test("answers in pages when it is asked for them", async () => {
    for (const sku of ["page-1", "page-2", "page-3"]) await add(sku, 1);
    const page = await getJson(`${system.inventory}/all?after=page-1&limit=1`);
    expect(page.body).toMatchObject([{ goodsSKU: "page-2" }]);
    expect(page.headers.get("link")).toMatch(/rel="next"/);
    expectProblem(await getJson(`${system.inventory}/all?limit=0`), 400, ["#/query/limit"]);
  });
});

describe("doInventoryValidation", () => {
  test("replies the documented body", async () => {
    await add("SKU0001", 1_000_000);
    expectReply(await validate("SKU0001", 1), {
      sessionID: "sid00001",
      goodsSKU: "SKU0001",
      goodsQuantity: 1,
      totalQuantity: 1_000_000,
      isAllowed: true,
      isThrottled: false,
      version: "1.0",
    });
  });

  test('"is allowed when availableQuantity covers the asked quantity; totalQuantity is on hand"', async () => {
    await add("covered", 10);
    await freeze("UID-covered", "covered", 4);
    expect((await validate("covered", 6)).body).toMatchObject({ isAllowed: true, totalQuantity: 10 });
    const refused = await validate("covered", 7);
    expect(refused.status).toBe(200);
    expect(refused.body).toMatchObject({ goodsQuantity: 7, isAllowed: false, totalQuantity: 10, isThrottled: false, reason: "sold-out" });
  });

  test("refuses unknown goods with the documented body", async () => {
    const reply = await validate("no-such-goods", 1);
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      sessionID: "sid00001",
      goodsSKU: "no-such-goods",
      goodsQuantity: 1,
      totalQuantity: 0,
      isAllowed: false,
      isThrottled: false,
      version: "1.0",
      reason: "unknown-goods",
    });
  });

  test('"quantities are integers: 1..1,000,000 in a purchase"', async () => {
    await add("asked-bounds", 1_000_000);
    for (const quantity of [1, 1_000_000])
      expect((await validate("asked-bounds", quantity)).body).toMatchObject({ isAllowed: true, goodsQuantity: quantity });
    for (const quantity of ["0", "-1", "1000001", "1.5", "x", "0x1", "99999999999999999999"])
      expectProblem(await validate("asked-bounds", quantity), 400, ["#/path/qty"]);
  });
});

describe("goods with holds", () => {
  test('"availableQuantity (= on hand - frozen)", and goodsQuantity is "what is on hand: not yet sold, frozen or not"', async () => {
    await add("figures", 10);
    await freeze("UID-1", "figures", 3);
    await freeze("UID-2", "figures", 1);
    expect((await goodsOf("figures")).body).toMatchObject({ goodsQuantity: 10, frozenQuantity: 4, availableQuantity: 6 });
    expect((await getJson(`${system.inventory}/all`)).body).toContainEqual(
      expect.objectContaining({ goodsSKU: "figures", frozenQuantity: 4, availableQuantity: 6 }),
    );
  });

  test('"setting goodsQuantity below what is frozen is 409 and names the smallest value possible"', async () => {
    await add("below", 10, 5);
    await freeze("UID-1", "below", 4);
    for (const attempt of [await update("below", 3, 6), await add("below", 0, 6)]) {
      expectProblem(attempt, 409);
      expectMatch(attempt.body, { goodsQuantityMin: 4, detail: expect.stringContaining("4") });
    }
    expect((await goodsOf("below")).body).toMatchObject({ goodsQuantity: 10, goodsPrice: 5, frozenQuantity: 4 });
    expect((await update("below", 4, 6)).body).toMatchObject({ goodsQuantity: 4, goodsPrice: 6, frozenQuantity: 4, availableQuantity: 0 });
  });

  test('"removing goods with live holds or unpaid orders is 409", and works when the hold is released', async () => {
    await add("in-hand", 2);
    await freeze("UID-1", "in-hand", 1);
    expectProblem(await remove("in-hand"), 409);
    expect((await goodsOf("in-hand")).body).toMatchObject({ goodsQuantity: 2, frozenQuantity: 1 });
    await deleteJson(`${system.cart}/delete/userid/UID-1/sku/in-hand`);
    expect((await remove("in-hand")).status).toBe(200);
  });
});

test("every bad field of goods is named in one answer", async () => {
  expectProblem(await postJson(`${system.inventory}/add`, { goodsSKU: "", goodsQuantity: -1, goodsPrice: 1.234 }), 400, [
    "#/goodsSKU",
    "#/goodsQuantity",
    "#/goodsPrice",
  ]);
  expectProblem(await postJson(`${system.inventory}/add`, {}), 400, ["#/goodsSKU", "#/goodsQuantity", "#/goodsPrice"]);
});
