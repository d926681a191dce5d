/**
 * The events of the last hours, in segments. New ones gather in pages, in memory, and are committed together every few seconds or when enough have
 * come; whole segments are thrown away when they are too old or when all together take too much. Nobody waits for the disk: while it does not
 * take events, the pages fill, and then events are lost and counted.
 *
 * After a crash everything is there that was committed. A segment that is damaged is left out, and said to be.
 */
import type { Column, SegmentDatabase, TableRows } from "../core/segment-database.ts";
import type { Clock, DurationMs, MonotonicUs, UnixMs } from "../core/time.ts";
import {
  EVENT_COMMIT_MS,
  EVENT_COMMIT_PAGES_MAX,
  EVENT_PAGE_ROWS,
  EVENT_PAGES_MAX,
  EVENT_STORE_REST_MS,
  SEGMENT_EVENTS_MAX,
  SEGMENT_SHAPES_MAX,
  SEGMENT_SHARE_MAX,
  SEGMENTS_MAX,
} from "../limits/event-store.ts";
import { EventRows } from "./event-rows.ts";
import { EventSearch } from "./event-search.ts";
import { type Shape, shapeKey, shapeRow } from "./event-shape.ts";
import { type DropReport, type EventPage, type EventQuery, type EventStore, SearchRefused } from "./event-store.ts";
import type { ReadEvents } from "./read-events.ts";
import { openSegments, type Segment } from "./segments.ts";

export interface KeptFor {
  readonly keptMs: DurationMs;
  readonly keptBytes: number;
  /** Events of one segment. */
  readonly segmentEvents?: number;
}

export class KeptEvents implements EventStore {
  readonly #database: SegmentDatabase;
  readonly #bounds: Required<KeptFor>;
  readonly #clock: Clock;
  readonly #tell: (message: string) => void;
  /** The oldest first; events are added to the last, if `#isOpen`. */
  #segments: Segment[];
  #isOpen: boolean;
  #shapeNumbers = new Map<string, number>();
  readonly #search: EventSearch;
  #filling = new EventRows();
  readonly #free: EventRows[] = [];
  #waiting: EventRows[] = [];
  #pages = 1;
  #writing: Promise<void> | null = null;
  #committedAtUs: MonotonicUs;
  #restsUntilUs: MonotonicUs = Number.NEGATIVE_INFINITY;
  #isBroken = false;
  #written = 0;
  #lost = 0;

  private constructor(database: SegmentDatabase, segments: Segment[], bounds: KeptFor, clock: Clock, tell: (message: string) => void) {
    this.#database = database;
    this.#segments = segments;
    this.#isOpen = segments.length > 0;
    this.#bounds = { segmentEvents: SEGMENT_EVENTS_MAX, ...bounds };
    this.#clock = clock;
    this.#tell = tell;
    this.#search = new EventSearch(database, () => this.#segments, clock);
    this.#committedAtUs = clock.monotonicUs();
    this.#shapeNumbers = new Map(segments.at(-1)?.shapes);
  }

  /** @param tell hears of damaged segments, and of a disk that takes nothing: often, if that goes on */
  static async open(database: SegmentDatabase, bounds: KeptFor, clock: Clock, tell: (message: string) => void): Promise<KeptEvents> {
    const segments = await openSegments(database, tell);
    const events = new KeptEvents(database, segments, bounds, clock, tell);
    await events.#throwAway();
    return events;
  }

  get eventsWritten(): number {
    return this.#written;
  }
  get eventsLost(): number {
    return this.#lost;
  }
  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  add(page: ReadEvents): void {
    for (let row = 0; row < page.count; row += 1) if (this.#hasRoom()) this.#filling.addRow(page, row);
    for (const event of page.rest) if (this.#hasRoom()) this.#filling.add(event);
    this.writeWhatIsDue();
  }

  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
    this.#sealPage();
    await this.#start();
  }

  search(query: EventQuery): Promise<EventPage> {
    return this.#answer(() => this.#search.search(query));
  }

  report(fromMs: UnixMs, untilMs: UnixMs): Promise<DropReport> {
    return this.#answer(() => this.#search.report(fromMs, untilMs));
  }

  async close(): Promise<void> {
    this.#restsUntilUs = Number.NEGATIVE_INFINITY;
    await this.flush();
    await this.#search.close();
    await this.#database.close();
  }

  async #answer<T>(ask: () => Promise<T>): Promise<T> {
    await this.flush();
    if (this.#isBroken) throw unavailable();
    try {
      return await ask();
    } catch (error) {
      if (error instanceof SearchRefused) throw error;
      this.#breaks("events cannot be searched", error);
      throw unavailable();
    }
  }

  /** To be called every second or so, for when no events come. */
  writeWhatIsDue(): void {
    if (this.#writing !== null) return;
    const nowUs = this.#clock.monotonicUs();
    if (nowUs < this.#restsUntilUs) return;
    const isLate = nowUs - this.#committedAtUs >= 1_000 * EVENT_COMMIT_MS;
    if (isLate) this.#sealPage();
    if (isLate || this.#waiting.length >= EVENT_COMMIT_PAGES_MAX) void this.#start();
  }

  #start(): Promise<void> {
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    this.#committedAtUs = this.#clock.monotonicUs();
    if (this.#isBroken && !(await this.#repair())) return;
    while (this.#waiting.length > 0) {
      const pages = this.#waiting.splice(0, EVENT_COMMIT_PAGES_MAX);
      const events = pages.reduce((sum, page) => sum + page.count, 0);
      try {
        await this.#write(pages);
        this.#written += events;
      } catch (error) {
        this.#lost += events;
        this.#giveBack(pages);
        this.#breaks("events are not kept", error);
        return;
      }
      this.#giveBack(pages);
    }
  }

  /** What the database is worth after an error, nobody knows: it is opened anew before anything is asked of it again. */
  #breaks(what: string, error: unknown): void {
    this.#isBroken = true;
    this.#restsUntilUs = this.#clock.monotonicUs() + 1_000 * EVENT_STORE_REST_MS;
    this.#tell(`${what} (${error instanceof Error ? error.message : String(error)}); ${this.#lost} are lost so far`);
  }

  async #repair(): Promise<boolean> {
    if (!this.#search.isIdle || this.#clock.monotonicUs() < this.#restsUntilUs) return false;
    try {
      await this.#database.restart();
      this.#segments = await openSegments(this.#database, this.#tell);
      this.#isOpen = this.#segments.length > 0;
      this.#shapeNumbers = new Map(this.#segments.at(-1)?.shapes);
      this.#isBroken = false;
    } catch (error) {
      this.#breaks("events are not kept", error);
    }
    return !this.#isBroken;
  }

  async #write(pages: readonly EventRows[]): Promise<void> {
    await this.#throwAway();
    const segment = await this.#segmentFor(pages);
    const fresh: Shape[] = [];
    const numbers = new Map(this.#shapeNumbers);
    const rows = pages.flatMap((page, index) => {
      const called = page.shapes.map((shape) => {
        const key = shapeKey(shape);
        const known = numbers.get(key);
        if (known !== undefined) return known;
        numbers.set(key, numbers.size);
        fresh.push(shape);
        return numbers.size - 1;
      });
      return page.tables(segment.pages + index, called);
    });
    await this.#database.append(segment.number, [...shapeRows(fresh, this.#shapeNumbers.size), ...rows]);
    this.#shapeNumbers = numbers;
    segment.pages += pages.length;
    for (const page of pages) {
      segment.events += page.count;
      segment.firstAt = Math.min(segment.firstAt, page.firstAt);
      segment.lastAt = Math.max(segment.lastAt, page.lastAt);
    }
    segment.bytes = await this.#database.bytesOf(segment.number);
  }

  /** The one that is written to, or the next when that one has had its share. */
  async #segmentFor(pages: readonly EventRows[]): Promise<Segment> {
    const last = this.#segments.at(-1);
    const { keptMs, keptBytes, segmentEvents } = this.#bounds;
    const newest = Math.max(...pages.map((page) => page.lastAt));
    const shapes = this.#shapeNumbers.size + pages.reduce((sum, page) => sum + page.shapes.length, 0);
    const isFull =
      last !== undefined &&
      (last.events >= segmentEvents ||
        newest - last.firstAt > keptMs * SEGMENT_SHARE_MAX ||
        last.bytes > keptBytes * SEGMENT_SHARE_MAX ||
        shapes > SEGMENT_SHAPES_MAX);
    if (last !== undefined && this.#isOpen && !isFull) return last;
    if (last !== undefined && this.#isOpen) await this.#database.finish(last.number);
    const number = Math.max(0, ...(await this.#database.list()), last?.number ?? 0) + 1;
    await this.#database.open(number);
    const times = { firstAt: Number.POSITIVE_INFINITY, lastAt: Number.NEGATIVE_INFINITY };
    const segment = { number, events: 0, pages: 0, ...times, bytes: 0, shapes: [] };
    this.#shapeNumbers = new Map();
    this.#segments = [...this.#segments, segment];
    this.#isOpen = true;
    return segment;
  }

  /** Segments that are too old, and the oldest while there are too many or too large ones. Never while somebody reads them. */
  async #throwAway(): Promise<void> {
    const now = this.#clock.now();
    const { keptMs, keptBytes } = this.#bounds;
    const isTooMuch = ([oldest]: readonly Segment[]): boolean =>
      oldest !== undefined && (oldest.lastAt < now - keptMs || this.#segments.length > SEGMENTS_MAX || this.bytes > keptBytes);
    while (this.#search.isIdle && isTooMuch(this.#segments)) {
      const [oldest, ...rest] = this.#segments as [Segment, ...Segment[]];
      this.#segments = rest;
      if (rest.length === 0) this.#isOpen = false;
      await this.#database.drop(oldest.number);
    }
  }

  /** Whether there is room for one event. If not, it is lost. */
  #hasRoom(): boolean {
    if (!this.#filling.isFull || this.#turnPage()) return true;
    this.#lost += 1;
    return false;
  }

  /** Puts the page away and takes an empty one; false when there is none. */
  #turnPage(): boolean {
    const next = this.#free.pop() ?? this.#makePage();
    if (next === null) return false;
    this.#waiting.push(this.#filling);
    this.#filling = next;
    return true;
  }

  #sealPage(): void {
    if (this.#filling.count > 0) this.#turnPage();
  }

  #makePage(): EventRows | null {
    if (this.#pages >= EVENT_PAGES_MAX) return null;
    this.#pages += 1;
    return new EventRows();
  }

  #giveBack(pages: readonly EventRows[]): void {
    for (const page of pages) {
      page.clear();
      this.#free.push(page);
    }
  }
}

const unavailable = (): SearchRefused =>
  new SearchRefused("unavailable", "The event store cannot be read; it is opened anew in a few seconds. The log of the process says why.");

function shapeRows(shapes: readonly Shape[], firstNumber: number): TableRows[] {
  const rows = shapes.slice(0, EVENT_PAGE_ROWS).map(shapeRow);
  if (rows.length === 0) return [];
  const texts = (name: "instance" | "kind" | "reason" | "steps" | "outcomes"): Column => ({
    type: "text",
    texts: rows.map((row) => row[name]),
  });
  const numbers: Column = { type: "u16", bytes: Uint16Array.from(rows, (_, index) => firstNumber + index) };
  const statuses: Column = { type: "u32", bytes: Uint32Array.from(rows, (row) => row.status) };
  const columns = [numbers, texts("instance"), texts("kind"), statuses, texts("reason"), texts("steps"), texts("outcomes")];
  return [{ table: "shapes", count: rows.length, columns }, ...shapeRows(shapes.slice(rows.length), firstNumber + rows.length)];
}
