/** What outlives the process: everything that was acknowledged, whether the system was asked to end or was killed. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { freshDataDir, getJson, postJson, type System, startSystem } from "../system.ts";

setDefaultTimeout(60_000);

let dataDir: string;
let system: System;
beforeAll(async () => {
  dataDir = freshDataDir();
  system = await startSystem({ dataDir });
});
afterAll(async () => {
  await system.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function fill(): Promise<void> {
  for (const [goodsSKU, goodsQuantity, goodsPrice] of [
    ["plain", 10, 99.9],
    ["商品/一", 1_000_000_000, 0.01],
    ["none-left", 0, 45],
  ]) {
    await postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity, goodsPrice });
  }
  for (const [userLevel, quantityLimit] of [
    [3, 1],
    [5, 4],
  ]) {
    await postJson(`${system.policy}/policy/add`, { goodsSKU: "plain", userLevel, quantityLimit });
  }
  await postJson(`${system.policy}/user/add`, { userID: "UID1", goodsSKU: "plain", userLevel: 5, orderQuantity: 1 });
  await postJson(`${system.policy}/user/add`, { userID: "UID2", goodsSKU: "no-such-goods", userLevel: 0, orderQuantity: 7 });
  await postJson(`${system.protector}/badguy/add`, { userID: "FS00000001", isBadGuy: true, note: "caught by hand" });
  await postJson(`${system.protector}/badip/add`, { clientIP: "202.100.100.1", isBadIP: true, durationSeconds: 86_400 });
  await postJson(`${system.protector}/badip/add`, { clientIP: "10.20.0.0/16", isBadIP: true });
}

/** Every answer that depends on what was stored. */
async function everything(): Promise<Record<string, unknown>> {
  const urls = [
    `${system.inventory}/all`,
    `${system.inventory}/sku/${encodeURIComponent("商品/一")}`,
    `${system.policy}/policy/all`,
    `${system.policy}/policy/sku/plain`,
    `${system.policy}/user/all`,
    `${system.policy}/validate/sid/s/userid/UID1/userlv/5/sku/plain/quantity/1`,
    `${system.protector}/badguy/all`,
    `${system.protector}/badip/all`,
    `${system.protector}/validate/sid/s/userid/UID1/clientip/10.20.30.40`,
    `${system.cart}/all/userid/UID1`,
    `${system.cart}/all/userid/UID2`,
  ];
  const answers = await Promise.all(
    urls.map(async (url) => [new URL(url).port.slice(-1) + new URL(url).pathname, (await getJson(url)).body]),
  );
  return Object.fromEntries(answers) as Record<string, unknown>;
}

test("goods, policies, order records, the blacklist and holds with their deadlines outlive a graceful end and a kill", async () => {
  await fill();
  const purchase = { clientIP: "198.51.100.1", userID: "UID1", userLevel: 5, goodsSKU: "plain", goodsQuantity: 2 };
  expect((await postJson(`${system.gate}/buy`, purchase)).body).toMatchObject({ repResult: true });
  const before = await everything();
  expect(before).not.toMatchObject({ "4/all/userid/UID1": [] });
  expect(await system.stop()).toBe(0);
  system = await startSystem({ dataDir });
  expect(await everything()).toEqual(before);
  await system.kill();
  system = await startSystem({ dataDir });
  expect(await everything()).toEqual(before);
});

test("what is acknowledged is there after a kill that follows at once", async () => {
  await postJson(`${system.inventory}/add`, { goodsSKU: "rush", goodsQuantity: 300, goodsPrice: 1 });
  const buyers = Array.from({ length: 300 }, (_, index) => `rush-${index}`);
  const purchases = buyers.map((userID) =>
    postJson(`${system.gate}/buy`, { clientIP: "198.51.100.1", userID, userLevel: 5, goodsSKU: "rush", goodsQuantity: 1 }),
  );
  const acknowledged = await Promise.all(purchases);
  await system.kill();
  expect(acknowledged.map((reply) => (reply.body as { repResult: boolean }).repResult)).not.toContain(false);
  system = await startSystem({ dataDir });
  expect((await getJson(`${system.inventory}/sku/rush`)).body).toMatchObject({
    goodsQuantity: 300,
    frozenQuantity: 300,
    availableQuantity: 0,
  });
  const carts = await Promise.all(buyers.map((userId) => getJson(`${system.cart}/all/userid/${userId}`)));
  const traceIds = acknowledged.map((reply) => (reply.body as { sessionID: string }).sessionID);
  expect(carts.map((cart) => (cart.body as { sessionID: string }[])[0]?.sessionID)).toEqual(traceIds);
});
