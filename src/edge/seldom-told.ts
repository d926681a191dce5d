/** Tells an operator of a trouble that goes on and on, but not on and on: once a minute. */
import type { Clock, MonotonicUs } from "../core/time.ts";
import { TROUBLE_TOLD_MS } from "../limits/records.ts";

export class SeldomTold {
  readonly #clock: Clock;
  readonly #tell: (message: string) => void;
  #toldAtUs: MonotonicUs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, tell: (message: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  say(message: string): void {
    const nowUs = this.#clock.monotonicUs();
    if (nowUs - this.#toldAtUs < 1_000 * TROUBLE_TOLD_MS) return;
    this.#toldAtUs = nowUs;
    this.#tell(message);
  }
}
