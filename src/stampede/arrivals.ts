/**
 * When the crowd arrives: a Poisson process, as people who do not know of each other make it. The schedule is fixed by its seed and never looks
 * at an answer (open loop): a slow shop makes the queue longer, not the crowd smaller.
 */

/** Numbers from 0 to just below 1, the same ones for the same seed: the generator mulberry32 (Tommy Ettinger, 2017). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Each call gives the next arrival, in microseconds from the start. Gaps are exponential with the mean `1 / ratePerSecond`. */
export function poissonArrivals(ratePerSecond: number, random: () => number): () => number {
  const gapUsMean = 1_000_000 / ratePerSecond;
  let atUs = 0;
  return () => {
    atUs += -Math.log(1 - random()) * gapUsMean;
    return atUs;
  };
}
