/**
 * Trace ids: 32 lower-case hex digits, the form of the W3C Trace Context. The first 20 are random and fixed for the process,
 * the last 12 count up from a random start, so ids are unique in a process for 2^47 purchases and do not repeat across processes. An id is a
 * name, not a secret.
 */
import type { SessionId } from "./ids.ts";

const COUNTER_DIGITS = 12;

/** @param randomHex at least 32 random hex digits, fresh for every process */
export function traceIds(randomHex: string): () => SessionId {
  const prefix = randomHex.slice(0, 32 - COUNTER_DIGITS);
  // The top bit stays clear, so counting up never runs over the twelfth digit.
  let counter = Number.parseInt(randomHex.slice(32 - COUNTER_DIGITS, 32), 16) % 2 ** 47;
  return () => {
    counter += 1;
    return (prefix + counter.toString(16).padStart(COUNTER_DIGITS, "0")) as SessionId;
  };
}
