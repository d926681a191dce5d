/**
 * A second opinion about the ledger, for tests only: a model that is as naive as can be, so that it is plainly right. It keeps lists of what
 * happened and adds them up whenever somebody asks; it has no counters, no indexes and no sweeper. It shares nothing with `decide.ts`, so a
 * mistake must be made twice, in two different ways, before it goes unseen.
 */
import type { SessionId, Sku, UserId } from "../core/ids.ts";
import type { Cents } from "../core/money.ts";
import type { UnixMs } from "../core/time.ts";
import type {
  CancelCommand,
  CartLine,
  ChangeCommand,
  Command,
  Goods,
  HoldCommand,
  KeptReply,
  Key,
  LedgerRefusal,
  Line,
  Order,
  OrderRecord,
  OrderState,
  PayCommand,
  PlaceCommand,
  RecordCommand,
  Reply,
  StockCommand,
} from "./ledger.ts";

/** Something of one user and one SKU. */
interface OfUser {
  readonly sku: Sku;
  readonly userId: UserId;
}
/** Goods in the window. What is left of them is `stocked` less everything sold. */
interface Shelf {
  readonly sku: Sku;
  stocked: number;
  priceCents: Cents;
  /** Every moment at which something about these goods happened. */
  readonly moments: UnixMs[];
}
/** One user's hold of one SKU. */
interface Hold extends OfUser {
  quantity: number;
  until: UnixMs;
  readonly sessionId: SessionId;
}
/** An order; what is written on it changes. */
interface Paper {
  order: Order;
}
/** A purchase that began a hold. */
interface Purchase extends OfUser {
  readonly sessionId: SessionId;
}
interface Sale {
  readonly sku: Sku;
  readonly quantity: number;
}
/** Something a user has, bought or written down by an operator. */
interface Possession extends OfUser {
  readonly quantity: number;
}
interface Level extends OfUser {
  readonly userLevel: number;
}

const HOUR_MS = 3_600_000;
const SKUS_PER_USER_MAX = 1_000;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
const no = (reason: Exclude<LedgerRefusal["reason"], "frozen" | "order-ended">): LedgerRefusal => ({ kind: "refused", reason });
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const isOf =
  ({ sku, userId }: OfUser) =>
  (thing: OfUser): boolean =>
    thing.sku === sku && thing.userId === userId;

export class Oracle {
  #shelves: Shelf[] = [];
  #holds: Hold[] = [];
  #papers: Paper[] = [];
  #sales: Sale[] = [];
  #possessions: Possession[] = [];
  #levels: Level[] = [];
  readonly #purchases: Purchase[] = [];
  readonly #kept: KeptReply[] = [];

  apply(command: Command, now: UnixMs): Reply {
    const at = this.#timeOf(command.sku, now);
    switch (command.verb) {
      case "stock":
        return this.#stock(command, at);
      case "hold":
        return this.#holdOnce(command, at);
      case "change":
        return this.#change(command, at);
      case "release":
        return this.#release(command, at);
      case "place":
        return this.#place(command, at);
      case "pay":
        return this.#pay(command, at);
      case "cancel":
        return this.#cancel(command, at);
      case "expire":
        return { kind: "expired" };
      case "record":
        return this.#record(command);
    }
  }

  // --- Questions. Asking is also a look at the goods: whatever is seen to be over stays over. -------------------------------

  goods(sku: Sku, now: UnixMs): Goods | null {
    this.#timeOf(sku, now);
    const shelf = this.#shelfOf(sku);
    if (!shelf) return null;
    const onHand = this.#onHand(shelf);
    const { stocked, priceCents } = shelf;
    return { sku, onHand, frozen: this.#frozen(sku), sold: this.#sold(sku), stocked, priceCents, clock: Math.max(...shelf.moments) };
  }

  line(of: OfUser, now: UnixMs): Line {
    this.#timeOf(of.sku, now);
    const hold = this.#holds.find(isOf(of));
    return {
      held: hold?.quantity ?? 0,
      heldUntil: hold?.until ?? 0,
      pending: this.#pending(of),
      ordered: this.#ordered(of),
      userLevel: this.#levels.find(isOf(of))?.userLevel ?? null,
    };
  }

  cart(userId: UserId, now: UnixMs): CartLine[] {
    for (const { sku } of this.#shelves) this.#timeOf(sku, now);
    const holds = this.#holds.filter((hold) => hold.userId === userId);
    return holds.map(({ sku, quantity, until, sessionId }) => ({ sku, userId, quantity, heldUntil: until, sessionId }));
  }

  order(orderId: string, sku: Sku, now: UnixMs): Order | null {
    this.#timeOf(sku, now);
    return this.#paperOf(orderId, sku)?.order ?? null;
  }

  listGoods(after: Sku | null, limit: number, now: UnixMs): Goods[] {
    const skus = this.#shelves.map(({ sku }) => sku).sort(byBytes);
    const behind = skus.filter((sku) => after === null || byBytes(sku, after) > 0);
    return behind.slice(0, limit).flatMap((sku) => this.goods(sku, now) ?? []);
  }

  listRecords(after: OfUser | null, limit: number): OrderRecord[] {
    const records = this.#levels.map(({ sku, userId, userLevel }) => ({ userId, sku, userLevel, ordered: this.#ordered({ sku, userId }) }));
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

  #stock(command: StockCommand, at: UnixMs): Reply {
    const { sku } = command;
    const shelf = this.#shelfOf(sku);
    const frozen = this.#frozen(sku);
    if (command.mode === "remove") {
      if (frozen > 0) return { kind: "refused", reason: "frozen", onHandMin: frozen };
      this.#shelves = this.#shelves.filter((other) => other !== shelf);
      this.#sales = this.#sales.filter((sale) => sale.sku !== sku);
      return { kind: "removed" };
    }
    if (!shelf && command.mode === "update") return no("unknown-goods");
    if (command.onHand < frozen) return { kind: "refused", reason: "frozen", onHandMin: frozen };
    const { priceCents } = command;
    const stocked = command.onHand + this.#sold(sku);
    if (shelf) Object.assign(shelf, { stocked, priceCents });
    else this.#shelves.push({ sku, stocked, priceCents, moments: [] });
    this.#happened(sku, at);
    return { kind: "stocked", goods: this.goods(sku, at) as Goods };
  }

  /** A key answers once; whatever it hears, it hears again. */
  #holdOnce(command: HoldCommand, at: UnixMs): Reply {
    const { key, sku, sessionId, frozenForMs } = command;
    if (!key) return this.#hold(command, at);
    const first = this.recall(key);
    if (first) return first.key.fingerprint === key.fingerprint ? { kind: "repeated", reply: first } : no("key-reused");
    const reply = this.#hold(command, at);
    const isHeld = reply.kind === "held";
    const reason = reply.kind === "refused" ? reply.reason : null;
    this.#kept.push({
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
    const { sku, userId, quantity, limit, sessionId } = command;
    const shelf = this.#shelfOf(sku);
    if (!shelf) return no("unknown-goods");
    if (limit !== 0 && this.#everything(command) + quantity > limit) return no("limit-reached");
    const skus = this.#skusOf(userId, at);
    if (!skus.includes(sku) && skus.length >= SKUS_PER_USER_MAX) return no("limit-reached");
    if (this.#free(shelf) < quantity) return no("sold-out");
    const hold = this.#holds.find(isOf(command));
    if (hold) hold.quantity += quantity;
    else {
      this.#holds.push({ sku, userId, quantity, until: at + command.frozenForMs, sessionId });
      this.#purchases.push({ sku, userId, sessionId });
    }
    this.#happened(sku, at);
    return this.#heldReply(command);
  }

  #change(command: ChangeCommand, at: UnixMs): Reply {
    const { sku, quantity, limit } = command;
    const shelf = this.#shelfOf(sku);
    if (!shelf) return no("unknown-goods");
    const hold = this.#holds.find(isOf(command));
    if (!hold) return no("no-hold");
    const isMore = quantity > hold.quantity;
    // A user's own hold is put back on the shelf in thought before it is asked whether the new one fits.
    if (isMore && limit !== 0 && this.#everything(command) - hold.quantity + quantity > limit) return no("limit-reached");
    if (isMore && this.#free(shelf) + hold.quantity < quantity) return no("sold-out");
    hold.quantity = quantity;
    this.#happened(sku, at);
    return this.#heldReply(command);
  }

  #release(of: OfUser, at: UnixMs): Reply {
    const hold = this.#holds.find(isOf(of));
    if (!hold) return no("no-hold");
    this.#holds = this.#holds.filter((other) => other !== hold);
    this.#happened(of.sku, at);
    return { kind: "released", quantity: hold.quantity };
  }

  #place(command: PlaceCommand, at: UnixMs): Reply {
    const { orderId, sku, userId, windowMs } = command;
    const paper = this.#paperOf(orderId, sku);
    if (paper) return paper.order.userId === userId ? { kind: "order", order: paper.order } : no("key-reused");
    if (!this.#shelfOf(sku)) return no("unknown-goods");
    const hold = this.#holds.find(isOf(command));
    if (!hold) return no("no-hold");
    const { quantity, until: heldUntil } = hold;
    const payUntil = at + Math.min(windowMs, HOUR_MS);
    const order: Order = { orderId, sku, userId, quantity, state: "payment-pending", payUntil, heldUntil, since: at };
    this.#holds = this.#holds.filter((other) => other !== hold);
    this.#papers.push({ order });
    this.#happened(sku, at);
    return { kind: "order", order };
  }

  #pay({ orderId, sku, limit }: PayCommand, at: UnixMs): Reply {
    const paper = this.#paperOf(orderId, sku);
    if (!paper) return no("unknown-order");
    const { state, quantity } = paper.order;
    if (state === "paid" || state === "refund-due") return { kind: "order", order: paper.order };
    if (state === "cancelled") return this.#end(paper, "refund-due", at);
    const shelf = this.#shelfOf(sku);
    if (state === "expired") {
      const isWithinLimit = limit === 0 || this.#everything(paper.order) + quantity <= limit;
      if (!shelf || !isWithinLimit || this.#free(shelf) < quantity) return this.#end(paper, "refund-due", at);
    }
    this.#sales.push({ sku, quantity });
    this.#possessions.push({ sku, userId: paper.order.userId, quantity });
    if (!this.#levels.some(isOf(paper.order))) this.#levels.push({ sku, userId: paper.order.userId, userLevel: 0 });
    this.#happened(sku, at);
    return this.#end(paper, "paid", at);
  }

  #cancel({ orderId, sku, to }: CancelCommand, at: UnixMs): Reply {
    const paper = this.#paperOf(orderId, sku);
    if (!paper) return no("unknown-order");
    const { order } = paper;
    if (order.state === "cancelled") return { kind: "order", order };
    if (order.state !== "payment-pending") return { kind: "refused", reason: "order-ended", state: order.state };
    if (to === "held" && order.heldUntil > at) {
      const hold = this.#holds.find(isOf(order));
      if (hold) Object.assign(hold, { quantity: hold.quantity + order.quantity, until: Math.min(hold.until, order.heldUntil) });
      else
        this.#holds.push({
          sku,
          userId: order.userId,
          quantity: order.quantity,
          until: order.heldUntil,
          sessionId: this.#sessionOf(order),
        });
    }
    this.#happened(sku, at);
    return this.#end(paper, "cancelled", at);
  }

  #record(command: RecordCommand): Reply {
    const { sku, userId, mode } = command;
    const isKnown = this.#levels.some(isOf(command));
    if (mode === "update" && !isKnown) return no("no-record");
    const isOther = (thing: OfUser): boolean => !isOf(command)(thing);
    this.#possessions = this.#possessions.filter(isOther);
    this.#levels = this.#levels.filter(isOther);
    if (mode === "remove") return { kind: "removed" };
    this.#possessions.push({ sku, userId, quantity: command.ordered });
    this.#levels.push({ sku, userId, userLevel: command.userLevel });
    return { kind: "recorded", line: this.line(command, 0) };
  }

  // --- Sums ----------------------------------------------------------------------------------------------------------------

  #shelfOf = (sku: Sku): Shelf | undefined => this.#shelves.find((shelf) => shelf.sku === sku);
  #paperOf = (orderId: string, sku: Sku): Paper | undefined =>
    this.#papers.find(({ order }) => order.orderId === orderId && order.sku === sku);
  #sold = (sku: Sku): number => sum(this.#sales.filter((sale) => sale.sku === sku).map(({ quantity }) => quantity));
  #onHand = (shelf: Shelf): number => shelf.stocked - this.#sold(shelf.sku);
  #free = (shelf: Shelf): number => this.#onHand(shelf) - this.#frozen(shelf.sku);
  #ordered = (of: OfUser): number => sum(this.#possessions.filter(isOf(of)).map(({ quantity }) => quantity));
  #unpaid = (): Order[] => this.#papers.map(({ order }) => order).filter(({ state }) => state === "payment-pending");
  #pending = (of: OfUser): number =>
    sum(
      this.#unpaid()
        .filter(isOf(of))
        .map(({ quantity }) => quantity),
    );

  /** A hold that comes back names the latest purchase that began one. */
  #sessionOf(of: OfUser): SessionId {
    return (this.#purchases.filter(isOf(of)).at(-1) as Purchase).sessionId;
  }

  #frozen(sku: Sku): number {
    return sum([...this.#holds, ...this.#unpaid()].filter((part) => part.sku === sku).map(({ quantity }) => quantity));
  }

  /** Whatever counts against a limit: paid, unpaid and frozen. */
  #everything(of: OfUser): number {
    const held = sum(this.#holds.filter(isOf(of)).map(({ quantity }) => quantity));
    return held + this.#pending(of) + this.#ordered(of);
  }

  /** The SKUs of which this user has anything at `at`. */
  #skusOf(userId: UserId, at: UnixMs): Sku[] {
    const holds = this.#holds.filter(({ until }) => until > at);
    const unpaid = this.#unpaid().filter(({ payUntil }) => payUntil > at);
    const things: OfUser[] = [...holds, ...unpaid, ...this.#possessions, ...this.#levels];
    return [...new Set(things.filter((thing) => thing.userId === userId).map(({ sku }) => sku))];
  }

  #heldReply(of: OfUser): Reply {
    const { held, heldUntil } = this.line(of, 0);
    return { kind: "held", quantity: held, heldUntil };
  }

  #end(paper: Paper, state: OrderState, since: UnixMs): Reply {
    paper.order = { ...paper.order, state, since };
    return { kind: "order", order: paper.order };
  }

  // --- Time ----------------------------------------------------------------------------------------------------------------

  #happened(sku: Sku, at: UnixMs): void {
    this.#shelfOf(sku)?.moments.push(at);
  }

  /** What time it is for these goods; whatever is over by then is struck off the lists. Their time never goes back. */
  #timeOf(sku: Sku, now: UnixMs): UnixMs {
    const shelf = this.#shelfOf(sku);
    const at = Math.max(now, ...(shelf?.moments ?? []));
    const isOver = (hold: Hold): boolean => hold.sku === sku && hold.until <= at;
    const overdue = this.#papers.filter(({ order }) => order.sku === sku && order.state === "payment-pending" && order.payUntil <= at);
    if (overdue.length > 0 || this.#holds.some(isOver)) this.#happened(sku, at);
    for (const paper of overdue) this.#end(paper, "expired", paper.order.payUntil);
    this.#holds = this.#holds.filter((hold) => !isOver(hold));
    return at;
  }
}
