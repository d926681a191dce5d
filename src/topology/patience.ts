/** A store that is not there yet is waited for: processes and stores of one system are started together, in any order. */
import { Failure } from "../core/failure.ts";
import type { DurationMs } from "../core/time.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import { STORE_RETRY_MS } from "../limits/links.ts";
import { complain } from "./process.ts";

export class Patience {
  readonly #waitMsMax: DurationMs;
  readonly #startedUs = systemClock.monotonicUs();
  #hasTold = false;

  /** @param waitMsMax in all, from now on */
  constructor(waitMsMax: DurationMs) {
    this.#waitMsMax = waitMsMax;
  }

  /** Tries until it succeeds. What fails for another reason than a store that is away fails at once. @throws what the last attempt threw */
  async until<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Failure) || this.#isOver()) throw error;
        this.#tell(error);
        await new Promise<void>((resolve) => timers.after(STORE_RETRY_MS, resolve));
      }
    }
  }

  #isOver(): boolean {
    return systemClock.monotonicUs() - this.#startedUs >= this.#waitMsMax * 1_000;
  }

  /** Once: what it waits for first is mostly all it waits for. */
  #tell(error: Failure): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
    const why = error.cause instanceof Error ? error.cause.message : error.message;
    complain(`waiting up to ${this.#waitMsMax / 1_000} s for a store that cannot be used yet (${why})`);
  }
}
