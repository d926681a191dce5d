/**
 * From the streams in Redis to the outbox in Postgres. A partition's position moves in the same transaction that tells its events, so each is told exactly once,
 * in the partition's order. Who tells of an order takes over the streams of its SKUs in the same transaction: a hold is told before the order that it
 * became part of.
 */
import type { RedisScripts } from "../../core/redis.ts";
import type { SqlDatabase, Tx } from "../../core/sql.ts";
import { RELAY_ENTRIES_MAX } from "../../limits/ledger.ts";
import type { Told } from "../holds-together.ts";
import type { Order } from "../ledger.ts";
import type { Partitions } from "./partitions.ts";
import { STREAM, TRIM } from "./scripts.ts";
import { type Entry, isNote, type Note, readEntries, readTold } from "./told.ts";
import type { WrittenPartitions } from "./written-partitions.ts";

/** Writes events into the outbox, within the transaction that saves what they tell of. */
export type Tell = (tx: Tx, events: readonly Told[]) => Promise<void>;

/** What a transaction has taken over. */
export interface Taken {
  /** Of each partition, the last entry that Postgres has. */
  readonly lastIds: ReadonlyMap<number, string>;
  /** Drops it from Redis, once the transaction is committed. */
  drop(): Promise<void>;
}

export class Relay {
  readonly #redis: RedisScripts;
  readonly #partitions: Partitions;
  readonly #db: SqlDatabase;
  readonly #tell: Tell;
  readonly #written: WrittenPartitions;

  constructor(redis: RedisScripts, partitions: Partitions, db: SqlDatabase, tell: Tell, written: WrittenPartitions) {
    this.#written = written;
    this.#redis = redis;
    this.#partitions = partitions;
    this.#db = db;
    this.#tell = tell;
  }

  /** Once, before anything else. @returns the partitions of which Postgres had nothing */
  async prepare(): Promise<readonly number[]> {
    const rows = await this.#db.transaction(
      (tx) => tx<{ partition: number }>`insert into ledger_streams (partition, last_id)
        select n, '0-0' from unnest(${this.#partitions.all}::int[]) as n on conflict do nothing returning partition`,
    );
    return rows.map(({ partition }) => partition);
  }

  /** Tells everything that these partitions have to tell by now. Nobody else can until the transaction ends. */
  async within(tx: Tx, partitions: readonly number[]): Promise<Taken> {
    const rows = await tx<{ partition: number; last_id: string }>`
      select partition, last_id from ledger_streams where partition = any(${partitions}::int[]) order by partition for update`;
    const lastIds = new Map<number, string>();
    for (const { partition, last_id } of rows)
      lastIds.set(partition, (await this.#take(tx, partition, last_id, Number.POSITIVE_INFINITY)).lastId);
    const moved = rows.filter(({ partition, last_id }) => lastIds.get(partition) !== last_id);
    const drop = async (): Promise<void> => {
      await Promise.all(moved.map(({ partition }) => this.#drop(partition, lastIds.get(partition) as string)));
    };
    return { lastIds, drop };
  }

  /** Tells some of what there is, of all partitions. Resolves with whether there is more. Any number of processes may do it at the same time. */
  async run(): Promise<boolean> {
    const waiting = await Promise.all(this.#partitions.all.map((partition) => this.#read(partition, "0-0", 1)));
    return this.#relaySome([...waiting.keys()].filter((partition) => waiting[partition]?.length));
  }

  /** The same, of the partitions that this process has written to since. What other processes leave behind is found by `run`. */
  async runOwn(): Promise<boolean> {
    const own = this.#written.taken();
    try {
      return await this.#relaySome(own);
    } catch (error) {
      for (const partition of own) this.#written.add(partition);
      throw error;
    }
  }

  async #relaySome(partitions: readonly number[]): Promise<boolean> {
    let isMore = false;
    for (const partition of partitions) {
      if (!(await this.#relayOne(partition))) continue;
      this.#written.add(partition);
      isMore = true;
    }
    return isMore;
  }

  async #relayOne(partition: number): Promise<boolean> {
    let isMore = false;
    const lastId = await this.#db.transaction(async (tx) => {
      const [row] = await tx<{ last_id: string }>`
        select last_id from ledger_streams where partition = ${partition} for update skip locked`;
      if (!row) return null;
      const taken = await this.#take(tx, partition, row.last_id, RELAY_ENTRIES_MAX);
      isMore = taken.entries === RELAY_ENTRIES_MAX;
      return taken.lastId;
    });
    // Somebody else has it.
    if (lastId === null) return false;
    await this.#drop(partition, lastId);
    return isMore;
  }

  /** @returns the id of the last entry that was told, and how many were */
  async #take(tx: Tx, partition: number, from: string, entriesMax: number): Promise<{ readonly lastId: string; readonly entries: number }> {
    let taken = 0;
    let lastId = from;
    for (let left = entriesMax; left > 0; ) {
      const piece = await this.#read(partition, lastId, Math.min(left, RELAY_ENTRIES_MAX));
      if (piece.length === 0) break;
      const entries = piece.flatMap(readTold);
      const events = entries.filter((entry): entry is Told => !isNote(entry));
      if (events.length > 0) await this.#tell(tx, events);
      for (const note of entries.filter(isNote)) await keep(tx, note);
      lastId = piece.at(-1)?.id ?? lastId;
      left -= piece.length;
      taken += piece.length;
    }
    if (lastId !== from) await tx`update ledger_streams set last_id = ${lastId} where partition = ${partition}`;
    return { lastId, entries: taken };
  }

  async #read(partition: number, after: string, count: number): Promise<readonly Entry[]> {
    const piece = (await this.#redis.run(STREAM, [this.#partitions.keyOf(partition, "stream")], [after, String(count)])) as string[];
    return readEntries(piece);
  }

  async #drop(partition: number, lastId: string): Promise<void> {
    const [ms, n] = lastId.split("-");
    await this.#redis.run(TRIM, [this.#partitions.keyOf(partition, "stream")], [`${ms}-${Number(n) + 1}`]);
  }
}

async function keep(tx: Tx, note: Note): Promise<void> {
  switch (note.type) {
    case "note.stocked":
      await tx`insert into ledger_goods (sku, stocked, sold, price_cents, put_at)
        values (${note.sku}, ${note.stocked}, 0, ${note.priceCents}, ${note.at})
        on conflict (sku) do update set stocked = excluded.stocked, price_cents = excluded.price_cents`;
      return;
    case "note.removed":
      await tx`delete from ledger_goods where sku = ${note.sku}`;
      return;
    case "note.recorded":
      if (note.userLevel < 0) await tx`delete from ledger_lines where user_id = ${note.userId} and sku = ${note.sku}`;
      else
        await tx`insert into ledger_lines (user_id, sku, ordered, user_level) values (${note.userId}, ${note.sku}, ${note.ordered}, ${note.userLevel})
          on conflict (user_id, sku) do update set ordered = excluded.ordered, user_level = excluded.user_level`;
  }
}

/** A paid order in what a Redis that loses its data gets back. Its SKUs' streams have been taken over in this transaction. */
export async function keepSold(tx: Tx, { items, userId, userLevel }: Order): Promise<void> {
  const skus = items.map(({ sku }) => sku);
  const quantities = items.map(({ quantity }) => quantity);
  await tx`update ledger_goods set sold = sold + part.quantity
    from (select * from unnest(${skus}::text[], ${quantities}::bigint[]) as t (sku, quantity)) as part
    where ledger_goods.sku = part.sku`;
  await tx`insert into ledger_lines (user_id, sku, ordered, user_level)
    select ${userId}, sku, quantity, ${userLevel} from unnest(${skus}::text[], ${quantities}::bigint[]) as t (sku, quantity)
    on conflict (user_id, sku) do update set ordered = ledger_lines.ordered + excluded.ordered`;
}
