/**
 * What a check of the suite is, and a shop to write it in: one store, one clock moved by hand, and the verbs with everything that a check does
 * not care about filled in.
 */
import { expect } from "bun:test";
import type { Answer } from "../../core/answer.ts";
import type { OrderId, SessionId, Sku, UserId } from "../../core/ids.ts";
import type { Cents } from "../../core/money.ts";
import type { DurationMs, UnixMs } from "../../core/time.ts";
import type {
  CartLine,
  FoundOrders,
  Goods,
  HoldCommand,
  HoldReply,
  KeptPurchase,
  Key,
  Ledger,
  LedgerEvent,
  LedgerRefusal,
  Line,
  Order,
  OrderReply,
  OrderSearch,
  PayCommand,
  Payment,
  PlaceCommand,
  RecordReply,
  ReleaseReply,
  StockReply,
} from "../ledger.ts";

export interface OpenedLedger {
  readonly ledger: Ledger;
  /** What a crash leaves: the present ledger is abandoned as it is, without a word of farewell, and its data is opened anew. */
  readonly reopen?: () => Promise<Ledger>;
  /** The store's housekeeping. It may come at any time, and nobody sees a difference. True: there is more to do. */
  readonly sweep: (now: UnixMs) => Promise<boolean>;
  /** Everything told so far that is as durable as what it tells of, in order. */
  readonly events: () => Answer<readonly LedgerEvent[]>;
  close(): Promise<void>;
}
export type OpenLedger = () => Promise<OpenedLedger>;

export interface Check {
  readonly sentence: string;
  /** Only a store that can be opened again can be asked this. */
  readonly needsReopen?: true;
  readonly run: (shop: Shop) => Promise<void>;
}

export const START: UnixMs = 1_800_000_000_000;
export const MINUTE: DurationMs = 60_000;
export const LAMP = "lamp" as Sku;
export const FROZEN_FOR: DurationMs = 30 * MINUTE;
export const WINDOW: DurationMs = 10 * MINUTE;
/** When a hold made at the start ends, and the window of an order placed then. */
export const DEADLINE: UnixMs = START + FROZEN_FOR;
export const PAY_UNTIL: UnixMs = START + WINDOW;

export interface HoldWish {
  readonly sku?: string;
  readonly limit?: number;
  readonly opensAt?: UnixMs;
  readonly closesAt?: UnixMs;
  readonly key?: Key | null;
  readonly frozenForMs?: DurationMs;
  readonly sessionId?: string;
}

export const holdCommand = (user: string, quantity: number, wish: HoldWish = {}): HoldCommand => ({
  verb: "hold",
  sku: (wish.sku ?? LAMP) as Sku,
  userId: user as UserId,
  quantity,
  limit: wish.limit ?? 0,
  opensAt: wish.opensAt ?? 0,
  closesAt: wish.closesAt ?? 0,
  frozenForMs: wish.frozenForMs ?? FROZEN_FOR,
  sessionId: (wish.sessionId ?? `session of ${user}`) as SessionId,
  key: wish.key ?? null,
});

export interface PlaceWish {
  readonly windowMs?: DurationMs;
  readonly skus?: readonly string[];
  readonly priceCents?: Cents;
}
export const placeCommand = (user: string, orderId: string, wish: PlaceWish = {}): PlaceCommand => ({
  verb: "place",
  orderId: orderId as OrderId,
  userId: user as UserId,
  userLevel: 2,
  items: (wish.skus ?? [LAMP]).map((sku) => ({ sku: sku as Sku, priceCents: wish.priceCents ?? 9_990 })),
  windowMs: wish.windowMs ?? WINDOW,
});

export interface PayWish {
  readonly isAmountRight?: boolean;
  readonly paymentId?: string;
  readonly limits?: Readonly<Record<string, number>>;
}
export const payCommand = (orderId: string, wish: PayWish = {}): PayCommand => ({
  verb: "pay",
  orderId: orderId as OrderId,
  payment: paymentOf(wish.paymentId),
  isAmountRight: wish.isAmountRight ?? true,
  limits: new Map(Object.entries(wish.limits ?? {}) as [Sku, number][]),
});
export const paymentOf = (paymentId = "payment 1"): Payment => ({ provider: "test", paymentId, amountCents: 19_980, currency: "eur" });

const only = <T>(replies: readonly T[]): T => {
  if (replies.length !== 1) throw new Error(`one command gets one reply, not ${replies.length}`);
  return replies[0] as T;
};

export class Shop {
  now: UnixMs = START;
  #ledger: Ledger;
  readonly #reopen: (() => Promise<Ledger>) | undefined;
  readonly #sweep: OpenedLedger["sweep"];
  readonly #events: OpenedLedger["events"];

  constructor(opened: OpenedLedger) {
    this.#ledger = opened.ledger;
    this.#reopen = opened.reopen;
    this.#sweep = opened.sweep;
    this.#events = opened.events;
  }

  get ledger(): Ledger {
    return this.#ledger;
  }

  async crash(): Promise<void> {
    if (!this.#reopen) throw new Error("this store cannot be opened again");
    this.#ledger = await this.#reopen();
  }

  async sweep(): Promise<void> {
    await this.#sweep(this.now);
  }

  async events(): Promise<readonly LedgerEvent[]> {
    return this.#events();
  }

  async put(onHand: number, sku: string = LAMP, mode: "put" | "update" = "put"): Promise<StockReply> {
    return only(await this.#ledger.stock([{ verb: "stock", mode, sku: sku as Sku, onHand, priceCents: 9_990 }], this.now));
  }
  async removeGoods(sku: string = LAMP): Promise<StockReply> {
    return only(await this.#ledger.stock([{ verb: "stock", mode: "remove", sku: sku as Sku }], this.now));
  }

  async hold(user: string, quantity: number, wish: HoldWish = {}): Promise<HoldReply> {
    return only(await this.#ledger.hold([holdCommand(user, quantity, wish)], this.now));
  }
  async change(user: string, quantity: number, { limit = 0, sku = LAMP }: { limit?: number; sku?: string } = {}): Promise<HoldReply> {
    return only(await this.#ledger.change([{ verb: "change", sku: sku as Sku, userId: user as UserId, quantity, limit }], this.now));
  }
  async release(user: string, sku: string = LAMP): Promise<ReleaseReply> {
    return only(await this.#ledger.release([{ verb: "release", sku: sku as Sku, userId: user as UserId }], this.now));
  }

  async place(user: string, orderId: string, wish: PlaceWish = {}): Promise<OrderReply> {
    return only(await this.#ledger.place([placeCommand(user, orderId, wish)], this.now));
  }
  async pay(orderId: string, wish: PayWish = {}): Promise<OrderReply> {
    return only(await this.#ledger.pay([payCommand(orderId, wish)], this.now));
  }
  async cancel(orderId: string, to: "free" | "held" = "free"): Promise<OrderReply> {
    return only(await this.#ledger.cancel([{ verb: "cancel", orderId: orderId as OrderId, to }], this.now));
  }
  async expire(sku: string = LAMP): Promise<void> {
    await this.#ledger.expire([{ verb: "expire", sku: sku as Sku }], this.now);
  }

  async record(
    user: string,
    ordered: number,
    { mode = "put", sku = LAMP, userLevel = 1 }: { mode?: "put" | "update"; sku?: string; userLevel?: number } = {},
  ): Promise<RecordReply> {
    return only(
      await this.#ledger.record([{ verb: "record", mode, sku: sku as Sku, userId: user as UserId, userLevel, ordered }], this.now),
    );
  }
  async removeRecord(user: string, sku: string = LAMP): Promise<RecordReply> {
    return only(await this.#ledger.record([{ verb: "record", mode: "remove", sku: sku as Sku, userId: user as UserId }], this.now));
  }

  async goods(sku: string = LAMP): Promise<Goods> {
    const goods = only(await this.#ledger.goods([sku as Sku], this.now));
    if (!goods) throw new Error(`there are no goods ${sku}`);
    return goods;
  }
  async line(user: string, sku: string = LAMP): Promise<Line> {
    return only(await this.#ledger.lines([{ userId: user as UserId, sku: sku as Sku }], this.now));
  }
  async order(orderId: string): Promise<Order | null> {
    return await this.#ledger.order(orderId as OrderId, this.now);
  }
  async ordersOf(user: string, after: string | null = null, limit = 100): Promise<readonly Order[]> {
    return await this.#ledger.ordersOf(user as UserId, after as OrderId | null, limit, this.now);
  }
  async findOrders(search: Partial<OrderSearch> = {}): Promise<FoundOrders> {
    return await this.#ledger.findOrders({ state: null, isPaidLate: false, after: null, limit: 100, passedMax: 100, ...search }, this.now);
  }
  async cart(user: string): Promise<readonly CartLine[]> {
    const lines = await this.#ledger.cart(user as UserId, this.now);
    // Two ways to ask the same.
    const held = lines.map(({ sku, quantity, heldUntil }) => ({ sku, quantity, heldUntil }));
    expect(await this.#ledger.held(user as UserId, this.now)).toEqual(held);
    return lines;
  }
}

type PlainRefusal = Exclude<LedgerRefusal, { readonly reason: "frozen" } | { readonly reason: "order-ended" }>;
export const refused = (reason: PlainRefusal["reason"]): PlainRefusal => ({ kind: "refused", reason });
export const held = (quantity: number, heldUntil: UnixMs = START + FROZEN_FOR): HoldReply => ({ kind: "held", quantity, heldUntil });
export const keyOf = (text: string, fingerprint = "same body"): Key => ({ text, fingerprint });
/** What every check looks at in the end: on hand, frozen, sold. */
export const figures = ({ onHand, frozen, sold }: Goods) => ({ onHand, frozen, sold });
export type Figures = ReturnType<typeof figures>;
/** Of five lamps: nobody has any; two are in a hold or an unpaid order; two are sold. */
export const free: Figures = { onHand: 5, frozen: 0, sold: 0 };
export const frozen: Figures = { onHand: 5, frozen: 2, sold: 0 };
export const sold: Figures = { onHand: 3, frozen: 0, sold: 2 };
/** What somebody is told of an order. */
export const stateOf = (reply: OrderReply): string =>
  reply.kind === "order" ? reply.order.state : reply.reason === "order-ended" ? `no, ${reply.state}` : reply.reason;

/** Ann's hold of two of five lamps has become an order. */
export async function placed(shop: Shop): Promise<void> {
  await shop.put(5);
  await shop.hold("ann", 2, { sessionId: "the purchase that made the hold" });
  await shop.place("ann", "order 1");
}
/** Ann's holds of two lamps and, ten minutes shorter, of a sofa have become an order. There were five of each. */
export async function placedTwo(shop: Shop, windowMs: DurationMs = WINDOW): Promise<void> {
  await shop.put(5);
  await shop.put(5, "sofa");
  await shop.hold("ann", 2);
  await shop.hold("ann", 1, { sku: "sofa", frozenForMs: 20 * MINUTE });
  await shop.place("ann", "order 1", { windowMs, skus: [LAMP, "sofa"] });
}

/** Ann's hold as it is kept for its key. */
export const keptHold = (quantity: number, key = "k"): KeptPurchase => ({
  kind: "purchase",
  key: keyOf(key),
  sessionId: "session of ann" as SessionId,
  step: "cart",
  reason: null,
  sku: LAMP,
  quantity,
  heldUntil: DEADLINE,
  frozenForMs: FROZEN_FOR,
});
export const repeatedHold = (quantity: number) => ({ kind: "repeated" as const, reply: keptHold(quantity) });
