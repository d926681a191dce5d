/** Tells an operator of a trouble that goes on and on, but not on and on: once a minute. And that it is over, once for each time that it was told. */
import type { Clock, MonotonicUs } from "../core/time.ts";
import { TROUBLE_OVER_MS, TROUBLE_TOLD_MS } from "../limits/records.ts";

export class SeldomTold {
  readonly #clock: Clock;
  readonly #tell: (message: string) => void;
  #toldAtUs: MonotonicUs = Number.NEGATIVE_INFINITY;
  #lastAtUs: MonotonicUs = Number.NEGATIVE_INFINITY;
  /** It was told, and not yet that it is over. */
  #isPending = false;

  constructor(clock: Clock, tell: (message: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  say(message: string): void {
    const nowUs = this.#clock.monotonicUs();
    this.#lastAtUs = nowUs;
    if (nowUs - this.#toldAtUs < 1_000 * TROUBLE_TOLD_MS) return;
    this.#toldAtUs = nowUs;
    this.#isPending = true;
    this.#tell(message);
  }

  /** To be called whenever all is well. Nothing is said while the trouble comes and goes within `TROUBLE_OVER_MS`. */
  over(message: string): void {
    if (!this.#isPending || this.#clock.monotonicUs() - this.#lastAtUs < 1_000 * TROUBLE_OVER_MS) return;
    this.#isPending = false;
    this.#tell(message);
  }
}
