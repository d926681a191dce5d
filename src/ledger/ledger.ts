/**
 * The ledger: the one place where a quantity changes. This file holds its words and the contract that every store keeps; what is decided
 * stands in `decide.ts` and `decide-order.ts`.
 *
 * **A hold**, for one user and one SKU:
 *
 * - *free*: the user has none. `hold` makes one, if the sale is open, and the limit and the stock allow.
 * - *held*: the quantity is frozen until `heldUntil`. More of it (`hold`) or another quantity (`change`) keeps the deadline.
 *   It is left by `release` (free), by its deadline (free, at that instant), or by `place` (part of an order).
 *
 * **An order**, for one user and one SKU or more, all of them or none:
 *
 * - *payment pending*: `place` made it of live holds, with one short, capped payment window, its only deadline. It is left by `pay`,
 *   by `cancel`, or by its deadline.
 * - *paid*: the right amount came, and the goods are out of stock. This is an end.
 * - *cancelled*: the goods are free again, or back to held with the deadline that each had.
 * - *expired*: nobody paid in time; the goods are free since `payUntil`, as soon as one of its SKUs has seen that time, and then all have. Money
 *   that comes later takes the stock again, when there is enough of every SKU and the limits allow (*paid*); otherwise it is due back.
 * - *refund due*: money came for which there are no goods: too late, after a cancellation, or the wrong amount. This is an end that somebody must
 *   act on. It is never silent.
 */
import type { Answer } from "../core/answer.ts";
import type { OrderId, SessionId, Sku, UserId } from "../core/ids.ts";
import type { Cents } from "../core/money.ts";
import type { Step } from "../core/reason.ts";
import type { DurationMs, UnixMs } from "../core/time.ts";

/** One SKU. Always: `0 <= pending <= frozen <= onHand` and `sold + onHand = stocked`. */
export interface Goods {
  readonly sku: Sku;
  readonly onHand: number;
  /** In live holds and unpaid orders. */
  readonly frozen: number;
  /** Of these, what is in unpaid orders. */
  readonly pending: number;
  readonly sold: number;
  /** All that was ever put in, less what an operator took out. */
  readonly stocked: number;
  readonly priceCents: Cents;
  /** The latest time that this SKU has seen. It never goes back, whatever the machine's clock does. */
  readonly clock: UnixMs;
}

/** What one user has of one SKU. */
export interface Line {
  readonly held: number;
  /** When `held` becomes free; 0 when nothing is held. */
  readonly heldUntil: UnixMs;
  /** In orders that wait for payment. */
  readonly pending: number;
  /** Bought and paid for, or recorded by an operator. */
  readonly ordered: number;
  /** The level on record; `null` when this user has no order record for this SKU. */
  readonly userLevel: number | null;
}

export type OrderState = "payment-pending" | "paid" | "cancelled" | "expired" | "refund-due";

/** Some of one SKU in an order. */
export interface OrderItem {
  readonly sku: Sku;
  readonly quantity: number;
  /** What one of them costs, fixed when the order was placed. */
  readonly priceCents: Cents;
  /** The deadline that the hold had, and has again if the payment fails. */
  readonly heldUntil: UnixMs;
}

/** Money that has come in for an order, as its provider names it. */
export interface Payment {
  readonly provider: string;
  readonly paymentId: string;
  readonly amountCents: Cents;
  readonly currency: string;
}

export interface Order {
  readonly orderId: OrderId;
  readonly userId: UserId;
  /** The user's level when it was placed: what is bought goes on record with it, where there is no record yet. */
  readonly userLevel: number;
  /** 1 to `ORDER_ITEMS_MAX`, each of another SKU. */
  readonly items: readonly OrderItem[];
  readonly state: OrderState;
  readonly placedAt: UnixMs;
  readonly payUntil: UnixMs;
  /** When the order reached its present state. */
  readonly since: UnixMs;
  /** The money that made it `paid` or `refund-due`. */
  readonly payment: Payment | null;
}

/** Which orders somebody looks for, and how far the look may go. */
export interface OrderSearch {
  /** `null`: in any. */
  readonly state: OrderState | null;
  /** Only those that money has made what they are at their payment deadline or later: `paid` all the same, or `refund-due`. */
  readonly isPaidLate: boolean;
  /** Only from behind this one; `null`: from the newest. Behind an order that there is not, there is nothing. */
  readonly after: OrderId | null;
  readonly limit: number;
  /** So many orders are passed at most, wanted or not. */
  readonly passedMax: number;
}
export interface FoundOrders {
  readonly orders: readonly Order[];
  /** Behind which one to go on; `null`: there are no more. */
  readonly next: OrderId | null;
}

/** An idempotency key with what it stands for: two requests are the same when their fingerprints are. */
export interface Key {
  readonly text: string;
  /** Everything in the request that matters, as text, made by whoever took it. */
  readonly fingerprint: string;
}

/** The first answer to a purchase that carried a key, complete enough to give it again word for word. */
export interface KeptPurchase {
  readonly kind: "purchase";
  readonly key: Key;
  readonly sessionId: SessionId;
  readonly step: Step;
  /** `null`: the goods are frozen. */
  readonly reason: string | null;
  readonly sku: Sku;
  readonly quantity: number;
  readonly heldUntil: UnixMs;
  readonly frozenForMs: DurationMs;
}

/** The first answer to any other request that carried a key. */
export interface KeptResponse {
  readonly kind: "response";
  readonly key: Key;
  readonly status: number;
  /** At most `KEPT_BODY_CHARS_MAX` characters. */
  readonly body: string;
}

export type KeptReply = KeptPurchase | KeptResponse;

// --- Commands --------------------------------------------------------------------------------------------------------------

/** Sets goods: `put` creates or replaces, `update` needs them to exist, `remove` needs nothing of them to be frozen. */
export type StockCommand =
  | { readonly verb: "stock"; readonly mode: "put" | "update"; readonly sku: Sku; readonly onHand: number; readonly priceCents: Cents }
  | { readonly verb: "stock"; readonly mode: "remove"; readonly sku: Sku };

/** Freezes `quantity` more for the user, within the sale's window by the SKU's own time. */
export interface HoldCommand {
  readonly verb: "hold";
  readonly sku: Sku;
  readonly userId: UserId;
  readonly quantity: number;
  /** Bounds ordered + pending + held + asked; 0 means none. */
  readonly limit: number;
  /** The first millisecond of the sale; 0: it was always open. */
  readonly opensAt: UnixMs;
  /** The first millisecond after the sale; 0: it never closes. */
  readonly closesAt: UnixMs;
  readonly frozenForMs: DurationMs;
  readonly sessionId: SessionId;
  readonly key: Key | null;
}
/** Makes a live hold exactly `quantity`; freezes or releases the difference, keeps the deadline. */
export interface ChangeCommand {
  readonly verb: "change";
  readonly sku: Sku;
  readonly userId: UserId;
  readonly quantity: number;
  readonly limit: number;
}
export interface ReleaseCommand {
  readonly verb: "release";
  readonly sku: Sku;
  readonly userId: UserId;
}
/** Moves the user's holds of these SKUs, all of them or none, into one order that must be paid within `windowMs`. The order id is the key: asked
 *  again by the same user for the same SKUs, it answers with the order as it is by then. A SKU named twice counts once, at its first price. */
export interface PlaceCommand {
  readonly verb: "place";
  readonly orderId: OrderId;
  readonly userId: UserId;
  readonly userLevel: number;
  readonly items: readonly { readonly sku: Sku; readonly priceCents: Cents }[];
  readonly windowMs: DurationMs;
}
/** The money is there; one payment ends one order, and is refused with `payment-used` by any other. An order that money has ended before stays as it is: whoever asks compares its `payment` to learn whether this is a second
 *  one, which must go back. */
export interface PayCommand {
  readonly verb: "pay";
  readonly orderId: OrderId;
  readonly payment: Payment;
  /** False: the amount is wrong, the money goes back. */
  readonly isAmountRight: boolean;
  /** Per SKU of the order; counts only when the payment is late and the stock must be taken again; 0 or absent means none. */
  readonly limits: ReadonlyMap<Sku, number>;
}
/** Ends an unpaid order: `free` gives the stock back, `held` (the payment failed) gives the user the holds back, where their deadlines
 *  allow. */
export interface CancelCommand {
  readonly verb: "cancel";
  readonly orderId: OrderId;
  readonly to: "free" | "held";
}
/** Ends what is due. Every verb does this first; this one does nothing else. */
export interface ExpireCommand {
  readonly verb: "expire";
  readonly sku: Sku;
}
/** Sets what an operator says a user has ordered: `put` creates or replaces, `update` needs a record, `remove` drops it. */
export type RecordCommand =
  | {
      readonly verb: "record";
      readonly mode: "put" | "update";
      readonly sku: Sku;
      readonly userId: UserId;
      readonly userLevel: number;
      readonly ordered: number;
    }
  | { readonly verb: "record"; readonly mode: "remove"; readonly sku: Sku; readonly userId: UserId };

/** A command about one SKU. */
export type SkuCommand = StockCommand | HoldCommand | ChangeCommand | ReleaseCommand | ExpireCommand | RecordCommand;
/** A command about an order, and so about all its SKUs at once. Its time is the latest that any of them has seen. */
export type OrderCommand = PlaceCommand | PayCommand | CancelCommand;
export type Command = SkuCommand | OrderCommand;

// --- Replies ---------------------------------------------------------------------------------------------------------------

/** `no-room-for-key` is a failure of ours, told per command: nothing has changed, and without a key the command would be decided. */
export type LedgerRefusal =
  | {
      readonly kind: "refused";
      readonly reason:
        | "unknown-goods"
        /** The sale begins later. The only refusal of a hold that is not kept for its key: the same key may buy after the start. */
        | "not-started"
        /** The sale is over. */
        | "ended"
        | "limit-reached"
        | "sold-out"
        | "no-hold"
        | "no-record"
        | "unknown-order"
        /** This payment has made another order paid or refund-due. */
        | "payment-used"
        /** More SKUs than an order may have. */
        | "too-many-items"
        | "key-reused"
        | "too-many-goods"
        | "no-room-for-key";
    }
  /** Goods cannot be set below, or removed with, what is frozen: `onHandMin` is the smallest possible value. */
  | { readonly kind: "refused"; readonly reason: "frozen"; readonly onHandMin: number }
  /** The order has ended before; this is the end it came to. */
  | { readonly kind: "refused"; readonly reason: "order-ended"; readonly state: OrderState };

export type StockReply = { readonly kind: "stocked"; readonly goods: Goods } | { readonly kind: "removed" } | LedgerRefusal;
export type HoldReply =
  | { readonly kind: "held"; readonly quantity: number; readonly heldUntil: UnixMs }
  /** The key was used before with the same fingerprint: the reply it got then. Nothing has changed. */
  | { readonly kind: "repeated"; readonly reply: KeptPurchase }
  | LedgerRefusal;
export type ReleaseReply = { readonly kind: "released"; readonly quantity: number } | LedgerRefusal;
export type OrderReply = { readonly kind: "order"; readonly order: Order } | LedgerRefusal;
export type ExpireReply = { readonly kind: "expired" };
export type RecordReply = { readonly kind: "recorded"; readonly line: Line } | { readonly kind: "removed" } | LedgerRefusal;
export type Reply = StockReply | HoldReply | ReleaseReply | OrderReply | ExpireReply | RecordReply;

/** What somebody holds of one SKU, alive. */
export interface HeldGoods {
  readonly sku: Sku;
  readonly quantity: number;
  readonly heldUntil: UnixMs;
}

/** A line of a cart: a live hold. */
export interface CartLine extends HeldGoods {
  readonly userId: UserId;
  /** The purchase that made the hold. */
  readonly sessionId: SessionId;
}

export interface OrderRecord {
  readonly userId: UserId;
  readonly sku: Sku;
  readonly userLevel: number;
  readonly ordered: number;
}

// --- Events ----------------------------------------------------------------------------------------------------------------

/**
 * What a store tells of its changes, inside the turn that saves them, each exactly once for every change that is durable. Each user's story of a
 * SKU reads true in the order in which it is told. What a deadline has ended is told when its row is overwritten or swept, and `at` is the
 * deadline; so the goods may be somebody else's by then. `place` ends a hold without a word of its own: `order.placed` says it.
 */
export type LedgerEvent = HoldEvent | HoldEndEvent | SoldOutEvent | OrderEvent;

/** `created`: the user had no hold of this SKU. `changed`: another quantity than before. */
export interface HoldEvent {
  readonly type: "hold.created" | "hold.changed";
  readonly at: UnixMs;
  readonly sku: Sku;
  readonly userId: UserId;
  /** The purchase that did it; `null` where none did: the cart was changed, or a payment failed. */
  readonly sessionId: SessionId | null;
  /** Frozen for this user now. */
  readonly quantity: number;
  readonly heldUntil: UnixMs;
}
export interface HoldEndEvent {
  readonly type: "hold.released" | "hold.expired";
  readonly at: UnixMs;
  readonly sku: Sku;
  readonly userId: UserId;
  /** What became free. */
  readonly quantity: number;
}
/** There were some available, and now there are none. */
export interface SoldOutEvent {
  readonly type: "goods.sold-out";
  readonly at: UnixMs;
  readonly sku: Sku;
}
export interface OrderEvent {
  readonly type: "order.placed" | "order.paid" | "order.cancelled" | "order.expired" | "order.refund-due";
  readonly at: UnixMs;
  readonly order: Order;
}

// --- The store -------------------------------------------------------------------------------------------------------------

/**
 * What a store promises, for every verb: a batch is decided in its order, each command in one atomic step; the answer comes when the change
 * is durable; `now` never makes a SKU's time go back; everything due is ended before the command is looked at. It rejects with
 * `Failure`: `outcomeKnown` false means the change may have happened.
 */
export interface Ledger {
  stock(commands: readonly StockCommand[], now: UnixMs): Promise<readonly StockReply[]>;
  /** Freezes stock. The same key gets the first reply and changes nothing. After an unknown outcome, ask again with the same key. */
  hold(commands: readonly HoldCommand[], now: UnixMs): Promise<readonly HoldReply[]>;
  change(commands: readonly ChangeCommand[], now: UnixMs): Promise<readonly HoldReply[]>;
  release(commands: readonly ReleaseCommand[], now: UnixMs): Promise<readonly ReleaseReply[]>;
  place(commands: readonly PlaceCommand[], now: UnixMs): Promise<readonly OrderReply[]>;
  pay(commands: readonly PayCommand[], now: UnixMs): Promise<readonly OrderReply[]>;
  cancel(commands: readonly CancelCommand[], now: UnixMs): Promise<readonly OrderReply[]>;
  expire(commands: readonly ExpireCommand[], now: UnixMs): Promise<readonly ExpireReply[]>;
  record(commands: readonly RecordCommand[], now: UnixMs): Promise<readonly RecordReply[]>;

  /** The first replies to these keys, `null` where a key is new (or older than 24 hours). */
  recall(keys: readonly Key[], now: UnixMs): Answer<readonly (KeptReply | null)[]>;
  /** Keeps replies that were given without a hold. A key that already has one keeps it; the kept reply comes back, `null` where
   *  there was no room for one more key (`REPLIES_MAX`). */
  remember(replies: readonly KeptReply[], now: UnixMs): Promise<readonly (KeptReply | null)[]>;

  /** Goods as they are at `now`, what is due already counted as free; `null` where there are none. */
  goods(skus: readonly Sku[], now: UnixMs): Answer<readonly (Goods | null)[]>;
  lines(of: readonly { readonly userId: UserId; readonly sku: Sku }[], now: UnixMs): Answer<readonly Line[]>;
  /** For a filter, which only spares `hold` some work: goods as they were up to a second ago where there was as much available, as they are now where
   *  there was less. */
  glanceAtGoods(wanted: readonly { readonly sku: Sku; readonly quantity: number }[], now: UnixMs): Answer<readonly (Goods | null)[]>;
  /** For a filter: what is known without asking anybody else, which may be nothing. */
  glanceAtLines(of: readonly { readonly userId: UserId; readonly sku: Sku }[], now: UnixMs): Answer<readonly Line[]>;
  /** What is in a user's cart, oldest first; from memory alone. */
  held(userId: UserId, now: UnixMs): Answer<readonly HeldGoods[]>;
  /** The same with the purchase that made each hold, which has to be looked up. */
  cart(userId: UserId, now: UnixMs): Answer<readonly CartLine[]>;
  /** The order as it is at `now`. One that has ended is there for `ORDER_KEPT_MS` at least; one with a refund due, for good. */
  order(orderId: OrderId, now: UnixMs): Answer<Order | null>;
  /** The order that this payment made paid or refund-due; `null`: none. */
  orderPaidWith(payment: Pick<Payment, "provider" | "paymentId">): Answer<OrderId | null>;
  /** Up to `limit` orders of a user as they are at `now`, the last placed first, from behind `after`. */
  ordersOf(userId: UserId, after: OrderId | null, limit: number, now: UnixMs): Answer<readonly Order[]>;
  /** Looks through everybody's orders as they were saved, the last placed first. For people who look, not for who decides: an unpaid one whose deadline
   *  is over at `now` counts as expired, whatever is being done about it at this moment. */
  findOrders(search: OrderSearch, now: UnixMs): Answer<FoundOrders>;
  /** Up to `limit` goods in the order of their SKUs' UTF-8 bytes, from behind `after`. */
  listGoods(after: Sku | null, limit: number, now: UnixMs): Answer<readonly Goods[]>;
  /** How many goods there are. */
  countGoods(): Answer<number>;
  listRecords(after: { readonly userId: UserId; readonly sku: Sku } | null, limit: number): Answer<readonly OrderRecord[]>;
}
