/** This browser's clock and its timers. */

/** In unix ms, as far as this machine knows. */
export const now = (): number => Date.now();

export function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

export function every(periodMs: number, run: () => void): () => void {
  const timer = setInterval(run, periodMs);
  return () => clearInterval(timer);
}
