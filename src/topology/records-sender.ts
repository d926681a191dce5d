/**
 * A gate's records on their way to the analysis in another process. Adding one only ever puts it into memory; what has gathered is sent over the
 * link, one call at a time. What finds no room meanwhile, and what was in a call that failed, is dropped and counted.
 */
import { RECORD_PAGE_BYTES, RecordPages } from "../edge/record-pages.ts";
import { timers } from "../edge/timers.ts";
import { TRAFFIC_HAND_OVER_MS, TRAFFIC_PAGES_UNDER_WAY_MAX } from "../limits/traffic.ts";
import type { Link } from "../links/link.ts";
import { takeRecords } from "../traffic/records-link.ts";

export class RecordsSender {
  readonly #waiting = new RecordPages(TRAFFIC_PAGES_UNDER_WAY_MAX * RECORD_PAGE_BYTES);
  readonly #send: (pages: readonly string[]) => Promise<unknown>;
  readonly #stop: () => void;
  #sending: Promise<void> | null = null;
  #dropped = 0;

  constructor(link: Link) {
    this.#send = link.method(takeRecords);
    this.#stop = timers.every(TRAFFIC_HAND_OVER_MS, () => this.#sendWhatThereIs());
  }

  get dropped(): number {
    return this.#dropped;
  }

  add(line: string): void {
    if (!this.#waiting.add(line)) this.#dropped += 1;
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    this.#stop();
    await this.#sending;
    this.#sendWhatThereIs();
    await this.#sending;
  }

  #sendWhatThereIs(): void {
    if (this.#sending !== null || this.#waiting.isEmpty) return;
    const pages = this.#waiting.take();
    const texts = pages.map(({ bytes, used }) => bytes.toString("utf8", 0, used));
    const records = pages.reduce((sum, page) => sum + page.records, 0);
    for (const page of pages) this.#waiting.giveBack(page);
    this.#sending = this.#send(texts).then(
      () => this.#sent(0),
      // The link tells the operator when nobody answers.
      () => this.#sent(records),
    );
  }

  #sent(dropped: number): void {
    this.#dropped += dropped;
    this.#sending = null;
  }
}
