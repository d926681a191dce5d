/** What is done in Redis to the parts of an order, one SKU at a time. Each of these steps can be done again: it says so, and changes nothing. */
import { assert } from "../../core/assert.ts";
import { Failure } from "../../core/failure.ts";
import type { Sku } from "../../core/ids.ts";
import type { LuaScript, RedisScripts } from "../../core/redis.ts";
import type { UnixMs } from "../../core/time.ts";
import { RECOVERED_PER_TICK, UNDER_WAY_PAUSE_MS, UNDER_WAY_TRIES_MAX } from "../../limits/ledger.ts";
import type { Order, OrderItem } from "../ledger.ts";
import type { Partitions } from "./partitions.ts";
import { COMPARE_AGAIN, GIVE_BACK, MARKS, PARK, SELL, UNDO, UNMARK } from "./scripts.ts";
import type { RedisShelves } from "./shelves.ts";
import type { After } from "./turns.ts";
import { type PartOfOrder, readAnswer, readList } from "./wire.ts";

/** One that is under way, and since when. */
export interface UnderWay {
  readonly part: PartOfOrder;
  readonly kind: "park" | "sell";
  readonly since: UnixMs;
}
/** `done`: also when it was done before. `changed`: things are not as they were said to be. `refused`: there is not enough, or the limit. */
export type StepResult = "done" | "changed" | "refused" | "busy";

export const partsOf = ({ orderId, userId, items }: Order): readonly PartOfOrder[] => items.map(({ sku }) => [orderId, sku, userId]);

export const othersOf = ({ items }: Order, sku: Sku): readonly Sku[] => items.flatMap((item) => (item.sku === sku ? [] : [item.sku]));

export class OrderParts {
  readonly #redis: RedisScripts;
  readonly #partitions: Partitions;
  readonly #shelves: RedisShelves;
  readonly #after: After;

  constructor(redis: RedisScripts, partitions: Partitions, shelves: RedisShelves, after: After) {
    this.#redis = redis;
    this.#partitions = partitions;
    this.#shelves = shelves;
    this.#after = after;
  }

  /** The user's hold becomes the order's item, if it still is what the item says. @param now is remembered, for who has to look after it */
  park(order: Order, item: OrderItem, at: UnixMs, now: UnixMs): Promise<StepResult> {
    const { sku, quantity, heldUntil } = item;
    return this.#step(PARK, sku, [
      ...[at, sku, order.userId, order.orderId, quantity, heldUntil, order.payUntil],
      othersOf(order, sku),
      now,
    ]);
  }

  /** @param isLate the item has ended, and is taken again if there is enough and the limit (0: none) allows */
  sell(order: Order, item: OrderItem, limit: number, isLate: boolean, at: UnixMs, now: UnixMs): Promise<StepResult> {
    const { sku, quantity } = item;
    return this.#step(SELL, sku, [
      ...[at, sku, order.userId, order.orderId, quantity, order.payUntil, order.userLevel, limit],
      othersOf(order, sku),
      now,
      isLate,
    ]);
  }

  async undo(parts: readonly PartOfOrder[], now: UnixMs): Promise<void> {
    await Promise.all(parts.map(([orderId, sku]) => this.#step(UNDO, sku, [now, sku, orderId])));
  }

  /** Postgres has committed what was done to these parts. */
  async unmark(parts: readonly PartOfOrder[]): Promise<void> {
    const byPartition = Map.groupBy(parts, ([, sku]) => this.#partitions.of(sku));
    const each = [...byPartition].map(async ([partition, some]) => {
      const words = some.map(([orderId, sku, userId]) => [sku, userId, orderId]);
      await this.#redis.run(UNMARK, this.#partitions.keysOf(partition), [JSON.stringify(words)]);
    });
    await Promise.all(each);
  }

  /** Gives back what the order has frozen. @param to `held`: as the holds that they were, where their deadlines allow */
  async giveBack(order: Order, to: "free" | "held", at: UnixMs): Promise<void> {
    const { orderId, userId } = order;
    const each = order.items.map(({ sku, heldUntil }) =>
      this.#patiently(GIVE_BACK, sku, [at, sku, userId, orderId, to === "held" ? heldUntil : 0, othersOf(order, sku)]),
    );
    await Promise.all(each);
  }

  /** The same for one part of an order of which no more is known. */
  async drop([orderId, sku, userId]: PartOfOrder, now: UnixMs): Promise<StepResult> {
    return this.#step(GIVE_BACK, sku, [now, sku, userId, orderId, 0, []]);
  }

  /** Redis has lost a part of this order: its partitions are compared with Postgres soon. */
  async compareAgain({ items }: Order): Promise<void> {
    const partitions = new Set(items.map(({ sku }) => this.#partitions.of(sku)));
    const each = [...partitions].map((partition) => this.#redis.run(COMPARE_AGAIN, [this.#partitions.keyOf(partition, "whole")], []));
    await Promise.all(each);
  }

  /** Parts that somebody has marked, some of those there are. */
  async underWay(): Promise<readonly UnderWay[]> {
    const pages = await Promise.all(
      this.#partitions.all.map(async (partition) => {
        const answer = await this.#redis.run(MARKS, this.#partitions.keysOf(partition), [String(RECOVERED_PER_TICK)]);
        return readList<readonly [...PartOfOrder, UnderWay["kind"], UnixMs]>(answer).reply;
      }),
    );
    return pages.flat().map(([orderId, sku, userId, kind, since]) => ({ part: [orderId, sku, userId], kind, since }));
  }

  async #patiently(script: LuaScript, sku: Sku, args: readonly unknown[]): Promise<void> {
    for (let attempt = 1; (await this.#step(script, sku, args)) === "busy"; attempt += 1) {
      if (attempt === UNDER_WAY_TRIES_MAX) throw new Failure("overloaded", "an order of the same goods is under way; try again", false);
      await new Promise<void>((resolve) => this.#after(UNDER_WAY_PAUSE_MS, resolve));
    }
  }

  async #step(script: LuaScript, sku: Sku, args: readonly unknown[]): Promise<StepResult> {
    const keys = this.#partitions.keysOf(this.#partitions.of(sku));
    const { reply, looks } = readAnswer<StepResult>(await this.#redis.run(script, keys, [JSON.stringify(args)]));
    assert(typeof reply === "string", "a step says what became of it");
    await this.#shelves.follow(looks);
    return reply;
  }
}
