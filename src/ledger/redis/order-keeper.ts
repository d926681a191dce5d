/**
 * Orders over Redis and Postgres. What an order is, Postgres says; what it freezes is frozen in Redis. `decideOrder` decides over what both show, and
 * this carries it out, in one transaction of Postgres that nobody else can have for the same order at the same time:
 *
 * - **place**: each hold is parked in Redis, which leaves a mark; then Postgres has the order. **pay**: each item is sold in Redis, which leaves a mark; then
 *   Postgres has the payment. The marks go when Postgres has committed. If it has not, the steps are undone, which is always possible: nothing that
 *   was taken is given to anybody meanwhile. Nobody else touches a marked line.
 * - **cancel**, a wrong amount, and the end by a deadline: Postgres has the end first, with a note of what is to be given back; then Redis gives it back. What is
 *   given back may be somebody else's at once, so this direction cannot be undone and need not be.
 *
 * A crash in between leaves a mark or a note, and `OrderCare` (`order-care.ts`) finishes what they tell of. So at every moment goods are frozen for too long at worst, and for
 * nobody twice.
 */
import { Failure, onlyFailure } from "../../core/failure.ts";
import type { OrderId, UserId } from "../../core/ids.ts";
import type { SqlDatabase, Tx } from "../../core/sql.ts";
import type { UnixMs } from "../../core/time.ts";
import { ORDER_ATTEMPTS_MAX, UNDER_WAY_PAUSE_MS } from "../../limits/ledger.ts";
import { decideOrder, itemsAsked } from "../decide-order.ts";
import { ledgerTime } from "../decision.ts";
import { expireOrder } from "../expire.ts";
import type { FoundOrders, LedgerEvent, Order, OrderCommand, OrderItem, OrderReply, OrderSearch, OrderState, Payment } from "../ledger.ts";
import type { OrderParts, StepResult } from "./order-parts.ts";
import { partsOf } from "./order-parts.ts";
import {
  addOrder,
  endOrder,
  expireOrders,
  isGivenBack,
  lockOrder,
  lockPayment,
  paidWith,
  readOrder,
  readOrdersOf,
  readStates,
  searchOrders,
} from "./order-table.ts";
import type { Partitions } from "./partitions.ts";
import { keepSold, type Relay, type Taken, type Tell } from "./relay.ts";
import type { RedisShelves } from "./shelves.ts";
import type { Asked } from "./sku-commands.ts";
import type { After } from "./turns.ts";
import type { PartOfOrder, Seen } from "./wire.ts";

export interface OrderKeeperParts {
  readonly db: SqlDatabase;
  readonly shelves: RedisShelves;
  readonly parts: OrderParts;
  readonly relay: Relay;
  readonly partitions: Partitions;
  readonly tell: Tell;
  readonly after: After;
}

/** Somebody else has changed what was decided upon: all is rolled back, and decided again. */
class Changed extends Error {}

/** What the work of a transaction comes to. */
interface Done {
  readonly reply: OrderReply;
  /** To be done when it is committed. */
  readonly taken?: Taken | null;
  readonly giveBack?: { readonly order: Order; readonly to: "free" | "held"; readonly at: UnixMs };
}

/** One order command on its way. */
interface Attempt {
  readonly tx: Tx;
  readonly command: OrderCommand;
  readonly now: UnixMs;
  /** Gets every part that is marked, before it is. */
  readonly marked: PartOfOrder[];
}

const eventOf = (order: Order): LedgerEvent => {
  const type = order.state === "payment-pending" ? "order.placed" : (`order.${order.state}` as const);
  return { type, at: order.since, order };
};

export class OrderKeeper {
  readonly #db: SqlDatabase;
  readonly #shelves: RedisShelves;
  readonly #parts: OrderParts;
  readonly #relay: Relay;
  readonly #partitions: Partitions;
  readonly #tell: Tell;
  readonly #after: After;

  constructor({ db, shelves, parts, relay, partitions, tell, after }: OrderKeeperParts) {
    this.#db = db;
    this.#shelves = shelves;
    this.#parts = parts;
    this.#relay = relay;
    this.#partitions = partitions;
    this.#tell = tell;
    this.#after = after;
  }

  /** Does them one after the other; never rejects. */
  async run(asked: readonly Asked<OrderCommand>[]): Promise<void> {
    for (const one of asked) {
      try {
        one.result = await this.#patiently(one.command, one.now);
      } catch (error) {
        one.result = error as Error;
      }
    }
  }

  /** The order as it is at `now`. */
  async find(orderId: OrderId, now: UnixMs): Promise<Order | null> {
    const stored = await readOrder(this.#db.read, orderId);
    return stored && this.#asItIs(stored, now);
  }

  async ofUser(userId: UserId, after: OrderId | null, limit: number, now: UnixMs): Promise<readonly Order[]> {
    const stored = await readOrdersOf(this.#db.read, userId, after, limit);
    return Promise.all(stored.map((order) => this.#asItIs(order, now)));
  }

  search(search: OrderSearch, now: UnixMs): Promise<FoundOrders> {
    return searchOrders(this.#db.read, search, now);
  }

  paidWith(payment: Pick<Payment, "provider" | "paymentId">): Promise<OrderId | null> {
    return paidWith(this.#db.read, payment);
  }

  /** The time of some SKUs has ended these parts. Postgres ends and tells their orders, and Redis drops what is left of them. */
  async expire(ended: readonly PartOfOrder[], now: UnixMs): Promise<void> {
    const orderIds = [...new Set(ended.map(([orderId]) => orderId))];
    const expired = await this.#db.transaction(async (tx) => {
      const orders = await expireOrders(tx, orderIds);
      if (orders.length > 0) await this.#tell(tx, orders.map(eventOf));
      return orders;
    });
    for (const order of expired) await this.giveBack({ order, to: "free", at: order.payUntil });
    const done = new Set(expired.map(({ orderId }) => orderId));
    const states = await readStates(this.#db.read, orderIds);
    for (const part of ended) {
      // One that is unpaid is being moved by somebody. Of all others nothing should be left; a part that is under way is left alone.
      if (!done.has(part[0]) && states.get(part[0]) !== "payment-pending") await this.#parts.drop(part, now);
    }
  }

  async giveBack({ order, to, at }: NonNullable<Done["giveBack"]>): Promise<void> {
    await this.#parts.giveBack(order, to, at);
    await this.#db.transaction((tx) => isGivenBack(tx, [order.orderId]));
  }

  async #asItIs(stored: Order, now: UnixMs): Promise<Order> {
    if (stored.state !== "payment-pending") return stored;
    const seen = await this.#look(stored, now);
    if (!seen.some(({ part }) => part === "gone")) return stored;
    // It may have been paid between the two looks: Postgres has the last word.
    const again = await readOrder(this.#db.read, stored.orderId);
    if (again?.state !== "payment-pending") return again ?? stored;
    return { ...stored, state: "expired", since: stored.payUntil };
  }

  #look({ items, userId, orderId }: Pick<Order, "userId" | "orderId"> & { items: readonly Pick<OrderItem, "sku">[] }, now: UnixMs) {
    return this.#shelves.look(
      items.map(({ sku }) => ({ sku, userId, orderId })),
      now,
    );
  }

  async #patiently(command: OrderCommand, now: UnixMs): Promise<OrderReply> {
    for (let attempt = 1; attempt <= ORDER_ATTEMPTS_MAX; attempt += 1) {
      try {
        return await this.#try(command, now);
      } catch (error) {
        if (!(error instanceof Changed)) throw error;
        await new Promise<void>((resolve) => this.#after(UNDER_WAY_PAUSE_MS, resolve));
      }
    }
    throw new Failure("overloaded", "too many want to change the same order or goods; try again", true);
  }

  async #try(command: OrderCommand, now: UnixMs): Promise<OrderReply> {
    const marked: PartOfOrder[] = [];
    let done: Done;
    try {
      done = await this.#db.transaction(async (tx) => {
        // The work of a transaction that did not come through may be done again.
        await this.#undo(marked, now);
        return this.#decide({ tx, command, now, marked });
      });
    } catch (error) {
      // Where it is unknown whether Postgres has committed, the marks stay for whoever looks after them.
      if (!(error instanceof Failure) || error.outcomeKnown) await this.#undo(marked, now).catch(onlyFailure);
      throw error;
    }
    // It is true from here on; what cannot be done now, others will find.
    const { taken, giveBack, reply } = done;
    await Promise.all([
      this.#parts.unmark(marked).catch(onlyFailure),
      giveBack && this.giveBack(giveBack).catch(onlyFailure),
      taken?.drop().catch(onlyFailure),
    ]);
    return reply;
  }

  async #undo(marked: PartOfOrder[], now: UnixMs): Promise<void> {
    await this.#parts.undo(marked, now);
    marked.length = 0;
  }

  async #decide(attempt: Attempt): Promise<Done> {
    const { tx, command, now } = attempt;
    await lockOrder(tx, command.orderId);
    const stored = await readOrder(tx, command.orderId);
    const paymentUsedFor = command.verb === "pay" ? await lockPayment(tx, command.payment) : null;
    const { seen, at } = await this.#see(command, stored, now);
    const isOver = stored?.state === "payment-pending" && seen.some(({ part }) => part === "gone");
    // Only a Redis that has lost data has parts that are gone before their time.
    if (isOver && stored.payUntil > at) {
      await this.#parts.compareAgain(stored);
      throw new Failure("store-unavailable", "the order is being restored; try again", true);
    }
    const order = isOver ? expireOrder(stored, at) : stored;
    const { reply, changes } = decideOrder({ order, paymentUsedFor, parts: seen }, command, at);
    if (changes === null) {
      if (stored === null && command.verb === "place" && (await this.#isUnderWay(command.orderId)))
        throw new Failure("overloaded", "this order is under way; ask again with the same key", false);
      return { reply };
    }
    const taken = await this.#carryOut(attempt, order, stored, changes.order, at);
    const giveBack = toGiveBack(command, stored, changes.order);
    return { reply, taken, ...(giveBack && { giveBack: { order: changes.order, to: giveBack, at } }) };
  }

  /** Whether holds have gone into an order that Postgres does not have yet: somebody is placing it, or was, and then it is undone. */
  async #isUnderWay(orderId: OrderId): Promise<boolean> {
    return (await this.#parts.underWay()).some(({ part }) => part[0] === orderId);
  }

  /** All SKUs of the order at the latest time that any of them has seen. */
  async #see(command: OrderCommand, stored: Order | null, now: UnixMs): Promise<{ readonly seen: readonly Seen[]; readonly at: UnixMs }> {
    const { orderId } = command;
    const items = stored?.items ?? (command.verb === "place" ? itemsAsked(command) : []);
    const userId = stored?.userId ?? (command.verb === "place" ? command.userId : ("" as UserId));
    // A look at time 0 ends nothing and tells the clocks. One SKU alone knows its own.
    for (let at = items.length > 1 ? 0 : now; ; ) {
      const seen = await this.#look({ items, userId, orderId }, at);
      const latest = seen.reduce((time, { goods }) => ledgerTime(goods, time), Math.max(at, now));
      const left = items.flatMap(({ sku }, n) => {
        const part = seen[n]?.part;
        return part === "park" || part === "sell" ? [{ part: [orderId, sku, userId] as const, kind: part }] : [];
      });
      if (latest === at && left.length === 0) return { seen, at };
      at = latest;
      // The order is ours at the moment, so whoever has left these has gone.
      for (const { part, kind } of left) await this.finish(part, kind, stored?.state ?? null, now);
    }
  }

  /** Brings a part that is under way to where its order is. Only for who has the order's lock. */
  async finish(part: PartOfOrder, kind: "park" | "sell", state: OrderState | null, now: UnixMs): Promise<void> {
    const isCommitted = kind === "park" ? state !== null : state === "paid";
    if (isCommitted) await this.#parts.unmark([part]);
    else await this.#parts.undo([part], now);
  }

  async #carryOut(attempt: Attempt, before: Order | null, stored: Order | null, order: Order, at: UnixMs): Promise<Taken | null> {
    const { tx, command, now, marked } = attempt;
    const isPlaced = stored === null;
    const isSold = order.state === "paid";
    if (isPlaced || isSold) {
      marked.push(...partsOf(order));
      const limits = command.verb === "pay" ? command.limits : new Map();
      const isLate = before?.state === "expired";
      const step = (item: OrderItem): Promise<StepResult> =>
        isPlaced ? this.#parts.park(order, item, at, now) : this.#parts.sell(order, item, limits.get(item.sku) ?? 0, isLate, at, now);
      const results = await Promise.allSettled(order.items.map(step));
      for (const result of results) if (result.status === "rejected") throw result.reason;
      if (!results.every((result) => result.status === "fulfilled" && result.value === "done")) throw new Changed();
    }
    const partitions = [...new Set(order.items.map(({ sku }) => this.#partitions.of(sku)))];
    if (isPlaced) {
      const taken = await this.#relay.within(tx, partitions);
      await addOrder(tx, order);
      await this.#tell(tx, [eventOf(order)]);
      return taken;
    }
    await endOrder(tx, order, (stored as Order).state, toGiveBack(command, stored, order));
    const isLateNews = before?.state === "expired" && stored?.state === "payment-pending";
    await this.#tell(tx, isLateNews ? [eventOf(before), eventOf(order)] : [eventOf(order)]);
    if (!isSold) return null;
    const taken = await this.#relay.within(tx, partitions);
    await keepSold(tx, order);
    return taken;
  }
}

/** What Redis has to give back of an order that was unpaid until now, as far as Postgres knew. */
function toGiveBack(command: OrderCommand, stored: Order | null, order: Order): "free" | "held" | null {
  if (stored?.state !== "payment-pending" || order.state === "paid") return null;
  return command.verb === "cancel" ? command.to : "free";
}
