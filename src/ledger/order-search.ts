/** How orders are looked through: what an order counts as at a time, and whether it is one of those wanted. */
import type { UnixMs } from "../core/time.ts";
import { expireOrder } from "./expire.ts";
import type { Order, OrderSearch } from "./ledger.ts";

/** A saved order as whoever looks through orders sees it. */
export const orderAt = (saved: Order, now: UnixMs): Order =>
  saved.state === "payment-pending" && saved.payUntil <= now ? expireOrder(saved, now) : saved;

/** Whether its money came at the deadline or later. */
export const isPaidLate = ({ payment, since, payUntil }: Order): boolean => payment !== null && since >= payUntil;

export const isWanted = (order: Order, wanted: Pick<OrderSearch, "state" | "isPaidLate">): boolean =>
  (wanted.state === null || order.state === wanted.state) && (!wanted.isPaidLate || isPaidLate(order));
