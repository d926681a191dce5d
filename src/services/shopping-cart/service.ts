/** ShoppingCart: freezes stock on add and releases it on time. It asks the ledger, where stock and limit are checked and changed in one step. */
import { type HttpReply, json, on, type Route } from "../../core/endpoint.ts";
import { Failure } from "../../core/failure.ts";
import type { SessionId, Sku, UserId } from "../../core/ids.ts";
import { problem } from "../../core/problem.ts";
import type { Throttle } from "../../core/throttle.ts";
import type { Clock, DurationMs, UnixMs } from "../../core/time.ts";
import type { CartLine, HoldCommand, HoldReply, KeptPurchase, Key, Ledger } from "../../ledger/ledger.ts";
import { refusalOf, type SaleTerms, type TermsRefusal } from "../../sales/sale.ts";
import type { SaleBook } from "../../sales/sale-book.ts";
import { shoppingCartApi as api } from "./api.ts";

export interface CartAdd {
  readonly sessionId: SessionId;
  readonly userId: UserId;
  readonly sku: Sku;
  readonly quantity: number;
  /** Bounds ordered + pending + frozen + asked; 0 means none. */
  readonly quantityLimit: number;
  /** The sale that the SKU is bought in; `null`: it is in none, and always open. */
  readonly sale: Pick<SaleTerms, "opensAt" | "closesAt" | "frozenForMs"> | null;
  readonly key: Key | null;
}

export type CartVerdict =
  | { readonly allowed: true; readonly quantity: number; readonly heldUntil: UnixMs }
  | {
      readonly allowed: false;
      readonly reason:
        | "throttled"
        | "unknown-goods"
        | TermsRefusal
        | "limit-reached"
        | "sold-out"
        | "no-room-for-key"
        | "key-reused"
        | "no-hold";
    }
  /** The key has its reply already. */
  | { readonly allowed: false; readonly reason: "repeated"; readonly kept: KeptPurchase };

/** Where the terms of a SKU are found. */
type SaleTermsSource = Pick<SaleBook, "termsOf">;

const THROTTLED: CartVerdict = { allowed: false, reason: "throttled" };

export class ShoppingCart {
  readonly frozenForMs: DurationMs;
  readonly #ledger: Ledger;
  readonly #throttle: Throttle;
  readonly #clock: Clock;
  readonly #sales: SaleTermsSource;

  constructor(ledger: Ledger, throttle: Throttle, clock: Clock, frozenForMs: DurationMs, sales: SaleTermsSource) {
    this.#sales = sales;
    this.#ledger = ledger;
    this.#throttle = throttle;
    this.#clock = clock;
    this.frozenForMs = frozenForMs;
  }

  /** Freezes, one verdict per add, in order; durable when it answers. */
  async add(adds: readonly CartAdd[]): Promise<readonly CartVerdict[]> {
    const served = this.#throttle.admit(adds.length);
    const commands = (served === adds.length ? adds : adds.slice(0, served)).map((add): HoldCommand => {
      const { sku, userId, quantity, quantityLimit, sale, sessionId, key } = add;
      const opensAt = sale?.opensAt ?? 0;
      const closesAt = sale?.closesAt ?? 0;
      const frozenForMs = sale?.frozenForMs ?? this.frozenForMs;
      return { verb: "hold", sku, userId, quantity, limit: quantityLimit, opensAt, closesAt, frozenForMs, sessionId, key };
    });
    const replies = commands.length > 0 ? await this.#ledger.hold(commands, this.#clock.now()) : [];
    const verdicts = replies.map(verdictOf);
    while (verdicts.length < adds.length) verdicts.push(THROTTLED);
    return verdicts;
  }

  /** An add that did not come through the gate keeps to the sale all the same. */
  async addDirectly(add: Omit<CartAdd, "sale">): Promise<CartVerdict> {
    const sale = this.#sales.termsOf(add.sku, this.#clock.now());
    if (sale?.isPaused) return { allowed: false, reason: "paused" };
    const [verdict] = await this.add([{ ...add, sale }]);
    return verdict as CartVerdict;
  }

  /** Sets a live hold to `quantity`; more of it only while its sale is on. */
  async change(userId: UserId, sku: Sku, quantity: number, limit: number): Promise<CartVerdict> {
    if (this.#throttle.admit(1) === 0) return THROTTLED;
    const now = this.#clock.now();
    const sale = this.#sales.termsOf(sku, now);
    const refusal = sale && refusalOf(sale, now);
    if (refusal) {
      const [line] = await this.#ledger.lines([{ userId, sku }], now);
      if (line && line.held > 0 && quantity > line.held) return { allowed: false, reason: refusal };
    }
    const [reply] = await this.#ledger.change([{ verb: "change", sku, userId, quantity, limit }], this.#clock.now());
    return verdictOf(reply as HoldReply);
  }

  async remove(userId: UserId, sku: Sku): Promise<void> {
    await this.#ledger.release([{ verb: "release", sku, userId }], this.#clock.now());
  }

  async lines(userId: UserId): Promise<readonly CartLine[]> {
    return this.#ledger.cart(userId, this.#clock.now());
  }

  throttledReply(body: object): HttpReply {
    return this.#throttle.reply(body);
  }
}

function verdictOf(reply: HoldReply): CartVerdict {
  if (reply.kind === "held") return { allowed: true, quantity: reply.quantity, heldUntil: reply.heldUntil };
  if (reply.kind === "repeated") return { allowed: false, reason: "repeated", kept: reply.reply };
  switch (reply.reason) {
    case "unknown-goods":
    case "not-started":
    case "ended":
    case "limit-reached":
    case "sold-out":
    case "no-hold":
    case "key-reused":
    case "no-room-for-key":
      return { allowed: false, reason: reply.reason };
    default:
      throw new Failure("store-stopped", `the ledger refused a hold with ${reply.reason}, which no hold can be refused with`, false);
  }
}

/** The ledger could not answer: nothing is frozen, or it is frozen and ends at its deadline. */
const UNAVAILABLE = { allowed: false, reason: "cart-unavailable" } as const;

async function unlessUnavailable<T>(answer: Promise<T>): Promise<T | typeof UNAVAILABLE> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Failure) return UNAVAILABLE;
    throw error;
  }
}

const lineBody = (line: CartLine) => ({
  sessionID: line.sessionId,
  userID: line.userId,
  goodsSKU: line.sku,
  goodsQuantity: line.quantity,
  totalQuantity: 0,
  quantityLimit: 0,
  expiresAt: line.heldUntil,
});

interface AddBody {
  readonly sessionID: SessionId;
  readonly userID: UserId;
  readonly goodsSKU: Sku;
  readonly goodsQuantity: number;
}

export function routes(cart: ShoppingCart): Route[] {
  const reply = (body: AddBody, verdict: CartVerdict | typeof UNAVAILABLE): HttpReply => {
    const { sessionID, userID, goodsSKU } = body;
    const isThrottled = !verdict.allowed && verdict.reason === "throttled";
    const outcome = verdict.allowed
      ? { goodsQuantity: verdict.quantity, isAllowed: true, isThrottled, version: "1.0", expiresAt: verdict.heldUntil }
      : { goodsQuantity: body.goodsQuantity, isAllowed: false, isThrottled, version: "1.0", reason: verdict.reason };
    const document = { sessionID, userID, goodsSKU, ...outcome };
    if (isThrottled) return cart.throttledReply(document);
    return verdict === UNAVAILABLE ? { ...json(document, 503), headers: { "retry-after": "1" } } : json(document);
  };
  return [
    on(api.doAddGoodsToCart, async ({ body }) => {
      const { sessionID: sessionId, userID: userId, goodsSKU: sku, goodsQuantity: quantity, quantityLimit = 0 } = body;
      return reply(body, await unlessUnavailable(cart.addDirectly({ sessionId, userId, sku, quantity, quantityLimit, key: null })));
    }),
    on(api.updateGoodsInCart, async ({ body }) => {
      const verdict = await unlessUnavailable(cart.change(body.userID, body.goodsSKU, body.goodsQuantity, body.quantityLimit ?? 0));
      if (!verdict.allowed && (verdict.reason === "no-hold" || verdict.reason === "unknown-goods")) {
        return problem(404, `${body.userID} has no live hold of ${body.goodsSKU}: nothing revives what has expired; add it again`);
      }
      return reply(body, verdict);
    }),
    on(api.findAllItemsByUserID, async ({ params }) => json((await cart.lines(params.uid)).map(lineBody))),
    on(api.getGoodsByUidSKU, async ({ params }) => {
      const line = (await cart.lines(params.uid)).find(({ sku }) => sku === params.sku);
      const goods = { goodsQuantity: line?.quantity ?? 0, isAllowed: line !== undefined, isThrottled: false, version: "1.0" };
      return json({
        sessionID: params.sid,
        userID: params.uid,
        goodsSKU: params.sku,
        ...goods,
        ...(line && { expiresAt: line.heldUntil }),
      });
    }),
    on(api.removeGoodsInCart, async ({ params }) => {
      await cart.remove(params.uid, params.sku);
      return json((await cart.lines(params.uid)).map(lineBody));
    }),
  ];
}
