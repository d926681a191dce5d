/**
 * Says of nearly every hash that is not in a table that it is not, and of every one that is that it may be, by one read of memory: a blocked
 * Bloom filter (Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007), of which an entry has all its bits in one
 * word. With 8 bits an entry one in twenty of those that are not there is taken for one that may be, with 16 one in a hundred.
 */

const ENTRIES_PER_WORD = 2;
const WORDS_FIRST = 64;

export class HashFilter {
  readonly #words: Int32Array;
  /** What of a hash names its word: its first bits. */
  readonly #shift: number;
  #marks = 0;

  /** @param entries room for so many at least before it is full */
  constructor(entries: number) {
    const bits = Math.max(Math.log2(WORDS_FIRST), Math.ceil(Math.log2(entries / ENTRIES_PER_WORD)));
    this.#words = new Int32Array(2 ** bits);
    this.#shift = 32 - bits;
  }

  /** From now on it lets through too many of those that are not there. What was marked and is gone counts. */
  get isFull(): boolean {
    return this.#marks >= this.#words.length * ENTRIES_PER_WORD;
  }

  mark(hash: number): void {
    const word = hash >>> this.#shift;
    this.#words[word] = (this.#words[word] as number) | bitsOf(hash);
    this.#marks += 1;
  }

  mayHave(hash: number): boolean {
    return (~(this.#words[hash >>> this.#shift] as number) & bitsOf(hash)) === 0;
  }

  /**
   * The same of the first of some hashes, in their place: 0 is that it may have it. Nothing here waits for what a read brings, so that the
   * processor has many reads under way at once: each alone would take longer than all the rest of a lookup.
   */
  sift(hashes: Int32Array, count: number): void {
    const words = this.#words;
    const shift = this.#shift;
    for (let i = 0; i < count; i += 1) {
      const hash = hashes[i] as number;
      hashes[i] = ~(words[hash >>> shift] as number) & bitsOf(hash);
    }
  }
}

/** Three bits of a word, by those of the hash that do not name the word. */
function bitsOf(hash: number): number {
  const spread = Math.imul(hash, 0x9e3779b1);
  return (1 << (spread >>> 27)) | (1 << ((spread >>> 22) & 31)) | (1 << ((spread >>> 17) & 31));
}
