/** Sales on the running system: what their windows, limits and pauses do to a purchase, and that they survive a crash. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { deleteJson, freshDataDir, getJson, type JsonReply, postJson, putJson, type System, send, startSystem } from "../system.ts";
import { expectMatch, expectProblem } from "./problem.ts";

setDefaultTimeout(60_000);

const dataDir = freshDataDir();
let system: System;
beforeAll(async () => {
  system = await startSystem({ dataDir });
});
afterAll(async () => {
  await system.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const HOUR_MS = 3_600_000;
/** The time so many hours from now. The tests live between two of these, whatever the speed of the machine. */
const inHours = (hours: number): string => new Date(Date.now() + hours * HOUR_MS).toISOString();

const sale = (id: string, from: number, to: number, quantityLimit?: number) => ({
  ...{ id, name: id, startsAt: inHours(from), endsAt: inHours(to) },
  items: [{ goodsSKU: id, salePrice: 99.9, ...(quantityLimit !== undefined && { quantityLimit }) }],
});
async function drop(id: string, from: number, to: number, quantityLimit?: number): Promise<void> {
  await postJson(`${system.inventory}/add`, { goodsSKU: id, goodsQuantity: 100, goodsPrice: 200 });
  const added = await postJson(`${system.policy}/sales`, sale(id, from, to, quantityLimit));
  expect({ status: added.status, body: added.body }).toMatchObject({ status: 201, body: { id } });
}
const buy = (goodsSKU: string, goodsQuantity = 1, userID = "UID1"): Promise<JsonReply> =>
  postJson(`${system.gate}/buy`, { sessionID: "x", clientIP: "192.0.2.1", userID, userLevel: 5, goodsSKU, goodsQuantity });
const validate = (sku: string, quantity = 1): Promise<JsonReply> =>
  getJson(`${system.policy}/validate/sid/s1/userid/UID1/userlv/5/sku/${sku}/quantity/${quantity}`);

const refusedFor = (reply: JsonReply, reason: string): void => {
  expect(reply.status).toBe(200);
  expectMatch(reply.body, { repResult: false, step: "policy", reason });
};

describe("a SKU in a sale", () => {
  test("is bought inside its window", async () => {
    await drop("live", -1, 1);
    expectMatch((await buy("live")).body, { repResult: true, hold: { goodsSKU: "live", goodsQuantity: 1 } });
    expectMatch((await validate("live")).body, { isAllowed: true, orderQuantity: 1, quantityLimit: 0 });
  });

  test("is refused before it with `not-started`, and the validation says when it opens", async () => {
    await drop("early", 1, 2);
    refusedFor(await buy("early"), "not-started");
    const { startsAt } = (await getJson(`${system.policy}/sales/early`)).body as { startsAt: string };
    expectMatch((await validate("early")).body, { isAllowed: false, reason: "not-started", opensAt: Date.parse(startsAt) });
  });

  test("is refused with `paused` while its sale is paused, and bought again when it is resumed", async () => {
    await drop("halted", -1, 1);
    expect((await send("POST", `${system.policy}/sales/halted/pause`)).body).toMatchObject({ status: "paused" });
    refusedFor(await buy("halted"), "paused");
    expectMatch((await validate("halted")).body, { isAllowed: false, reason: "paused" });
    expect((await send("POST", `${system.policy}/sales/halted/resume`)).body).toMatchObject({ status: "live" });
    expectMatch((await buy("halted")).body, { repResult: true });
  });

  test("is bought no more often than the sale lets one user, and no more often than the tier does", async () => {
    await drop("limited", -1, 1, 2);
    expectMatch((await buy("limited", 3)).body, { repResult: false, step: "policy", reason: "limit-reached" });
    expectMatch((await buy("limited", 2)).body, { repResult: true });
    expectMatch((await buy("limited", 1)).body, { repResult: false, reason: "limit-reached" });
    await postJson(`${system.policy}/policy/add`, { goodsSKU: "limited", userLevel: 1, quantityLimit: 1 });
    expectMatch((await buy("limited", 2, "UID2")).body, { repResult: false, reason: "limit-reached" });
    expectMatch((await buy("limited", 1, "UID2")).body, { repResult: true });
  });

  test("is open to everyone again when the scheduled sale is deleted", async () => {
    await drop("called-off", 1, 2);
    refusedFor(await buy("called-off"), "not-started");
    expect((await deleteJson(`${system.policy}/sales/called-off`)).status).toBe(200);
    expectMatch((await buy("called-off")).body, { repResult: true });
  });

  test("is told of in the shopper's language", async () => {
    const reply = await postJson(
      `${system.gate}/buy`,
      { sessionID: "x", clientIP: "192.0.2.1", userID: "UID1", userLevel: 5, goodsSKU: "early", goodsQuantity: 1 },
      { "accept-language": "zh-CN" },
    );
    expectMatch(reply.body, { reponseMsg: expect.stringContaining("尚未开始") });
  });
});

test("overlapping sales of one SKU are 409, also over HTTP and after a crash; every sale is as it was", async () => {
  const before = (await getJson(`${system.policy}/sales`)).body;
  await system.kill();
  system = await startSystem({ dataDir });
  expect((await getJson(`${system.policy}/sales`)).body).toEqual(before);
  const overlapping = await postJson(`${system.policy}/sales`, { ...sale("early", 1.5, 3), id: "another" });
  expectProblem(overlapping, 409);
  expect(overlapping.body).toMatchObject({ saleID: "early", goodsSKU: "early" });
  const moved = await putJson(`${system.policy}/sales/live`, { ...sale("live", -2, 1) });
  expectProblem(moved, 409, ["#/startsAt"]);
});
