/** Refunds as an operator sees them, over HTTP. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Check, Clean } from "typebox/value";
import { getJson, postJson } from "../../test/system.ts";
import type { OrderId } from "../core/ids.ts";
import { GroupCommit } from "../edge/group-commit.ts";
import { HttpServer } from "../edge/http-server.ts";
import { RefundDocument } from "./described.ts";
import { GenericProvider } from "./generic-provider.ts";
import { EmbeddedRefundBook } from "./refund-book.ts";
import { refundRoutes } from "./refund-routes.ts";
import { REFUNDS_SCHEMA, RefundStore } from "./refund-store.ts";
import { Refunds } from "./refunds.ts";

const NOW = 1_800_000_000_000;
const KEY = "a key for operators";
const admin = { authorization: `Bearer ${KEY}` };

let server: HttpServer;
let url = "";
let request: (provider: string, ...ids: readonly string[]) => Promise<void>;
beforeEach(async () => {
  const db = new Database(":memory:");
  db.run(REFUNDS_SCHEMA);
  const turns = new GroupCommit(db, () => undefined);
  const clock = { now: () => NOW, monotonicUs: () => 0 };
  const byHand = new GenericProvider({ name: "by-hand", redirectTemplate: "", secrets: ["c2VjcmV0"], refundUrl: null }, fetch, clock);
  const providers = new Map([["by-hand", byHand]]);
  const book = new EmbeddedRefundBook({ store: new RefundStore(db), turns, emit: () => undefined });
  const refunds = new Refunds({ book, providers, clock, chance: () => 0 });
  server = new HttpServer({
    host: "127.0.0.1",
    port: 0,
    routes: refundRoutes(refunds),
    adminKey: KEY,
    onBug: (error) => expect(error).toBeUndefined(),
    onReply: () => undefined,
  });
  url = `http://127.0.0.1:${server.port}`;
  request = (provider, ...ids) =>
    turns.turn(() => {
      for (const id of ids) {
        const payment = { provider, paymentId: id, amountCents: 9_990, currency: "eur" };
        book.request(refunds.requested(payment, `O-${id}` as OrderId));
      }
    });
  await request("stripe", "pi_1", "pi_2", "pi_3");
});
afterEach(() => server.abort());

describe("the operator's list of refunds", () => {
  test("shows what has to go back, page by page and by state", async () => {
    const page = await getJson(`${url}/refunds?limit=2`, admin);
    expect(page.body).toMatchObject([{ id: 1 }, { id: 2 }]);
    expect(page.headers.get("link")).toBe('</refunds?after=2&limit=2>; rel="next"');
    const [third] = (await getJson(`${url}/refunds?after=2&state=due`, admin)).body as unknown[];
    expect(third).toEqual({
      id: 3,
      provider: "stripe",
      paymentID: "pi_3",
      orderID: "O-pi_3",
      amount: 99.9,
      currency: "eur",
      state: "due",
      attempts: 0,
      nextAttemptAt: NOW,
      tryUntil: NOW + 72 * 3_600_000,
      lastError: null,
      since: NOW,
    });
    expect((await getJson(`${url}/refunds?state=given-up`, admin)).body).toEqual([]);
    expect((await getJson(`${url}/refunds?state=lost`, admin)).status).toBe(400);
  });

  test("lets a refund be marked as done, or be tried again", async () => {
    expect(await postJson(`${url}/refunds/2/done`, undefined, admin)).toMatchObject({
      status: 200,
      body: { id: 2, state: "done", nextAttemptAt: null },
    });
    expect(await postJson(`${url}/refunds/3/try-again`, undefined, admin)).toMatchObject({ status: 200, body: { id: 3, state: "due" } });
    expect((await getJson(`${url}/refunds?state=done`, admin)).body).toMatchObject([{ id: 2 }]);
    for (const verb of ["done", "try-again"]) expect((await postJson(`${url}/refunds/99/${verb}`, undefined, admin)).status).toBe(404);
  });

  test("refuses to let a refund be tried again that its provider has no way to make, says why, and leaves it as it is", async () => {
    await request("by-hand", "P-1");
    const again = await postJson(`${url}/refunds/4/try-again`, undefined, admin);
    expect(again).toMatchObject({
      status: 409,
      body: { detail: expect.stringMatching(/by-hand has no refund address.*\/refunds\/4\/done/) },
    });
    expect((await getJson(`${url}/refunds?after=3`, admin)).body).toMatchObject([{ id: 4, state: "due", nextAttemptAt: null }]);
    expect((await postJson(`${url}/refunds/4/done`, undefined, admin)).status).toBe(200);
    expect(await postJson(`${url}/refunds/4/try-again`, undefined, admin)).toMatchObject({ status: 200, body: { state: "done" } });
  });

  test("tells each refund in the form that the API's description gives it, and nothing beside it", async () => {
    await postJson(`${url}/refunds/2/done`, undefined, admin);
    const told = (await getJson(`${url}/refunds`, admin)).body as readonly unknown[];
    expect(told).toHaveLength(3);
    for (const refund of told) {
      expect(Check(RefundDocument, refund)).toBe(true);
      expect(Clean(RefundDocument, structuredClone(refund))).toEqual(refund);
    }
  });

  test("is for operators only", async () => {
    expect((await getJson(`${url}/refunds`)).status).toBe(401);
    for (const verb of ["done", "try-again"]) expect((await postJson(`${url}/refunds/1/${verb}`, undefined)).status).toBe(401);
  });
});
