/**
 * A second opinion about the ledger, for tests only: a model that is as naive as can be, so that it is plainly right. It keeps lists of what
 * happened (`books.ts`) and adds them up whenever somebody asks. It shares nothing with `decide.ts`, so a mistake must be made twice, in two
 * different ways, before it goes unseen.
 */
import type { OrderId, Sku, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import type {
  CartLine,
  ChangeCommand,
  Command,
  FoundOrders,
  Goods,
  HoldCommand,
  HoldEvent,
  KeptReply,
  Key,
  LedgerEvent,
  LedgerRefusal,
  Line,
  Order,
  OrderRecord,
  OrderSearch,
  RecordCommand,
  Reply,
  SkuCommand,
  StockCommand,
} from "../ledger.ts";
import { Books, isOf, type OfUser } from "./books.ts";
import { applyToOrder } from "./orders.ts";

const SKUS_PER_USER_MAX = 1_000;

const no = (reason: Exclude<LedgerRefusal["reason"], "frozen" | "order-ended">): LedgerRefusal => ({ kind: "refused", reason });
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export class Oracle {
  readonly #books = new Books();
  readonly #kept: KeptReply[] = [];

  apply(command: Command, now: UnixMs): Reply {
    if ("orderId" in command) return applyToOrder(this.#books, command, now);
    const at = this.#books.timeOf(command.sku, now);
    return this.#books.watching([command.sku], at, () => this.#apply(command, at));
  }

  /** Everything that somebody should have heard of by now. */
  get events(): readonly LedgerEvent[] {
    return this.#books.events;
  }

  // --- Questions. Asking is also a look at the goods: whatever is seen to be over stays over. -------------------------------

  goods(sku: Sku, now: UnixMs): Goods | null {
    this.#books.timeOf(sku, now);
    const shelf = this.#books.shelfOf(sku);
    if (!shelf) return null;
    const onHand = this.#books.onHand(shelf);
    const { stocked, priceCents } = shelf;
    return {
      sku,
      onHand,
      frozen: this.#books.frozen(sku),
      pending: this.#books.unpaid(sku),
      sold: this.#books.sold(sku),
      stocked,
      priceCents,
      clock: Math.max(...shelf.moments),
    };
  }

  line(of: OfUser, now: UnixMs): Line {
    this.#books.timeOf(of.sku, now);
    const hold = this.#books.holdOf(of);
    return {
      held: hold?.quantity ?? 0,
      heldUntil: hold?.until ?? 0,
      pending: this.#books.pending(of),
      ordered: this.#books.ordered(of),
      userLevel: this.#books.levels.find(isOf(of))?.userLevel ?? null,
    };
  }

  cart(userId: UserId, now: UnixMs): CartLine[] {
    for (const { sku } of this.#books.shelves) this.#books.timeOf(sku, now);
    const holds = this.#books.holds.filter((hold) => hold.userId === userId);
    return holds.map(({ sku, quantity, until, sessionId }) => ({ sku, userId, quantity, heldUntil: until, sessionId }));
  }

  order(orderId: OrderId, now: UnixMs): Order | null {
    const paper = this.#books.paperOf(orderId);
    if (paper?.order.state === "payment-pending") for (const { sku } of paper.order.items) this.#books.timeOf(sku, now);
    return paper?.order ?? null;
  }

  ordersOf(userId: UserId, after: OrderId | null, limit: number, now: UnixMs): Order[] {
    const ids = this.#books.papers.flatMap(({ order }) => (order.userId === userId ? [order.orderId] : [])).reverse();
    const orders = ids.flatMap((orderId) => this.order(orderId, now) ?? []);
    return orders.slice(after === null ? 0 : orders.findIndex(({ orderId }) => orderId === after) + 1).slice(0, limit);
  }

  findOrders({ state, isPaidLate, after, limit, passedMax }: OrderSearch, now: UnixMs): FoundOrders {
    // Somebody who only looks makes no time pass.
    const shown = (order: Order): Order =>
      order.state === "payment-pending" && now >= order.payUntil ? { ...order, state: "expired", since: order.payUntil } : order;
    const all = this.#books.papers.map(({ order }) => shown(order)).reverse();
    const position = after === null ? -1 : all.findIndex(({ orderId }) => orderId === after);
    const behind = after !== null && position < 0 ? [] : all.slice(position + 1);
    const isLate = ({ payment, since, payUntil }: Order): boolean => payment !== null && since >= payUntil;
    const fits = (order: Order): boolean => (state === null || order.state === state) && (isLate(order) || !isPaidLate);
    const found = behind.slice(0, passedMax).filter(fits);
    const next = found.length >= limit ? found[limit - 1] : behind[passedMax - 1];
    return { orders: found.slice(0, limit), next: next?.orderId ?? null };
  }

  listGoods(after: Sku | null, limit: number, now: UnixMs): Goods[] {
    const skus = this.#books.shelves.map(({ sku }) => sku).sort(byBytes);
    const behind = skus.filter((sku) => after === null || byBytes(sku, after) > 0);
    return behind.slice(0, limit).flatMap((sku) => this.goods(sku, now) ?? []);
  }

  listRecords(after: OfUser | null, limit: number): OrderRecord[] {
    const records = this.#books.levels.map(({ sku, userId, userLevel }) => ({
      userId,
      sku,
      userLevel,
      ordered: this.#books.ordered({ sku, userId }),
    }));
    const inOrder = (a: OfUser, b: OfUser): number => byBytes(a.userId, b.userId) || byBytes(a.sku, b.sku);
    return records
      .sort(inOrder)
      .filter((record) => after === null || inOrder(record, after) > 0)
      .slice(0, limit);
  }

  recall({ text }: Pick<Key, "text">): KeptReply | null {
    return this.#kept.find(({ key }) => key.text === text) ?? null;
  }

  remember(reply: KeptReply): KeptReply {
    const first = this.recall(reply.key);
    if (!first) this.#kept.push(reply);
    return first ?? reply;
  }

  // --- The verbs -----------------------------------------------------------------------------------------------------------

  #apply(command: SkuCommand, at: UnixMs): Reply {
    switch (command.verb) {
      case "stock":
        return this.#stock(command, at);
      case "hold":
        return this.#holdOnce(command, at);
      case "change":
        return this.#change(command, at);
      case "release":
        return this.#release(command, at);
      case "expire":
        return { kind: "expired" };
      case "record":
        return this.#record(command);
    }
  }

  #stock(command: StockCommand, at: UnixMs): Reply {
    const { sku } = command;
    const shelf = this.#books.shelfOf(sku);
    const frozen = this.#books.frozen(sku);
    if (command.mode === "remove") {
      if (frozen > 0) return { kind: "refused", reason: "frozen", onHandMin: frozen };
      this.#books.shelves = this.#books.shelves.filter((other) => other !== shelf);
      this.#books.sales = this.#books.sales.filter((sale) => sale.sku !== sku);
      return { kind: "removed" };
    }
    if (!shelf && command.mode === "update") return no("unknown-goods");
    if (command.onHand < frozen) return { kind: "refused", reason: "frozen", onHandMin: frozen };
    const { priceCents } = command;
    const stocked = command.onHand + this.#books.sold(sku);
    if (shelf) Object.assign(shelf, { stocked, priceCents });
    else this.#books.shelves.push({ sku, stocked, priceCents, moments: [] });
    this.#books.happened(sku, at);
    return { kind: "stocked", goods: this.goods(sku, at) as Goods };
  }

  /** A key answers once; whatever it hears, it hears again, unless it came before the start. */
  #holdOnce(command: HoldCommand, at: UnixMs): Reply {
    const { key, sku, sessionId, frozenForMs } = command;
    if (!key) return this.#hold(command, at);
    const first = this.recall(key);
    if (first?.kind === "purchase" && first.key.fingerprint === key.fingerprint) return { kind: "repeated", reply: first };
    if (first) return no("key-reused");
    const reply = this.#hold(command, at);
    const isHeld = reply.kind === "held";
    const reason = reply.kind === "refused" ? reply.reason : null;
    if (reason === "not-started") return reply;
    this.#kept.push({
      kind: "purchase",
      key,
      sessionId,
      step: "cart",
      reason,
      sku,
      quantity: isHeld ? reply.quantity : command.quantity,
      heldUntil: isHeld ? reply.heldUntil : 0,
      frozenForMs,
    });
    return reply;
  }

  #hold(command: HoldCommand, at: UnixMs): Reply {
    const { sku, userId, quantity, limit, sessionId, opensAt, closesAt } = command;
    if (!this.#books.shelfOf(sku)) return no("unknown-goods");
    if (opensAt !== 0 && at < opensAt) return no("not-started");
    if (closesAt !== 0 && closesAt <= at) return no("ended");
    if (limit !== 0 && this.#books.everything(command) + quantity > limit) return no("limit-reached");
    const skus = this.#books.skusOf(userId, at);
    if (!skus.includes(sku) && skus.length >= SKUS_PER_USER_MAX) return no("limit-reached");
    if (this.#books.free(sku) < quantity) return no("sold-out");
    const hold = this.#books.holdOf(command);
    if (hold) hold.quantity += quantity;
    else {
      this.#books.holds.push({ sku, userId, quantity, until: at + command.frozenForMs, sessionId });
      this.#books.purchases.push({ sku, userId, sessionId });
    }
    this.#books.happened(sku, at);
    this.#tellOfHold(hold ? "hold.changed" : "hold.created", command, at);
    return this.#heldReply(command);
  }

  #change(command: ChangeCommand, at: UnixMs): Reply {
    const { sku, quantity, limit } = command;
    if (!this.#books.shelfOf(sku)) return no("unknown-goods");
    const hold = this.#books.holdOf(command);
    if (!hold) return no("no-hold");
    const isMore = quantity > hold.quantity;
    // A user's own hold is put back on the shelf in thought before it is asked whether the new one fits.
    if (isMore && limit !== 0 && this.#books.everything(command) - hold.quantity + quantity > limit) return no("limit-reached");
    if (isMore && this.#books.free(sku) + hold.quantity < quantity) return no("sold-out");
    const isAnother = quantity !== hold.quantity;
    hold.quantity = quantity;
    this.#books.happened(sku, at);
    if (isAnother) this.#tellOfHold("hold.changed", command, at);
    return this.#heldReply(command);
  }

  #release(of: OfUser, at: UnixMs): Reply {
    const hold = this.#books.holdOf(of);
    if (!hold) return no("no-hold");
    const { sku, userId } = of;
    this.#books.dropHold(of);
    this.#books.happened(sku, at);
    this.#books.tell({ type: "hold.released", at, sku, userId, quantity: hold.quantity });
    return { kind: "released", quantity: hold.quantity };
  }

  #record(command: RecordCommand): Reply {
    const { sku, userId, mode } = command;
    const isKnown = this.#books.levels.some(isOf(command));
    if (mode === "update" && !isKnown) return no("no-record");
    const isOther = (thing: OfUser): boolean => !isOf(command)(thing);
    this.#books.possessions = this.#books.possessions.filter(isOther);
    this.#books.levels = this.#books.levels.filter(isOther);
    if (mode === "remove") return { kind: "removed" };
    this.#books.possessions.push({ sku, userId, quantity: command.ordered });
    this.#books.levels.push({ sku, userId, userLevel: command.userLevel });
    return { kind: "recorded", line: this.line(command, 0) };
  }

  #heldReply(of: OfUser): Reply {
    const { held, heldUntil } = this.line(of, 0);
    return { kind: "held", quantity: held, heldUntil };
  }

  #tellOfHold(type: HoldEvent["type"], command: HoldCommand | ChangeCommand, at: UnixMs): void {
    const { sku, userId } = command;
    const { held, heldUntil } = this.line(command, 0);
    const sessionId = command.verb === "hold" ? command.sessionId : null;
    this.#books.tell({ type, at, sku, userId, sessionId, quantity: held, heldUntil });
  }
}
