/** The shopper's door besides `buy`. Each shopper sees only what is theirs: somebody else's order is as unknown as one that never was. */
import type { TObject, TSchema } from "typebox";
import type { Answer } from "../../core/answer.ts";
import { type HttpReply, json, on, type RequestInput, type Route, withTokens } from "../../core/endpoint.ts";
import type { OrderId, Sku, UserId } from "../../core/ids.ts";
import { parseIpAddress } from "../../core/ip-address.ts";
import { type Language, languageOf } from "../../core/language.ts";
import { priceOf } from "../../core/money.ts";
import { listReply } from "../../core/paging.ts";
import { problem } from "../../core/problem.ts";
import type { Throttle } from "../../core/throttle.ts";
import type { Clock } from "../../core/time.ts";
import type { Claimed, Identity, Shopper } from "../../identity/identity.ts";
import type { Ledger, Order } from "../../ledger/ledger.ts";
import { PAGE_ROWS_DEFAULT } from "../../limits.ts";
import { type Checkout, cancelOrder, placeOrder, startPayment, unknownOrder } from "../../orders/checkout.ts";
import type { KeyedRequest, KeyedRequests } from "../../orders/keyed-requests.ts";
import { orderBody } from "../../orders/order-body.ts";
import { takeNotification } from "../../payment/notifications.ts";
import { unknownSaleText } from "./messages.ts";
import { shopperApi as api } from "./shopper-api.ts";

/** The public snapshot of sales (`src/sales/board.ts`). */
export interface Board {
  one(id: string, ifNoneMatch: string | null): Answer<HttpReply | null>;
  all(ifNoneMatch: string | null): Answer<HttpReply>;
}

export interface ShopperDoorParts {
  readonly identity: Identity;
  readonly board: Board;
  readonly ledger: Pick<Ledger, "held" | "release" | "goods">;
  readonly checkout: Checkout;
  readonly keyed: KeyedRequests;
  readonly clock: Clock;
  /** The gate's own, which its purchases go through too. */
  readonly throttle: Pick<Throttle, "admit" | "retryAfterSeconds">;
}

type Asked = Pick<RequestInput<TObject, TObject, TSchema>, "headers">;
const nowhere = (): string => "";

/** What the request says of its sender, and where. */
interface Where {
  readonly claimed: Claimed;
  readonly pointerRoot: string;
}
const inQuery = (claimed: Claimed): Where => ({ claimed, pointerRoot: "#/query" });
const inBody = (claimed: Claimed): Where => ({ claimed, pointerRoot: "#" });

const languageFor = ({ headers }: Pick<Asked, "headers">): Language => languageOf(headers.get("accept-language"));

export class ShopperDoor {
  readonly #parts: ShopperDoorParts;

  constructor(parts: ShopperDoorParts) {
    this.#parts = parts;
  }

  /** Does `work` for the shopper who asks, or says why nobody could be recognised. */
  async forShopper(asked: Asked, where: Where, work: (shopper: Shopper) => Answer<HttpReply>): Promise<HttpReply> {
    const { throttle } = this.#parts;
    // Before the token is looked at: a flood of them must not cost a signature each.
    if (throttle.admit(1) === 0)
      return problem(429, "too many requests at this moment; try again", {
        headers: { "retry-after": String(throttle.retryAfterSeconds()) },
      });
    // Nobody behind this door asks for the address of a socket, and to look it up is a system call.
    const shopper = await this.#parts.identity.shopper({ headers: asked.headers, peer: nowhere }, where.claimed, where.pointerRoot);
    if ("refusal" in shopper) return shopper.refusal;
    const { clientIP } = where.claimed;
    // Where who asks is proven, what they claim of their address counts for nothing.
    const claimedIp = clientIP === undefined || this.#parts.identity.isProven ? null : parseIpAddress(clientIP);
    return { ...(await work(shopper)), about: { userId: shopper.userId, clientIp: claimedIp } };
  }

  async forOwner(asked: Asked, where: Where, orderId: OrderId, work: (order: Order) => Answer<HttpReply>): Promise<HttpReply> {
    return this.forShopper(asked, where, async ({ userId }) => {
      const order = await this.#parts.checkout.desk.order(orderId);
      return order?.userId === userId ? work(order) : unknownOrder(orderId, languageFor(asked));
    });
  }

  keyed({ headers }: Asked, owner: UserId, request: KeyedRequest["request"]): KeyedRequest {
    return { header: headers.get("idempotency-key"), owner, isOwned: this.#parts.identity.isProven, request };
  }

  async cart(userId: UserId): Promise<HttpReply> {
    const { ledger, checkout, clock } = this.#parts;
    const now = clock.now();
    const lines = await ledger.held(userId, now);
    const prices = await checkout.desk.pricesOf(
      lines.map(({ sku }) => sku),
      now,
    );
    const items = lines.flatMap(({ sku, quantity, heldUntil }, index) => {
      const cents = prices[index] ?? null;
      // Between the two looks the hold was given back, and its goods were removed.
      if (cents === null) return [];
      return [{ goodsSKU: sku, goodsQuantity: quantity, goodsPrice: priceOf(cents), expiresAt: heldUntil }];
    });
    return json({ userID: userId, items, serverNow: now });
  }

  async release(userId: UserId, sku: Sku): Promise<HttpReply> {
    await this.#parts.ledger.release([{ verb: "release", sku, userId }], this.#parts.clock.now());
    return this.cart(userId);
  }
}

export function shopperRoutes(door: ShopperDoor, parts: ShopperDoorParts): Route[] {
  const routes = routesOf(door, parts);
  return parts.identity.isProven ? routes.map((route) => ({ ...route, endpoint: withTokens(route.endpoint) })) : routes;
}

/** The public board, which asks nobody who they are. */
export function boardRoutes(board: Board): Route[] {
  return [
    on(api.sales, ({ headers }) => board.all(headers.get("if-none-match"))),
    on(api.sale, ({ params, headers }) => {
      const orUnknown = (reply: HttpReply | null): HttpReply => reply ?? problem(404, unknownSaleText(params.id, languageFor({ headers })));
      const reply = board.one(params.id, headers.get("if-none-match"));
      // Without a promise where the answer is there: a crowd asks for this page again and again.
      return reply instanceof Promise ? reply.then(orUnknown) : orUnknown(reply);
    }),
  ];
}

function routesOf(door: ShopperDoor, { board, checkout, keyed }: ShopperDoorParts): Route[] {
  const { desk, cashier } = checkout;
  const show = (order: Order) => orderBody(order, cashier.currency);
  return [
    ...boardRoutes(board),
    on(api.cart, (input) => door.forShopper(input, inQuery(input.query), ({ userId }) => door.cart(userId))),
    on(api.removeFromCart, (input) => door.forShopper(input, inQuery(input.query), ({ userId }) => door.release(userId, input.params.sku))),
    on(api.placeOrder, (input) =>
      door.forShopper(input, inBody(input.body), (customer) => {
        const { goodsSKUs: skus = null, provider } = input.body;
        const request = ["placeOrder", customer.userId, provider ?? "", ...(skus ?? [])];
        return keyed.once(door.keyed(input, customer.userId, request), (id) =>
          placeOrder(checkout, { customer, skus, provider, orderId: id as OrderId, language: languageFor(input) }),
        );
      }),
    ),
    on(api.orders, (input) =>
      door.forShopper(input, inQuery(input.query), ({ userId }) =>
        listReply<Order, OrderId>({
          read: (after, limit) => desk.ordersOf(userId, after, limit),
          cursorOf: ({ orderId }) => orderId,
          after: input.query.after ?? null,
          limit: input.query.limit ?? PAGE_ROWS_DEFAULT,
          show,
          nextPage: (after) =>
            `/orders?userID=${encodeURIComponent(userId)}&after=${encodeURIComponent(after)}&limit=${input.query.limit ?? PAGE_ROWS_DEFAULT}`,
        }),
      ),
    ),
    on(api.order, (input) => door.forOwner(input, inQuery(input.query), input.params.id, (order) => json(show(order)))),
    on(api.cancelOrder, (input) =>
      door.forOwner(input, inBody(input.body), input.params.id, ({ orderId, userId }) =>
        keyed.once(door.keyed(input, userId, ["cancelOrder", userId, orderId]), () => cancelOrder(checkout, orderId, languageFor(input))),
      ),
    ),
    on(api.startPayment, (input) =>
      door.forOwner(input, inBody(input.body), input.params.id, (order) => {
        const request = ["startPayment", order.userId, order.orderId, input.body.provider ?? ""];
        const wish = { order, provider: input.body.provider, language: languageFor(input) };
        return keyed.once(door.keyed(input, order.userId, request), () => startPayment(cashier, wish, 200));
      }),
    ),
    on(api.notifyPayment, ({ params, body, headers }) =>
      takeNotification(cashier.providers, { provider: params.provider, rawBody: body, headers }, (notice) => cashier.settle(notice)),
    ),
  ];
}
