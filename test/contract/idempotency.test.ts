/** The GateKeeper's note on `Idempotency-Key`, in a running system and across its end. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { deleteJson, freshDataDir, getJson, type JsonReply, postJson, type System, startSystem } from "../system.ts";
import { waitFor } from "../wait.ts";
import { expectProblem } from "./problem.ts";

setDefaultTimeout(60_000);

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

const buyer = { sessionID: "xxxx", clientIP: "198.51.100.1", userID: "UID0000000001", userLevel: 5, goodsSKU: "SKU0001", goodsQuantity: 1 };
const buy = (key: string, purchase: Partial<typeof buyer>, at = system) =>
  postJson(`${at.gate}/buy`, { ...buyer, ...purchase }, { "idempotency-key": key });
const stock = (goodsSKU: string, goodsQuantity: number, at = system) =>
  postJson(`${at.inventory}/add`, { goodsSKU, goodsQuantity, goodsPrice: 1 });
const frozenOf = async (sku: string, at = system) =>
  ((await getJson(`${at.inventory}/sku/${sku}`)).body as { frozenQuantity: number }).frozenQuantity;

function expectSameReply(again: JsonReply, first: JsonReply): void {
  expect({ status: again.status, body: again.body }).toEqual({ status: first.status, body: first.body });
}

test('"the same key and body gets the first reply again ... and freezes nothing twice"', async () => {
  await stock("once", 10);
  const first = await buy("once", { goodsSKU: "once", goodsQuantity: 2 });
  expect(first.body).toMatchObject({ repResult: true, hold: { goodsQuantity: 2 } });
  for (let times = 0; times < 3; times += 1) expectSameReply(await buy("once", { goodsSKU: "once", goodsQuantity: 2 }), first);
  expect(await frozenOf("once")).toBe(2);
  expect((await buy("another", { goodsSKU: "once", goodsQuantity: 2 })).body).toMatchObject({ hold: { goodsQuantity: 4 } });
  await deleteJson(`${system.cart}/delete/userid/UID0000000001/sku/once`);
  expectSameReply(await buy("once", { goodsSKU: "once", goodsQuantity: 2 }), first);
  expect(await frozenOf("once")).toBe(0);
});

describe('"the same key and body gets the first reply again, a refusal too"', () => {
  test("also when the cause of the refusal is gone", async () => {
    const causes = {
      "sold-out": { goodsSKU: "refused-empty" },
      "unknown-goods": { goodsSKU: "refused-unknown" },
      "limit-reached": { goodsSKU: "refused-limit", goodsQuantity: 2 },
      "level-too-low": { goodsSKU: "refused-limit", userLevel: 1 },
      blacklisted: { goodsSKU: "refused-limit", userID: "refused-guy" },
    };
    await stock("refused-empty", 0);
    await postJson(`${system.policy}/policy/add`, { goodsSKU: "refused-limit", userLevel: 5, quantityLimit: 1 });
    await postJson(`${system.protector}/badguy/add`, { userID: "refused-guy", isBadGuy: true });
    const firsts = await Promise.all(Object.entries(causes).map(([reason, purchase]) => buy(reason, purchase)));
    expect(firsts.map((reply) => (reply.body as { reason: string }).reason)).toEqual(Object.keys(causes));
    for (const sku of ["refused-empty", "refused-unknown", "refused-limit"]) await stock(sku, 10);
    await deleteJson(`${system.policy}/policy/delete/sku/refused-limit`);
    await deleteJson(`${system.protector}/badguy/delete/userid/refused-guy`);
    for (const [index, [reason, purchase]] of Object.entries(causes).entries()) {
      expectSameReply(await buy(reason, purchase), firsts[index] as JsonReply);
      expect((await buy(`${reason}-anew`, purchase)).body).toMatchObject({ repResult: true });
    }
  });
});

test('"the same key with another body is 422"', async () => {
  await stock("other-body", 10);
  const first = await buy("other-body", { goodsSKU: "other-body" });
  const others = [{ clientIP: "198.51.100.2" }, { userID: "UID2" }, { userLevel: 6 }, { goodsSKU: "SKU0001" }, { goodsQuantity: 2 }];
  for (const other of others) expectProblem(await buy("other-body", { goodsSKU: "other-body", ...other }), 422);
  expect(await frozenOf("other-body")).toBe(1);
  expectSameReply(await buy("other-body", { goodsSKU: "other-body" }), first);
});

test("the client's sessionID and the order of the fields make no other body", async () => {
  await stock("same-body", 10);
  const first = await buy("same-body", { goodsSKU: "same-body", sessionID: "one" });
  expectSameReply(await buy("same-body", { goodsSKU: "same-body", sessionID: "two" }), first);
  const reversed = Object.fromEntries(Object.entries({ ...buyer, goodsSKU: "same-body" }).toReversed());
  expectSameReply(await postJson(`${system.gate}/buy`, reversed, { "idempotency-key": "same-body" }), first);
});

test('"while the first is in flight, 409"; whoever is not told 409 gets the first reply', async () => {
  await stock("at-once", 10_000);
  let frozen = 0;
  // How many of them overlap is up to the machine; sooner or later two do.
  const someOverlap = async (): Promise<boolean> => {
    frozen += 1;
    const replies = await Promise.all(Array.from({ length: 60 }, () => buy(`at-once-${frozen}`, { goodsSKU: "at-once" })));
    const [answered, early] = [replies.filter((reply) => reply.status === 200), replies.filter((reply) => reply.status !== 200)];
    expect(answered.length).toBeGreaterThan(0);
    for (const reply of answered) expectSameReply(reply, answered[0] as JsonReply);
    for (const reply of early) expectProblem(reply, 409);
    expect(await frozenOf("at-once")).toBe(frozen);
    return early.length > 0;
  };
  await waitFor(someOverlap, "a purchase meets the first one of its key in flight");
});

describe("a key", () => {
  test("of 1 to 255 visible ASCII characters counts, quoted or bare", async () => {
    await stock("keys", 100);
    for (const key of ["k", "x".repeat(255), "!#$%&'()*+,-./:;<=>?@[]^_`{|}~", "8e03978e-40d5-43e8-bc93-6894a57f9324"]) {
      const first = await buy(key, { goodsSKU: "keys" });
      expect(first.body).toMatchObject({ repResult: true });
      expectSameReply(await buy(key, { goodsSKU: "keys" }), first);
      if (key.length < 255) expectSameReply(await buy(`"${key}"`, { goodsSKU: "keys" }), first);
    }
  });

  test("of any other form is a bad request", async () => {
    await stock("bad-keys", 100);
    for (const key of ["", '""', "x".repeat(256), "a b", "clé"])
      expectProblem(await buy(key, { goodsSKU: "bad-keys" }), 400, ["#/header/Idempotency-Key"]);
    expect(await frozenOf("bad-keys")).toBe(0);
  });

  test("of a bad request is not used up", async () => {
    await stock("mended", 10);
    expectProblem(await buy("mended", { goodsSKU: "mended", goodsQuantity: 0 }), 400);
    expect((await buy("mended", { goodsSKU: "mended", goodsQuantity: 1 })).body).toMatchObject({ repResult: true });
  });
});

test("a throttled purchase is not remembered: its key may be used again", async () => {
  const throttled = await startSystem({ args: ["--gate-keeper-rate", "0.000001", "--gate-keeper-burst", "1"] });
  try {
    await stock("throttled", 10, throttled);
    expect((await buy("first", { goodsSKU: "throttled" }, throttled)).body).toMatchObject({ repResult: true });
    expect((await buy("second", { goodsSKU: "throttled" }, throttled)).status).toBe(429);
    expect((await buy("second", { goodsSKU: "throttled", goodsQuantity: 2 }, throttled)).status).toBe(429);
  } finally {
    await throttled.stop();
  }
});

test("the first reply is given again after a graceful end and after a kill, and freezes nothing", async () => {
  const dataDir = freshDataDir();
  let running = await startSystem({ dataDir });
  try {
    await stock("kept", 3, running);
    const won = await buy("won", { goodsSKU: "kept", goodsQuantity: 2 }, running);
    const refused = await buy("refused", { goodsSKU: "kept", goodsQuantity: 2, userID: "UID2" }, running);
    expect([won.body, refused.body]).toMatchObject([{ repResult: true }, { repResult: false, reason: "sold-out" }]);
    for (const end of ["stop", "kill"] as const) {
      await running[end]();
      running = await startSystem({ dataDir });
      await stock("kept", 10, running);
      expectSameReply(await buy("won", { goodsSKU: "kept", goodsQuantity: 2 }, running), won);
      expectSameReply(await buy("refused", { goodsSKU: "kept", goodsQuantity: 2, userID: "UID2" }, running), refused);
      expectProblem(await buy("won", { goodsSKU: "kept", goodsQuantity: 1 }, running), 422);
      expect(await frozenOf("kept", running)).toBe(2);
    }
  } finally {
    await running.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
