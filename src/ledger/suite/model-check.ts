/**
 * Plays random histories against a store and against the oracle: every reply must be the same, and everything that can be seen. What must always
 * be true is checked beside it without asking the oracle, so a mistake that both make is seen too.
 */
import { expect } from "bun:test";
import fc from "fast-check";
import type { UnixMs } from "../../core/time.ts";
import type {
  CartLine,
  Command,
  FoundOrders,
  Goods,
  HoldCommand,
  HoldReply,
  KeptReply,
  Ledger,
  Line,
  Order,
  OrderRecord,
  OrderSearch,
  Reply,
} from "../ledger.ts";
import { Oracle } from "../oracle/oracle.ts";
import { checkAlwaysTrue, checkSingleBatch } from "./always-true.ts";
import { type Batch, history, KEYS, ORDERS, SKUS, type Step, USERS } from "./histories.ts";
import { keyOf, type OpenedLedger, type OpenLedger, START } from "./shop.ts";
import { checkStory, storiesOf } from "./stories.ts";

export interface ModelSettings {
  readonly runs: number;
  readonly seed: number;
  /** Stops at the first failure and looks for no smaller one, for a caller who only wants to know whether there is one. */
  readonly isQuick?: true;
}

/** Everything that can be seen of a small world. */
export interface Snapshot {
  readonly goods: readonly (Goods | null)[];
  readonly lines: readonly Line[];
  readonly orders: readonly (Order | null)[];
  readonly ordersOfUsers: readonly (readonly Order[])[];
  readonly foundOrders: readonly FoundOrders[];
  readonly carts: readonly (readonly CartLine[])[];
  readonly records: readonly OrderRecord[];
  readonly list: readonly Goods[];
  readonly kept: readonly (KeptReply | null)[];
}

/** @throws with the smallest history found on which the store and the oracle disagree, or something is untrue that must always be true */
export async function checkModel(open: OpenLedger, { runs, seed, isQuick }: ModelSettings): Promise<void> {
  const property = fc.asyncProperty(history, async (steps) => {
    const opened = await open();
    try {
      await play(opened, steps);
    } finally {
      await opened.close();
    }
  });
  await fc.assert(property, { numRuns: runs, seed, endOnFailure: isQuick ?? false });
}

async function play(opened: OpenedLedger, steps: readonly Step[]): Promise<void> {
  const game = new Game(opened);
  for (const step of steps) await game.step(step);
  await game.look();
  await game.listen();
}

export const LINES = USERS.flatMap((userId) => SKUS.map((sku) => ({ userId, sku })));
const ALL_KEYS = KEYS.map((text) => keyOf(text));
/** Each state, and the late ones; with a short way and few at a time. */
const SEARCHES = ([null, "payment-pending", "paid", "cancelled", "expired", "refund-due"] as const).flatMap((state): OrderSearch[] => [
  { state, isPaidLate: false, after: null, limit: 2, passedMax: 4 },
  { state, isPaidLate: true, after: null, limit: 100, passedMax: 100 },
]);
const bySku = (a: CartLine, b: CartLine): number => (a.sku < b.sku ? -1 : 1);

class Game {
  readonly #opened: OpenedLedger;
  readonly #oracle = new Oracle();
  #ledger: Ledger;
  #now: UnixMs = START;
  /** The clock may jump back; whoever looks through orders does so at the latest time that anything can have seen. */
  #latest: UnixMs = START;
  #seen: Snapshot | null = null;
  #lastCalls: readonly { readonly batch: Batch; readonly replies: readonly Reply[] }[] = [];

  constructor(opened: OpenedLedger) {
    this.#opened = opened;
    this.#ledger = opened.ledger;
  }

  async step(step: Step): Promise<void> {
    if (step.does === "crash") {
      await this.#crash();
      return;
    }
    this.#now += step.afterMs;
    this.#latest = Math.max(this.#latest, this.#now);
    if (step.does === "sweep") {
      await this.#opened.sweep(this.#now);
      await this.look();
      return;
    }
    const before = this.#seen;
    await this.#call(step.batches);
    this.#seen = null;
    if (!step.isLookedAt) return;
    const after = await this.look();
    const [only] = this.#lastCalls;
    if (before && only && this.#lastCalls.length === 1) checkSingleBatch(before, after, only.batch, only.replies);
  }

  /** Compares everything that can be seen with what the oracle shows. */
  async look(): Promise<Snapshot> {
    const before = this.#seen;
    const seen = await snapshotOf(this.#ledger, this.#now, this.#latest);
    expect(seen).toEqual(this.#expected());
    checkAlwaysTrue(before, seen);
    this.#seen = seen;
    return seen;
  }

  /** When everything has been swept, everything that happened has been told, once and in order, and nothing else. */
  async listen(): Promise<void> {
    while (await this.#opened.sweep(this.#now));
    const told = await this.#opened.events();
    expect(storiesOf(told)).toEqual(storiesOf(this.#oracle.events));
    checkStory(told);
  }

  async #call(batches: readonly Batch[]): Promise<void> {
    const replies = await Promise.all(batches.map((batch) => send(this.#ledger, batch, this.#now)));
    const expected = batches.map((batch) => batch.map((command) => this.#oracle.apply(command, this.#now)));
    expect<unknown>(replies).toEqual(expected);
    this.#lastCalls = batches.map((batch, n) => ({ batch, replies: replies[n] as readonly Reply[] }));
  }

  async #crash(): Promise<void> {
    if (this.#opened.reopen) {
      this.#ledger = await this.#opened.reopen();
      await this.look();
    }
    const unheard = this.#lastCalls;
    await this.#call(unheard.map(({ batch }) => batch));
    this.#seen = null;
    for (const [n, { batch, replies }] of unheard.entries()) {
      const again = this.#lastCalls[n]?.replies ?? [];
      for (const [m, command] of batch.entries())
        if (command.verb === "hold" && command.key) checkRepeated(command, replies[m] as HoldReply, again[m] as HoldReply);
    }
  }

  #expected(): Snapshot {
    const now = this.#now;
    return {
      goods: SKUS.map((sku) => this.#oracle.goods(sku, now)),
      lines: LINES.map((of) => this.#oracle.line(of, now)),
      orders: ORDERS.map((orderId) => this.#oracle.order(orderId, now)),
      ordersOfUsers: USERS.map((userId) => this.#oracle.ordersOf(userId, null, 100, now)),
      foundOrders: SEARCHES.map((search) => this.#oracle.findOrders(search, this.#latest)),
      carts: USERS.map((userId) => this.#oracle.cart(userId, now).sort(bySku)),
      records: this.#oracle.listRecords(null, 100),
      list: this.#oracle.listGoods(null, 100, now),
      kept: ALL_KEYS.map((key) => this.#oracle.recall(key)),
    };
  }
}

/** Whoever asks again with the same key hears what was said first. */
function checkRepeated(command: HoldCommand, first: HoldReply, again: HoldReply): void {
  if (first.kind === "repeated" || (first.kind === "refused" && first.reason === "key-reused")) {
    expect(again).toEqual(first);
    return;
  }
  const isHeld = first.kind === "held";
  // Who came before the start may come again.
  if (!isHeld && first.reason === "not-started") return;
  const { key, sku, sessionId, frozenForMs } = command;
  const quantity = isHeld ? first.quantity : command.quantity;
  expect(again).toMatchObject({
    kind: "repeated",
    reply: {
      kind: "purchase",
      key,
      sku,
      sessionId,
      frozenForMs,
      step: "cart",
      reason: isHeld ? null : first.reason,
      quantity,
      heldUntil: isHeld ? first.heldUntil : 0,
    },
  });
}

/** @param latest the latest time that anything can have seen */
export async function snapshotOf(ledger: Ledger, now: UnixMs, latest = now): Promise<Snapshot> {
  const goods = await ledger.goods(SKUS, now);
  const lines = await ledger.lines(LINES, now);
  const orders = await Promise.all(ORDERS.map((orderId) => ledger.order(orderId, now)));
  const ordersOfUsers = await Promise.all(USERS.map((userId) => ledger.ordersOf(userId, null, 100, now)));
  const foundOrders = await Promise.all(SEARCHES.map((search) => ledger.findOrders(search, latest)));
  const carts = await Promise.all(USERS.map(async (userId) => [...(await ledger.cart(userId, now))].sort(bySku)));
  const records = await ledger.listRecords(null, 100);
  const list = await ledger.listGoods(null, 100, now);
  return { goods, lines, orders, ordersOfUsers, foundOrders, carts, records, list, kept: await ledger.recall(ALL_KEYS, now) };
}

/** Sends one batch with the verb that all its commands have. */
export function send(ledger: Ledger, batch: Batch, now: UnixMs): Promise<readonly Reply[]> {
  const of = <V extends Command["verb"]>(verb: V) =>
    batch.filter((command): command is Extract<Command, { readonly verb: V }> => command.verb === verb);
  switch (batch[0]?.verb) {
    case "stock":
      return ledger.stock(of("stock"), now);
    case "hold":
      return ledger.hold(of("hold"), now);
    case "change":
      return ledger.change(of("change"), now);
    case "release":
      return ledger.release(of("release"), now);
    case "place":
      return ledger.place(of("place"), now);
    case "pay":
      return ledger.pay(of("pay"), now);
    case "cancel":
      return ledger.cancel(of("cancel"), now);
    case "expire":
      return ledger.expire(of("expire"), now);
    case "record":
      return ledger.record(of("record"), now);
    case undefined:
      return Promise.resolve([]);
  }
}
