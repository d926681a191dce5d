/** Runs the sweepers of the stores at a steady tick, a bounded piece at a time; between two pieces the event loop is free. */
import { Failure } from "../core/failure.ts";
import type { Clock, DurationMs, UnixMs } from "../core/time.ts";

/** Sweeps a piece; resolves with whether there is more to do at once. */
export type Sweep = (now: UnixMs) => Promise<boolean>;

export class Sweeper {
  readonly #sweeps: readonly Sweep[];
  readonly #clock: Clock;
  readonly #onBug: (error: unknown) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #isBusy = false;
  #isStopped = false;

  constructor(sweeps: readonly Sweep[], clock: Clock, tickMs: DurationMs, onBug: (error: unknown) => void) {
    this.#sweeps = sweeps;
    this.#clock = clock;
    this.#onBug = onBug;
    this.#timer = setInterval(() => void this.#tick(), tickMs);
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  async #tick(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (const sweep of this.#sweeps) await this.#run(sweep);
    } finally {
      this.#isBusy = false;
    }
  }

  /** One sweep that fails does not keep the others from theirs. */
  async #run(sweep: Sweep): Promise<void> {
    try {
      while (!this.#isStopped && (await sweep(this.#clock.now())));
    } catch (error) {
      // A store with too much to do, or one that is away, is asked again at the next tick; one that has failed has told its owner already.
      if (error instanceof Failure && (error.code === "overloaded" || error.code === "store-unavailable")) return;
      this.stop();
      if (!(error instanceof Failure)) this.#onBug(error);
    }
  }
}
