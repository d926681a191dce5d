/**
 * Which of a service's instances is asked next. Pure: it is told what time it is, what ended how, and a random number.
 *
 * An instance is CLOSED (its circuit lets calls through) until it cannot be reached, does not answer in time, or fails `LINK_FAILURES_MAX`
 * times in a row. Then it is OPEN: nobody asks it until a pause is over, which doubles each time up to `LINK_PAUSE_MS_MAX`. The first call
 * after the pause is its TRIAL; while that is under way nobody else asks. An answer closes it, anything else opens it for longer.
 *
 * Among those that may be asked two are drawn, and the one with fewer calls under way is taken (the power of two choices: Mitzenmacher 2001).
 */
import type { DurationMs, UnixMs } from "../core/time.ts";
import { LINK_FAILURES_MAX, LINK_PAUSE_MS_MAX, LINK_PAUSE_MS_MIN } from "../link-limits.ts";

/** `gone`: nobody listened, or it is stopping. `silent`: no answer in time, or the connection was cut. `failed`: it said that it cannot. */
export type CallEnd = "answered" | "failed" | "silent" | "gone";

interface Instance {
  inFlight: number;
  failures: number;
  pauseMs: DurationMs;
  /** `null`: closed. */
  openUntil: UnixMs | null;
  isOnTrial: boolean;
}

export class Balancer {
  readonly #instances = new Map<string, Instance>();
  #urls: readonly string[] = [];

  /** The instances that there are now. What is known of those that stay is kept. */
  update(urls: readonly string[]): void {
    if (urls === this.#urls) return;
    this.#urls = urls;
    for (const url of this.#instances.keys()) if (!urls.includes(url)) this.#instances.delete(url);
  }

  /** @param random from 0 to below 1
   *  @param tried those that this call has asked already
   *  @returns `null`: there is nobody to ask */
  pick(now: UnixMs, random: () => number, tried: readonly string[] = []): string | null {
    const free = this.#urls.filter((url) => !tried.includes(url) && this.#mayBeAsked(url, now));
    if (free.length === 0) return null;
    // Who is on trial is asked first: otherwise it might never be, beside others that are well.
    const due = free.find((url) => this.#of(url).openUntil !== null);
    if (due !== undefined) return due;
    const first = free[Math.floor(random() * free.length)] as string;
    const second = free[Math.floor(random() * free.length)] as string;
    return this.#of(second).inFlight < this.#of(first).inFlight ? second : first;
  }

  began(url: string): void {
    const instance = this.#of(url);
    instance.inFlight += 1;
    if (instance.openUntil !== null) instance.isOnTrial = true;
  }

  ended(url: string, end: CallEnd, now: UnixMs): void {
    const instance = this.#instances.get(url);
    // It has left meanwhile.
    if (!instance) return;
    instance.inFlight -= 1;
    if (end === "answered") {
      instance.failures = 0;
      instance.pauseMs = LINK_PAUSE_MS_MIN;
      instance.openUntil = null;
      instance.isOnTrial = false;
      return;
    }
    instance.failures += 1;
    const wasOnTrial = instance.isOnTrial;
    // Calls that were under way when it opened tell nothing new.
    if (instance.openUntil !== null && !wasOnTrial) return;
    if (end === "failed" && instance.failures < LINK_FAILURES_MAX && !wasOnTrial) return;
    instance.openUntil = now + instance.pauseMs;
    instance.pauseMs = Math.min(instance.pauseMs * 2, LINK_PAUSE_MS_MAX);
    instance.isOnTrial = false;
  }

  /** How many there are, and how many of them are asked at `now`. */
  counts(now: UnixMs): { readonly known: number; readonly closed: number } {
    return { known: this.#urls.length, closed: this.#urls.filter((url) => this.#mayBeAsked(url, now)).length };
  }

  #mayBeAsked(url: string, now: UnixMs): boolean {
    const { openUntil, isOnTrial } = this.#of(url);
    // A clock that was set back must not keep anybody out for longer than the longest pause.
    return openUntil === null || (!isOnTrial && (now >= openUntil || openUntil - now > LINK_PAUSE_MS_MAX));
  }

  #of(url: string): Instance {
    const known = this.#instances.get(url);
    if (known) return known;
    const fresh: Instance = { inFlight: 0, failures: 0, pauseMs: LINK_PAUSE_MS_MIN, openUntil: null, isOnTrial: false };
    this.#instances.set(url, fresh);
    return fresh;
  }
}
