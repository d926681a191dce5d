/** What every decision is made of: the view it is shown, the changes it asks for, and the small rules that several verbs share. */
import type { OrderId } from "../core/ids.ts";
import type { UnixMs } from "../core/time.ts";
import type { Goods, KeptReply, LedgerRefusal, Line, Order, OrderReply, Reply } from "./ledger.ts";

/** The records that a command about one SKU touches, as they are at its time. */
export interface View {
  readonly goods: Goods | null;
  readonly line: Line;
  /** The reply that the command's key already has. */
  readonly kept: KeptReply | null;
  /** How many SKUs this user has a line for, and how many SKUs there are; they only matter when one more would be made. */
  readonly userLines: number;
  readonly skus: number;
}

/** The records as they are to be afterwards; what is not named stays. `null` removes the goods. */
export interface Changes {
  readonly goods?: Goods | null;
  readonly line?: Line;
  readonly kept?: KeptReply;
}

export interface Decision {
  readonly reply: Reply;
  readonly changes: Changes;
}

/** One SKU of an order: its goods, and what the order's user has of them. */
export interface OrderPart {
  readonly goods: Goods | null;
  readonly line: Line;
}

/** The records that a command about an order touches. The parts stand in the order of the order's items, or of those to be placed. */
export interface OrderView {
  readonly order: Order | null;
  /** The order that the command's payment has ended; `null`: none, or there is no payment. */
  readonly paymentUsedFor: OrderId | null;
  readonly parts: readonly OrderPart[];
}

/** All parts as they are to be afterwards, with the order that they belong to; `null`: nothing changes. */
export interface OrderChanges {
  readonly order: Order;
  readonly parts: readonly { readonly goods: Goods; readonly line: Line }[];
}

export interface OrderDecision {
  readonly reply: OrderReply;
  readonly changes: OrderChanges | null;
}

export const EMPTY_LINE: Line = { held: 0, heldUntil: 0, pending: 0, ordered: 0, userLevel: null };
export const NO_CHANGES: Changes = {};

/** A SKU's time at `now`: deadlines must not move when the machine's clock jumps back. */
export const ledgerTime = (goods: Goods | null, now: UnixMs): UnixMs => (goods && goods.clock > now ? goods.clock : now);

export const availableOf = (goods: Goods): number => goods.onHand - goods.frozen;
export const isEmptyLine = (line: Line): boolean => line.held === 0 && line.pending === 0 && line.ordered === 0 && line.userLevel === null;

/** The same goods with another frozen quantity, seen at `at`. */
export const goodsWith = (goods: Goods, frozen: number, at: UnixMs, pending = goods.pending): Goods => ({
  sku: goods.sku,
  onHand: goods.onHand,
  frozen,
  pending,
  sold: goods.sold,
  stocked: goods.stocked,
  priceCents: goods.priceCents,
  clock: at,
});

/** The same line with another hold and other pending orders. Written out: a spread would cost the hot path twice as much. */
export const lineWith = (line: Line, held: number, heldUntil: UnixMs, pending: number): Line => ({
  held,
  heldUntil,
  pending,
  ordered: line.ordered,
  userLevel: line.userLevel,
});

/** The same hold and pending orders with another order record. */
export const lineOrdered = (line: Line, ordered: number, userLevel: number | null): Line => ({
  held: line.held,
  heldUntil: line.heldUntil,
  pending: line.pending,
  ordered,
  userLevel,
});

/** Whether a user who would then hold `held` has more than the limit allows. Paid, unpaid and frozen all count. */
export const exceeds = (limit: number, line: Line, held: number): boolean => limit > 0 && line.ordered + line.pending + held > limit;

export const unchanged = (reply: Reply): Decision => ({ reply, changes: NO_CHANGES });

export type PlainReason = Exclude<LedgerRefusal["reason"], "frozen" | "order-ended">;

export const refuse = (reason: PlainReason): Decision => unchanged({ kind: "refused", reason });
