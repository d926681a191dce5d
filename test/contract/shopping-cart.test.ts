/** The ShoppingCart's rows and notes: a hold from its first unit to its deadline. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { deleteJson, getJson, type JsonReply, postJson, putJson, type System, startSystem } from "../system.ts";
import { waitFor } from "../wait.ts";
import { expectMatch, expectProblem } from "./problem.ts";

setDefaultTimeout(60_000);

const FROZEN_FOR_MS = 30 * 60_000;

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

type Line = {
  userID?: string;
  goodsSKU: string;
  goodsQuantity: number;
  quantityLimit?: number;
  totalQuantity?: number;
  sessionID?: string;
};
const lineOf = (line: Line) => ({ sessionID: "113e5d875f81", userID: "UID1", totalQuantity: 0, quantityLimit: 0, ...line });
const add = (line: Line, at = system) => postJson(`${at.cart}/add`, lineOf(line));
const change = (line: Line, at = system) => putJson(`${at.cart}/update`, lineOf(line));
const cartOf = (userId: string, at = system) => getJson(`${at.cart}/all/userid/${userId}`);
const lineAt = (userId: string, sku: string) => getJson(`${system.cart}/sid/SID000001/userid/${userId}/sku/${sku}`);
const stock = (goodsSKU: string, goodsQuantity: number, at = system) =>
  postJson(`${at.inventory}/add`, { goodsSKU, goodsQuantity, goodsPrice: 1 });
const goodsOf = async (sku: string, at = system) => (await getJson(`${at.inventory}/sku/${sku}`)).body;

function expectRefused(reply: JsonReply, reason: string): void {
  expect(reply.status).toBe(200);
  expect(reply.body).toMatchObject({ isAllowed: false, isThrottled: false, version: "1.0", reason });
}

async function expiresAt(userId: string, sku: string, at = system): Promise<number> {
  const lines = (await cartOf(userId, at)).body as { goodsSKU: string; expiresAt: number }[];
  return (lines.find((line) => line.goodsSKU === sku) as { expiresAt: number }).expiresAt;
}

describe("doAddGoodsToCart, POST /add", () => {
  test("replies the documented body, and freezes", async () => {
    await stock("SKU0002", 10);
    const asked = {
      sessionID: "113e5d875f81",
      userID: "UID0000000001",
      goodsSKU: "SKU0002",
      goodsQuantity: 1,
      totalQuantity: 990_000,
      quantityLimit: 5,
    };
    const reply = await postJson(`${system.cart}/add`, asked);
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      sessionID: "113e5d875f81",
      userID: "UID0000000001",
      goodsSKU: "SKU0002",
      goodsQuantity: 1,
      isAllowed: true,
      isThrottled: false,
      version: "1.0",
    });
    expect(await goodsOf("SKU0002")).toMatchObject({ goodsQuantity: 10, frozenQuantity: 1, availableQuantity: 9 });
  });

  test('"adding the same SKU again adds to the quantity. The deadline of the first add stays"', async () => {
    await stock("again", 10);
    await add({ goodsSKU: "again", goodsQuantity: 2, sessionID: "first" });
    const deadline = await expiresAt("UID1", "again");
    const addedAt = Date.now();
    await waitFor(() => Date.now() > addedAt, "the clock has moved on");
    expect((await add({ goodsSKU: "again", goodsQuantity: 3, sessionID: "second" })).body).toMatchObject({
      isAllowed: true,
      goodsQuantity: 5,
    });
    expect((await cartOf("UID1")).body).toContainEqual(
      expect.objectContaining({ goodsSKU: "again", goodsQuantity: 5, expiresAt: deadline, sessionID: "first" }),
    );
  });

  test("the goods stay frozen for 30 minutes", async () => {
    await stock("half-hour", 1);
    const before = Date.now();
    await add({ goodsSKU: "half-hour", goodsQuantity: 1 });
    const deadline = await expiresAt("UID1", "half-hour");
    expect(deadline).toBeGreaterThanOrEqual(before + FROZEN_FOR_MS);
    expect(deadline).toBeLessThanOrEqual(Date.now() + FROZEN_FOR_MS);
  });

  test('"totalQuantity is accepted and ignored: the ledger\'s own figure decides"', async () => {
    await stock("own-figure", 2);
    const refused = await add({ goodsSKU: "own-figure", goodsQuantity: 3, totalQuantity: 1_000_000 });
    expectRefused(refused, "sold-out");
    expect(refused.body).toMatchObject({ goodsQuantity: 3 });
    expect((await add({ goodsSKU: "own-figure", goodsQuantity: 2, totalQuantity: 0 })).body).toMatchObject({ isAllowed: true });
  });

  test('"quantityLimit 0 means none; otherwise it bounds ordered + frozen + asked"', async () => {
    await stock("limited", 100);
    await postJson(`${system.policy}/user/add`, { userID: "UID1", goodsSKU: "limited", userLevel: 1, orderQuantity: 2 });
    expectRefused(await add({ goodsSKU: "limited", goodsQuantity: 3, quantityLimit: 4 }), "limit-reached");
    expect((await add({ goodsSKU: "limited", goodsQuantity: 1, quantityLimit: 4 })).body).toMatchObject({
      isAllowed: true,
      goodsQuantity: 1,
    });
    expectRefused(await add({ goodsSKU: "limited", goodsQuantity: 2, quantityLimit: 4 }), "limit-reached");
    expect((await add({ goodsSKU: "limited", goodsQuantity: 1, quantityLimit: 4 })).body).toMatchObject({
      isAllowed: true,
      goodsQuantity: 2,
    });
    expect((await add({ goodsSKU: "limited", goodsQuantity: 50, quantityLimit: 0 })).body).toMatchObject({
      isAllowed: true,
      goodsQuantity: 52,
    });
    expect((await add({ userID: "UID2", goodsSKU: "limited", goodsQuantity: 4, quantityLimit: 4 })).body).toMatchObject({
      isAllowed: true,
    });
  });

  test("unknown goods are refused", async () => {
    expectRefused(await add({ goodsSKU: "no-such-goods", goodsQuantity: 1 }), "unknown-goods");
  });

  test("50 users at once get the 10 units that there are, one each, and one user at once gets no more than the limit", async () => {
    await stock("crowd", 10);
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, index) => add({ userID: `crowd-${index}`, goodsSKU: "crowd", goodsQuantity: 1 })),
    );
    expect(replies.filter((reply) => (reply.body as { isAllowed: boolean }).isAllowed)).toHaveLength(10);
    expect(await goodsOf("crowd")).toMatchObject({ frozenQuantity: 10, availableQuantity: 0 });
    await stock("greedy", 50);
    await Promise.all(Array.from({ length: 50 }, () => add({ userID: "greedy", goodsSKU: "greedy", goodsQuantity: 1, quantityLimit: 3 })));
    expect(await goodsOf("greedy")).toMatchObject({ frozenQuantity: 3 });
  });

  test("every bad field is named", async () => {
    expectProblem(
      await postJson(`${system.cart}/add`, lineOf({ userID: "", goodsSKU: "\u0000", goodsQuantity: 0, quantityLimit: -1, sessionID: "" })),
      400,
      ["#/sessionID", "#/userID", "#/goodsSKU", "#/goodsQuantity", "#/quantityLimit"],
    );
    for (const goodsQuantity of [-1, 1.5, 1_000_001])
      expectProblem(await add({ goodsSKU: "SKU0002", goodsQuantity }), 400, ["#/goodsQuantity"]);
  });
});

describe("updateGoodsInCart, PUT /update", () => {
  test('"freezes or releases the difference in one step", and keeps the deadline', async () => {
    await stock("changed", 5);
    await add({ goodsSKU: "changed", goodsQuantity: 2 });
    const deadline = await expiresAt("UID1", "changed");
    const rows = [
      { asked: 5, isAllowed: true, frozen: 5 },
      { asked: 6, isAllowed: false, frozen: 5 },
      { asked: 1, isAllowed: true, frozen: 1 },
      { asked: 1, isAllowed: true, frozen: 1 },
    ];
    for (const { asked, isAllowed, frozen } of rows) {
      const reply = await change({ goodsSKU: "changed", goodsQuantity: asked });
      if (isAllowed)
        expect(reply.body).toMatchObject({
          sessionID: "113e5d875f81",
          userID: "UID1",
          goodsSKU: "changed",
          goodsQuantity: asked,
          isAllowed,
          isThrottled: false,
          version: "1.0",
        });
      else expectRefused(reply, "sold-out");
      expect(await goodsOf("changed")).toMatchObject({ frozenQuantity: frozen, availableQuantity: 5 - frozen });
      expect(await expiresAt("UID1", "changed")).toBe(deadline);
    }
  });

  test("a user's own hold does not count against that user's change of it", async () => {
    await stock("own-hold", 10);
    await postJson(`${system.policy}/user/add`, { userID: "UID1", goodsSKU: "own-hold", userLevel: 1, orderQuantity: 1 });
    await add({ goodsSKU: "own-hold", goodsQuantity: 2, quantityLimit: 4 });
    expect((await change({ goodsSKU: "own-hold", goodsQuantity: 3, quantityLimit: 4 })).body).toMatchObject({
      isAllowed: true,
      goodsQuantity: 3,
    });
    expectRefused(await change({ goodsSKU: "own-hold", goodsQuantity: 4, quantityLimit: 4 }), "limit-reached");
    expect(await goodsOf("own-hold")).toMatchObject({ frozenQuantity: 3 });
  });

  test('"for a user who has no live hold of that SKU is 404"', async () => {
    await stock("not-held", 5);
    await add({ userID: "UID2", goodsSKU: "not-held", goodsQuantity: 1 });
    expectProblem(await change({ goodsSKU: "not-held", goodsQuantity: 1 }), 404);
    expectProblem(await change({ goodsSKU: "no-such-goods", goodsQuantity: 1 }), 404);
    expect(await goodsOf("not-held")).toMatchObject({ frozenQuantity: 1 });
  });
});

describe("the cart", () => {
  test('findAllItemsByUserID replies the lines with expiresAt added; "[] for an empty cart"', async () => {
    expect((await cartOf("UID-lines")).text).toBe("[]");
    for (const sku of ["line-a", "line-b"]) {
      await stock(sku, 5);
      await add({ userID: "UID-lines", goodsSKU: sku, goodsQuantity: 2, sessionID: `session-of-${sku}` });
    }
    const reply = await cartOf("UID-lines");
    expect(reply.status).toBe(200);
    const line = {
      userID: "UID-lines",
      goodsQuantity: 2,
      totalQuantity: expect.any(Number),
      quantityLimit: expect.any(Number),
      expiresAt: expect.any(Number),
    };
    const lines = (reply.body as { goodsSKU: string }[]).toSorted((a, b) => (a.goodsSKU < b.goodsSKU ? -1 : 1));
    expectMatch(lines, [
      { ...line, goodsSKU: "line-a", sessionID: "session-of-line-a" },
      { ...line, goodsSKU: "line-b", sessionID: "session-of-line-b" },
    ]);
  });

  test("getGoodsByUidSKU replies the documented body, with a line and without one", async () => {
    await stock("one-line", 5);
    const documented = { sessionID: "SID000001", userID: "UID-one", goodsSKU: "one-line", isThrottled: false, version: "1.0" };
    const missing = await lineAt("UID-one", "one-line");
    expect(missing.status).toBe(200);
    expect(missing.body).toMatchObject({ ...documented, goodsQuantity: 0, isAllowed: false });
    await add({ userID: "UID-one", goodsSKU: "one-line", goodsQuantity: 3 });
    expect((await lineAt("UID-one", "one-line")).body).toMatchObject({ ...documented, goodsQuantity: 3, isAllowed: true });
  });

  test('removeGoodsInCart replies "what is left in the cart", and releases', async () => {
    for (const sku of ["kept", "dropped"]) {
      await stock(sku, 5);
      await add({ userID: "UID-remove", goodsSKU: sku, goodsQuantity: 2 });
    }
    for (let times = 0; times < 2; times += 1) {
      const left = await deleteJson(`${system.cart}/delete/userid/UID-remove/sku/dropped`);
      expect(left.status).toBe(200);
      expect(left.body).toMatchObject([{ userID: "UID-remove", goodsSKU: "kept", goodsQuantity: 2 }]);
      expect(left.body).toEqual((await cartOf("UID-remove")).body);
    }
    expect(await goodsOf("dropped")).toMatchObject({ frozenQuantity: 0, availableQuantity: 5 });
    expect((await deleteJson(`${system.cart}/delete/userid/UID-remove/sku/kept`)).text).toBe("[]");
  });
});

test("a hold ends by itself at its deadline: the goods are free, the cart is empty, and nothing revives it", async () => {
  const brief = await startSystem({ args: ["--frozen-for", "1s"] });
  try {
    await stock("brief", 5, brief);
    await add({ goodsSKU: "brief", goodsQuantity: 3 }, brief);
    const deadline = await expiresAt("UID1", "brief", brief);
    await change({ goodsSKU: "brief", goodsQuantity: 4 }, brief);
    await waitFor(async () => (await cartOf("UID1", brief)).text === "[]", "the hold has ended");
    expect(Date.now()).toBeGreaterThanOrEqual(deadline);
    expect(await goodsOf("brief", brief)).toMatchObject({ goodsQuantity: 5, frozenQuantity: 0, availableQuantity: 5 });
    expectProblem(await change({ goodsSKU: "brief", goodsQuantity: 1 }, brief), 404);
    expect((await add({ userID: "UID2", goodsSKU: "brief", goodsQuantity: 5 }, brief)).body).toMatchObject({
      isAllowed: true,
      goodsQuantity: 5,
    });
  } finally {
    await brief.stop();
  }
});
