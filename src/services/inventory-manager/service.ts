/** InventoryManager: the goods and how many are left. Its answer to a purchase is the cheap early one; the ledger's is the right one. */
import type { Answer } from "../../core/answer.ts";
import { type HttpReply, json, on, type Route } from "../../core/endpoint.ts";
import type { SessionId, Sku } from "../../core/ids.ts";
import { centsOf, priceOf } from "../../core/money.ts";
import { listReply } from "../../core/paging.ts";
import { problem } from "../../core/problem.ts";
import type { Throttle } from "../../core/throttle.ts";
import type { Clock } from "../../core/time.ts";
import { availableOf } from "../../ledger/decision.ts";
import type { Goods, Ledger, StockCommand, StockReply } from "../../ledger/ledger.ts";
import { STOCK_PER_PAGE_MAX } from "../../limits/operators.ts";
import { PAGE_ROWS_DEFAULT, SKUS_MAX } from "../../limits.ts";
import { inventoryManagerApi as api } from "./api.ts";
import { stockApi } from "./stock-api.ts";

export interface InventoryCheck {
  readonly sessionId: SessionId;
  readonly sku: Sku;
  readonly quantity: number;
}

export interface InventoryVerdict {
  readonly allowed: boolean;
  readonly reason: "throttled" | "unknown-goods" | "sold-out" | null;
  /** On hand: not yet sold, frozen or not. */
  readonly totalQuantity: number;
}

export class InventoryManager {
  readonly #ledger: Ledger;
  readonly #throttle: Throttle;
  readonly #clock: Clock;

  constructor(ledger: Ledger, throttle: Throttle, clock: Clock) {
    this.#ledger = ledger;
    this.#throttle = throttle;
    this.#clock = clock;
  }

  /** One verdict per check, in order. Nobody is refused by figures that are old. */
  async validate(checks: readonly InventoryCheck[]): Promise<readonly InventoryVerdict[]> {
    const served = this.#throttle.admit(checks.length);
    const goods = await this.#ledger.glanceAtGoods(checks, this.#clock.now());
    return checks.map((check, index) => (index < served ? verdictOf(check, goods[index] ?? null) : THROTTLED));
  }

  async goodsOf(sku: Sku): Promise<Goods | null> {
    const [goods] = await this.#ledger.goods([sku], this.#clock.now());
    return goods ?? null;
  }

  list(after: Sku | null, limit: number): Answer<readonly Goods[]> {
    return this.#ledger.listGoods(after, limit, this.#clock.now());
  }

  /** Where goods stand, a page of them. */
  async standing(after: Sku | null, limit: number): Promise<HttpReply> {
    const at = this.#clock.now();
    // One more than the page has tells whether there are more.
    const goods = await this.#ledger.listGoods(after, limit + 1, at);
    return json({ at, goods: goods.slice(0, limit).map(standingBody), more: goods.length > limit });
  }

  async stock(command: StockCommand): Promise<StockReply> {
    const [reply] = await this.#ledger.stock([command], this.#clock.now());
    return reply as StockReply;
  }

  async reply(check: InventoryCheck): Promise<HttpReply> {
    const verdict = this.#throttle.admit(1) === 1 ? verdictOf(check, await this.goodsOf(check.sku)) : THROTTLED;
    const isThrottled = verdict.reason === "throttled";
    const body = {
      sessionID: check.sessionId,
      goodsSKU: check.sku,
      goodsQuantity: check.quantity,
      totalQuantity: verdict.totalQuantity,
      isAllowed: verdict.allowed,
      isThrottled,
      version: "1.0",
      ...(verdict.reason !== null && { reason: verdict.reason }),
    };
    return isThrottled ? this.#throttle.reply(body) : json(body);
  }
}

const THROTTLED: InventoryVerdict = { allowed: false, reason: "throttled", totalQuantity: 0 };

function verdictOf({ quantity }: InventoryCheck, goods: Goods | null): InventoryVerdict {
  if (!goods) return { allowed: false, reason: "unknown-goods", totalQuantity: 0 };
  const allowed = availableOf(goods) >= quantity;
  return { allowed, reason: allowed ? null : "sold-out", totalQuantity: goods.onHand };
}

const goodsBody = (goods: Goods) => ({
  goodsSKU: goods.sku,
  goodsQuantity: goods.onHand,
  goodsPrice: priceOf(goods.priceCents),
  frozenQuantity: goods.frozen,
  availableQuantity: availableOf(goods),
});

const standingBody = (goods: Goods) => ({
  goodsSKU: goods.sku,
  onHand: goods.onHand,
  frozen: goods.frozen,
  paymentPending: goods.pending,
  sold: goods.sold,
  available: availableOf(goods),
});

export function routes(inventory: InventoryManager): Route[] {
  const put = async (mode: "put" | "update", body: { goodsSKU: Sku; goodsQuantity: number; goodsPrice: number }) => {
    const priceCents = centsOf(body.goodsPrice) as number;
    return stockReply(
      await inventory.stock({ verb: "stock", mode, sku: body.goodsSKU, onHand: body.goodsQuantity, priceCents }),
      body.goodsSKU,
    );
  };
  return [
    on(api.doInventoryValidation, ({ params }) => inventory.reply({ sessionId: params.sid, sku: params.sku, quantity: params.qty })),
    on(api.addGoods, ({ body }) => put("put", body)),
    on(api.updateGoods, ({ body }) => put("update", body)),
    on(api.getGoods, async ({ params }) => {
      const goods = await inventory.goodsOf(params.sku);
      return goods ? json(goodsBody(goods)) : problem(404, `there are no goods ${params.sku}`);
    }),
    on(api.findAllItems, ({ query }) =>
      listReply<Goods, Sku>({
        read: (after, limit) => inventory.list(after, limit),
        cursorOf: (goods) => goods.sku,
        after: query.after ?? null,
        limit: query.limit ?? Number.POSITIVE_INFINITY,
        show: goodsBody,
        nextPage: (after) => `/all?after=${encodeURIComponent(after)}&limit=${query.limit ?? PAGE_ROWS_DEFAULT}`,
      }),
    ),
    on(stockApi.findStock, ({ query }) => inventory.standing(query.after ?? null, query.limit ?? STOCK_PER_PAGE_MAX)),
    on(api.removeGoods, async ({ params }) =>
      stockReply(await inventory.stock({ verb: "stock", mode: "remove", sku: params.sku }), params.sku),
    ),
  ];
}

function stockReply(reply: StockReply, sku: Sku): HttpReply {
  if (reply.kind === "stocked") return json(goodsBody(reply.goods));
  if (reply.kind === "removed") return json({ goodsSKU: null, goodsQuantity: 0, goodsPrice: 0.0 });
  if (reply.reason === "frozen") {
    const detail = `${reply.onHandMin} of ${sku} are frozen in carts or unpaid orders: ${reply.onHandMin} is the smallest quantity possible now`;
    return problem(409, detail, { fields: { goodsQuantityMin: reply.onHandMin } });
  }
  if (reply.reason === "too-many-goods") return problem(409, `no room for more goods (${SKUS_MAX} SKUs); remove some first`);
  return problem(404, `there are no goods ${sku}; add them with POST /add`);
}
