/** Any other provider: the address that a shopper is sent to, signed notifications, and refunds as signed requests. */
import { afterEach, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import type { Server } from "bun";
import { Webhook } from "standardwebhooks";
import type { OrderId } from "../core/ids.ts";
import { NOTICE_AGE_SECONDS_MAX } from "../limits.ts";
import { GenericProvider, type GenericSettings, redirectTemplateFault } from "./generic-provider.ts";
import type { Fetch, PaymentRequest } from "./provider.ts";

// The library compares a signature's time with the machine's clock, so these tests sign with it too.
const clock = { now: () => Date.now(), monotonicUs: () => 0 };
const SECRET = `whsec_${Buffer.from("a secret of thirty-two characters").toString("base64")}`;
const OTHER = `whsec_${Buffer.from("another one, also long enough to be").toString("base64")}`;
const TEMPLATE = "https://pay.example/{orderID}?a={amount}&c={amountCents}&cur={currency}&until={payUntil}&s={signature}";
const request: PaymentRequest = { orderId: "O 1&x=ü" as OrderId, amountCents: 9_990, currency: "eur", payUntil: 1_800_000_000_000 };
const payment = { provider: "shop-pay", paymentId: "P-1", amountCents: 9_990, currency: "eur" };

const providerWith = (settings: Partial<GenericSettings> = {}, fetch: Fetch = globalThis.fetch): GenericProvider =>
  new GenericProvider({ name: "shop-pay", redirectTemplate: TEMPLATE, secrets: [SECRET], refundUrl: null, ...settings }, fetch, clock);

describe("the address of the pay page", () => {
  test("carries the order, percent-encoded, and a signature by which the page can trust the amount", async () => {
    const { redirectUrl, ...rest } = await providerWith().start(request);
    expect(rest).toEqual({ provider: "shop-pay", paymentId: null });
    const url = new URL(redirectUrl ?? "");
    expect(url.pathname).toBe("/O%201%26x%3D%C3%BC");
    const key = Buffer.from("a secret of thirty-two characters");
    const signature = createHmac("sha256", key).update("9990.eur.1800000000000.O 1&x=ü").digest("base64url");
    expect(Object.fromEntries(url.searchParams)).toEqual({ a: "99.90", c: "9990", cur: "eur", until: "1800000000000", s: signature });
  });

  test("is the same for the same order, and signed differently for another amount, currency, deadline or order", async () => {
    const provider = providerWith();
    const signatureFor = async (change: Partial<PaymentRequest>): Promise<string | null> =>
      new URL((await provider.start({ ...request, ...change })).redirectUrl ?? "").searchParams.get("s");
    expect(await signatureFor({})).toBe(await signatureFor({}));
    const changes = [{}, { amountCents: 1 }, { currency: "usd" }, { payUntil: 1 }, { orderId: "O 2" as OrderId }];
    expect(new Set(await Promise.all(changes.map(signatureFor))).size).toBe(changes.length);
  });

  test("is made from a template that is checked at start", () => {
    expect(redirectTemplateFault(TEMPLATE)).toBeNull();
    expect(redirectTemplateFault("http://localhost:99/pay?o={orderID}")).toBeNull();
    for (const template of [
      "https://pay.example/pay",
      "https://pay.example/{orderID}/{user}",
      "/pay/{orderID}",
      "javascript:alert({orderID})",
      "https://{orderID}.example/",
      "",
    ])
      expect(redirectTemplateFault(template)).toBeString();
  });
});

// --- Notifications ---------------------------------------------------------------------------------------------------------

const paid = (data: object = {}, type = "payment.paid"): string =>
  JSON.stringify({ type, data: { orderID: "O-1", paymentID: "P-1", amount: 99.9, currency: "EUR", ...data } });

function headersFor(body: string, secret = SECRET, ageSeconds = 0): Headers {
  const at = new Date(clock.now() - ageSeconds * 1_000);
  const signature = new Webhook(secret).sign("msg_1", at, body);
  return new Headers({
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": signature,
  });
}

const read = (body: string, headers = headersFor(body), provider = providerWith()) => provider.readNotification(body, headers);

describe("a notification from any other provider", () => {
  test("of a payment names the order, the payment, and the amount in cents", () => {
    expect(read(paid())).toEqual({ kind: "paid", orderId: "O-1" as OrderId, payment });
  });

  test("that comes twice says the same twice", () => {
    const headers = headersFor(paid());
    expect(read(paid(), headers)).toEqual(read(paid(), headers));
  });

  test("of a failure is a failure, and needs the order only", () => {
    const body = JSON.stringify({ type: "payment.failed", data: { orderID: "O-1" } });
    expect(read(body)).toEqual({ kind: "failed", orderId: "O-1" as OrderId });
  });

  test("of another type is nothing to do", () => {
    expect(read(paid({}, "payment.disputed"))).toEqual({ kind: "other" });
  });

  test("is refused when it is not signed, signed with another secret, or too old", () => {
    expect(read(paid(), new Headers())).toHaveProperty("refusal");
    expect(read(paid(), headersFor(paid(), OTHER))).toHaveProperty("refusal");
    expect(read(paid(), headersFor(paid(), SECRET, NOTICE_AGE_SECONDS_MAX + 10))).toHaveProperty("refusal");
    expect(read(paid(), headersFor(paid(), SECRET, -NOTICE_AGE_SECONDS_MAX - 10))).toHaveProperty("refusal");
  });

  test("is refused when a byte of it, its id or its time was changed", () => {
    const headers = headersFor(paid());
    expect(read(paid({ amount: 99.8 }), headers)).toHaveProperty("refusal");
    for (let i = 0; i < paid().length; i += 5) {
      const changed = paid().slice(0, i) + String.fromCharCode(paid().charCodeAt(i) ^ 1) + paid().slice(i + 1);
      expect(read(changed, headers)).toHaveProperty("refusal");
    }
    for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
      const other = new Headers(headers);
      other.set(name, name === "webhook-timestamp" ? String(Number(headers.get(name)) - 1) : `${headers.get(name)}x`);
      expect(read(paid(), other)).toHaveProperty("refusal");
    }
  });

  test("is believed with any of the secrets while they are exchanged", () => {
    const provider = providerWith({ secrets: [OTHER, SECRET] });
    for (const secret of [SECRET, OTHER]) expect(read(paid(), headersFor(paid(), secret), provider)).toMatchObject({ kind: "paid" });
    const both = headersFor(paid(), OTHER);
    both.set("webhook-signature", `v1,AAAA ${both.get("webhook-signature")}`);
    expect(read(paid(), both)).toHaveProperty("refusal");
    expect(read(paid(), both, provider)).toMatchObject({ kind: "paid" });
  });

  test("that is signed and does not say what it must is refused, and breaks nothing", () => {
    const wrong = [
      { amount: "99.9" },
      { amount: 99.999 },
      { amount: -1 },
      { amount: 1e300 },
      { currency: "euro" },
      { paymentID: "" },
      { paymentID: "P\n1" },
      { paymentID: "P".repeat(300) },
      { orderID: "" },
      { orderID: 7 },
    ];
    for (const data of wrong) expect({ data, notice: read(paid(data)) }).toEqual({ data, notice: { refusal: expect.any(String) } });
    for (const body of ["not json", "null", "[]", "7", '{"type":"payment.failed"}', '{"type":"payment.paid","data":null}'])
      expect({ body, notice: read(body) }).toEqual({ body, notice: { refusal: expect.any(String) } });
  });
});

// --- Refunds ---------------------------------------------------------------------------------------------------------------

let server: Server<undefined> | null = null;
afterEach(() => {
  void server?.stop(true);
  server = null;
});

interface Received {
  readonly body: string;
  readonly headers: Headers;
}

function receiver(statuses: number[]): { url: string; received: Received[] } {
  const received: Received[] = [];
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (incoming) => {
      received.push({ body: await incoming.text(), headers: incoming.headers });
      return new Response("", { status: statuses.shift() ?? 204, headers: { location: "/elsewhere" } });
    },
  });
  return { url: `http://127.0.0.1:${server.port}/refunds`, received };
}

const outcomeOf = (promise: Promise<void>): Promise<unknown> =>
  promise.then(
    () => "made",
    (error: unknown) => error,
  );

describe("a refund at any other provider", () => {
  test("is a request signed with every secret, keyed by the payment, the same each time", async () => {
    const { url, received } = receiver([]);
    const provider = providerWith({ refundUrl: url, secrets: [SECRET, OTHER] });
    await provider.refund(payment, "O-1" as OrderId);
    await provider.refund(payment, "O-1" as OrderId);
    expect(received.map(({ headers }) => headers.get("idempotency-key"))).toEqual(["refund-P-1", "refund-P-1"]);
    for (const { body, headers } of received) {
      expect(JSON.parse(body)).toEqual({
        type: "refund.requested",
        data: { orderID: "O-1", paymentID: "P-1", amount: 99.9, currency: "eur" },
      });
      for (const secret of [SECRET, OTHER]) expect(new Webhook(secret).verify(body, headers.toJSON())).toBeObject();
    }
  });

  test("is a failure with a known outcome when it is refused or sent elsewhere, and an unknown one otherwise", async () => {
    const { url, received } = receiver([400, 302, 500]);
    const provider = providerWith({ refundUrl: url });
    const outcomes = [];
    for (let i = 0; i < 3; i += 1) outcomes.push(await outcomeOf(provider.refund(payment, "O-1" as OrderId)));
    expect(outcomes).toMatchObject([{ outcomeKnown: true }, { outcomeKnown: true }, { outcomeKnown: false }]);
    // Nobody was asked at the address that the redirect named.
    expect(received).toHaveLength(3);
    const unreachable = providerWith({ refundUrl: url }, () => Promise.reject(new TypeError("connection refused")));
    expect(await outcomeOf(unreachable.refund(payment, "O-1" as OrderId))).toMatchObject({ code: "provider-failed", outcomeKnown: false });
  });

  test("cannot be made without an address, and the provider says so beforehand", async () => {
    expect(providerWith().canRefund).toBe(false);
    expect(providerWith({ refundUrl: "https://pay.example/refunds" }).canRefund).toBe(true);
    expect(await outcomeOf(providerWith().refund(payment, "O-1" as OrderId))).toMatchObject({ outcomeKnown: true });
  });
});
