/**
 * Which traces are recorded. The trace id alone decides, so that all processes agree without asking each other. Our trace ids count up, so
 * their digits are mixed first: taken as they are, a sample would be a long run of purchases and then none for hours.
 */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** The last digits of an id are those that differ; to look at all of them would cost each purchase twice as much. */
const DIGITS_LOOKED_AT = 16;

/** @param share of all traces, 0 to 1 */
export function isSampled(traceId: string, share: number): boolean {
  // FNV-1a, and the finisher of MurmurHash3: the first alone leaves ids that differ in their last digit side by side.
  let hash = FNV_OFFSET;
  for (let i = Math.max(0, traceId.length - DIGITS_LOOKED_AT); i < traceId.length; i += 1)
    hash = Math.imul(hash ^ traceId.charCodeAt(i), FNV_PRIME);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < share;
}
