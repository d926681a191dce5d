/**
 * A gate's records on their way to the analysis in another process, over the link, one call at a time. What finds no room meanwhile, and what was in
 * a call that failed, is dropped and counted.
 */
import { onlyFailure } from "../core/failure.ts";
import { RECORD_PAGE_BYTES, type RecordCarrier, type RecordPage, WaitingPages } from "../edge/record-pages.ts";
import { TRAFFIC_PAGES_UNDER_WAY_MAX } from "../limits/traffic.ts";
import type { Link } from "../links/link.ts";
import { PAGES_PER_CALL, takeRecords } from "../traffic/records-link.ts";

export class RecordsSender implements RecordCarrier {
  readonly #waiting = new WaitingPages(TRAFFIC_PAGES_UNDER_WAY_MAX * RECORD_PAGE_BYTES);
  readonly #send: (pages: readonly string[]) => Promise<unknown>;
  readonly #onBug: (error: unknown) => void;
  #sending: Promise<void> | null = null;
  #dropped = 0;

  constructor(link: Link, onBug: (error: unknown) => void) {
    this.#send = link.method(takeRecords);
    this.#onBug = onBug;
  }

  get dropped(): number {
    return this.#dropped + this.#waiting.dropped;
  }

  carry(pages: readonly RecordPage[]): void {
    for (const page of pages) this.#waiting.add(page);
    if (this.#sending === null && !this.#waiting.isEmpty) this.#sending = this.#sendAll().catch(this.#onBug);
  }

  /** Once everything is sent that was there to send. */
  async close(): Promise<void> {
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    try {
      while (!this.#waiting.isEmpty) await this.#sendSome();
    } finally {
      this.#sending = null;
    }
  }

  async #sendSome(): Promise<void> {
    const pages = this.#taken();
    const texts = pages.map(({ bytes, used }) => bytes.toString("utf8", 0, used));
    const records = pages.reduce((sum, page) => sum + page.records, 0);
    for (const page of pages) this.#waiting.done(page);
    try {
      await this.#send(texts);
    } catch (error) {
      // The link tells the operator when nobody answers.
      onlyFailure(error);
      this.#dropped += records;
    }
  }

  /** As many as go in one call. */
  #taken(): RecordPage[] {
    const pages: RecordPage[] = [];
    for (let page = this.#waiting.take(); page !== undefined; page = pages.length < PAGES_PER_CALL ? this.#waiting.take() : undefined)
      pages.push(page);
    return pages;
  }
}
