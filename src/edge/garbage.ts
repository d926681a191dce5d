/** Lets the engine look for memory that nobody needs any more, beside everything else; it stops the program for some milliseconds at most. */
export const collectGarbage = (): void => Bun.gc(false);
