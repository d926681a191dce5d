/**
 * Server-sent events: each stream tells what is in the outbox from its cursor on, and then what comes. A stream has nothing of its own but
 * the cursor: it reads a piece when the connection has taken the piece before, so a slow reader costs one piece of memory. One that takes
 * nothing is closed by the server's idle limit; one that falls behind what the outbox keeps is ended. Both resume with `Last-Event-ID`.
 */
import { Failure } from "../core/failure.ts";
import type { Clock, MonotonicUs } from "../core/time.ts";
import { EVENT_STREAM_BEAT_MS, EVENT_STREAMS_MAX, EVENTS_PER_READ } from "../limits.ts";
import { type EventFilter, isWanted } from "./event-filter.ts";
import type { EventSource } from "./event-source.ts";
import type { StoredEvent } from "./stored-event.ts";

/** A client waits so long before it comes again. */
const GREETING = "retry: 1000\n\n";

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class EventStreams {
  readonly #outbox: EventSource;
  readonly #clock: Clock;
  #open = 0;
  #beats = 0;
  #beatAt: MonotonicUs;
  #seenId: number;
  #isClosed = false;
  /** Resolves when there is something to do for the streams that wait. */
  #call = Promise.withResolvers<void>();

  constructor(outbox: EventSource, clock: Clock) {
    this.#outbox = outbox;
    this.#clock = clock;
    this.#seenId = outbox.lastId;
    this.#beatAt = clock.monotonicUs();
  }

  get open(): number {
    return this.#open;
  }

  get isFull(): boolean {
    return this.#open >= EVENT_STREAMS_MAX;
  }

  /** Wakes the streams when there is news, or when they have been silent for long. Called every `EVENT_STREAM_TICK_MS`. */
  tick(): void {
    const now = this.#clock.monotonicUs();
    const isBeat = now - this.#beatAt >= EVENT_STREAM_BEAT_MS * 1_000;
    if (isBeat) {
      this.#beats += 1;
      this.#beatAt = now;
    }
    if (isBeat || this.#outbox.lastId !== this.#seenId) this.#wake();
    this.#seenId = this.#outbox.lastId;
  }

  /** Ends all streams; their clients come again. Before the server closes, which waits for what is in flight. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** What follows `after`, without end. A stream counts as open from when its first piece is taken. */
  async *from(after: number, filter: EventFilter): AsyncGenerator<string> {
    if (this.isFull) return;
    this.#open += 1;
    try {
      yield GREETING;
      yield* this.#pieces(after, filter);
    } finally {
      this.#open -= 1;
    }
  }

  async *#pieces(after: number, filter: EventFilter): AsyncGenerator<string> {
    let cursor = after;
    let beats = this.#beats;
    while (!this.#isClosed && cursor + 1 >= this.#outbox.oldestId) {
      // Taken before the look at the outbox: what comes after it is not missed.
      const called = this.#call.promise;
      const events = await this.#read(cursor);
      // What followed the cursor was removed meanwhile.
      if (events[0] !== undefined && events[0].id !== cursor + 1) return;
      cursor = events.at(-1)?.id ?? cursor;
      const wanted = events.filter((event) => isWanted(event, filter));
      if (wanted.length > 0) yield wanted.map(({ id, text }) => `id: ${id}\ndata: ${text}\n\n`).join("");
      // The id without data moves the client's cursor past what it did not want, and is no event for it.
      else if (beats !== this.#beats) yield `: still here\nid: ${cursor}\n\n`;
      beats = this.#beats;
      await (events.length === 0 ? called : nextTurn());
    }
  }

  /** Nothing, while the store cannot be had: the stream stays open and goes on when it is back. */
  async #read(after: number): Promise<readonly StoredEvent[]> {
    try {
      return await this.#outbox.read(after, EVENTS_PER_READ);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return [];
    }
  }

  #wake(): void {
    const { resolve } = this.#call;
    this.#call = Promise.withResolvers<void>();
    resolve();
  }
}
