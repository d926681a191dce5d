/**
 * A failure: a service could not answer. Not a refusal (we said no) and not a bug (an invariant broke). `outcomeKnown` tells
 * whether nothing happened, or whether it may have happened and the same key must be asked again.
 */
export type FailureCode =
  | "store-stopped"
  /** A store outside of this process cannot be reached or used; it may come back. */
  | "store-unavailable"
  | "commit-failed"
  | "overloaded"
  | "key-space-full"
  | "keys-unavailable"
  | "provider-failed"
  | "provider-refused"
  /** A service of ours could not be reached, or did not answer in time. */
  | "unreachable";

export class Failure extends Error {
  override readonly name = "Failure";
  constructor(
    readonly code: FailureCode,
    message: string,
    readonly outcomeKnown: boolean,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

/** For what need not succeed; a bug is one all the same. */
export function onlyFailure(error: unknown): void {
  if (!(error instanceof Failure)) throw error;
}
