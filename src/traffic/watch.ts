/**
 * The analysis as it runs in its thread: takes pages of records, looks at them several times a second, and tells what it finds. Whoever stores
 * events gets every one from here (`sink`).
 */
import type { Clock } from "../core/time.ts";
import { SLICE_MS, TRAFFIC_HAND_OVER_MS } from "../limits/traffic.ts";
import { Analysis } from "./analysis.ts";
import type { TrafficEvent } from "./event.ts";
import { RecordReader } from "./record-reader.ts";
import type { TrafficGreeting, TrafficReport } from "./report.ts";

/** A record waits to be handed over, and for the slice that it is in. */
const EVENTS_LATE_MS = TRAFFIC_HAND_OVER_MS + 2 * SLICE_MS;

export interface WatchParts {
  readonly clock: Clock;
  readonly tell: (report: TrafficReport) => void;
  /** Takes every event, after the analysis has. */
  readonly sink: (events: readonly TrafficEvent[]) => void;
}

export class Watch {
  readonly #parts: WatchParts;
  readonly #reader = new RecordReader();
  readonly #analysis: Analysis;
  readonly #decoder = new TextDecoder();
  #eventsSeen = 0;
  #shownSecond = 0;

  constructor(greeting: TrafficGreeting, parts: WatchParts) {
    this.#parts = parts;
    this.#analysis = new Analysis(greeting);
  }

  /** @param page whole records, each with its line feed */
  take(page: Uint8Array): void {
    const events = this.#reader.read(this.#decoder.decode(page));
    this.#eventsSeen += events.length;
    this.#analysis.add(events);
    this.#parts.sink(events);
  }

  /** To be called several times a second: what has gathered is looked at, and once a second the windows are told. */
  look(): void {
    const slices = this.#analysis.slices();
    const proposals = this.#analysis.merge(slices);
    if (proposals.length > 0) this.#parts.tell({ proposals });
    const now = this.#parts.clock.now();
    // The last records of a second come a little after its end.
    const settled = now - EVENTS_LATE_MS;
    const second = Math.floor(settled / 1_000);
    if (second <= this.#shownSecond) return;
    this.#shownSecond = second;
    const points = this.#analysis.advance(settled);
    this.#parts.tell({ at: now, eventsSeen: this.#eventsSeen, windows: this.#analysis.windows(), observed: [], points });
  }
}
