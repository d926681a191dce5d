/**
 * What a store asks of a Redis that other processes use too: scripts, each one atomic step over keys of one hash tag. Who keeps the connections is
 * the edge's business.
 */

export interface LuaScript {
  readonly name: string;
  readonly text: string;
  /** No replica has to confirm it: it changes nothing, or nothing that would not come about again by itself. */
  readonly isUnconfirmed?: true;
}

export interface RedisScripts {
  /**
   * Runs a script where its keys are. Scripts over the same keys are run in the order in which they were asked for, unless one fails.
   * @param keys at least one, all of the same hash tag
   * @throws Failure `outcomeKnown` true: the script has not run. False: it may have, and may yet
   */
  run(script: LuaScript, keys: readonly string[], args: readonly string[]): Promise<unknown>;
}
