/**
 * A sale, live: polled with its ETag, rarely while the start is far and often when it is near, each time with jitter, and not at all while
 * nobody looks at the page. The clock is the server's: a wrong one here does not show a wrong countdown. At the start and at the end the
 * change is told at that very moment, without waiting for the next poll.
 */
import type { Operations } from "./api-types.ts";
import { DoorbusterFailure, type Requests } from "./requests.ts";
import type { Surroundings } from "./surroundings.ts";

type Sale = Operations["sale"]["replies"][200];

export interface Live {
  /** `null`: there is no such sale. */
  readonly sale: Sale | null;
  /** By the server's clock at this moment. */
  readonly status: Sale["status"] | "unknown";
  /** The server's clock, in unix ms, for a countdown. */
  readonly serverNow: () => number;
}

const NEAR_MS = 1_000;
const FAR_MS = 60_000;
const ON_SALE_MS = 2_000;
/** After a moment that everybody waits for, the polls of all spread over this span. */
const SPREAD_MS = 1_000;

export class LiveSale {
  readonly #path: string;
  readonly #requests: Requests;
  readonly #surroundings: Surroundings;
  readonly #onChange: (seen: Live) => void;
  readonly #stopping = new AbortController();
  #sale: Sale | null = null;
  #etag: string | null = null;
  /** The server's clock less ours. */
  #offsetMs = 0;
  #failures = 0;
  /** By the server's clock. */
  #pollAt = 0;

  constructor(id: string, requests: Requests, surroundings: Surroundings, onChange: (seen: Live) => void) {
    this.#path = `/sales/${encodeURIComponent(id)}`;
    this.#requests = requests;
    this.#surroundings = surroundings;
    this.#onChange = onChange;
    void this.#follow();
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #follow(): Promise<void> {
    while (!this.#isStopped()) {
      await this.#untilSeen();
      if (this.#isStopped()) return;
      await this.#poll();
      await this.#waitForNextPoll();
    }
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  readonly #serverNow = (): number => this.#surroundings.now() + this.#offsetMs;

  #show(): void {
    const status = this.#sale ? statusAt(this.#sale, this.#serverNow()) : "unknown";
    if (!this.#isStopped()) this.#onChange({ sale: this.#sale, status, serverNow: this.#serverNow });
    // Nothing of a sale changes once it has ended.
    if (status === "ended" || status === "unknown") this.stop();
  }

  async #poll(): Promise<void> {
    const askedAt = this.#surroundings.now();
    const headers = this.#etag === null ? {} : { "if-none-match": this.#etag };
    try {
      const { status, etag, serverNow, body } = await this.#requests.send({ method: "GET", path: this.#path, headers, attemptsMax: 1 });
      this.#failures = 0;
      if (status === 200) {
        this.#sale = body as unknown as Sale;
        this.#etag = etag;
        this.#setClock(this.#sale.serverNow, askedAt);
        this.#show();
      } else if (status === 404) {
        this.#sale = null;
        this.#show();
      } else if (status !== 304) this.#failures += 1;
      else if (serverNow !== null) this.#setClock(serverNow, askedAt);
    } catch (error) {
      if (!(error instanceof DoorbusterFailure)) throw error;
      this.#failures += 1;
    }
    this.#pollAt = this.#serverNow() + pollAfterMs(this.#sale, this.#serverNow(), this.#failures, this.#surroundings.random());
  }

  /** The answer was written somewhere between the question and now: the middle is wrong by half the way at most. */
  #setClock(serverNow: number, askedAt: number): void {
    this.#offsetMs = serverNow - (askedAt + this.#surroundings.now()) / 2;
  }

  /** On the way it tells of the start and of the end, at their moment. */
  async #waitForNextPoll(): Promise<void> {
    while (!this.#isStopped()) {
      const now = this.#serverNow();
      const boundary = this.#sale ? boundaryAfter(this.#sale, now) : Number.POSITIVE_INFINITY;
      if (boundary > this.#pollAt) return this.#surroundings.wait(Math.max(0, this.#pollAt - now), this.#stopping.signal);
      await this.#surroundings.wait(boundary - now, this.#stopping.signal);
      // A timer may come a little early; only the clock says that the moment is there.
      if (this.#isStopped() || this.#serverNow() < boundary) continue;
      this.#pollAt = this.#serverNow() + SPREAD_MS * this.#surroundings.random();
      this.#show();
    }
  }

  /** Waits while nobody looks. */
  async #untilSeen(): Promise<void> {
    const { page } = this.#surroundings;
    if (!page?.hidden) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (page.hidden && !this.#isStopped()) return;
        page.removeEventListener("visibilitychange", look);
        this.#stopping.signal.removeEventListener("abort", look);
        resolve();
      };
      page.addEventListener("visibilitychange", look);
      this.#stopping.signal.addEventListener("abort", look);
    });
  }
}

/** A sale that we know as scheduled is on when its time has come; that it was paused meanwhile, the next poll tells. */
function statusAt(sale: Sale, now: number): Sale["status"] {
  if (now >= Date.parse(sale.endsAt)) return "ended";
  return sale.status === "scheduled" && now >= Date.parse(sale.startsAt) ? "live" : sale.status;
}

function boundaryAfter(sale: Sale, now: number): number {
  return [Date.parse(sale.startsAt), Date.parse(sale.endsAt)].find((at) => at > now) ?? Number.POSITIVE_INFINITY;
}

/**
 * How long until the next poll: a tenth of the way to the start, from a second to a minute; two seconds while the sale is on. Failures double it.
 *
 * @param random from 0 to below 1: half of the time less to half of it more
 */
export function pollAfterMs(sale: Sale | null, now: number, failures: number, random: number): number {
  const startsAt = sale ? Date.parse(sale.startsAt) : now;
  const base = now < startsAt ? Math.min(FAR_MS, Math.max(NEAR_MS, (startsAt - now) / 10)) : ON_SALE_MS;
  return Math.min(FAR_MS, base * 2 ** failures) * (0.5 + random);
}
