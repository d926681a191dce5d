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

  /** Tries until it succeeds. What fails for another reason than a store that is away fails at once.
   *  @param why in words for the operator @throws what the last attempt threw */
  async until<T>(attempt: () => Promise<T>, why: (error: Failure) => string | Promise<string> = causeOf): Promise<T> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Failure) || this.#isOver()) throw error;
        await this.#tell(error, why);
        await new Promise<void>((resolve) => timers.after(STORE_RETRY_MS, resolve));
      }
    }
  }

  #isOver(): boolean {
    return systemClock.monotonicUs() - this.#startedUs >= this.#waitMsMax * 1_000;
  }

  /** Once: what it waits for first is mostly all it waits for. */
  async #tell(error: Failure, why: (error: Failure) => string | Promise<string>): Promise<void> {
    if (this.#hasTold) return;
    this.#hasTold = true;
    complain(`waiting up to ${this.#waitMsMax / 1_000} s for a store that cannot be used yet (${await why(error)})`);
  }
}

const causeOf = ({ cause, message }: Failure): string => (cause instanceof Error ? cause.message : message);
