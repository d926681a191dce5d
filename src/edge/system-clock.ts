/** This machine's clocks. */
import type { Clock } from "../core/time.ts";

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicUs: () => performance.now() * 1_000,
};
