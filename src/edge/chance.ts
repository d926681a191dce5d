/** Chance, as a value that can be given to whoever must not reach for it: from 0 to below 1. Not for secrets. */
export const chance = (): number => Math.random();
