/** The reply to every outcome: valid JSON with exactly the contract's fields and the added ones, whatever stands in an id. */
import { describe, expect, test } from "bun:test";
import type { HttpReply } from "../../core/endpoint.ts";
import type { SessionId, Sku } from "../../core/ids.ts";
import { LANGUAGES, type Language } from "../../core/language.ts";
import { type Reason, STEPS, type Step } from "../../core/reason.ts";
import type { KeptPurchase } from "../../ledger/ledger.ts";
import type { Outcome } from "../../purchase.ts";
import { gateKeeperApi } from "./api.ts";
import { refusalText, successText } from "./messages.ts";
import { PurchaseReplies } from "./reply.ts";

const asked = (sessionId: SessionId, sku: Sku, quantity: number, language: Language) => ({
  sessionId,
  sku,
  quantity,
  language,
  sale: null,
});

const FROZEN_FOR_MS = 1_800_000;
const RETRY_AFTER_SECONDS = 7;
const session = "0123456789abcdef0123456789abcdef" as SessionId;
const firstSession = "ffffffffffffffffffffffffffffffff" as SessionId;
const sku = "SKU0001" as Sku;
const replies = new PurchaseReplies(FROZEN_FOR_MS, () => RETRY_AFTER_SECONDS);

/** The document. It is the shortest JSON of itself, so it has no field twice and nothing that a strict reader would refuse. */
function documentOf(reply: HttpReply): Record<string, unknown> {
  const text = reply.body as string;
  const document = JSON.parse(text) as Record<string, unknown>;
  expect(JSON.stringify(document)).toBe(text);
  return document;
}

const refusals: readonly (readonly [Step, Reason])[] = [
  ...STEPS.map((step) => [step, "throttled"] as const),
  ["protect", "blacklisted"],
  ["policy", "level-too-low"],
  ["policy", "limit-reached"],
  ["inventory", "unknown-goods"],
  ["inventory", "sold-out"],
  ["cart", "sold-out"],
  ["cart", "limit-reached"],
  ["cart", "unknown-goods"],
  ...STEPS.map((step) => [step, `${step}-unavailable`] as const),
];

const refused = (step: Step, reason: Reason, reponseMsg: string, sessionID: string) => ({
  ...{ reponseMsg, repResult: false, isThrottled: reason === "throttled", version: "1.0" },
  ...{ step, reason, sessionID },
});
const success = (reponseMsg: string, goodsSKU: string, goodsQuantity: number, expiresAt: number, sessionID: string) => ({
  ...{ reponseMsg, repResult: true, isThrottled: false, version: "1.0" },
  ...{ sessionID, step: "cart", reason: null, hold: { goodsSKU, goodsQuantity, expiresAt } },
});

const kept = (given: Partial<KeptPurchase>): KeptPurchase => ({
  kind: "purchase",
  key: { text: "K", fingerprint: "f" },
  ...{ sessionId: firstSession, step: "cart", reason: null, sku, quantity: 2, heldUntil: 5_000, frozenForMs: FROZEN_FOR_MS },
  ...given,
});

test("the examples in the API's description are what is answered", () => {
  const { 200: held, 429: throttled, 503: unavailable } = gateKeeperApi.buy.replies;
  const { sessionID, hold } = held.example as { sessionID: SessionId; hold: { expiresAt: number } };
  const answered = (outcome: Outcome): unknown => documentOf(replies.of(outcome, asked(sessionID, sku, 1, "en")));
  expect(held.example).toEqual(answered({ kind: "held", quantity: 1, heldUntil: hold.expiresAt }));
  expect(throttled.example).toEqual(answered({ kind: "refused", step: "throttle", reason: "throttled" }));
  expect(unavailable.example).toEqual(answered({ kind: "refused", step: "cart", reason: "cart-unavailable" }));
});

describe.each(LANGUAGES)("the reply in %s", (language) => {
  test.each(refusals)("to a purchase that %s refuses with %s", (step, reason) => {
    // Twice: the second is put together from the parts that the first has left.
    for (const id of [session, firstSession]) {
      const reply = replies.of({ kind: "refused", step, reason }, asked(id, sku, 2, language));
      expect(documentOf(reply)).toEqual(refused(step, reason, refusalText(reason, language), id));
      const [status, retryAfter] = reason === "throttled" ? [429, "7"] : reason.endsWith("-unavailable") ? [503, "1"] : [200, undefined];
      expect([reply.status, reply.headers?.["retry-after"]]).toEqual([status, retryAfter]);
    }
  });

  const skus = ["SKU0001", 'a"b\\c', "商品 🛒", "é\u00a0\u2028</script>", "\\", '"', "\ud83d\uded2", "~ ", "{}", "__proto__"];
  test.each(skus)("to a success with the goods %j", (text) => {
    const reply = replies.of({ kind: "held", quantity: 3, heldUntil: 1_234_567_890_123 }, asked(session, text as Sku, 3, language));
    expect(documentOf(reply)).toEqual(success(successText(FROZEN_FOR_MS, language), text, 3, 1_234_567_890_123, session));
    expect([reply.status, reply.headers]).toEqual([200, undefined]);
  });

  test("to who adds to a hold names the time at which all of it ends, the same when it is repeated", () => {
    const added = { quantity: 5, heldUntil: Date.UTC(2026, 10, 27, 9, 30, 1) };
    const first = documentOf(replies.of({ kind: "held", ...added }, asked(firstSession, sku, 2, language)));
    expect(first).toMatchObject({ reponseMsg: expect.stringContaining("2026-11-27 09:30:01") });
    expect(documentOf(replies.of({ kind: "repeated", reply: kept(added) }, asked(session, sku, 2, language)))).toEqual(first);
  });

  test("to a repeated purchase is the first one's, its trace id, goods and deadline too", () => {
    const again = replies.of({ kind: "repeated", reply: kept({}) }, asked(session, sku, 2, language));
    expect(documentOf(again)).toEqual(success(successText(FROZEN_FOR_MS, language), sku, 2, 5_000, firstSession));
    expect(again.status).toBe(200);
    for (const [step, reason] of refusals) {
      const refusedAgain = replies.of({ kind: "repeated", reply: kept({ step, reason }) }, asked(session, sku, 2, language));
      expect(refusedAgain).toEqual(replies.of({ kind: "refused", step, reason }, asked(firstSession, sku, 2, language)));
    }
  });

  test("to a repeated success promises the time of then, when the setting has changed since", () => {
    const again = replies.of({ kind: "repeated", reply: kept({ frozenForMs: 60_000 }) }, asked(session, sku, 2, language));
    expect(documentOf(again)).toMatchObject({ reponseMsg: successText(60_000, language) });
  });

  test("to a key that belongs to another purchase is a problem that names the header", () => {
    const reply = replies.of({ kind: "key-reused" }, asked(session, sku, 2, language));
    expect([reply.status, reply.headers?.["content-type"]]).toEqual([422, "application/problem+json"]);
    expect(documentOf(reply)).toMatchObject({ status: 422, errors: [{ pointer: "#/header/Idempotency-Key" }] });
  });
});
