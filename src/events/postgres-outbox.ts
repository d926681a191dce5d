/**
 * The outbox of many processes. An event is APPENDED in the transaction of its change and waits among the arrivals, without an id; when that is
 * committed it gets its id and is TOLD, by whichever process comes by first. Ids are given by one process at a time, in one transaction
 * each, to what was committed before: so they are consecutive, and nobody who has seen one meets a lower one later. A counter that every change
 * raises by itself would promise the same, but all changes would wait for each other's commits, and serialisable ones would collide.
 *
 * Of two events, the one whose change could be seen by the other's has the lower id.
 */
import type { Sql, SqlDatabase, Tx } from "../core/sql.ts";
import type { UnixMs } from "../core/time.ts";
import type { HoldsTogether } from "../ledger/holds-together.ts";
import { OUTBOX_ARRIVALS_PER_STEP, OUTBOX_EVENTS_MAX, OUTBOX_EVENTS_PER_ROW, OUTBOX_KEPT_MS, SWEEP_ROWS_PER_TURN } from "../limits.ts";
import type { DoorbusterEvent } from "./event.ts";
import type { EventRange, EventSource, OutboxBounds } from "./event-source.ts";
import { EventTexts } from "./event-text.ts";
import { eventsInRow, type StoredEvent } from "./stored-event.ts";

interface Row {
  readonly firstId: number;
  readonly entries: string;
}

/** A row that has no id yet. */
interface ArrivedRow {
  at: UnixMs;
  count: number;
  entries: string;
}
/** The separator of records (ASCII). */
const BETWEEN_ROWS = "\u001e";

/** Within the transaction that removes all events before `oldestId`; what it does may be done again. */
export type RemovalListener = (tx: Tx, oldestId: number) => Promise<void>;

/** Who gives ids: "DOOR" and "OUTB", a lock of two numbers. */
const LOCK = [0x444f4f52, 0x4f555442] as const;

export class PostgresOutbox implements EventSource {
  readonly #db: SqlDatabase;
  readonly #texts: EventTexts;
  readonly #bounds: OutboxBounds;
  readonly #removalListeners: RemovalListener[] = [];
  #range: EventRange = { oldestId: 1, lastId: 0 };
  #ticking: Promise<void> | null = null;

  /** @param currency of all prices, lower-case ISO 4217 */
  constructor(db: SqlDatabase, currency: string, bounds: OutboxBounds = { keptMs: OUTBOX_KEPT_MS, eventsMax: OUTBOX_EVENTS_MAX }) {
    this.#db = db;
    this.#texts = new EventTexts(currency);
    this.#bounds = bounds;
  }

  get lastId(): number {
    return this.#range.lastId;
  }

  get oldestId(): number {
    return this.#range.oldestId;
  }

  /** In the transaction of the changes that the events tell of, and behind them: what other changes of the same goods or orders tell must come in the
   *  order in which they were made. Waits for nobody. */
  async append(tx: Tx, events: readonly (DoorbusterEvent | HoldsTogether)[]): Promise<void> {
    const rows = this.#rowsOf(events);
    if (rows.length === 0) return;
    // As one text: each of an array's would be looked through for what has to be escaped there, and JSON has no control characters.
    await tx`
      insert into outbox_arrivals (at_ms, count, entries)
      select at_ms, count, entries from unnest(
        ${rows.map(({ at }) => at)}::bigint[],
        ${rows.map(({ count }) => count)}::integer[],
        string_to_array(${rows.map(({ entries }) => entries).join(BETWEEN_ROWS)}::text, ${BETWEEN_ROWS}::text)
      ) with ordinality as row(at_ms, count, entries, place) order by place`;
  }

  /** Up to `OUTBOX_EVENTS_PER_ROW` to a row; holds that are told together stay so. */
  #rowsOf(events: readonly (DoorbusterEvent | HoldsTogether)[]): readonly ArrivedRow[] {
    const rows: ArrivedRow[] = [];
    let last: ArrivedRow | null = null;
    for (const event of events) {
      if (event.type === "holds.created") {
        rows.push({ at: event.at, count: event.count, entries: event.text });
        last = null;
      } else if (last !== null && last.count < OUTBOX_EVENTS_PER_ROW) {
        last.at = Math.max(last.at, event.at);
        last.count += 1;
        last.entries += `\n${this.#texts.of(event)}`;
      } else {
        last = { at: event.at, count: 1, entries: this.#texts.of(event) };
        rows.push(last);
      }
    }
    return rows;
  }

  /** An event that is kept elsewhere until it is here, and may be brought again: it is told once. @param id of its own, among all that are brought */
  async appendOnce(event: DoorbusterEvent, id: string): Promise<void> {
    await this.#db.transaction(async (tx) => {
      const { affectedRows } = await tx`insert into outbox_sources (id, at_ms) values (${id}, ${event.at}) on conflict do nothing`;
      if (affectedRows > 0) await this.append(tx, [event]);
    });
  }

  async range(): Promise<EventRange> {
    return (await this.#look()).range;
  }

  /** As the transaction sees it. */
  rangeIn(tx: Tx): Promise<EventRange> {
    return rangeOf(tx);
  }

  /** When an event that can be read was told. */
  async toldAt(id: number): Promise<UnixMs | null> {
    const [row] = await this.#db.read<{ at: UnixMs }>`
      select at_ms as at from outbox where first_id <= ${id} order by first_id desc limit 1`;
    return row?.at ?? null;
  }

  async read(after: number, limit: number): Promise<readonly StoredEvent[]> {
    const from = after + 1;
    // Ids are consecutive, so that they say in which rows the events are, however many a row holds.
    const rows = await this.#db.read<Row>`
      with first as (
        select coalesce(
          (select first_id from outbox where first_id <= ${from}::bigint order by first_id desc limit 1),
          (select min(first_id) from outbox)
        ) as id
      )
      select first_id as "firstId", entries from outbox, first
      where first_id >= first.id and first_id < greatest(first.id, ${from}::bigint) + ${limit}::bigint order by first_id`;
    const events: StoredEvent[] = [];
    for (const { firstId, entries } of rows) events.push(...eventsInRow(firstId, entries, from, limit - events.length));
    return events;
  }

  /** Gives ids to what has arrived, and learns what others have done. Called every `OUTBOX_TICK_MS`; a call while one is under way joins it. */
  tick(): Promise<void> {
    this.#ticking ??= this.#giveIds().finally(() => {
      this.#ticking = null;
    });
    return this.#ticking;
  }

  /** `listener` is called within the transaction that removes all events before `oldestId`. */
  onRemoval(listener: RemovalListener): void {
    this.#removalListeners.push(listener);
  }

  /** Removes some events that were kept long enough; resolves with whether more are left. For one process at a time. */
  async sweep(now: UnixMs): Promise<boolean> {
    await this.#forgetSources(now);
    if ((await this.#outdated(this.#db.read, now, 1)) === null) return false;
    const removed = await this.#db.transaction(async (tx) => {
      const last = await this.#outdated(tx, now, SWEEP_ROWS_PER_TURN);
      if (last === null) return 0;
      const { affectedRows } = await tx`delete from outbox where first_id <= ${last}`;
      const { oldestId } = await rangeOf(tx);
      for (const listener of this.#removalListeners) await listener(tx, oldestId);
      return affectedRows;
    });
    await this.#look();
    return removed === SWEEP_ROWS_PER_TURN;
  }

  /** Nobody brings again what is as old as that. */
  async #forgetSources(now: UnixMs): Promise<void> {
    const before = now - this.#bounds.keptMs;
    if ((await this.#db.read`select 1 from outbox_sources where at_ms < ${before}::bigint limit 1`).length === 0) return;
    await this.#db.transaction(
      (tx) => tx`
        delete from outbox_sources
        where id in (select id from outbox_sources where at_ms < ${before}::bigint order by at_ms limit ${SWEEP_ROWS_PER_TURN})`,
    );
  }

  async #giveIds(): Promise<void> {
    let { hasArrivals } = await this.#look();
    while (hasArrivals) {
      const count = await this.#db.transaction(placeArrivals);
      ({ hasArrivals } = await this.#look());
      // Somebody else is giving ids, or has just done so.
      if (count === 0) return;
    }
  }

  async #look(): Promise<{ readonly range: EventRange; readonly hasArrivals: boolean }> {
    const { hasArrivals, ...range } = await rangeOf(this.#db.read);
    // Two looks may be answered in another order than they were asked.
    const lastId = Math.max(this.#range.lastId, range.lastId);
    this.#range = { lastId, oldestId: Math.max(this.#range.oldestId, range.oldestId) };
    return { range, hasArrivals };
  }

  /** The last of up to `rowsMax` rows that may go. */
  async #outdated(sql: Sql, now: UnixMs, rowsMax: number): Promise<number | null> {
    const [found] = await sql<{ last: number | null }>`
      select max(first_id) as last
      from (select first_id, count, at_ms from outbox order by first_id limit ${rowsMax}) as oldest, outbox_head as head
      where (oldest.at_ms < ${now - this.#bounds.keptMs}::bigint or first_id <= head.last_id - ${this.#bounds.eventsMax}::bigint)
        and first_id + count <= head.last_id`;
    return found?.last ?? null;
  }
}

async function rangeOf(sql: Sql): Promise<EventRange & { readonly hasArrivals: boolean }> {
  const [row] = await sql<EventRange & { hasArrivals: boolean }>`
    select last_id as "lastId", coalesce((select min(first_id) from outbox), last_id + 1) as "oldestId",
      exists (select from outbox_arrivals) as "hasArrivals"
    from outbox_head`;
  return row as EventRange & { hasArrivals: boolean };
}

/** How many rows got their ids. 0: there was nothing to do, or somebody else does it. */
async function placeArrivals(tx: Tx): Promise<number> {
  const [lock] = await tx<{ isOurs: boolean }>`select pg_try_advisory_xact_lock(${LOCK[0]}::integer, ${LOCK[1]}::integer) as "isOurs"`;
  if (!lock?.isOurs) return 0;
  // The statement after the lock sees all that the one before us has done. An arrival with a lower number than these, that is committed
  // later, was made beside them and not before them.
  const [placed] = await tx<{ count: number }>`
    with arrived as (
      delete from outbox_arrivals where seq in (select seq from outbox_arrivals order by seq limit ${OUTBOX_ARRIVALS_PER_STEP})
      returning seq, at_ms, count, entries
    ), numbered as (
      select sum(count) over (order by seq) as up_to, max(at_ms) over (order by seq) as at_ms, count, entries from arrived
    ), placed as (
      insert into outbox (first_id, at_ms, count, entries)
      select head.last_id + up_to - count + 1, greatest(head.at_ms, numbered.at_ms), count, entries from numbered, outbox_head as head
      returning first_id + count - 1 as last_id, at_ms
    ), newest as (
      select max(last_id) as last_id, max(at_ms) as at_ms, count(*) as count from placed
    )
    update outbox_head as head set last_id = newest.last_id, at_ms = newest.at_ms from newest where newest.count > 0
    returning newest.count`;
  return placed?.count ?? 0;
}
