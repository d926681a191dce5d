/** Stripe: notifications signed by the official library's own helper, and requests to a server that keeps idempotency keys as Stripe does. */
import { afterEach, describe, expect, test } from "bun:test";
import Stripe from "stripe";
import { FakeStripe } from "../../test/fake-stripe.ts";
import { Failure } from "../core/failure.ts";
import type { OrderId } from "../core/ids.ts";
import { NOTICE_AGE_SECONDS_MAX, PAYMENT_STARTS_IN_FLIGHT_MAX } from "../limits.ts";
import type { Fetch, PaymentRequest } from "./provider.ts";
import { StripeProvider } from "./stripe-provider.ts";

const NOW = 1_800_000_000_000;
const clock = { now: () => NOW, monotonicUs: () => 0 };
const SECRET = "whsec_one";
const request: PaymentRequest = { orderId: "O-1" as OrderId, amountCents: 9_990, currency: "eur", payUntil: NOW + 600_000 };
const payment = { provider: "stripe", paymentId: "pi_7", amountCents: 9_990, currency: "eur" };

let server: FakeStripe | null = null;
afterEach(() => {
  server?.stop();
  server = null;
});

function open(fetch: Fetch = globalThis.fetch, secrets = [SECRET], secretKey = "sk_test_secret") {
  server = new FakeStripe();
  return { server, provider: new StripeProvider({ secretKey, webhookSecrets: secrets, baseUrl: server.url }, fetch, clock) };
}

const refusedWith = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "no failure",
    (error: unknown) => error,
  );

// --- Notifications ---------------------------------------------------------------------------------------------------------

const event = (type: string, intent: object = {}): string =>
  JSON.stringify({
    id: "evt_1",
    object: "event",
    type,
    data: {
      object: {
        id: "pi_7",
        object: "payment_intent",
        amount: 9_990,
        amount_received: 9_990,
        currency: "eur",
        metadata: { orderID: "O-1", source: "doorbuster" },
        ...intent,
      },
    },
  });

interface Signing {
  readonly secret?: string;
  readonly ageSeconds?: number;
}

async function headersFor(payload: string, { secret = SECRET, ageSeconds = 0 }: Signing = {}): Promise<Headers> {
  const header = await Stripe.webhooks.generateTestHeaderStringAsync({ payload, secret, timestamp: NOW / 1_000 - ageSeconds });
  return new Headers({ "stripe-signature": header });
}

describe("a notification from Stripe", () => {
  test("of a payment that succeeded names the order, the payment, and what was received", async () => {
    const { provider } = open();
    const body = event("payment_intent.succeeded", { amount_received: 5_000 });
    expect(await provider.readNotification(body, await headersFor(body))).toEqual({
      kind: "paid",
      orderId: "O-1" as OrderId,
      payment: { ...payment, amountCents: 5_000 },
    });
  });

  test.each([
    { id: null },
    { id: 5 },
    { amount_received: 1.5 },
    { amount_received: "1" },
    { amount_received: null },
    { amount_received: -1 },
    { currency: null },
    { currency: "EURO" },
  ])("of a payment in another form (%j) is refused: a signature proves who wrote it, not what it says", async (odd) => {
    const { provider } = open();
    const body = event("payment_intent.succeeded", odd as object);
    expect(await provider.readNotification(body, await headersFor(body))).toHaveProperty("refusal");
  });

  test("that comes twice says the same twice", async () => {
    const { provider } = open();
    const body = event("payment_intent.succeeded");
    const headers = await headersFor(body);
    const first = await provider.readNotification(body, headers);
    expect(await provider.readNotification(body, headers)).toEqual(first);
    expect(first).toMatchObject({ kind: "paid" });
  });

  test("of an attempt that failed, or of a payment that was cancelled, is a failure", async () => {
    const { provider } = open();
    for (const type of ["payment_intent.payment_failed", "payment_intent.canceled"])
      expect(await provider.readNotification(event(type), await headersFor(event(type)))).toEqual({
        kind: "failed",
        orderId: "O-1" as OrderId,
      });
  });

  test("of anything else is nothing to do", async () => {
    const { provider } = open();
    for (const type of ["payment_intent.created", "charge.succeeded", "customer.created"])
      expect(await provider.readNotification(event(type), await headersFor(event(type)))).toEqual({ kind: "other" });
  });

  test("of another shop's payment in the same account is nothing to do: its money must not go back", async () => {
    const { provider } = open();
    for (const metadata of [{}, { orderID: "O-1" }, { orderID: "O-1", source: "another shop" }, { source: "doorbuster" }]) {
      const body = event("payment_intent.succeeded", { metadata });
      expect(await provider.readNotification(body, await headersFor(body))).toEqual({ kind: "other" });
    }
  });

  test("is refused when it is not signed, or signed with another secret", async () => {
    const { provider } = open();
    const body = event("payment_intent.succeeded");
    expect(await provider.readNotification(body, new Headers())).toHaveProperty("refusal");
    for (const header of ["", "t=1,v1=abc", "nonsense", `t=${NOW / 1_000}`, `t=${NOW / 1_000},v0=${"0".repeat(64)}`])
      expect(await provider.readNotification(body, new Headers({ "stripe-signature": header }))).toHaveProperty("refusal");
    expect(await provider.readNotification(body, await headersFor(body, { secret: "whsec_two" }))).toHaveProperty("refusal");
  });

  test("is refused when a single byte of it was changed", async () => {
    const { provider } = open();
    const body = event("payment_intent.succeeded");
    const headers = await headersFor(body);
    for (let i = 0; i < body.length; i += 7) {
      const changed = body.slice(0, i) + String.fromCharCode(body.charCodeAt(i) ^ 1) + body.slice(i + 1);
      expect(await provider.readNotification(changed, headers)).toHaveProperty("refusal");
    }
  });

  test("is refused when its signature is older than five minutes", async () => {
    const { provider } = open();
    const body = event("payment_intent.succeeded");
    const ages = [0, NOTICE_AGE_SECONDS_MAX, NOTICE_AGE_SECONDS_MAX + 1];
    const notices = await Promise.all(
      ages.map(async (ageSeconds) => provider.readNotification(body, await headersFor(body, { ageSeconds }))),
    );
    expect(notices.map((notice) => "refusal" in notice)).toEqual([false, false, true]);
  });

  test("is believed with the old secret and with the new one while they are exchanged", async () => {
    const { provider } = open(globalThis.fetch, ["whsec_new", "whsec_old"]);
    const body = event("payment_intent.succeeded");
    for (const secret of ["whsec_new", "whsec_old"])
      expect(await provider.readNotification(body, await headersFor(body, { secret }))).toMatchObject({ kind: "paid" });
    expect(await provider.readNotification(body, await headersFor(body, { secret: "whsec_older" }))).toHaveProperty("refusal");
  });

  test("that is signed and is no event is refused, and breaks nothing", async () => {
    const { provider } = open();
    for (const body of ["not json", "null", '{"type":"payment_intent.succeeded"}'])
      expect(await provider.readNotification(body, await headersFor(body))).toHaveProperty("refusal");
  });
});

// --- Requests --------------------------------------------------------------------------------------------------------------

/** The request arrives and is answered; the answer is lost on its way. */
function losing(answers: number): Fetch {
  let left = answers;
  return async (url, init) => {
    const response = await fetch(url, init);
    left -= 1;
    if (left >= 0) throw new TypeError("the connection was lost");
    return response;
  };
}

describe("a payment that is started at Stripe", () => {
  test("has the order's amount and currency, names the order, and is keyed by it", async () => {
    const { server, provider } = open();
    expect(await provider.start(request)).toEqual({ provider: "stripe", paymentId: "pi_1", clientSecret: "pi_1_secret_x" });
    expect(server.requests).toEqual([
      {
        path: "/v1/payment_intents",
        key: "order-O-1",
        form: expect.objectContaining({ amount: "9990", currency: "eur", "metadata[orderID]": "O-1", "metadata[source]": "doorbuster" }),
      },
    ]);
  });

  test("twice for one order is one payment", async () => {
    const { provider } = open();
    const [first, second] = await Promise.all([provider.start(request), provider.start(request)]);
    expect(second).toEqual(first);
    expect(await provider.start({ ...request, orderId: "O-2" as OrderId })).not.toEqual(first);
  });

  test("is the same payment when the first answer was lost", async () => {
    const { server, provider } = open(losing(1));
    expect(await provider.start(request)).toMatchObject({ paymentId: "pi_1" });
    expect(new Set(server.requests.map(({ key }) => key))).toEqual(new Set(["order-O-1"]));
  });

  test("is an unknown outcome when Stripe fails again and again, and the same order asks again later", async () => {
    const { server, provider } = open();
    server.failures = [500, 503];
    expect(await refusedWith(provider.start(request))).toMatchObject({ name: "Failure", code: "provider-failed", outcomeKnown: false });
    expect(await provider.start(request)).toMatchObject({ paymentId: "pi_1" });
  });

  test("has a known outcome when Stripe says no, and the shopper reads nothing of why", async () => {
    const { provider } = open(globalThis.fetch, [SECRET], "sk_test_wrong");
    const failure = (await refusedWith(provider.start(request))) as Failure;
    expect(failure).toMatchObject({ name: "Failure", code: "provider-failed", outcomeKnown: true });
    expect(failure.message).not.toContain("key");
  });

  test("is refused at once when too many are being started", async () => {
    const held = Promise.withResolvers<never>();
    const { provider } = open(() => held.promise);
    const waiting = Array.from({ length: PAYMENT_STARTS_IN_FLIGHT_MAX }, (_, i) =>
      provider.start({ ...request, orderId: `O-${i}` as OrderId }),
    );
    const outcomes = Promise.allSettled(waiting);
    expect(await refusedWith(provider.start(request))).toMatchObject({ code: "overloaded", outcomeKnown: true });
    held.reject(new Failure("overloaded", "the end of the test", true));
    await outcomes;
  });
});

describe("a refund at Stripe", () => {
  test("names the payment and is keyed by it", async () => {
    const { server, provider } = open();
    await provider.refund(payment, request.orderId);
    expect(server.requests).toEqual([
      {
        path: "/v1/refunds",
        key: "refund-pi_7",
        form: { payment_intent: "pi_7", "metadata[orderID]": "O-1", "metadata[source]": "doorbuster" },
      },
    ]);
  });

  test("that is asked for twice is made once", async () => {
    const { server, provider } = open();
    await provider.refund(payment, request.orderId);
    await provider.refund(payment, request.orderId);
    expect([...server.refunded]).toEqual([["pi_7", 1]]);
  });

  test("that was made longer ago than Stripe remembers keys has succeeded", async () => {
    const { server, provider } = open();
    await provider.refund(payment, request.orderId);
    server.forgetKeys();
    await provider.refund(payment, request.orderId);
    expect([...server.refunded]).toEqual([["pi_7", 1]]);
  });

  test("that Stripe could not make is a failure", async () => {
    const { server, provider } = open();
    server.refundStatus = "failed";
    expect(await refusedWith(provider.refund(payment, request.orderId))).toMatchObject({ code: "provider-failed" });
  });
});
