/** The process's timers, as a value that can be given to whoever must not reach for them. */
import type { DurationMs } from "../core/time.ts";

export const timers = {
  after(delay: DurationMs, run: () => void): void {
    setTimeout(run, delay);
  },
  every(period: DurationMs, run: () => void): () => void {
    const timer = setInterval(run, period);
    return () => clearInterval(timer);
  },
};
