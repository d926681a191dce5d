/**
 * The embedded ledger: all records in memory, decided one after the other on one thread, made durable by a journal that commits once per turn
 * of the event loop. A reply leaves after its commit. If a commit fails, what is in memory and not on disk was never acknowledged, and the
 * journal refuses everything from then on.
 *
 * On disk a hold past its deadline may still have its row: it is dead by the SKU's own clock, which is saved with every change of the goods,
 * and a sweeper removes the row later.
 */
import { assert } from "../../core/assert.ts";
import type { OrderId, Sku, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import {
  KEPT_BODY_CHARS_MAX,
  LINES_PER_USER_MAX,
  ORDER_KEPT_MS,
  REPLIES_MAX,
  REPLY_KEPT_MS,
  SWEEP_ROWS_PER_TURN,
  SWEEP_SKUS_PER_TICK,
} from "../../limits.ts";
import { decide as decideForReal } from "../decide.ts";
import { decideOrder as decideOrderForReal, itemsAsked } from "../decide-order.ts";
import { type Changes, isEmptyLine, ledgerTime, type OrderChanges, type OrderPart } from "../decision.ts";
import { hasSoldOut, holdEvent } from "../hold-event.ts";
import type {
  CancelCommand,
  CartLine,
  ChangeCommand,
  ExpireCommand,
  ExpireReply,
  FoundOrders,
  Goods,
  HeldGoods,
  HoldCommand,
  HoldReply,
  KeptReply,
  Key,
  Ledger,
  Line,
  Order,
  OrderCommand,
  OrderItem,
  OrderRecord,
  OrderReply,
  OrderSearch,
  PayCommand,
  Payment,
  PlaceCommand,
  RecordCommand,
  RecordReply,
  ReleaseCommand,
  ReleaseReply,
  Reply,
  SkuCommand,
  StockCommand,
  StockReply,
} from "../ledger.ts";
import type { Journal } from "./journal.ts";
import { KeptReplies } from "./kept-replies.ts";
import { type LineId, NO_LINE } from "./line-table.ts";
import type { Emit } from "./order-book.ts";
import { type LineOfUser, Shelves } from "./shelves.ts";

export interface EmbeddedLedgerOptions {
  /** Another decision than the real one, for tests that must catch it. */
  readonly decide?: typeof decideForReal;
  readonly decideOrder?: typeof decideOrderForReal;
  /** Hears every event inside the turn that saves what it tells of; what it saves in the same file is durable together with that. */
  readonly emit?: Emit;
  readonly repliesMax?: number;
}

export class EmbeddedLedger implements Ledger {
  readonly #journal: Journal;
  readonly #decide: typeof decideForReal;
  readonly #decideOrder: typeof decideOrderForReal;
  readonly #emit: Emit | null;
  readonly #shelves: Shelves;
  readonly #replies: KeptReplies;

  /** Rebuilds the memory from the journal. Throws `BrokenInvariant` when the saved records contradict each other. */
  constructor(journal: Journal, options: EmbeddedLedgerOptions = {}) {
    this.#journal = journal;
    this.#decide = options.decide ?? decideForReal;
    this.#decideOrder = options.decideOrder ?? decideOrderForReal;
    this.#emit = options.emit ?? null;
    this.#shelves = new Shelves(journal, this.#emit);
    this.#replies = new KeptReplies(journal, options.repliesMax ?? REPLIES_MAX);
    journal.restore({
      goods: (goods) => this.#shelves.restoreGoods(goods),
      line: (rowId, sku, userId, line, at) => this.#shelves.restoreLine(rowId, sku, userId, line, at),
      order: (saved) => this.#shelves.restoreOrder(saved),
      replies: (row, hashes) => this.#replies.restore(row, hashes),
    });
    this.#shelves.finishRestore();
    journal.beforeCommit(() => {
      this.#shelves.saveGoods();
      this.#replies.save();
    });
  }

  stock(commands: readonly StockCommand[], now: UnixMs): Promise<readonly StockReply[]> {
    return this.#run(commands, now);
  }
  hold(commands: readonly HoldCommand[], now: UnixMs): Promise<readonly HoldReply[]> {
    return this.#run(commands, now);
  }
  change(commands: readonly ChangeCommand[], now: UnixMs): Promise<readonly HoldReply[]> {
    return this.#run(commands, now);
  }
  release(commands: readonly ReleaseCommand[], now: UnixMs): Promise<readonly ReleaseReply[]> {
    return this.#run(commands, now);
  }
  place(commands: readonly PlaceCommand[], now: UnixMs): Promise<readonly OrderReply[]> {
    return this.#runOrders(commands, now);
  }
  pay(commands: readonly PayCommand[], now: UnixMs): Promise<readonly OrderReply[]> {
    return this.#runOrders(commands, now);
  }
  cancel(commands: readonly CancelCommand[], now: UnixMs): Promise<readonly OrderReply[]> {
    return this.#runOrders(commands, now);
  }
  expire(commands: readonly ExpireCommand[], now: UnixMs): Promise<readonly ExpireReply[]> {
    return this.#run(commands, now);
  }
  record(commands: readonly RecordCommand[], now: UnixMs): Promise<readonly RecordReply[]> {
    return this.#run(commands, now);
  }

  recall(keys: readonly Key[], now: UnixMs): readonly (KeptReply | null)[] {
    this.#replies.seen(now);
    return keys.map((key) => this.#replies.find(key.text));
  }

  async remember(replies: readonly KeptReply[], now: UnixMs): Promise<readonly (KeptReply | null)[]> {
    for (const reply of replies) assert(reply.kind === "purchase" || reply.body.length <= KEPT_BODY_CHARS_MAX, "a kept body has its bound");
    return this.#journal.turn(() => {
      this.#replies.seen(now);
      return replies.map(
        (reply) =>
          this.#replies.find(reply.key.text) ?? (this.#replies.hasRoom(reply.key.text, isBounded(reply)) ? this.#replies.add(reply) : null),
      );
    });
  }

  goods(skus: readonly Sku[], now: UnixMs): readonly (Goods | null)[] {
    return skus.map((sku) => this.#shelves.goodsAt(sku, now));
  }

  lines(of: readonly { readonly userId: UserId; readonly sku: Sku }[], now: UnixMs): readonly Line[] {
    return of.map(({ userId, sku }) => {
      this.#shelves.goodsAt(sku, now);
      return this.#shelves.lineOf(this.#shelves.find(userId, sku));
    });
  }

  glanceAtGoods(wanted: readonly { readonly sku: Sku }[], now: UnixMs): readonly (Goods | null)[] {
    return wanted.map(({ sku }) => this.#shelves.goodsAt(sku, now));
  }

  glanceAtLines(of: readonly { readonly userId: UserId; readonly sku: Sku }[], now: UnixMs): readonly Line[] {
    return this.lines(of, now);
  }

  held(userId: UserId, now: UnixMs): readonly HeldGoods[] {
    return this.#holdsOf(userId, now).map(({ sku, line }) => ({ sku, quantity: line.held, heldUntil: line.heldUntil }));
  }

  cart(userId: UserId, now: UnixMs): readonly CartLine[] {
    return this.#holdsOf(userId, now).map(({ sku, rowId, line }) => {
      const sessionId = this.#journal.sessionOf(rowId);
      assert(sessionId !== null, "a live hold names the purchase that made it");
      return { sku, userId, quantity: line.held, heldUntil: line.heldUntil, sessionId };
    });
  }

  order(orderId: OrderId, now: UnixMs): Order | null {
    const { orders } = this.#shelves;
    const order = orders.find(orderId);
    if (order?.state !== "payment-pending") return order;
    for (const { sku } of order.items) this.#shelves.goodsAt(sku, now);
    return orders.find(orderId);
  }

  orderPaidWith({ provider, paymentId }: Pick<Payment, "provider" | "paymentId">): OrderId | null {
    return this.#journal.orderPaidWith(provider, paymentId);
  }

  ordersOf(userId: UserId, after: OrderId | null, limit: number, now: UnixMs): readonly Order[] {
    // Behind an order that there is not, there is nothing.
    if (after !== null && this.#shelves.orders.find(after)?.userId !== userId) return [];
    return this.#journal
      .ordersOf(userId, after, limit)
      .map((saved) => (saved.state === "payment-pending" ? (this.order(saved.orderId, now) ?? saved) : saved));
  }

  findOrders(search: OrderSearch, now: UnixMs): FoundOrders {
    return this.#journal.findOrders(search, now);
  }

  listGoods(after: Sku | null, limit: number, now: UnixMs): readonly Goods[] {
    return this.#journal.listSkus(after, limit).flatMap((sku) => this.#shelves.goodsAt(sku, now) ?? []);
  }

  countGoods(): number {
    return this.#shelves.size;
  }

  listRecords(after: { readonly userId: UserId; readonly sku: Sku } | null, limit: number): readonly OrderRecord[] {
    return this.#journal.listRecords(after, limit).flatMap(({ userId, sku }) => {
      const line = this.#shelves.lineOf(this.#shelves.find(userId, sku));
      return line.userLevel !== null ? { userId, sku, userLevel: line.userLevel, ordered: line.ordered } : [];
    });
  }

  /** How much there is, for the metrics. */
  get counts(): { readonly skus: number; readonly users: number; readonly endedRows: number } {
    return { skus: this.#shelves.size, users: this.#shelves.users, endedRows: this.#shelves.endedRows };
  }

  /**
   * One tick of the sweeper: ends what is due and removes the rows of what has ended, a bounded amount of each. Resolves with whether there
   * is more to do at once. Nothing else depends on it.
   */
  async sweep(now: UnixMs): Promise<boolean> {
    const isMoreDue = this.#shelves.expireSome(now, SWEEP_SKUS_PER_TICK, SWEEP_ROWS_PER_TURN);
    if (this.#shelves.endedRows === 0 && !this.#replies.hasOutdated(now - REPLY_KEPT_MS)) return false;
    return this.#journal.turn(() => {
      const rows = this.#shelves.removeEnded(SWEEP_ROWS_PER_TURN);
      const replyRows = this.#replies.removeOutdated(now - REPLY_KEPT_MS, SWEEP_ROWS_PER_TURN);
      const orders = this.#journal.removeSomeOrders(now - ORDER_KEPT_MS, SWEEP_ROWS_PER_TURN);
      return isMoreDue || [rows, replyRows, orders].includes(SWEEP_ROWS_PER_TURN);
    });
  }

  #run<R extends Reply>(commands: readonly SkuCommand[], now: UnixMs): Promise<readonly R[]> {
    // A verb's decision gives that verb's replies.
    return this.#journal.turn(() => commands.map((command) => this.#decideOne(command, now) as R), commands.length > 1);
  }

  #runOrders(commands: readonly OrderCommand[], now: UnixMs): Promise<readonly OrderReply[]> {
    return this.#journal.turn(() => commands.map((command) => this.#decideOneOrder(command, now)), commands.length > 1);
  }

  #decideOne(command: SkuCommand, now: UnixMs): Reply {
    const goods = this.#shelves.goodsAt(command.sku, now);
    const at = ledgerTime(goods, now);
    this.#replies.seen(now);
    const userId = "userId" in command ? command.userId : null;
    const found = userId === null ? NO_LINE : this.#shelves.find(userId, command.sku);
    const linesWalked = userId === null ? 0 : this.#shelves.linesWalked;
    const key = command.verb === "hold" ? command.key : null;
    const kept = key && this.#replies.find(key.text);
    if (key && !kept && !this.#replies.hasRoom(key.text, false)) return { kind: "refused", reason: "no-room-for-key" };

    // The lines were counted in passing; only where the bound is near is it worth asking which of them are alive.
    const userLines = userId !== null && linesWalked >= LINES_PER_USER_MAX ? this.#liveLinesOf(userId, now) : linesWalked;
    const line = this.#shelves.lineOf(found);
    const view = { goods, line, kept, userLines, skus: this.#shelves.size };
    const { reply, changes } = this.#decide(view, command, at);
    // A refusal that cannot be kept is not told: asked again, it might turn into a purchase.
    if (changes.kept && isBounded(changes.kept) && !this.#replies.hasRoom(changes.kept.key.text, true))
      return { kind: "refused", reason: "no-room-for-key" };
    this.#apply(changes, command, userId, found);
    if (this.#emit) this.#tellOf(command, goods, line, changes, at, this.#emit);
    return reply;
  }

  /** The list of a user's lines is newest first; a cart reads oldest first. */
  #holdsOf(userId: UserId, now: UnixMs): readonly LineOfUser[] {
    return [...this.#shelves.linesOf(userId, now)].filter(({ line }) => line.held > 0).reverse();
  }

  #liveLinesOf(userId: UserId, now: UnixMs): number {
    let live = 0;
    for (const { line } of this.#shelves.linesOf(userId, now)) live += isEmptyLine(line) ? 0 : 1;
    return live;
  }

  #apply(changes: Changes, command: SkuCommand, userId: UserId | null, found: LineId): void {
    const isHold = command.verb === "hold";
    if (changes.goods !== undefined) this.#shelves.setGoods(command.sku, changes.goods, !isHold);
    if (changes.line !== undefined) {
      assert(userId !== null, "a line belongs to a user");
      this.#shelves.setLine(command.sku, userId, found, changes.line, isHold ? command.sessionId : null);
    }
    if (changes.kept !== undefined) this.#replies.add(changes.kept);
  }

  #tellOf(command: SkuCommand, goods: Goods | null, line: Line, changes: Changes, at: UnixMs, emit: Emit): void {
    const { verb, sku } = command;
    if (changes.line && (verb === "hold" || verb === "change" || verb === "release")) {
      const sessionId = verb === "hold" ? command.sessionId : null;
      const event = holdEvent(verb, line, changes.line, sku, command.userId, sessionId, at);
      if (event) emit(event);
    }
    if (changes.goods && hasSoldOut(goods, changes.goods)) emit({ type: "goods.sold-out", at, sku });
  }

  /** One order over all its SKUs, at the latest time that any of them has seen. */
  #decideOneOrder(command: OrderCommand, now: UnixMs): OrderReply {
    const { orders } = this.#shelves;
    const known = orders.find(command.orderId);
    const asked = command.verb === "place" && !known ? itemsAsked(command) : (known?.items ?? []);
    const skus = asked.map(({ sku }) => sku);
    const at = this.#shelves.timeOf(skus, now);
    // A look at one SKU may end an order that freezes goods of another: all are looked at before any is shown.
    for (const sku of skus) this.#shelves.goodsAt(sku, at);
    const order = known?.state === "payment-pending" ? orders.find(command.orderId) : known;
    const userId = order?.userId ?? (command.verb === "place" ? command.userId : null);
    const found = skus.map((sku) => (userId === null ? NO_LINE : this.#shelves.find(userId, sku)));
    const parts = skus.map((sku, n) => ({ goods: this.#shelves.goodsAt(sku, at), line: this.#shelves.lineOf(found[n] as LineId) }));
    const paymentUsedFor = command.verb === "pay" ? this.orderPaidWith(command.payment) : null;
    const { reply, changes } = this.#decideOrder({ order, paymentUsedFor, parts }, command, at);
    if (changes) this.#applyOrder(command, changes, parts, found, at);
    return reply;
  }

  #applyOrder(
    command: OrderCommand,
    { order, parts }: OrderChanges,
    before: readonly OrderPart[],
    found: readonly LineId[],
    at: UnixMs,
  ): void {
    const { userId, items } = order;
    // The order is told of before what comes of it.
    if (command.verb === "place") this.#shelves.placeOrder(order);
    else this.#shelves.orders.end(order);
    for (const [n, { goods, line }] of parts.entries()) {
      const { sku } = items[n] as OrderItem;
      const was = before[n] as OrderPart;
      this.#shelves.setGoods(sku, goods, true);
      this.#shelves.setLine(sku, userId, found[n] as LineId, line, null);
      if (!this.#emit) continue;
      const event = command.verb === "cancel" ? holdEvent("cancel", was.line, line, sku, userId, null, at) : null;
      if (event) this.#emit(event);
      if (hasSoldOut(was.goods, goods)) this.#emit({ type: "goods.sold-out", at, sku });
    }
  }
}

/** What may fill only a part of the room for kept replies: refusals, and requests that are no purchase, of which one shopper can make any number.
 *  The rest is there for whoever can buy. */
const isBounded = (reply: KeptReply): boolean => reply.kind !== "purchase" || reply.reason !== null;
