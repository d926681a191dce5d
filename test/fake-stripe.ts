/**
 * Stripe as far as we use it, on a loopback port: payment intents and refunds, form-encoded requests, and idempotency keys as Stripe keeps them:
 * the first answer to a key again, and an error for another request with the same key.
 */
import type { Server } from "bun";

interface Kept {
  readonly request: string;
  readonly answer: string;
}

export class FakeStripe {
  readonly #server: Server<undefined>;
  readonly #kept = new Map<string, Kept>();
  /** In the order in which they came, repetitions too. */
  readonly requests: { readonly path: string; readonly key: string; readonly form: Readonly<Record<string, string>> }[] = [];
  /** By payment: how often money went back. */
  readonly refunded = new Map<string, number>();
  /** Statuses that the next requests get instead of an answer. The request was not looked at. */
  failures: number[] = [];
  /** What the next refund comes to. */
  refundStatus = "succeeded";
  #intents = 0;

  constructor() {
    this.#server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => this.#answer(request) });
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#server.port}`);
  }

  stop(): void {
    void this.#server.stop(true);
  }

  /** As after a day: Stripe forgets keys, never what it did. */
  forgetKeys(): void {
    this.#kept.clear();
  }

  async #answer(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    const key = request.headers.get("idempotency-key") ?? "";
    const text = await request.text();
    const form = Object.fromEntries(new URLSearchParams(text));
    this.requests.push({ path, key, form });
    if (request.headers.get("authorization") !== "Bearer sk_test_secret") return error(401, "authentication_error", "no such key");
    const failure = this.failures.shift();
    if (failure !== undefined) return error(failure, "api_error", "something went wrong on our side");
    const kept = this.#kept.get(key);
    if (kept && kept.request !== path + text) return error(400, "idempotency_error", "the key was used for another request");
    if (kept) return Response.json(JSON.parse(kept.answer));
    const made = path === "/v1/payment_intents" ? this.#intent(form) : this.#refund(form);
    if (made === null) return error(400, "invalid_request_error", "the charge has been refunded already", "charge_already_refunded");
    this.#kept.set(key, { request: path + text, answer: JSON.stringify(made) });
    return Response.json(made);
  }

  #intent({ amount, currency }: Record<string, string>): object {
    this.#intents += 1;
    const id = `pi_${this.#intents}`;
    return {
      id,
      object: "payment_intent",
      amount: Number(amount),
      currency,
      client_secret: `${id}_secret_x`,
      status: "requires_payment_method",
    };
  }

  #refund({ payment_intent: payment = "" }: Record<string, string>): object | null {
    if (this.refunded.has(payment)) return null;
    if (this.refundStatus !== "failed") this.refunded.set(payment, 1);
    return { id: "re_1", object: "refund", payment_intent: payment, status: this.refundStatus };
  }
}

const error = (status: number, type: string, message: string, code?: string): Response =>
  Response.json({ error: { type, message, ...(code && { code }) } }, { status });
