/** What a test needs to run a whole drop through the real door: signed shoppers, a payment provider's signed notifications, and a receiver of webhooks that fails. */
import { SignJWT } from "jose";
import { Webhook } from "standardwebhooks";
import { seededRandom } from "../src/stampede/arrivals.ts";
import { getJson, type JsonReply, postJson, type System } from "./system.ts";

export const JWT_SECRET = "the-secret-of-the-shop-that-signs-tokens-0001";
export const PAYMENT_SECRET = `whsec_${Buffer.from("the secret that the payment provider signs with").toString("base64")}`;
export const ISSUER = "https://shop.example";
export const AUDIENCE = "doorbuster";

/** The arguments of a system whose shoppers carry tokens and whose money comes through the generic provider. */
export const DROP_ARGS: readonly string[] = [
  ...["--identity", "jwt", "--jwt-secret", JWT_SECRET, "--jwt-issuer", ISSUER, "--jwt-audience", AUDIENCE],
  ...["--generic-pay-url", "https://pay.example/{orderID}?amount={amount}", "--generic-secrets", PAYMENT_SECRET],
];

export const tokenOf = (userId: string, level = 5): Promise<string> =>
  new SignJWT({ level })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(userId)
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setExpirationTime("2h")
    .sign(new TextEncoder().encode(JWT_SECRET));

export interface OrderBody {
  readonly orderID: string;
  readonly userID: string;
  readonly state: string;
  readonly amount: number;
  readonly currency: string;
  readonly items: readonly { readonly goodsSKU: string; readonly goodsQuantity: number; readonly goodsPrice: number }[];
}

/** A shopper with a token of their own. */
export class Shopper {
  readonly userId: string;
  readonly #system: System;
  readonly #headers: Readonly<Record<string, string>>;

  private constructor(system: System, userId: string, token: string) {
    this.#system = system;
    this.userId = userId;
    this.#headers = { authorization: `Bearer ${token}` };
  }

  static async come(system: System, userId: string): Promise<Shopper> {
    return new Shopper(system, userId, await tokenOf(userId));
  }

  buy(goodsSKU: string, key?: string): Promise<JsonReply> {
    return postJson(`${this.#system.gate}/buy`, { goodsSKU, goodsQuantity: 1 }, this.#with(key));
  }
  placeOrder(key?: string): Promise<JsonReply> {
    return postJson(`${this.#system.gate}/orders`, {}, this.#with(key));
  }
  order(orderID: string): Promise<JsonReply> {
    return getJson(`${this.#system.gate}/orders/${orderID}`, this.#headers);
  }
  cancel(orderID: string): Promise<JsonReply> {
    return postJson(`${this.#system.gate}/orders/${orderID}/cancel`, {}, this.#headers);
  }
  cart(): Promise<JsonReply> {
    return getJson(`${this.#system.gate}/cart`, this.#headers);
  }

  #with(key: string | undefined): Record<string, string> {
    return key === undefined ? { ...this.#headers } : { ...this.#headers, "idempotency-key": key };
  }
}

/** The provider says that money has come for an order. */
export async function notifyPaid(
  system: Pick<System, "gate">,
  order: OrderBody,
  paymentID: string,
  amount = order.amount,
): Promise<JsonReply> {
  const body = JSON.stringify({
    type: "payment.paid",
    timestamp: new Date().toISOString(),
    data: { orderID: order.orderID, paymentID, amount, currency: order.currency },
  });
  return postJson(`${system.gate}/payments/generic`, body, signed(body, `msg-${paymentID}`));
}

export function signed(body: string, id: string): Record<string, string> {
  const at = new Date();
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": new Webhook(PAYMENT_SECRET).sign(id, at, body),
  };
}

export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** How often in a row the receiver refuses one event: without a bound, one unlucky event would keep its SKU waiting for minutes, by the retry schedule. */
const REFUSALS_IN_A_ROW_MAX = 2;

/** A receiver of webhooks that answers 500 to a third of what comes, and believes nothing that is not signed. */
export class Receiver {
  /** Events that it has taken, in the order in which it took each for the first time. */
  readonly taken = new Map<string, ReceivedEvent>();
  /** What a receiver leaves out twice by, as Standard Webhooks says. */
  readonly #seen = new Set<string>();
  readonly #refused = new Map<string, number>();
  forged = 0;
  failures = 0;
  #secret: string | null = null;
  readonly #random = seededRandom(42);
  readonly #server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => this.#take(request) });

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/hook`;
  }

  /** Subscribes to every event of the system. */
  async subscribe(system: System): Promise<void> {
    const reply = await postJson(`${system.cart}/webhooks`, { url: this.url });
    if (reply.status !== 201) throw new Error(`the webhook was answered with ${reply.status}: ${reply.text}`);
    this.#secret = (reply.body as { secrets: string[] }).secrets[0] as string;
  }

  async close(): Promise<void> {
    await this.#server.stop(true);
  }

  async #take(request: Request): Promise<Response> {
    const text = await request.text();
    try {
      new Webhook(this.#secret ?? "").verify(text, Object.fromEntries(request.headers));
    } catch {
      this.forged += 1;
      return new Response(null, { status: 400 });
    }
    const deliveryId = request.headers.get("webhook-id") ?? "";
    const refusals = this.#refused.get(deliveryId) ?? 0;
    if (refusals < REFUSALS_IN_A_ROW_MAX && this.#random() < 1 / 3) {
      this.#refused.set(deliveryId, refusals + 1);
      this.failures += 1;
      return new Response(null, { status: 500 });
    }
    const event = JSON.parse(text) as ReceivedEvent;
    if (!this.#seen.has(deliveryId)) this.taken.set(event.id, event);
    this.#seen.add(deliveryId);
    return new Response(null, { status: 204 });
  }
}

/** All events of a system, from its own list. */
export async function allEvents(system: System): Promise<ReceivedEvent[]> {
  const events: ReceivedEvent[] = [];
  for (let after = "0"; ; ) {
    const { body } = await getJson(`${system.cart}/events?after=${after}&limit=1000`);
    const page = body as { events: ReceivedEvent[]; next: string };
    if (page.events.length === 0) return events;
    events.push(...page.events);
    after = page.next;
  }
}

/** Runs `work` on everybody, so many at a time. */
export async function together<T, R>(everybody: readonly T[], atATime: number, work: (one: T, index: number) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(everybody.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < everybody.length; index = next++) results[index] = await work(everybody[index] as T, index);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  return results;
}
