/** Short texts as numbers of 32 bits, for sketches. */

/**
 * FNV-1a over the UTF-8 between these two places, then the finalizer of MurmurHash3, which spreads what FNV leaves in the low bits.
 * @param seed unknown to clients, so that nobody can choose names that fall together; the same wherever sketches are merged
 */
export function hashBytes(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let hash = seed | 0;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export const hashText = (text: string, seed: number): number => {
  const bytes = Buffer.from(text);
  return hashBytes(bytes, 0, bytes.length, seed);
};

/** A text of its own. What is cut out of a page shares the page's memory, and would keep all of it for as long as it lives. */
export const ownText = (text: string): string => ` ${text}`.slice(1);
