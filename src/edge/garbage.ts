/** Memory that nobody needs any more. */
import type { DurationMs } from "../core/time.ts";

/** By then whoever has left it has ended too: what it held would be kept. */
const AFTER_MS: DurationMs = 1_000;

/** Lets the engine look for it soon, beside everything else; it stops the program for some milliseconds at most. */
export const collectGarbage = (): void => {
  setTimeout(() => Bun.gc(false), AFTER_MS).unref();
};
