/**
 * A table that many processes share. Each has all rows in memory, follows the log of their changes, and decides on what it knows; the store
 * carries a decision out only if the table still stands where it was decided, else the process catches up and decides again. So all conditions
 * hold across processes, and they are written once, in the language of the decisions.
 *
 * What a process has in memory is, at every moment, one of:
 * - *current*: it has looked, and there was nothing that it did not have. It waits for the next change, and looks again after `TABLE_LOOK_MS`
 *   in any case.
 * - *behind*: it reads the log from where it stands. A connection that was cut, or a process that was paused, only makes it longer.
 * - *gap*: what follows upon its position is not to be had: the log was cut off behind it, or the store came back empty or in an older state. It
 *   reads all rows anew, a page at a time, with the log between the pages, and puts them in the place of the old ones when it has come to the
 *   end. Until then the old ones answer.
 * - *cut off*: the store does not answer. Reads go on, writes fail, and it asks again every `TABLE_RETRY_MS`.
 */
import { Failure } from "../core/failure.ts";
import type { Clock, DurationMs } from "../core/time.ts";
import { TABLE_ATTEMPTS_MAX, TABLE_OPEN_MS_MAX, TABLE_RETRY_MS, TABLE_SENDINGS_MAX, TABLE_STALE_MS_MAX } from "../limits/tables.ts";
import { WRITES_WAITING_MAX } from "../limits.ts";
import { Replica, type RowFormat } from "./replica.ts";
import type { Decide, Decided, Table, View } from "./table.ts";
import type { Position, StoredChange, StoredRow, TableLog } from "./table-log.ts";

/** What a process gives to each of its shared tables. */
export interface SharedTableIo {
  /** @param logEntriesMax changes that the log keeps: who is further behind reads all rows anew */
  openLog(name: string, logEntriesMax: number): TableLog;
  readonly clock: Clock;
  readonly wait: (delay: DurationMs) => Promise<void>;
  /** Never the same twice, in any process. */
  readonly newMark: () => string;
  /** Takes a sentence for the operator. */
  readonly report: (message: string) => void;
}

export interface SharedTableFormat<V extends View<Row, Key>, Row, Key> extends RowFormat<V, Row, Key> {
  readonly name: string;
  readonly logEntriesMax: number;
  /** Rows of one page when all are read. */
  readonly rowsPerLook: number;
}

/** How far a process's copy has come. */
export interface TableFigures {
  readonly position: number;
  /** Since when others may know more. */
  readonly ageMs: DurationMs;
  readonly isCurrent: boolean;
  /** How often all rows were read, the first time included. */
  readonly loads: number;
}

const NOWHERE: Position = { number: 0, mark: "" };

export class SharedTable<V extends View<Row, Key>, Row, Key, Event = never> implements Table<V, Row, Key, Event> {
  readonly #format: SharedTableFormat<V, Row, Key>;
  readonly #io: SharedTableIo;
  readonly #log: TableLog;
  #replica: Replica<V, Row, Key>;
  #currentAtUs = Number.NEGATIVE_INFINITY;
  #loads = 0;
  #loading: Promise<void> | null = null;
  #lastChange: Promise<unknown> = Promise.resolve();
  #changesWaiting = 0;
  /** While it is so, changes fail at once: nobody waits for what is known. */
  #isCutOff = false;
  #isClosed = false;
  #following: Promise<void> = Promise.resolve();

  private constructor(format: SharedTableFormat<V, Row, Key>, io: SharedTableIo) {
    this.#format = format;
    this.#io = io;
    this.#log = io.openLog(format.name, format.logEntriesMax);
    this.#replica = new Replica(format, NOWHERE);
  }

  /** Resolves when all rows are in memory. @throws Failure when the store does not answer for `TABLE_OPEN_MS_MAX` */
  static async open<V extends View<Row, Key>, Row, Key, Event = never>(
    format: SharedTableFormat<V, Row, Key>,
    io: SharedTableIo,
  ): Promise<SharedTable<V, Row, Key, Event>> {
    const table = new SharedTable<V, Row, Key, Event>(format, io);
    const untilUs = io.clock.monotonicUs() + TABLE_OPEN_MS_MAX * 1_000;
    for (;;) {
      try {
        await table.#load();
        break;
      } catch (cause) {
        table.#cutOffBy(cause);
        if (io.clock.monotonicUs() >= untilUs) {
          table.#log.close();
          throw new Failure("store-unavailable", `${format.name} could not be read for ${TABLE_OPEN_MS_MAX} ms`, true, cause);
        }
        await io.wait(TABLE_RETRY_MS);
      }
    }
    table.#following = table.#follow();
    return table;
  }

  get name(): string {
    return this.#format.name;
  }

  get view(): V {
    return this.#replica.view;
  }

  get isCurrent(): boolean {
    return this.figures.isCurrent;
  }

  get figures(): TableFigures {
    const ageMs = (this.#io.clock.monotonicUs() - this.#currentAtUs) / 1_000;
    return { position: this.#replica.at.number, ageMs, isCurrent: ageMs <= TABLE_STALE_MS_MAX, loads: this.#loads };
  }

  /** Up to `limit` rows of the store in the order of their ids' bytes, from behind `after`. */
  async rows(after: string | null, limit: number): Promise<readonly StoredRow[]> {
    return (await this.#log.look({ behind: null, rows: { after, limit } })).rows;
  }

  /** The row of this id as the store has it. */
  async row(id: string): Promise<StoredRow | null> {
    // A row is its id, U+0000 and its text, so this stands behind every other id that comes before, and just before the row.
    const [found] = await this.rows(`${id}\0`, 1);
    return found?.id === id ? found : null;
  }

  /** Keys of up to `limit` rows that have ended by then. */
  async ended(now: number, limit: number): Promise<readonly Key[]> {
    return (await this.#log.ended(now, limit)).map(this.#format.keyOf);
  }

  change<Reply>(decide: Decide<V, Row, Key, Event, Reply>): Promise<Reply> {
    if (this.#isClosed) return Promise.reject(new Failure("store-stopped", `${this.#format.name} is closed`, true));
    if (this.#changesWaiting >= WRITES_WAITING_MAX)
      return Promise.reject(new Failure("overloaded", `too many changes of ${this.#format.name} wait; try again in a second`, true));
    this.#changesWaiting += 1;
    // One at a time: two decisions of one process would only get in each other's way.
    const change = this.#lastChange.then(() => {
      if (this.#isCutOff) throw new Failure("store-unavailable", `${this.#format.name} cannot be changed at the moment; try again`, true);
      return this.#carryOut(decide);
    });
    const end = (): void => {
      this.#changesWaiting -= 1;
    };
    this.#lastChange = change.then(end, end);
    return change;
  }

  /** Ends what follows the log. Changes that are under way end as they may. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#lastChange;
    this.#log.close();
    await this.#following;
  }

  async #carryOut<Reply>(decide: Decide<V, Row, Key, Event, Reply>): Promise<Reply> {
    for (let attempt = 1; attempt <= TABLE_ATTEMPTS_MAX; attempt += 1) {
      const replica = this.#replica;
      const at = replica.at;
      const decided = decide(replica.view);
      const written = await this.#write(at, decided);
      if (written === "moved") continue;
      return decided.reply;
    }
    throw new Failure("overloaded", `others were faster ${TABLE_ATTEMPTS_MAX} times to change ${this.#format.name}; try again`, true);
  }

  /** Resolves when this process knows what has become of it: carried out, or `moved`, and then it has caught up. */
  async #write<Reply>(at: Position, { changes, events }: Decided<Row, Key, Event, Reply>): Promise<"carried-out" | "moved"> {
    const stored = changes.map((change) => this.#stored(change));
    const mark = this.#io.newMark();
    const told = events.map((event, index) => JSON.stringify({ id: `${mark}-${index}`, event }));
    const written = await this.#send(at, mark, stored, told);
    if (written.kind === "full")
      throw new Failure("overloaded", `too many events of ${this.#format.name} wait to be told; is anybody telling them?`, true);
    if (written.kind === "written" && stored.length + told.length === 0) return "carried-out";
    const own = { position: { number: at.number + 1, mark }, markBefore: at.mark, changes: stored };
    const entries = written.kind === "written" ? [own] : written.look.entries;
    const hasCaughtUp = written.kind === "written" ? this.#replica.apply(entries) : this.#replica.take(written.look, at) !== "gap";
    if (!hasCaughtUp) await this.#catchUp();
    // Sent twice, it meets what it has done the first time.
    return entries.some(({ position }) => position.mark === mark) ? "carried-out" : "moved";
  }

  #stored(change: Decided<Row, Key, Event, unknown>["changes"][number]): StoredChange {
    const { idOf, keyOfRow, textOf, endsAt } = this.#format;
    if ("remove" in change) return { id: idOf(change.remove), text: null, endsAt: null };
    return { id: idOf(keyOfRow(change.put)), text: textOf(change.put), endsAt: endsAt(change.put) };
  }

  /** Sends it again where nobody knows whether it has happened: at the same position, with the same mark, it happens once at most. */
  async #send(...change: Parameters<TableLog["write"]>): ReturnType<TableLog["write"]> {
    for (let sending = 1; ; sending += 1) {
      try {
        return await this.#log.write(...change);
      } catch (cause) {
        if (sending === TABLE_SENDINGS_MAX || !(cause instanceof Failure) || cause.outcomeKnown) throw this.#cutOffBy(cause);
        await this.#io.wait(TABLE_RETRY_MS);
      }
    }
  }

  async #follow(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#catchUp();
        this.#tellBack();
        // Waiting only spares looks: where it is not possible, there is a look every TABLE_RETRY_MS.
        await this.#log.waitFor(this.#replica.at).catch(() => (this.#isClosed ? undefined : this.#io.wait(TABLE_RETRY_MS)));
      } catch (cause) {
        if (this.#isClosed) return;
        this.#cutOffBy(cause);
        await this.#io.wait(TABLE_RETRY_MS);
      }
    }
  }

  /** Resolves when this process has all that was there when it asked. */
  async #catchUp(): Promise<void> {
    for (;;) {
      const askedAtUs = this.#io.clock.monotonicUs();
      const replica = this.#replica;
      const asked = replica.at;
      const standing = replica.take(await this.#log.look({ behind: asked, rows: null }), asked);
      if (standing === "gap") await this.#load();
      // Somebody may have read all rows meanwhile: a look of the old ones says nothing about the new.
      if (standing !== "current" || replica !== this.#replica) continue;
      this.#currentAtUs = askedAtUs;
      return;
    }
  }

  #load(): Promise<void> {
    this.#loading ??= this.#loadOnce().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  /** Reads all rows into a fresh replica, with the changes between the pages, so that it is whole when the last page has come. */
  async #loadOnce(): Promise<void> {
    const { rowsPerLook: limit } = this.#format;
    let askedAtUs = this.#io.clock.monotonicUs();
    let look = await this.#log.look({ behind: null, rows: { after: null, limit } });
    const fresh = new Replica(this.#format, look.head);
    for (let asked = look.head; ; ) {
      // The rows before the changes: a change that a row has already seen ends in the same row once more.
      fresh.addRows(look.rows);
      const standing = fresh.take(look, asked);
      // Its log is too short for that many changes, or the store has changed its mind meanwhile. Whoever comes next tries again.
      if (standing === "gap") throw new Failure("overloaded", `${this.#format.name} changed too much while it was read; try again`, false);
      if (look.rows.length < limit && standing === "current") break;
      asked = fresh.at;
      const after = look.rows.at(-1)?.id;
      askedAtUs = this.#io.clock.monotonicUs();
      look = await this.#log.look({ behind: asked, rows: after === undefined ? null : { after, limit } });
    }
    this.#replica = fresh;
    this.#currentAtUs = askedAtUs;
    this.#loads += 1;
  }

  /** @returns the cause */
  #cutOffBy(cause: unknown): unknown {
    if (!this.#isCutOff) this.#io.report(`${this.#format.name}: ${messageOf(cause)}. What is in memory goes on answering`);
    this.#isCutOff = true;
    return cause;
  }

  #tellBack(): void {
    if (this.#isCutOff) this.#io.report(`${this.#format.name}: the store answers again`);
    this.#isCutOff = false;
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
