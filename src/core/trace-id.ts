/**
 * Trace ids: 32 lower-case hex digits, the form of the W3C Trace Context. The first 20 are random and fixed for the process, the last 12 count
 * up from a random start, so an id is unique in its process, and two processes have different ones. An id is a name, not a secret.
 */
import type { SessionId } from "./ids.ts";

const PREFIX_DIGITS = 20;
/** The last digits come from a table: writing out a number of twelve hex digits costs as much as all the rest of a refusal's reply. */
const TABLE_DIGITS = 3;
const TABLE_SIZE = 16 ** TABLE_DIGITS;
const BLOCK_DIGITS = 32 - PREFIX_DIGITS - TABLE_DIGITS;

/** @param randomHex at least 32 random hex digits, fresh for every process */
export function traceIds(randomHex: string): () => SessionId {
  const prefix = randomHex.slice(0, PREFIX_DIGITS);
  const table = Array.from({ length: TABLE_SIZE }, (_, index) => index.toString(16).padStart(TABLE_DIGITS, "0"));
  // The top bit stays clear, so counting up never runs over the last digit.
  let block = Number.parseInt(randomHex.slice(PREFIX_DIGITS, PREFIX_DIGITS + BLOCK_DIGITS), 16) % 2 ** (4 * BLOCK_DIGITS - 1);
  let index = TABLE_SIZE;
  let head = "";
  return () => {
    if (index === TABLE_SIZE) {
      block += 1;
      index = 0;
      head = prefix + block.toString(16).padStart(BLOCK_DIGITS, "0");
    }
    const id = head + (table[index] as string);
    index += 1;
    return id as SessionId;
  };
}
