/** The event store of a process, and the sink beside it, as the thread of the analysis has them. */
import { BulkSender } from "../edge/bulk-sender.ts";
import { DuckDbSegments } from "../edge/duckdb-segments.ts";
import { SeldomTold } from "../edge/seldom-told.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import { EVENT_STORE_TICK_MS, EVENTS_BEFORE_OPEN_MAX } from "../limits/event-store.ts";
import { bulkDocument } from "../traffic/bulk-document.ts";
import type { TrafficEvent } from "../traffic/event.ts";
import { EVENT_TABLES } from "../traffic/event-rows.ts";
import { SearchRefused } from "../traffic/event-store.ts";
import { KeptEvents } from "../traffic/kept-events.ts";
import { ReadEvents } from "../traffic/read-events.ts";
import { answerOf, type FromStore, type KeepSettings, type StoreQuestion } from "../traffic/store-messages.ts";

const UNAVAILABLE = "No events are kept here: the event store could not be opened. The log of the process says why.";

/** Events come from the first moment on; the store is there a little later, or never, and the analysis goes on all the same. */
export class TrafficStore {
  readonly #tell: (message: FromStore) => void;
  readonly #trouble: SeldomTold;
  readonly #sink: BulkSender | null;
  readonly #opened: Promise<void>;
  readonly #stopTicking: () => void;
  #store: KeptEvents | null = null;
  #isOpening = true;
  #early: TrafficEvent[] = [];
  #lost = 0;

  constructor(settings: KeepSettings, tell: (message: FromStore) => void) {
    this.#tell = tell;
    const complain = (trouble: string): void => tell({ trouble });
    this.#trouble = new SeldomTold(systemClock, complain);
    this.#sink = settings.sinkUrl === null ? null : new BulkSender(settings.sinkUrl, systemClock, complain);
    this.#opened = this.#open(settings, complain);
    this.#stopTicking = timers.every(EVENT_STORE_TICK_MS, () => this.#tick());
  }

  add(page: ReadEvents): void {
    if (this.#sink !== null) for (const event of page.objects()) this.#sink.add(bulkDocument(event));
    if (this.#store !== null) this.#store.add(page);
    else if (this.#isOpening && this.#early.length + page.events <= EVENTS_BEFORE_OPEN_MAX) this.#early.push(...page.objects());
    else this.#lost += page.events;
  }

  async answer(question: StoreQuestion): Promise<void> {
    await this.#opened;
    this.#tell(await answerOf(this.#store ?? NOTHING, question, (trouble) => this.#tell({ trouble })));
  }

  /** Writes and sends what is left. */
  async close(): Promise<void> {
    this.#stopTicking();
    await Promise.all([this.#sink?.close(), this.#opened.then(() => this.#store?.close())]);
  }

  async #open({ folder, keptMs, keptBytes }: KeepSettings, complain: (trouble: string) => void): Promise<void> {
    try {
      const database = await DuckDbSegments.open(folder, EVENT_TABLES);
      const tell = (message: string): void => (this.#isOpening ? complain(message) : this.#trouble.say(message));
      this.#store = await KeptEvents.open(database, { keptMs, keptBytes }, systemClock, tell);
      this.#store.add(ReadEvents.of(this.#early));
    } catch (error) {
      complain(`no events are kept for searching: ${error instanceof Error ? error.message : String(error)}`);
      this.#lost += this.#early.length;
    }
    this.#early = [];
    this.#isOpening = false;
  }

  #tick(): void {
    this.#store?.writeWhatIsDue();
    this.#tell({
      figures: {
        eventsKept: this.#store?.eventsWritten ?? 0,
        eventsLost: this.#lost + (this.#store?.eventsLost ?? 0),
        bytes: this.#store?.bytes ?? 0,
        sinkSent: this.#sink?.sent ?? 0,
        sinkLost: this.#sink?.lost ?? 0,
      },
    });
  }
}

const NOTHING: Pick<KeptEvents, "search" | "report"> = {
  search: () => Promise.reject(new SearchRefused("unavailable", UNAVAILABLE)),
  report: () => Promise.reject(new SearchRefused("unavailable", UNAVAILABLE)),
};
