/**
 * A bug: an invariant of our own broke. Never used to judge input (input is parsed at the edge); stays on in production,
 * because selling on with a broken invariant is worse than stopping.
 */
export class BrokenInvariant extends Error {
  override readonly name = "BrokenInvariant";
}

/** Stops with `BrokenInvariant` unless `condition` holds. `fact` states what must be true, one fact per call. */
export function assert(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new BrokenInvariant(fact);
}
