/**
 * A thread of our own that is fed with pages of records, and never with more than a bound says. What finds no room is dropped and counted, and so is what was with a thread that has died. That is started again after a pause, which doubles with every end that comes soon after a start.
 */
import { Worker } from "node:worker_threads";
import type { Clock, MonotonicUs } from "../core/time.ts";
import {
  TRAFFIC_CLOSE_MS_MAX,
  TRAFFIC_LOOK_MS,
  TRAFFIC_PAGES_UNDER_WAY_MAX,
  TRAFFIC_RESTART_MS_MAX,
  TRAFFIC_RESTART_MS_MIN,
  TRAFFIC_SETTLED_MS,
  TRAFFIC_SILENT_MS_MAX,
} from "../limits/traffic.ts";
import type { RecordCarrier, RecordPage } from "./record-pages.ts";

/** A page as the thread gets it: whole records, which stay as they are until it says that it has read them. */
export interface SharedPage {
  readonly page: SharedArrayBuffer;
  readonly used: number;
  readonly number: number;
}
/** What the thread is told: pages, something of whoever uses it, or to end. */
export type ToPageWorker = { readonly pages: readonly SharedPage[] } | { readonly told: unknown } | { readonly isOver: true };
/** What the thread tells: up to which page it has read, or something to whoever uses it. */
export type FromPageWorker = { readonly readUpTo: number } | { readonly tells: unknown };

export interface PageWorkerSettings {
  readonly entry: URL;
  /** The first message to each new thread. */
  readonly greeting: () => unknown;
  readonly onMessage: (message: unknown) => void;
  readonly clock: Clock;
  readonly onTrouble: (message: string) => void;
}

export class PageWorker implements RecordCarrier {
  readonly #settings: PageWorkerSettings;
  /** Pages that were handed over and not read yet. */
  readonly #underWay = new Map<number, RecordPage>();
  readonly #timer: ReturnType<typeof setInterval>;
  #worker: Worker | null = null;
  #pages = 0;
  #handedOver = 0;
  #dropped = 0;
  #restarts = 0;
  #startedAtUs: MonotonicUs = 0;
  #heardAtUs: MonotonicUs = 0;
  #pauseMs = TRAFFIC_RESTART_MS_MIN;
  #isClosed = false;
  #hasGone: () => void = () => undefined;

  constructor(settings: PageWorkerSettings) {
    this.#settings = settings;
    this.#start();
    this.#timer = setInterval(() => this.#endIfSilent(), TRAFFIC_LOOK_MS);
  }

  /** Records that were given to a thread. */
  get handedOver(): number {
    return this.#handedOver;
  }
  get dropped(): number {
    return this.#dropped;
  }
  get restarts(): number {
    return this.#restarts;
  }

  carry(pages: readonly RecordPage[]): void {
    const shared: SharedPage[] = [];
    for (const page of pages) {
      if (this.#worker === null || this.#underWay.size >= TRAFFIC_PAGES_UNDER_WAY_MAX) {
        this.#dropped += page.records;
        page.release();
        continue;
      }
      this.#pages += 1;
      this.#underWay.set(this.#pages, page);
      this.#handedOver += page.records;
      shared.push({ page: page.memory, used: page.used, number: this.#pages });
    }
    if (shared.length > 0) this.#post({ pages: shared });
  }

  tell(told: unknown): void {
    this.#post({ told });
  }

  /** Lets the thread read what it has, and end by itself, for a bounded time. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    const worker = this.#worker;
    if (worker === null) return;
    const gone = new Promise<void>((resolve) => {
      this.#hasGone = resolve;
    });
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, TRAFFIC_CLOSE_MS_MAX);
    this.#post({ isOver: true });
    await Promise.race([gone, late.promise]);
    clearTimeout(timer);
    await worker.terminate();
  }

  #start(): void {
    const worker = new Worker(this.#settings.entry);
    this.#worker = worker;
    this.#startedAtUs = this.#settings.clock.monotonicUs();
    this.#heardAtUs = this.#startedAtUs;
    let reason = "it ended";
    worker.on("message", (message: FromPageWorker) => {
      this.#heardAtUs = this.#settings.clock.monotonicUs();
      if ("readUpTo" in message) this.#wereRead(message.readUpTo);
      else this.#settings.onMessage(message.tells);
    });
    worker.on("error", (error: Error) => {
      reason = error.message;
      void worker.terminate();
    });
    worker.on("exit", () => this.#ended(worker, reason));
    this.tell(this.#settings.greeting());
  }

  #ended(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const page of this.#underWay.values()) {
      this.#dropped += page.records;
      page.release();
    }
    this.#underWay.clear();
    this.#hasGone();
    if (this.#isClosed) return;
    const livedMs = (this.#settings.clock.monotonicUs() - this.#startedAtUs) / 1_000;
    if (livedMs >= TRAFFIC_SETTLED_MS) this.#pauseMs = TRAFFIC_RESTART_MS_MIN;
    this.#settings.onTrouble(`the analysis of the traffic has ended (${reason}); it is started again in ${this.#pauseMs} ms`);
    setTimeout(() => {
      if (this.#isClosed) return;
      this.#restarts += 1;
      this.#start();
    }, this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, TRAFFIC_RESTART_MS_MAX);
  }

  #endIfSilent(): void {
    const silentMs = (this.#settings.clock.monotonicUs() - this.#heardAtUs) / 1_000;
    if (this.#worker !== null && silentMs > TRAFFIC_SILENT_MS_MAX) void this.#worker.terminate();
  }

  /** They are read in their order. */
  #wereRead(upTo: number): void {
    for (const [number, page] of this.#underWay) {
      if (number > upTo) return;
      this.#underWay.delete(number);
      page.release();
    }
  }

  #post(message: ToPageWorker): void {
    this.#worker?.postMessage(message);
  }
}
