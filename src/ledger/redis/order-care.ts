/**
 * Looks after orders that somebody has left half way between Redis and Postgres: a process that was killed, or one that could not reach one of the two. Any number of
 * processes may do this at the same time, and whatever is found is brought to the end that Postgres knows.
 */
import type { SqlDatabase } from "../../core/sql.ts";
import type { UnixMs } from "../../core/time.ts";
import { ORDER_UNDER_WAY_MS_MAX, RECOVERED_PER_TICK } from "../../limits/ledger.ts";
import { ORDER_KEPT_MS } from "../../limits.ts";
import type { OrderKeeper } from "./order-keeper.ts";
import { type OrderParts, partsOf, type UnderWay } from "./order-parts.ts";
import { readOrder, readToGiveBack, readUnpaid, removeEnded, tryLockOrder } from "./order-table.ts";

export class OrderCare {
  readonly #db: SqlDatabase;
  readonly #keeper: OrderKeeper;
  readonly #parts: OrderParts;

  constructor(db: SqlDatabase, keeper: OrderKeeper, parts: OrderParts) {
    this.#db = db;
    this.#keeper = keeper;
    this.#parts = parts;
  }

  /** Finishes what was left behind longer than `ORDER_UNDER_WAY_MS_MAX` ago, and forgets orders that ended long ago; a bounded amount of each. */
  async recover(now: UnixMs): Promise<void> {
    const before = now - ORDER_UNDER_WAY_MS_MAX;
    for (const left of await this.#parts.underWay()) if (left.since < before) await this.#finish(left, now);
    for (const [order, to] of await readToGiveBack(this.#db.read, before, RECOVERED_PER_TICK))
      await this.#keeper.giveBack({ order, to, at: Math.max(now, order.since) });
    // The sweeper finds these too, by their parts, unless Redis has lost those.
    const overdue = await readUnpaid(this.#db.read, null, before, RECOVERED_PER_TICK);
    const over = [];
    for (const order of overdue) if ((await this.#keeper.find(order.orderId, now))?.state === "expired") over.push(order);
    if (over.length > 0) await this.#keeper.expire(over.flatMap(partsOf), now);
    await this.#db.transaction((tx) => removeEnded(tx, now - ORDER_KEPT_MS, RECOVERED_PER_TICK));
  }

  async #finish({ part, kind }: UnderWay, now: UnixMs): Promise<void> {
    await this.#db.transaction(async (tx) => {
      // Whoever has it is at work; and it is nobody's business what comes of that.
      if (!(await tryLockOrder(tx, part[0]))) return;
      await this.#keeper.finish(part, kind, (await readOrder(tx, part[0]))?.state ?? null, now);
    });
  }
}
