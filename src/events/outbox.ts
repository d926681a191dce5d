/**
 * The outbox: what happened, in the order in which it happened, saved in the same commit as the change itself. So nothing is told that did
 * not happen, and nothing that happened is left untold, whenever the process dies.
 *
 * Ids are consecutive integers from 1 and never come twice. A row holds the events of one turn, up to 64 of them, because a row for each
 * would double what a purchase costs. Events stay for 48 hours, or until there are ten million younger ones.
 */
import type { Database, Statement } from "bun:sqlite";
import type { UnixMs } from "../core/time.ts";
import { OUTBOX_EVENTS_MAX, OUTBOX_EVENTS_PER_ROW, OUTBOX_KEPT_MS, SWEEP_ROWS_PER_TURN } from "../limits.ts";
import type { DoorbusterEvent } from "./event.ts";
import type { EventRange, EventSource, OutboxBounds } from "./event-source.ts";
import { EventTexts } from "./event-text.ts";
import { eventsInRow, type StoredEvent } from "./stored-event.ts";

export const OUTBOX_SCHEMA = `
-- Events with the ids from first_id on, one JSON object in a line, without its id. The newest row is never removed: the next id follows from it.
create table outbox (first_id integer primary key, at_ms integer not null, count integer not null, entries text not null) strict;
`;

interface Turns {
  turn<T>(work: () => T): Promise<T>;
  beforeCommit(flush: () => void): void;
}

interface Row {
  readonly firstId: number;
  readonly count: number;
  readonly at: UnixMs;
  readonly entries: string;
}

export class Outbox implements EventSource {
  readonly #db: Database;
  readonly #turns: Turns;
  readonly #bounds: OutboxBounds;
  readonly #insert: Statement;
  readonly #rowWith: Statement;
  readonly #texts: EventTexts;
  readonly #removalListeners: ((oldestId: number) => void)[] = [];
  #lastId: number;
  #oldestId: number;
  /** The events of this turn that are not in a row yet, one in a line. */
  #pending = "";
  #pendingCount = 0;
  /** The time of the youngest event. It never goes back, so that rows are in order of time. */
  #at: UnixMs;

  /** @param currency of all prices, lower-case ISO 4217 */
  constructor(
    db: Database,
    turns: Turns,
    currency: string,
    bounds: OutboxBounds = { keptMs: OUTBOX_KEPT_MS, eventsMax: OUTBOX_EVENTS_MAX },
  ) {
    this.#db = db;
    this.#turns = turns;
    this.#bounds = bounds;
    this.#texts = new EventTexts(currency);
    this.#insert = db.query("insert into outbox values (?, ?, ?, ?)");
    this.#rowWith = db.query(
      "select first_id as firstId, count, at_ms as at, entries from outbox where first_id <= ? order by first_id desc limit 1",
    );
    const newest = this.#rowWith.get(Number.MAX_SAFE_INTEGER) as Row | null;
    this.#lastId = newest === null ? 0 : newest.firstId + newest.count - 1;
    this.#at = newest?.at ?? 0;
    this.#oldestId = this.#readOldestId();
    turns.beforeCommit(() => this.#saveRow());
  }

  /** The newest event; 0 before the first. Whoever waits for events looks at it from time to time: a call after every turn would cost purchases. */
  get lastId(): number {
    return this.#lastId;
  }

  /** The oldest event that can still be read. */
  get oldestId(): number {
    return this.#oldestId;
  }

  range(): EventRange {
    return { oldestId: this.#oldestId, lastId: this.#lastId };
  }

  /** When an event that can be read was told. */
  toldAt(id: number): UnixMs | null {
    return (this.#rowWith.get(id) as Row | null)?.at ?? null;
  }

  /** Within a turn: the event is saved in its transaction. */
  add(event: DoorbusterEvent): void {
    const text = this.#texts.of(event);
    this.#pending = this.#pendingCount === 0 ? text : `${this.#pending}\n${text}`;
    this.#pendingCount += 1;
    if (event.at > this.#at) this.#at = event.at;
    if (this.#pendingCount === OUTBOX_EVENTS_PER_ROW) this.#saveRow();
  }

  /** Outside of a turn. */
  read(after: number, limit: number): readonly StoredEvent[] {
    const events: StoredEvent[] = [];
    let id = Math.max(after + 1, this.#oldestId);
    while (events.length < limit && id <= this.#lastId) {
      const row = this.#rowWith.get(id) as Row | null;
      // A commit that failed took its events back; the process stops.
      if (row === null || id >= row.firstId + row.count) break;
      events.push(...eventsInRow(row.firstId, row.entries, id, limit - events.length));
      id = row.firstId + row.count;
    }
    return events;
  }

  /** `listener` is called within the turn that removes all events before `oldestId`. */
  onRemoval(listener: (oldestId: number) => void): void {
    this.#removalListeners.push(listener);
  }

  /** Removes some events that were kept long enough; resolves with whether more are left. */
  async sweep(now: UnixMs): Promise<boolean> {
    if (this.#outdated(now, 1) === null) return false;
    return this.#turns.turn(() => {
      const last = this.#outdated(now, SWEEP_ROWS_PER_TURN);
      if (last === null) return false;
      const { changes } = this.#db.query("delete from outbox where first_id <= ?").run(last);
      this.#oldestId = this.#readOldestId();
      for (const listener of this.#removalListeners) listener(this.#oldestId);
      return changes === SWEEP_ROWS_PER_TURN;
    });
  }

  #saveRow(): void {
    if (this.#pendingCount === 0) return;
    this.#insert.run(this.#lastId + 1, this.#at, this.#pendingCount, this.#pending);
    this.#lastId += this.#pendingCount;
    this.#pending = "";
    this.#pendingCount = 0;
  }

  /** The last of up to `rowsMax` rows that may go. */
  #outdated(now: UnixMs, rowsMax: number): number | null {
    const found = this.#db
      .query<{ last: number | null }, [number, UnixMs, number, number]>(
        `select max(first_id) as last from (select first_id, count, at_ms from outbox order by first_id limit ?1)
         where (at_ms < ?2 or first_id <= ?3) and first_id + count <= ?4`,
      )
      .get(rowsMax, now - this.#bounds.keptMs, this.#lastId - this.#bounds.eventsMax, this.#lastId);
    return found?.last ?? null;
  }

  #readOldestId(): number {
    const oldest = this.#db.query<{ id: number | null }, []>("select min(first_id) as id from outbox").get();
    return oldest?.id ?? this.#lastId + 1;
  }
}
