/** The GateKeeper's row and notes: the five steps in their order, what a reply says, and the record that every purchase leaves. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deleteJson, getJson, type JsonReply, postJson, type System, startSystem } from "../system.ts";
import { waitFor } from "../wait.ts";
import { expectMatch, expectProblem } from "./problem.ts";

setDefaultTimeout(60_000);

const FROZEN_FOR_MS = 30 * 60_000;
const stepsInOrder = ["throttle", "protect", "policy", "inventory", "cart"];
const NEVER_AGAIN = "0.000001";

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await postJson(`${system.protector}/badguy/add`, { userID: "bad-guy", isBadGuy: true });
  await postJson(`${system.protector}/badip/add`, { clientIP: "202.100.100.0/24", isBadIP: true });
  await policy("no-goods", 5, 1);
  await policy("empty", 5, 1);
  await stock("empty", 0);
});
afterAll(() => system.stop());

const buyer = { sessionID: "xxxx", clientIP: "198.51.100.1", userID: "UID0000000001", userLevel: 5, goodsSKU: "SKU0001", goodsQuantity: 1 };
type Purchase = Partial<typeof buyer>;

const buy = (purchase: Purchase, headers: Record<string, string> = {}, at = system) =>
  postJson(`${at.gate}/buy`, { ...buyer, ...purchase }, headers);
const stock = (goodsSKU: string, goodsQuantity: number) =>
  postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity, goodsPrice: 99.9 });
const policy = (goodsSKU: string, userLevel: number, quantityLimit: number) =>
  postJson(`${system.policy}/policy/add`, { goodsSKU, userLevel, quantityLimit });
const cartOf = async (userId: string) => (await getJson(`${system.cart}/all/userid/${userId}`)).body;
const goodsOf = async (sku: string) => (await getJson(`${system.inventory}/sku/${sku}`)).body;
const sessionOf = (reply: JsonReply) => (reply.body as { sessionID: string }).sessionID;

interface AccessRecord {
  readonly traceId: string;
  readonly time: string | number;
  readonly steps: readonly { readonly step: string; readonly outcome: string; readonly us: number }[];
  readonly totalUs: number;
}

/** Every record that is on disk. A line still being written has no end yet. */
function accessRecords(at = system): AccessRecord[] {
  const folder = join(at.dataDir, "access-log");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jsonl"));
  const lines = files.flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1));
  return lines.map((line) => JSON.parse(line) as AccessRecord);
}

async function recordOf(traceId: string, at = system): Promise<AccessRecord> {
  const found = () => accessRecords(at).filter((record) => record.traceId === traceId);
  await waitFor(() => found().length > 0, `purchase ${traceId} is in the access log`);
  expect(found()).toHaveLength(1);
  return found()[0] as AccessRecord;
}

describe("a purchase that goes through", () => {
  test("replies the documented body and freezes the goods for 30 minutes", async () => {
    await stock("SKU0001", 10);
    const before = Date.now();
    const reply = await buy({});
    expect(reply.status).toBe(200);
    expectMatch(reply.body, {
      reponseMsg: expect.any(String),
      repResult: true,
      isThrottled: false,
      version: "1.0",
      sessionID: expect.any(String),
      hold: { goodsSKU: "SKU0001", goodsQuantity: 1, expiresAt: expect.any(Number) },
    });
    const { expiresAt } = (reply.body as { hold: { expiresAt: number } }).hold;
    expect(expiresAt).toBeGreaterThanOrEqual(before + FROZEN_FOR_MS);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + FROZEN_FOR_MS);
    expect(await goodsOf("SKU0001")).toMatchObject({ goodsQuantity: 10, frozenQuantity: 1, availableQuantity: 9 });
    expect(await cartOf("UID0000000001")).toMatchObject([{ goodsSKU: "SKU0001", goodsQuantity: 1, expiresAt }]);
  });

  test('"goodsQuantity = what this user now has frozen of this SKU", and the first deadline stays', async () => {
    await stock("twice", 10);
    const first = (await buy({ goodsSKU: "twice", goodsQuantity: 2 })).body as { hold: { expiresAt: number } };
    const second = await buy({ goodsSKU: "twice", goodsQuantity: 3 });
    expect(second.body).toMatchObject({ repResult: true, hold: { goodsSKU: "twice", goodsQuantity: 5, expiresAt: first.hold.expiresAt } });
  });

  test("sessionID is the trace id: the gate makes it, and the cart line and the access log carry it", async () => {
    await stock("traced", 10);
    const reply = await buy({ goodsSKU: "traced", userID: "UID-traced", goodsQuantity: 2, sessionID: "chosen-by-the-client" });
    const traceId = sessionOf(reply);
    expect(traceId).not.toBe("chosen-by-the-client");
    expect(await cartOf("UID-traced")).toMatchObject([{ sessionID: traceId, goodsSKU: "traced" }]);
    expect(await recordOf(traceId)).toMatchObject({ traceId, userID: "UID-traced", goodsSKU: "traced", goodsQuantity: 2 });
    const withoutSession = await buy({ goodsSKU: "traced", sessionID: undefined as unknown as string });
    expect(withoutSession.body).toMatchObject({ repResult: true });
    expect(new Set([traceId, sessionOf(withoutSession), "chosen-by-the-client"]).size).toBe(3);
  });
});

describe('"the five steps, in order; the first that refuses ends the purchase and leaves no trace in later steps"', () => {
  // Each row breaks the rule of its own step and of every step behind it; none breaks an earlier one.
  const rows: readonly { step: string; reason: string; why: string; purchase: Purchase }[] = [
    {
      step: "protect",
      reason: "blacklisted",
      why: "account",
      purchase: { userID: "bad-guy", userLevel: 1, goodsSKU: "no-goods", goodsQuantity: 2 },
    },
    {
      step: "protect",
      reason: "blacklisted",
      why: "address",
      purchase: { clientIP: "202.100.100.1", userLevel: 1, goodsSKU: "no-goods", goodsQuantity: 2 },
    },
    {
      step: "protect",
      reason: "blacklisted",
      why: "mapped address",
      purchase: { clientIP: "::ffff:202.100.100.1", userLevel: 1, goodsSKU: "no-goods", goodsQuantity: 2 },
    },
    {
      step: "policy",
      reason: "level-too-low",
      why: "below the lowest tier",
      purchase: { userLevel: 4, goodsSKU: "no-goods", goodsQuantity: 2 },
    },
    { step: "policy", reason: "limit-reached", why: "above the tier's limit", purchase: { goodsSKU: "no-goods", goodsQuantity: 2 } },
    { step: "inventory", reason: "unknown-goods", why: "within the limit", purchase: { goodsSKU: "no-goods", goodsQuantity: 1 } },
    { step: "inventory", reason: "sold-out", why: "nothing on hand", purchase: { goodsSKU: "empty", goodsQuantity: 1 } },
  ];

  test.each(rows)("$step refuses with $reason ($why)", async ({ step, reason, purchase, why }) => {
    const userID = purchase.userID ?? `UID-${reason}-${why.replaceAll(" ", "-")}`;
    const reply = await buy({ ...purchase, userID });
    expect(reply.status).toBe(200);
    expectMatch(reply.body, {
      reponseMsg: expect.any(String),
      repResult: false,
      isThrottled: false,
      version: "1.0",
      sessionID: expect.any(String),
      step,
      reason,
    });
    expect(reply.body).not.toHaveProperty("hold");
    expect(await cartOf(userID)).toEqual([]);
    const record = await recordOf(sessionOf(reply));
    expect(record).toMatchObject({ reason });
    expect(record.steps.map((one) => one.step)).toEqual(stepsInOrder.slice(0, stepsInOrder.indexOf(step) + 1));
  });

  test("throttle refuses before everything else, with 429, the documented body and Retry-After", async () => {
    const throttled = await startSystem({ args: ["--gate-keeper-rate", NEVER_AGAIN, "--gate-keeper-burst", "2"] });
    try {
      await postJson(`${throttled.protector}/badguy/add`, { userID: "bad-guy", isBadGuy: true });
      await postJson(`${throttled.policy}/policy/add`, { goodsSKU: "no-goods", userLevel: 5, quantityLimit: 1 });
      const breaksEveryRule = { userID: "bad-guy", userLevel: 1, goodsSKU: "no-goods", goodsQuantity: 2 };
      for (let served = 0; served < 2; served += 1)
        expect((await buy(breaksEveryRule, {}, throttled)).body).toMatchObject({ reason: "blacklisted" });
      const reply = await buy(breaksEveryRule, {}, throttled);
      expect(reply.status).toBe(429);
      expectMatch(reply.body, {
        reponseMsg: expect.any(String),
        repResult: false,
        isThrottled: true,
        version: "1.0",
        step: "throttle",
        reason: "throttled",
      });
      expect(reply.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
      const chinese = await buy(breaksEveryRule, { "accept-language": "zh" }, throttled);
      expect((chinese.body as { reponseMsg: string }).reponseMsg).toMatch(/\p{Script=Han}/u);
      expect((await recordOf(sessionOf(reply), throttled)).steps.map((one) => one.step)).toEqual(["throttle"]);
    } finally {
      await throttled.stop();
    }
  });

  test("of 200 buyers at once for 5 units 5 get one, and of 200 requests at once of one user as many go through as the limit allows", async () => {
    await stock("race", 5);
    const buyers = await Promise.all(Array.from({ length: 200 }, (_, index) => buy({ userID: `racer-${index}`, goodsSKU: "race" })));
    const reasons = (replies: readonly JsonReply[]) =>
      new Set(replies.map((reply) => (reply.body as { reason?: string }).reason ?? "none"));
    const wins = (replies: readonly JsonReply[]) => replies.filter((reply) => (reply.body as { repResult: boolean }).repResult);
    expect(wins(buyers)).toHaveLength(5);
    expect(reasons(buyers.filter((reply) => !wins([reply]).length))).toEqual(new Set(["sold-out"]));
    expect(await goodsOf("race")).toMatchObject({ goodsQuantity: 5, frozenQuantity: 5, availableQuantity: 0 });
    await stock("greedy", 100);
    await policy("greedy", 5, 3);
    const clicks = await Promise.all(Array.from({ length: 200 }, () => buy({ userID: "greedy", goodsSKU: "greedy" })));
    expect(wins(clicks)).toHaveLength(3);
    expect(reasons(clicks.filter((reply) => !wins([reply]).length))).toEqual(new Set(["limit-reached"]));
    expect(await goodsOf("greedy")).toMatchObject({ frozenQuantity: 3 });
  });
});

describe('"every outcome has its own human message, in English and Chinese (Accept-Language)"', () => {
  const outcomes: readonly Purchase[] = [
    { goodsSKU: "spoken" },
    { userID: "bad-guy" },
    { goodsSKU: "no-goods", userLevel: 4 },
    { goodsSKU: "no-goods", goodsQuantity: 2 },
    { goodsSKU: "no-goods" },
    { goodsSKU: "empty" },
  ];
  const messages = (language: string | null) =>
    Promise.all(
      outcomes.map(async (purchase) => {
        // Another shopper each time: who adds to a hold is told something else.
        const reply = await buy(
          { userID: `UID-${crypto.randomUUID()}`, ...purchase },
          language === null ? {} : { "accept-language": language },
        );
        return (reply.body as { reponseMsg: string }).reponseMsg;
      }),
    );

  test("each outcome differs in each language, and a success says how long the goods stay frozen", async () => {
    await stock("spoken", 1_000);
    const english = await messages("en");
    const chinese = await messages("zh-CN,zh;q=0.9,en;q=0.5");
    expect(new Set([...english, ...chinese]).size).toBe(2 * outcomes.length);
    for (const message of english) expect(message).not.toMatch(/\p{Script=Han}/u);
    for (const message of chinese) expect(message).toMatch(/\p{Script=Han}/u);
    expect(english[0]).toMatch(/30 minutes/);
    expect(chinese[0]).toMatch(/30\s*分钟/);
    expect(english[1]).toContain("Bad guy! Bye-Bye!");
  });

  test("who adds to a hold is told until when all of it stays frozen, because nothing extends it", async () => {
    await stock("spoken", 1_000);
    const first = await buy({ userID: "UID-adds", goodsSKU: "spoken" });
    const second = await buy({ userID: "UID-adds", goodsSKU: "spoken" });
    const { expiresAt } = (first.body as { hold: { expiresAt: number } }).hold;
    expect((second.body as { hold: unknown }).hold).toEqual({ goodsSKU: "spoken", goodsQuantity: 2, expiresAt });
    expect((second.body as { reponseMsg: string }).reponseMsg).toContain(new Date(expiresAt).toISOString().slice(11, 19));
  });

  test("the language that the reader prefers wins, and English stands in for any other", async () => {
    await stock("spoken", 1_000);
    const english = await messages("en-US");
    for (const language of [null, "fr", "en;q=0.9,zh;q=0.2", "fr,en;q=0.8,zh;q=0.1"]) expect(await messages(language)).toEqual(english);
    const chinese = await messages("zh");
    for (const language of ["zh-TW", "ZH-cn", "en;q=0.2,zh;q=0.9", "fr,zh;q=0.5"]) expect(await messages(language)).toEqual(chinese);
  });
});

describe('"one access-log record per purchase (JSON line)"', () => {
  test("time, trace id, address, user, SKU, quantity, each step with its outcome and microseconds, final reason, total microseconds", async () => {
    await stock('log "SKU"', 5);
    const before = Date.now();
    const won = await buy({ userID: 'User "7" \\ 王小明 🛒', goodsSKU: 'log "SKU"', clientIP: "2001:DB8::1", goodsQuantity: 2 });
    const record = await recordOf(sessionOf(won));
    expect(record).toMatchObject({ clientIP: "2001:db8::1", userID: 'User "7" \\ 王小明 🛒', goodsSKU: 'log "SKU"', goodsQuantity: 2 });
    expect(record).toHaveProperty("reason");
    expect(new Date(record.time).getTime()).toBeGreaterThanOrEqual(before);
    expect(new Date(record.time).getTime()).toBeLessThanOrEqual(Date.now());
    expect(record.steps.map((one) => one.step)).toEqual(stepsInOrder);
    for (const one of record.steps) {
      expect(one.outcome).toEqual(expect.any(String));
      expect(one.us).toBeGreaterThanOrEqual(0);
    }
    expect(record.totalUs).toBeGreaterThanOrEqual(Math.max(...record.steps.map((one) => one.us)));
  });

  test("of 200 purchases at once each has its own answer and its own record, with the steps that it went through", async () => {
    await stock("mixed", 1_000);
    const kinds: readonly [Purchase, string | null, number][] = [
      [{ goodsSKU: "mixed" }, null, 5],
      [{ goodsSKU: "mixed", userID: "bad-guy" }, "blacklisted", 2],
      [{ goodsSKU: "no-goods", goodsQuantity: 2 }, "limit-reached", 3],
      [{ goodsSKU: "empty" }, "sold-out", 4],
    ];
    const asked = Array.from({ length: 200 }, (_, index) => ({ index, kind: kinds[index % kinds.length] as (typeof kinds)[number] }));
    // Every second one carries a key: such a refusal is answered later than its step, when it is durable.
    const replies = await Promise.all(
      asked.map(({ index, kind }) =>
        buy({ userID: `mixed-${index}`, ...kind[0] }, index % 8 < 4 ? { "idempotency-key": `mixed-${index}` } : {}),
      ),
    );
    expect(new Set(replies.map(sessionOf)).size).toBe(200);
    expect(replies.map((reply) => (reply.body as { reason?: string | null }).reason ?? null)).toEqual(asked.map(({ kind }) => kind[1]));
    const traceIds = new Set(replies.map(sessionOf));
    const records = () => accessRecords().filter((record) => traceIds.has(record.traceId));
    await waitFor(() => records().length >= 200, "200 records are in the access log");
    const recordByTrace = new Map(records().map((record) => [record.traceId, record]));
    expect(records()).toHaveLength(200);
    for (const [index, reply] of replies.entries()) {
      const [, reason, steps] = kinds[index % kinds.length] as (typeof kinds)[number];
      const record = recordByTrace.get(sessionOf(reply)) as AccessRecord;
      expect(record).toMatchObject({ reason, userID: reason === "blacklisted" ? "bad-guy" : `mixed-${index}` });
      expect(record.steps.map((one) => one.step)).toEqual(stepsInOrder.slice(0, steps));
    }
  });
});

describe("a bad purchase", () => {
  const id = {
    wrong: ["", "x".repeat(129), "a\u0000b", "a\u0085b", 5, null, ["a"]],
    right: ["x".repeat(128), "王小明", "🛒".repeat(128), "__proto__", " "],
  };
  const rows = [
    { field: "userID", ...id },
    { field: "goodsSKU", ...id },
    { field: "sessionID", ...id },
    {
      field: "clientIP",
      wrong: ["", "x", "1.2.3.256", "1.2.3", "10.0.0.0/8", 16909060, null],
      right: ["1.2.3.4", "::1", "::ffff:1.2.3.4", "2001:DB8::1"],
    },
    { field: "userLevel", wrong: [-1, 1.5, 1_000_001, "5", null, true], right: [0, 1_000_000] },
    { field: "goodsQuantity", wrong: [0, -1, 1.5, 1_000_001, "1", null, true], right: [1, 1_000_000] },
  ];
  test.each(rows)("names $field when it is wrong, and takes its extremes", async ({ field, wrong, right }) => {
    for (const value of wrong) expectProblem(await postJson(`${system.gate}/buy`, { ...buyer, [field]: value }), 400, [`#/${field}`]);
    for (const value of right) expect((await postJson(`${system.gate}/buy`, { ...buyer, [field]: value })).status).toBe(200);
  });

  test("names every bad field at once", async () => {
    expectProblem(await postJson(`${system.gate}/buy`, {}), 400, [
      "#/clientIP",
      "#/userID",
      "#/userLevel",
      "#/goodsSKU",
      "#/goodsQuantity",
    ]);
    const allWrong = { sessionID: "", clientIP: "x", userID: 5, userLevel: -1, goodsSKU: "\n", goodsQuantity: 0 };
    expectProblem(
      await postJson(`${system.gate}/buy`, allWrong),
      400,
      Object.keys(allWrong).map((field) => `#/${field}`),
    );
  });

  test("fields that are not in the contract are ignored", async () => {
    await stock("extra", 5);
    expect((await postJson(`${system.gate}/buy`, { ...buyer, goodsSKU: "extra", colour: "red", reason: 1 })).body).toMatchObject({
      repResult: true,
    });
  });
});

test("what is given back is for sale again at once", async () => {
  await stock("returned", 1);
  expect((await buy({ userID: "first", goodsSKU: "returned" })).body).toMatchObject({ repResult: true });
  expect((await buy({ userID: "second", goodsSKU: "returned" })).body).toMatchObject({ repResult: false, reason: "sold-out" });
  await deleteJson(`${system.cart}/delete/userid/first/sku/returned`);
  expect((await buy({ userID: "second", goodsSKU: "returned" })).body).toMatchObject({ repResult: true });
});

test("no text that a shopper can send shuts a step for the others", async () => {
  await stock("for all", 20);
  // U+FFFD is where decoders put what they cannot read; escaped, it is a character like any other.
  const odd = ["\\ufffd", "\\u200d\\u2028", "\\u007e\\ud83d\\ude00"];
  for (const userID of [...odd, ...odd, ...odd]) {
    const body = JSON.stringify({ ...buyer, goodsSKU: "for all" }).replace(buyer.userID, userID);
    const replies = await Promise.all([
      postJson(`${system.gate}/buy`, body),
      postJson(`${system.gate}/payments/none`, "\ufffd"),
      getJson(`${system.gate}/sales/%EF%BF%BD`),
      getJson(`${system.gate}/cart?userID=%EF%BF%BD`),
    ]);
    expect(replies.map(({ status }) => status)).toEqual([200, 404, 404, 200]);
  }
  expect((await buy({ userID: "like any other", goodsSKU: "for all" })).body).toMatchObject({ repResult: true });
});
