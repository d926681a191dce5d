/** What is compared between Postgres and Redis, row by row: how the rows are read, what Redis should have of each, and what it lacks. */
import type { OrderId, Sku, UserId } from "../../core/ids.ts";
import type { Sql } from "../../core/sql.ts";
import type { UnixMs } from "../../core/time.ts";
import { RECONCILED_PER_LOOK } from "../../limits/ledger.ts";
import { PAYMENT_WINDOW_MS_MAX } from "../../limits.ts";
import type { Order, OrderItem } from "../ledger.ts";
import { othersOf } from "./order-parts.ts";
import { readPaid, readThose, readUnpaid } from "./order-table.ts";
import type { RedisShelves } from "./shelves.ts";
import type { Seen } from "./wire.ts";

/** `part`: an unpaid order freezes nothing of this SKU. `left`: a paid order still does. */
export type LackOf = "goods" | "line" | "part" | "left";

export interface Lack<Row> {
  readonly row: Row;
  readonly of: LackOf;
  readonly sku: Sku;
  readonly userId: UserId | null;
  readonly orderId: OrderId | null;
  readonly inRedis: string;
  readonly inPostgres: string;
  /** The same in the words of `restore.lua`. */
  readonly thing: readonly unknown[];
}

export interface Comparison<Row> {
  page(sql: Sql, after: Row | null): Promise<readonly Row[]>;
  /** The same rows as they are now, without those that are gone. */
  again(sql: Sql, rows: readonly Row[]): Promise<readonly Row[]>;
  readonly skusOf: (row: Row) => readonly Sku[];
  lacks(rows: readonly Row[]): Promise<readonly Lack<Row>[]>;
}

interface GoodsRow {
  readonly sku: Sku;
  readonly stocked: number;
  readonly sold: number;
  readonly price_cents: number;
}
interface LineRow {
  readonly user_id: UserId;
  readonly sku: Sku;
  readonly ordered: number;
  readonly user_level: number;
}

const LIMIT = RECONCILED_PER_LOOK;

/** Time 0: what is there is looked at, and nothing is ended by it. */
export const ofGoods = (shelves: RedisShelves, now: UnixMs): Comparison<GoodsRow> => ({
  page: (sql, after) => sql<GoodsRow>`select * from ledger_goods where sku > ${after?.sku ?? ""} order by sku limit ${LIMIT}`,
  again: (sql, rows) => sql<GoodsRow>`select * from ledger_goods where sku = any(${rows.map(({ sku }) => sku)}::text[])`,
  skusOf: ({ sku }) => [sku],
  lacks: async (rows) => {
    const seen = await shelves.look(rows, 0);
    return rows.flatMap((row, n) => {
      const { sku, stocked, sold, price_cents } = row;
      const goods = seen[n]?.goods;
      const inRedis = goods ? `${goods.stocked} stocked, ${goods.sold} sold, ${goods.priceCents} cents` : "none";
      const inPostgres = `${stocked} stocked, ${sold} sold, ${price_cents} cents`;
      if (inRedis === inPostgres) return [];
      const thing = ["goods", sku, stocked, sold, price_cents, now];
      return [{ row, of: "goods" as const, sku, userId: null, orderId: null, inRedis, inPostgres, thing }];
    });
  },
});

export const ofLines = (shelves: RedisShelves): Comparison<LineRow> => ({
  page: (sql, after) => sql<LineRow>`select * from ledger_lines where (user_id, sku) > (${after?.user_id ?? ""}, ${after?.sku ?? ""})
    order by user_id, sku limit ${LIMIT}`,
  again: (sql, rows) => sql<LineRow>`select ledger_lines.* from ledger_lines
    join unnest(${rows.map(({ user_id }) => user_id)}::text[], ${rows.map(({ sku }) => sku)}::text[]) as these (user_id, sku) using (user_id, sku)`,
  skusOf: ({ sku }) => [sku],
  lacks: async (rows) => {
    const seen = await shelves.look(
      rows.map(({ user_id, sku }) => ({ userId: user_id, sku })),
      0,
    );
    return rows.flatMap((row, n) => {
      const { user_id: userId, sku, ordered, user_level } = row;
      const line = (seen[n] as Seen).line;
      if (line.ordered === ordered && line.userLevel === user_level) return [];
      const inRedis = `${line.ordered} ordered, level ${line.userLevel ?? "none"}`;
      const inPostgres = `${ordered} ordered, level ${user_level}`;
      return [
        { row, of: "line" as const, sku, userId, orderId: null, inRedis, inPostgres, thing: ["line", sku, userId, ordered, user_level] },
      ];
    });
  },
});

const look = async (shelves: RedisShelves, orders: readonly Order[], now: UnixMs) => {
  const items = orders.flatMap((order) => order.items.map((item) => ({ order, item })));
  const questions = items.map(({ order: { userId, orderId }, item: { sku } }) => ({ sku, userId, orderId }));
  const seen = await shelves.look(questions, now);
  return items.map(({ order, item }, n) => ({ order, item, part: (seen[n] as Seen).part }));
};

const lackOf = (order: Order, { sku, quantity }: OrderItem, of: LackOf, inRedis: string, inPostgres: string, now: UnixMs): Lack<Order> => {
  const { userId, orderId, payUntil } = order;
  const thing = [of, sku, userId, orderId, quantity, payUntil, now, othersOf(order, sku)];
  return { row: order, of, sku, userId, orderId, inRedis, inPostgres, thing };
};

export const ofUnpaid = (shelves: RedisShelves, now: UnixMs): Comparison<Order> => ({
  page: (sql, after) => readUnpaid(sql, after?.orderId ?? null, Number.MAX_SAFE_INTEGER, LIMIT),
  again: (sql, rows) =>
    readThose(
      sql,
      rows.map(({ orderId }) => orderId),
      "payment-pending",
    ),
  skusOf: ({ items }) => items.map(({ sku }) => sku),
  lacks: async (rows) => {
    // Those whose time is over are the sweeper's.
    const seen = await look(
      shelves,
      rows.filter(({ payUntil }) => payUntil > now),
      now,
    );
    return seen.flatMap(({ order, item, part }) =>
      part === "gone" ? [lackOf(order, item, "part", "nothing frozen", `${item.quantity} frozen until ${order.payUntil}`, now)] : [],
    );
  },
});

/** An order that was paid before its time was over can have left a part until then. */
export const ofLeft = (shelves: RedisShelves, now: UnixMs): Comparison<Order> => ({
  page: (sql, after) => readPaid(sql, after?.orderId ?? null, now - PAYMENT_WINDOW_MS_MAX, LIMIT),
  again: (sql, rows) =>
    readThose(
      sql,
      rows.map(({ orderId }) => orderId),
      "paid",
    ),
  skusOf: ({ items }) => items.map(({ sku }) => sku),
  lacks: async (rows) => {
    const seen = await look(shelves, rows, now);
    return seen.flatMap(({ order, item, part }) =>
      part === "alive" ? [lackOf(order, item, "left", `${item.quantity} frozen`, "paid", now)] : [],
    );
  },
});
