/** The PolicyController's rows and notes: tiers, order records, and what counts towards a limit. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { deleteJson, getJson, type JsonReply, postJson, putJson, type System, startSystem } from "../system.ts";
import { expectProblem } from "./problem.ts";

setDefaultTimeout(60_000);

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

const addPolicy = (goodsSKU: string, userLevel: unknown, quantityLimit: unknown) =>
  postJson(`${system.policy}/policy/add`, { goodsSKU, userLevel, quantityLimit });
const updatePolicy = (goodsSKU: string, userLevel: unknown, quantityLimit: unknown) =>
  putJson(`${system.policy}/policy/update`, { goodsSKU, userLevel, quantityLimit });
const policyOf = (sku: string) => getJson(`${system.policy}/policy/sku/${sku}`);
const addOrders = (userID: string, goodsSKU: string, orderQuantity: unknown, userLevel: unknown = 5) =>
  postJson(`${system.policy}/user/add`, { userID, goodsSKU, userLevel, orderQuantity });
const ordersOf = (userId: string, sku: string) => getJson(`${system.policy}/user/userid/${userId}/sku/${sku}`);
const validate = (user: string, level: unknown, sku: string, quantity: unknown) =>
  getJson(`${system.policy}/validate/sid/sid00001/userid/${user}/userlv/${level}/sku/${sku}/quantity/${quantity}`);
const stock = (goodsSKU: string, goodsQuantity: number) => postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity, goodsPrice: 1 });
const freeze = (userID: string, goodsSKU: string, goodsQuantity: number) =>
  postJson(`${system.cart}/add`, { sessionID: "113e5d875f81", userID, goodsSKU, goodsQuantity, totalQuantity: 0, quantityLimit: 0 });

function expectReply(reply: JsonReply, body: unknown): void {
  expect({ status: reply.status, body: reply.body }).toEqual({ status: 200, body });
}

describe("policies", () => {
  test('addPolicy and updatePolicy reply "the policy"', async () => {
    const added = await addPolicy("SKU0001", 5, 1);
    expect(added.status).toBe(200);
    expect(added.body).toMatchObject({ goodsSKU: "SKU0001", userLevel: 5, quantityLimit: 1 });
    const updated = await updatePolicy("SKU0001", 5, 2);
    expect(updated.status).toBe(200);
    expect(updated.body).toMatchObject({ goodsSKU: "SKU0001", userLevel: 5, quantityLimit: 2 });
    expect((await policyOf("SKU0001")).body).toMatchObject({ goodsSKU: "SKU0001", userLevel: 5, quantityLimit: 2 });
  });

  test('updatePolicy is "404 if there is none", and makes none', async () => {
    expectProblem(await updatePolicy("no-policy", 5, 2), 404);
    expectProblem(await policyOf("no-policy"), 404);
  });

  test('"add is an upsert of its tier"', async () => {
    await addPolicy("upsert", 3, 1);
    await addPolicy("upsert", 5, 3);
    await addPolicy("upsert", 3, 2);
    expect((await policyOf("upsert")).body).toMatchObject({
      tiers: [
        { userLevel: 3, quantityLimit: 2 },
        { userLevel: 5, quantityLimit: 3 },
      ],
    });
  });

  test('"getPolicy answers with the lowest tier and all of them under tiers"', async () => {
    for (const [level, limit] of [
      [10, 7],
      [3, 1],
      [5, 3],
    ]) {
      await addPolicy("tiers", level, limit);
    }
    expect((await policyOf("tiers")).body).toMatchObject({ goodsSKU: "tiers", userLevel: 3, quantityLimit: 1 });
    const { tiers } = (await policyOf("tiers")).body as { tiers: { userLevel: number; quantityLimit: number }[] };
    expect(tiers.map((tier) => [tier.userLevel, tier.quantityLimit])).toEqual([
      [3, 1],
      [5, 3],
      [10, 7],
    ]);
  });

  test("findAllPolicies lists them by SKU, and in pages when it is asked for them", async () => {
    for (const sku of ["list-c", "list-a", "list-b"]) await addPolicy(sku, 3, 1);
    const all = (await getJson(`${system.policy}/policy/all`)).body as { goodsSKU: string }[];
    expect(all).toContainEqual(expect.objectContaining({ goodsSKU: "list-a", userLevel: 3, quantityLimit: 1 }));
    const skus = all.map((policy) => policy.goodsSKU);
    expect(skus).toEqual(skus.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    const page = await getJson(`${system.policy}/policy/all?after=list-a&limit=1`);
    expect(page.body).toMatchObject([{ goodsSKU: "list-b" }]);
    expect(page.headers.get("link")).toMatch(/rel="next"/);
  });

  test("removePolicy replies the empty policy, also when there is none, and opens the SKU again", async () => {
    await addPolicy("removed", 3, 1);
    expect((await validate("UID1", 1, "removed", 1)).body).toMatchObject({ isAllowed: false });
    for (let times = 0; times < 2; times += 1) {
      expectReply(await deleteJson(`${system.policy}/policy/delete/sku/removed`), { goodsSKU: null, userLevel: 0, quantityLimit: 0 });
    }
    expectProblem(await policyOf("removed"), 404);
    expect((await validate("UID1", 1, "removed", 1)).body).toMatchObject({ isAllowed: true });
  });

  test("a bad field is named, and nothing of the policy is stored", async () => {
    for (const limit of [0, -1, 1.5, 1_000_000_001, "2", null]) expectProblem(await addPolicy("bad", 5, limit), 400, ["#/quantityLimit"]);
    for (const level of [-1, 1.5, 1_000_001, "5", null]) expectProblem(await addPolicy("bad", level, 1), 400, ["#/userLevel"]);
    expectProblem(await addPolicy("", "5", 0), 400, ["#/goodsSKU", "#/userLevel", "#/quantityLimit"]);
    expectProblem(await policyOf("bad"), 404);
  });
});

describe("order records", () => {
  test('addUserOrders and updateUserOrders reply "the record"', async () => {
    const record = { userID: "UID0000000001", goodsSKU: "SKU0001", userLevel: 5, orderQuantity: 1 };
    expectReply(await postJson(`${system.policy}/user/add`, record), record);
    expectReply(await ordersOf("UID0000000001", "SKU0001"), record);
    expectReply(await putJson(`${system.policy}/user/update`, { ...record, userLevel: 6, orderQuantity: 4 }), {
      ...record,
      userLevel: 6,
      orderQuantity: 4,
    });
    expectReply(await ordersOf("UID0000000001", "SKU0001"), { ...record, userLevel: 6, orderQuantity: 4 });
  });

  test("adding a record that exists sets it", async () => {
    await addOrders("UID-set", "SKU0001", 3);
    await addOrders("UID-set", "SKU0001", 2);
    expect((await ordersOf("UID-set", "SKU0001")).body).toMatchObject({ orderQuantity: 2 });
  });

  test('updateUserOrders is "404 if there is none", and makes none', async () => {
    expectProblem(
      await putJson(`${system.policy}/user/update`, { userID: "UID-none", goodsSKU: "SKU0001", userLevel: 5, orderQuantity: 1 }),
      404,
    );
    expectProblem(await ordersOf("UID-none", "SKU0001"), 404);
  });

  test("removeUserOrders replies the empty record, also when there is none", async () => {
    await addOrders("UID-gone", "SKU0001", 3);
    const empty = { userID: null, goodsSKU: null, userLevel: 0, orderQuantity: 0, quantityLimit: 0 };
    for (let times = 0; times < 2; times += 1)
      expectReply(await deleteJson(`${system.policy}/user/delete/userid/UID-gone/sku/SKU0001`), empty);
    expectProblem(await ordersOf("UID-gone", "SKU0001"), 404);
  });

  test('findAllUserOrders is "an array of records, paged"', async () => {
    for (const [user, sku] of [
      ["page-1", "b"],
      ["page-2", "a"],
      ["page-1", "a"],
      ["page-2", "b"],
    ] as const) {
      await addOrders(user, sku, 1);
    }
    const seen: string[] = [];
    let query = "after=page-&limit=1";
    for (let pages = 0; pages < 4; pages += 1) {
      const page = await getJson(`${system.policy}/user/all?${query}`);
      expect(page.body).toHaveLength(1);
      const [record] = page.body as { userID: string; goodsSKU: string }[];
      seen.push(`${record?.userID}/${record?.goodsSKU}`);
      query = `after=${record?.userID}&afterSku=${record?.goodsSKU}&limit=1`;
    }
    expect(seen).toEqual(["page-1/a", "page-1/b", "page-2/a", "page-2/b"]);
    for (const limit of ["0", "10001", "x", "1.5", "-1"])
      expectProblem(await getJson(`${system.policy}/user/all?limit=${limit}`), 400, ["#/query/limit"]);
  });

  test("a bad field is named", async () => {
    for (const quantity of [-1, 1.5, 1_000_000_001, "2", null])
      expectProblem(await addOrders("UID-bad", "SKU0001", quantity), 400, ["#/orderQuantity"]);
    expectProblem(await postJson(`${system.policy}/user/add`, {}), 400, ["#/userID", "#/goodsSKU", "#/userLevel", "#/orderQuantity"]);
    expectProblem(await ordersOf("UID-bad", "SKU0001"), 404);
  });
});

describe("doPolicyValidation", () => {
  test("replies the documented body plus quantityLimit", async () => {
    await addPolicy("QT3456", 5, 2);
    expectReply(await validate("FS000001", 5, "QT3456", 1), {
      sessionID: "sid00001",
      userID: "FS000001",
      goodsSKU: "QT3456",
      userLevel: 5,
      orderQuantity: 1,
      isAllowed: true,
      isThrottled: false,
      version: "1.0",
      quantityLimit: 2,
    });
  });

  test('"the tier that counts is the highest whose level the user reaches; below the lowest tier the user is refused"', async () => {
    for (const [level, limit] of [
      [3, 1],
      [5, 3],
      [10, 7],
    ]) {
      await addPolicy("steps", level, limit);
    }
    for (const level of [0, 1, 2]) {
      const refused = await validate("UID-steps", level, "steps", 1);
      expect(refused.status).toBe(200);
      expect(refused.body).toMatchObject({ userLevel: level, isAllowed: false, isThrottled: false, reason: "level-too-low" });
    }
    for (const [level, limit] of [
      [3, 1],
      [4, 1],
      [5, 3],
      [9, 3],
      [10, 7],
      [1_000_000, 7],
    ] as const) {
      expect((await validate("UID-steps", level, "steps", limit)).body).toMatchObject({
        userLevel: level,
        isAllowed: true,
        quantityLimit: limit,
        orderQuantity: limit,
      });
      expect((await validate("UID-steps", level, "steps", limit + 1)).body).toMatchObject({
        isAllowed: false,
        quantityLimit: limit,
        reason: "limit-reached",
      });
    }
  });

  test('"a SKU without a policy is open to everyone, without a limit"', async () => {
    expect((await validate("UID-open", 0, "open", 1_000_000)).body).toMatchObject({
      isAllowed: true,
      orderQuantity: 1_000_000,
      quantityLimit: 0,
    });
  });

  test('"orderQuantity is what the user would have after this purchase: ordered + frozen + asked"', async () => {
    await stock("sum", 100);
    await addPolicy("sum", 1, 10);
    await addOrders("UID-sum", "sum", 4);
    await freeze("UID-sum", "sum", 3);
    await freeze("UID-other", "sum", 5);
    expect((await validate("UID-sum", 1, "sum", 3)).body).toMatchObject({ orderQuantity: 10, isAllowed: true, quantityLimit: 10 });
    expect((await validate("UID-sum", 1, "sum", 4)).body).toMatchObject({ orderQuantity: 11, isAllowed: false, reason: "limit-reached" });
  });

  test("a bad path variable is named", async () => {
    for (const level of ["-1", "1.5", "x", "1000001"]) expectProblem(await validate("UID1", level, "SKU0001", 1), 400, ["#/path/level"]);
    for (const quantity of ["0", "-1", "x", "1000001"]) expectProblem(await validate("UID1", 1, "SKU0001", quantity), 400, ["#/path/qty"]);
    expectProblem(await validate("%00", "x", "%0A", 0), 400, ["#/path/uid", "#/path/level", "#/path/sku", "#/path/qty"]);
  });
});
