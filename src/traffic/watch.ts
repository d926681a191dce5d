/**
 * The analysis as it runs in its thread: takes pages of records, looks at them several times a second, and tells what it finds. Whoever stores
 * events gets every one from here (`sink`).
 */
import type { Clock, DurationMs } from "../core/time.ts";
import { OFFENCE_STALE_MS } from "../limits/traffic.ts";
import { Analysis } from "./analysis.ts";
import { type ObservedKey, ObservedTraffic } from "./observed.ts";
import { ReadEvents } from "./read-events.ts";
import { RecordReader } from "./record-reader.ts";
import type { TrafficGreeting, TrafficReport } from "./report.ts";
import type { Slice } from "./slice.ts";

export interface WatchParts {
  readonly clock: Clock;
  readonly tell: (report: TrafficReport) => void;
  /** Takes every event, after the analysis has. */
  readonly sink: (page: ReadEvents) => void;
}

export class Watch {
  readonly #parts: WatchParts;
  readonly #reader = new RecordReader();
  readonly #analysis: Analysis;
  readonly #observed = new ObservedTraffic();
  readonly #page = new ReadEvents();
  #eventsSeen = 0;
  readonly #lateMs: DurationMs;
  #shownSecond = 0;

  /** @param lateMs how long after it has happened an event is counted at the latest */
  constructor(greeting: TrafficGreeting, parts: WatchParts, lateMs: DurationMs) {
    this.#lateMs = lateMs;
    this.#parts = parts;
    this.#analysis = new Analysis(greeting);
  }

  /** @param bytes whole records, each with its line feed */
  take(bytes: Uint8Array): void {
    const page = this.#page;
    this.#reader.read(bytes, page);
    this.#eventsSeen += page.events;
    this.#analysis.add(page);
    this.#observed.take(page);
    this.#parts.sink(page);
  }

  /** From now on these are observed, and no others. */
  observe(keys: readonly ObservedKey[]): void {
    this.#observed.watch(keys);
  }

  /** What has gathered since. To be called several times a second. */
  gathered(): readonly Slice[] {
    return this.#analysis.slices();
  }

  /** Counts what was gathered, here or elsewhere, and tells whoever has crossed a line by it. */
  merge(slices: readonly Slice[]): void {
    const { clock, tell } = this.#parts;
    const staleAt = clock.now() - OFFENCE_STALE_MS;
    // Records that have waited for hours, because nobody read them, are for the store; nobody is blocked for them.
    const proposals = this.#analysis.merge(slices).filter(({ evidence }) => evidence.at > staleAt);
    if (proposals.length > 0) tell({ proposals });
  }

  /** Tells the windows, once a second. */
  show(): void {
    const now = this.#parts.clock.now();
    // The last records of a second come a little after its end.
    const settled = now - this.#lateMs;
    const second = Math.floor(settled / 1_000);
    if (second <= this.#shownSecond) return;
    this.#shownSecond = second;
    const points = this.#analysis.advance(settled);
    this.#parts.tell({
      at: now,
      eventsSeen: this.#eventsSeen,
      windows: this.#analysis.windows(),
      observed: this.#observed.counts(),
      points,
    });
  }
}
