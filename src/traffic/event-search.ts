/** Answers searches and reports, one after the other, over the segments that there are when their turn comes. */
import { AnswerTooLate, type Cell, type Question, type SegmentDatabase } from "../core/segment-database.ts";
import type { Clock, DurationMs, MonotonicUs, UnixMs } from "../core/time.ts";
import { REPORT_MS_MAX, SEARCH_MS_MAX, SEARCHES_WAITING_MAX } from "../limits/event-store.ts";
import { makeReport } from "./drop-report.ts";
import {
  type Cursor,
  cursorOf,
  cursorText,
  eventOfRow,
  type FoundEvent,
  type FoundRow,
  isAskedFor,
  readRows,
  searchRows,
} from "./event-query.ts";
import { type DropReport, type EventPage, type EventQuery, SearchRefused } from "./event-store.ts";
import type { Segment } from "./segments.ts";

export type Ask = (question: Question) => Promise<readonly (readonly Cell[])[]>;

/** Rows of a segment that are looked at first, and by how much more of them each time after. */
const FIRST_WINDOW_ROWS = 16_384;
const WINDOW_GROWTH = 32;

export class EventSearch {
  readonly #database: SegmentDatabase;
  readonly #segments: () => readonly Segment[];
  readonly #clock: Clock;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(database: SegmentDatabase, segments: () => readonly Segment[], clock: Clock) {
    this.#database = database;
    this.#segments = segments;
    this.#clock = clock;
  }

  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  search(query: EventQuery): Promise<EventPage> {
    const behind = query.before === undefined ? null : cursorOf(query.before);
    if (query.before !== undefined && behind === null)
      return Promise.reject(new SearchRefused("unknown-cursor", "This is the `next` of no page."));
    return this.#inTurn(SEARCH_MS_MAX, (ask, startedUs) => this.#search(query, behind, ask, startedUs));
  }

  report(fromMs: UnixMs, untilMs: UnixMs): Promise<DropReport> {
    return this.#inTurn(REPORT_MS_MAX, (ask) => makeReport(this.#segments(), fromMs, untilMs, ask));
  }

  /** Nothing more is answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last.catch(() => undefined);
  }

  /** Its time begins when its turn comes: there are few before it, and each has its own bound. */
  #inTurn<T>(patienceMs: DurationMs, answer: (ask: Ask, startedUs: MonotonicUs) => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new SearchRefused("unavailable", "The process is about to stop."));
    if (this.#waiting >= SEARCHES_WAITING_MAX)
      return Promise.reject(new SearchRefused("too-many", "Too many searches are under way; try again in a few seconds."));
    this.#waiting += 1;
    const answered = this.#last
      .catch(() => undefined)
      .then(() => {
        const startedUs = this.#clock.monotonicUs();
        const ask: Ask = (question) => this.#ask(question, patienceMs - (this.#clock.monotonicUs() - startedUs) / 1_000);
        return answer(ask, startedUs);
      })
      .finally(() => {
        this.#waiting -= 1;
      });
    this.#last = answered;
    return answered;
  }

  async #ask(question: Question, leftMs: DurationMs): Promise<readonly (readonly Cell[])[]> {
    try {
      if (leftMs <= 0) throw new AnswerTooLate("no time is left");
      return await this.#database.ask(question, leftMs);
    } catch (error) {
      if (!(error instanceof AnswerTooLate)) throw error;
      throw new SearchRefused("too-long", "This takes too long. Ask for a shorter time, or for one trace id, user or address.");
    }
  }

  async #search(query: EventQuery, behind: Cursor | null, ask: Ask, startedUs: MonotonicUs): Promise<EventPage> {
    const found: FoundEvent[] = [];
    // One more than the page has tells whether there is another page.
    const wanted = query.limit + 1;
    for (const segment of this.#segments().toReversed()) {
      if (found.length === wanted) break;
      if (behind !== null && segment.number > behind.segment) continue;
      if ((query.untilMs ?? Number.POSITIVE_INFINITY) <= segment.firstAt || (query.fromMs ?? 0) > segment.lastAt) continue;
      await this.#searchSegment(segment, query, behind, wanted, found, ask);
    }
    const events = found.slice(0, query.limit);
    const last = events.at(-1);
    return {
      events: events.map(({ event }) => event).sort((a, b) => b.at - a.at),
      next: found.length > events.length && last !== undefined ? cursorText(last.cursor) : null,
      tookMs: Math.round((this.#clock.monotonicUs() - startedUs) / 100) / 10,
    };
  }

  /**
   * Adds to `found` until it is as long as wanted, or until there is nothing more in this segment. It looks at the last rows first, and then at more
   * and more of them: who asks for what there is plenty of does not wait until all of it was sorted.
   */
  async #searchSegment(
    { number, events }: Segment,
    query: EventQuery,
    behind: Cursor | null,
    wanted: number,
    found: FoundEvent[],
    ask: Ask,
  ): Promise<void> {
    let end = behind?.segment === number ? Math.min(behind.row, events) : events;
    for (let window = FIRST_WINDOW_ROWS; end > 0 && found.length < wanted; ) {
      const first = Math.max(0, end - window);
      const limit = wanted - found.length;
      const rows = (await ask(searchRows(number, query, first, end, limit))).map(([row, page]) => ({ row, page }) as FoundRow);
      const seen = rows.length === 0 ? [] : (await ask(readRows(number, rows))).map((cells) => eventOfRow(number, cells));
      // Two texts may share the number by which they are searched; whoever only shares it is left out, and the page filled up from behind it.
      found.push(...seen.filter(({ event }) => isAskedFor(query, event)));
      const last = rows.at(-1);
      end = rows.length === limit && last !== undefined ? last.row : first;
      if (rows.length < limit) window *= WINDOW_GROWTH;
    }
  }
}
