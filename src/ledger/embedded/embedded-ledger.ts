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
  ENDED_ORDER_KEPT_MS,
  LINES_PER_USER_MAX,
  REPLIES_MAX,
  REPLY_KEPT_MS,
  SWEEP_ROWS_PER_TURN,
  SWEEP_SKUS_PER_TICK,
} from "../../limits.ts";
import { decide as decideForReal } from "../decide.ts";
import { type Changes, isEmptyLine, ledgerTime } from "../decision.ts";
import type {
  CancelCommand,
  CartLine,
  ChangeCommand,
  Command,
  ExpireCommand,
  ExpireReply,
  Goods,
  HoldCommand,
  HoldReply,
  KeptReply,
  Key,
  Ledger,
  Line,
  Order,
  OrderRecord,
  OrderReply,
  PayCommand,
  PlaceCommand,
  RecordCommand,
  RecordReply,
  ReleaseCommand,
  ReleaseReply,
  Reply,
  StockCommand,
  StockReply,
} from "../ledger.ts";
import type { Journal } from "./journal.ts";
import { KeptReplies } from "./kept-replies.ts";
import { type LineId, NO_LINE } from "./line-table.ts";
import { Shelves } from "./shelves.ts";

export interface EmbeddedLedgerOptions {
  /** Another decision than the real one, for tests that must catch it. */
  readonly decide?: typeof decideForReal;
  readonly repliesMax?: number;
}

export class EmbeddedLedger implements Ledger {
  readonly #journal: Journal;
  readonly #decide: typeof decideForReal;
  readonly #shelves: Shelves;
  readonly #replies: KeptReplies;

  /** Rebuilds the memory from the journal. Throws `BrokenInvariant` when the saved records contradict each other. */
  constructor(journal: Journal, options: EmbeddedLedgerOptions = {}) {
    this.#journal = journal;
    this.#decide = options.decide ?? decideForReal;
    this.#shelves = new Shelves(journal);
    this.#replies = new KeptReplies(journal, options.repliesMax ?? REPLIES_MAX);
    journal.restore({
      goods: (goods) => this.#shelves.restoreGoods(goods),
      line: (rowId, sku, userId, line, at) => this.#shelves.restoreLine(rowId, sku, userId, line, at),
      order: (order) => this.#shelves.restoreOrder(order),
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
    return this.#run(commands, now);
  }
  pay(commands: readonly PayCommand[], now: UnixMs): Promise<readonly OrderReply[]> {
    return this.#run(commands, now);
  }
  cancel(commands: readonly CancelCommand[], now: UnixMs): Promise<readonly OrderReply[]> {
    return this.#run(commands, now);
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

  remember(replies: readonly KeptReply[], now: UnixMs): Promise<readonly (KeptReply | null)[]> {
    return this.#journal.turn(() => {
      this.#replies.seen(now);
      return replies.map(
        (reply) =>
          this.#replies.find(reply.key.text) ??
          (this.#replies.hasRoom(reply.key.text, reply.reason !== null) ? this.#replies.add(reply) : null),
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

  cart(userId: UserId, now: UnixMs): readonly CartLine[] {
    const lines: CartLine[] = [];
    for (const { sku, rowId, line } of this.#shelves.linesOf(userId, now)) {
      if (line.held === 0) continue;
      const sessionId = this.#journal.sessionOf(rowId);
      assert(sessionId !== null, "a live hold names the purchase that made it");
      lines.push({ sku, userId, quantity: line.held, heldUntil: line.heldUntil, sessionId });
    }
    // The list of a user's lines is newest first; a cart reads oldest first.
    return lines.reverse();
  }

  order(orderId: OrderId, sku: Sku, now: UnixMs): Order | null {
    this.#shelves.goodsAt(sku, now);
    return this.#shelves.orderOf(orderId, sku);
  }

  listGoods(after: Sku | null, limit: number, now: UnixMs): readonly Goods[] {
    return this.#journal.listSkus(after, limit).flatMap((sku) => this.#shelves.goodsAt(sku, now) ?? []);
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
    this.#shelves.forgetSomeOrders(now - ENDED_ORDER_KEPT_MS, SWEEP_SKUS_PER_TICK);
    if (this.#shelves.endedRows === 0 && !this.#replies.hasOutdated(now - REPLY_KEPT_MS)) return false;
    return this.#journal.turn(() => {
      const rows = this.#shelves.removeEnded(SWEEP_ROWS_PER_TURN);
      const replyRows = this.#replies.removeOutdated(now - REPLY_KEPT_MS, SWEEP_ROWS_PER_TURN);
      return isMoreDue || rows === SWEEP_ROWS_PER_TURN || replyRows === SWEEP_ROWS_PER_TURN;
    });
  }

  #run<R extends Reply>(commands: readonly Command[], now: UnixMs): Promise<readonly R[]> {
    // A verb's decision gives that verb's replies.
    return this.#journal.turn(() => commands.map((command) => this.#decideOne(command, now) as R), commands.length > 1);
  }

  #decideOne(command: Command, now: UnixMs): Reply {
    const goods = this.#shelves.goodsAt(command.sku, now);
    const at = ledgerTime(goods, now);
    this.#replies.seen(now);
    const order = "orderId" in command ? this.#shelves.orderOf(command.orderId, command.sku) : null;
    const userId = "userId" in command ? command.userId : (order?.userId ?? null);
    const found = userId === null ? NO_LINE : this.#shelves.find(userId, command.sku);
    const linesWalked = userId === null ? 0 : this.#shelves.linesWalked;
    const key = command.verb === "hold" ? command.key : null;
    const kept = key && this.#replies.find(key.text);
    if (key && !kept && !this.#replies.hasRoom(key.text, false)) return { kind: "refused", reason: "no-room-for-key" };

    // The lines were counted in passing; only where the bound is near is it worth asking which of them are alive.
    const userLines = userId !== null && linesWalked >= LINES_PER_USER_MAX ? this.#liveLinesOf(userId, now) : linesWalked;
    const view = { goods, line: this.#shelves.lineOf(found), order, kept, userLines, skus: this.#shelves.size };
    const { reply, changes } = this.#decide(view, command, at);
    // A refusal that cannot be kept is not told: asked again, it might turn into a purchase.
    const isRefusalToKeep = changes.kept !== undefined && changes.kept.reason !== null;
    if (isRefusalToKeep && !this.#replies.hasRoom(changes.kept.key.text, true)) return { kind: "refused", reason: "no-room-for-key" };
    this.#apply(changes, command, userId, found);
    return reply;
  }

  #liveLinesOf(userId: UserId, now: UnixMs): number {
    let live = 0;
    for (const { line } of this.#shelves.linesOf(userId, now)) live += isEmptyLine(line) ? 0 : 1;
    return live;
  }

  #apply(changes: Changes, command: Command, userId: UserId | null, found: LineId): void {
    const isHold = command.verb === "hold";
    if (changes.goods !== undefined) this.#shelves.setGoods(command.sku, changes.goods, !isHold);
    if (changes.line !== undefined) {
      assert(userId !== null, "a line belongs to a user");
      this.#shelves.setLine(command.sku, userId, found, changes.line, isHold ? command.sessionId : null);
    }
    if (changes.order !== undefined) this.#shelves.setOrder(changes.order);
    if (changes.kept !== undefined) this.#replies.add(changes.kept);
  }
}
