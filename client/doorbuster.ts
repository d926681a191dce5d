/**
 * The client of a Doorbuster gate, for browsers and servers, without a dependency: buy, cart, order, and a sale live.
 *
 * A refusal is a value (`ok: false`, with a `reason` for code and a `message` for people). Only when no answer could be had a method throws
 * `DoorbusterFailure`; then it may have happened, and the same call with the failure's `idempotencyKey` tells.
 */
import type { Operations } from "./api-types.ts";
import { BoardFeed, type LiveBoard } from "./board-feed.ts";
import { type Live, LiveSale } from "./live.ts";
import { DoorbusterFailure, type Reply, type RequestOptions, Requests } from "./requests.ts";
import { ownSurroundings, type Surroundings } from "./surroundings.ts";

export { DoorbusterFailure, type Live, type LiveBoard };

/** Who asks, said as the gate's `--identity` wants it. */
export type DoorbusterOptions = CommonOptions & (TokenOptions | TrustedOptions | VisitorOptions);

/** For a gate with `--identity jwt`: the token says who the shopper is. */
export interface TokenOptions {
  /** The shopper's token, or what gives the one of this moment. */
  readonly token: string | (() => string | Promise<string>);
  readonly userID?: never;
  readonly userLevel?: never;
  readonly clientIP?: never;
}

/** For a gate with `--identity trusted`, on the shop's own server, which knows its shopper. The gate refuses a purchase that lacks one of the three. */
export interface TrustedOptions {
  readonly token?: never;
  readonly userID: string;
  /** 0 is the lowest. */
  readonly userLevel: number;
  /** The shopper's address, IPv4 or IPv6; not this server's. */
  readonly clientIP: string;
}

/** For who is nobody yet, and looks at the sales. */
export interface VisitorOptions {
  readonly token?: never;
  readonly userID?: never;
  readonly userLevel?: never;
  readonly clientIP?: never;
}

export interface CommonOptions {
  /** Of the gate: `https://shop.example`. */
  readonly url: string;
  /** In which language the shopper reads messages; left out, the browser says it. */
  readonly language?: "en" | "zh";
  /** How often one request is sent at most. */
  readonly attemptsMax?: number;
  /** How long one attempt may take, in milliseconds. */
  readonly attemptMsMax?: number;
  readonly fetch?: Surroundings["fetch"];
  /** For tests: their own time, chance and page. */
  readonly surroundings?: Partial<Surroundings>;
}

type Replies<Name extends keyof Operations> = Operations[Name]["replies"];
export type Held = Extract<Replies<"buy">[200], { readonly repResult: true }>;
export type Cart = Replies<"cart">[200];
export type Order = Replies<"order">[200];
export type Orders = Replies<"orders">[200];
export type PlacedOrder = Replies<"placeOrder">[201];
export type StartedPayment = Replies<"startPayment">[200];
export type Board = Replies<"sales">[200];
export type Sale = Replies<"sale">[200];

export interface Refused {
  readonly ok: false;
  readonly status: number;
  /** For code: `sold-out`, `limit-reached`, `not-started`, `order-ended`, ... */
  readonly reason: string;
  /** For people. */
  readonly message: string;
  /** With `not-started`: when the sale opens, in unix ms. */
  readonly opensAt?: number;
  /** All that was answered. */
  readonly body: Reply["body"];
}
export type Answer<T> = { readonly ok: true; readonly value: T } | Refused;

/** What a call that changes something may say. */
export interface Again {
  /** Of an earlier try of the same call, to learn what became of it. */
  readonly idempotencyKey?: string;
}

export class Doorbuster {
  readonly #url: string;
  readonly #requests: Requests;
  readonly #surroundings: Surroundings;
  readonly #who: { readonly userID?: string; readonly userLevel?: number };
  readonly #clientIp: string | undefined;

  constructor(options: DoorbusterOptions) {
    const { url, token, userID, userLevel, language, attemptsMax = 5, attemptMsMax = 10_000 } = options;
    this.#surroundings = { ...ownSurroundings(), ...(options.fetch && { fetch: options.fetch }), ...options.surroundings };
    this.#who = { ...(userID !== undefined && { userID }), ...(userLevel !== undefined && { userLevel }) };
    this.#clientIp = options.clientIP;
    this.#url = url;
    this.#requests = new Requests(
      {
        url,
        token: token === undefined ? null : typeof token === "string" ? () => token : token,
        language: language ?? null,
        attemptsMax,
        attemptMsMax,
      },
      this.#surroundings,
    );
  }

  /** Freezes goods until `hold.expiresAt`. */
  async buy(wish: { readonly sku: string; readonly quantity?: number } & Again): Promise<Answer<Held>> {
    const body: Partial<Operations["buy"]["body"]> = {
      ...this.#who,
      ...(this.#clientIp !== undefined && { clientIP: this.#clientIp }),
      goodsSKU: wish.sku,
      goodsQuantity: wish.quantity ?? 1,
    };
    const reply = await this.#post("/buy", body, wish);
    const { repResult } = reply.body as { readonly repResult?: unknown };
    return repResult === true ? { ok: true, value: reply.body as unknown as Held } : refusedBy(reply);
  }

  cart(): Promise<Answer<Cart>> {
    return this.#get(`/cart${this.#query()}`);
  }

  removeFromCart(sku: string): Promise<Answer<Cart>> {
    return this.#ask({ method: "DELETE", path: `/cart/${encodeURIComponent(sku)}${this.#query()}` });
  }

  /**
   * Makes one order of the cart, or of the SKUs named. When it is placed and only its payment could not be started, the failure has it
   * (`failure.body.order`): the same call again, or `startPayment`, starts the payment.
   */
  async placeOrder(wish: { readonly skus?: readonly string[]; readonly provider?: string } & Again = {}): Promise<Answer<PlacedOrder>> {
    const body: Operations["placeOrder"]["body"] = {
      ...this.#who,
      ...(wish.skus && { goodsSKUs: wish.skus }),
      ...(wish.provider !== undefined && { provider: wish.provider }),
    };
    return answerOf(await this.#post("/orders", body, wish));
  }

  order(orderID: string): Promise<Answer<Order>> {
    return this.#get(`/orders/${encodeURIComponent(orderID)}${this.#query()}`);
  }

  /** A page of the shopper's orders, newest first. The next one is behind the last `orderID` of this one; an empty one is the end. */
  orders(page: { readonly after?: string; readonly limit?: number } = {}): Promise<Answer<Orders>> {
    return this.#get(`/orders${this.#query(page)}`);
  }

  /** Starts the payment of an unpaid order, or gives what was started before. */
  async startPayment(orderID: string, wish: { readonly provider?: string } & Again = {}): Promise<Answer<StartedPayment>> {
    const body: Operations["startPayment"]["body"] = {
      ...this.#named(),
      ...(wish.provider !== undefined && { provider: wish.provider }),
    };
    return answerOf(await this.#post(`/orders/${encodeURIComponent(orderID)}/payment`, body, wish));
  }

  async cancelOrder(orderID: string, again: Again = {}): Promise<Answer<Order>> {
    return answerOf(await this.#post(`/orders/${encodeURIComponent(orderID)}/cancel`, this.#named(), again));
  }

  sales(): Promise<Answer<Board>> {
    return this.#get("/sales");
  }

  sale(id: string): Promise<Answer<Sale>> {
    return this.#get(`/sales/${encodeURIComponent(id)}`);
  }

  /** Follows a sale until it has ended or `stop` is called; see `live.ts`. */
  live(id: string, onChange: (seen: Live) => void): { stop(): void } {
    return new LiveSale(id, this.#requests, this.#surroundings, onChange);
  }

  /** Watches all sales, and what is left of their goods, until `stop` is called; see `board-feed.ts`. */
  watch(onChange: (board: LiveBoard) => void): { stop(): void } {
    return new BoardFeed(this.#url, this.#requests, this.#surroundings, onChange);
  }

  /** The shopper, where no token says who it is. */
  #named(): { readonly userID?: string } {
    const { userID } = this.#who;
    return userID === undefined ? {} : { userID };
  }

  #query(more: Readonly<Record<string, string | number>> = {}): string {
    const fields = Object.entries({ ...this.#named(), ...more });
    return fields.length === 0 ? "" : `?${fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
  }

  /** One key for the whole call, however often it is sent. */
  #post(path: string, body: object, { idempotencyKey }: Again): Promise<Reply> {
    return this.#requests.send({ method: "POST", path, body, key: idempotencyKey ?? this.#surroundings.newKey() });
  }

  #get<T>(path: string): Promise<Answer<T>> {
    return this.#ask({ method: "GET", path });
  }

  async #ask<T>(request: RequestOptions): Promise<Answer<T>> {
    return answerOf(await this.#requests.send(request));
  }
}

/** The types of the document say what a success looks like; the gate's own tests hold it to that. */
function answerOf<T>(reply: Reply): Answer<T> {
  return reply.status < 300 ? { ok: true, value: reply.body as T } : refusedBy(reply);
}

function refusedBy({ status, body }: Reply): Refused {
  const { reason, reponseMsg, detail, title, opensAt } = body as Readonly<Record<string, unknown>>;
  return {
    ok: false,
    status,
    reason: String(reason ?? title ?? "refused")
      .toLowerCase()
      .replaceAll(" ", "-"),
    message: String(reponseMsg ?? detail ?? ""),
    ...(typeof opensAt === "number" && { opensAt }),
    body,
  };
}
