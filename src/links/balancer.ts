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
import { LINK_FAILURES_MAX, LINK_PAUSE_MS_MAX, LINK_PAUSE_MS_MIN } from "../limits/links.ts";

/** `gone`: nobody listened, or it is stopping. `silent`: no answer in time, or the connection was cut. `failed`: it said that it cannot. */
export type CallEnd = "answered" | "failed" | "silent" | "gone";

interface Instance {
  inFlight: number;
  failures: number;
  pauseMs: DurationMs;
  /** `null`: closed. */
  openUntil: UnixMs | null;
  trial: CallUnderWay | null;
}

/** A call that has begun and not ended. */
export interface CallUnderWay {
  readonly instance: Instance;
}

export class Balancer {
  readonly #instances = new Map<string, Instance>();
  #urls: readonly string[] = [];

  /** The instances that there are now. What is known of those that stay is kept; one that leaves and comes back begins anew. */
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

  began(url: string): CallUnderWay {
    const instance = this.#of(url);
    const call = { instance };
    instance.inFlight += 1;
    if (instance.openUntil !== null) instance.trial = call;
    return call;
  }

  /** Each call that has begun ends once. */
  ended(call: CallUnderWay, end: CallEnd, now: UnixMs): void {
    // Of one that has left meanwhile nobody asks any more, also when another has come under its address.
    const { instance } = call;
    const wasTrial = instance.trial === call;
    instance.inFlight -= 1;
    if (wasTrial) instance.trial = null;
    if (end === "answered") {
      instance.failures = 0;
      instance.pauseMs = LINK_PAUSE_MS_MIN;
      instance.openUntil = null;
      instance.trial = null;
      return;
    }
    instance.failures += 1;
    // Calls that were under way when it opened tell nothing new.
    if (instance.openUntil !== null && !wasTrial) return;
    if (end === "failed" && instance.failures < LINK_FAILURES_MAX && !wasTrial) return;
    instance.openUntil = now + instance.pauseMs;
    instance.pauseMs = Math.min(instance.pauseMs * 2, LINK_PAUSE_MS_MAX);
  }

  /** How many there are, and how many of them are asked at `now`. */
  counts(now: UnixMs): { readonly known: number; readonly closed: number } {
    return { known: this.#urls.length, closed: this.#urls.filter((url) => this.#mayBeAsked(url, now)).length };
  }

  #mayBeAsked(url: string, now: UnixMs): boolean {
    const { openUntil, trial } = this.#of(url);
    // A clock that was set back must not keep anybody out for longer than the longest pause.
    return openUntil === null || (trial === null && (now >= openUntil || openUntil - now > LINK_PAUSE_MS_MAX));
  }

  #of(url: string): Instance {
    const known = this.#instances.get(url);
    if (known) return known;
    const fresh: Instance = { inFlight: 0, failures: 0, pauseMs: LINK_PAUSE_MS_MIN, openUntil: null, trial: null };
    this.#instances.set(url, fresh);
    return fresh;
  }
}
