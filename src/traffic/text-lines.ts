/** Texts of a page of events, a line each, gathered as the bytes that they are. */

const BYTES_AT_FIRST = 32 * 1_024;
const LINE_FEED = 0x0a;
const decoder = new TextDecoder();

export class TextLines {
  #bytes = new Uint8Array(BYTES_AT_FIRST);
  #used = 0;
  #lines = 0;

  /** @param bytes UTF-8, without a line feed between these two places */
  add(bytes: Uint8Array, from: number, to: number): void {
    const needed = this.#used + 1 + to - from;
    if (needed > this.#bytes.length) this.#grow(needed);
    if (this.#lines > 0) this.#bytes[this.#used++] = LINE_FEED;
    for (let at = from; at < to; at += 1) this.#bytes[this.#used++] = bytes[at] as number;
    this.#lines += 1;
  }

  /** Ids have no control characters; a record that was tampered with may. It must not move the lines of the others. */
  addText(text: string): void {
    const bytes = Buffer.from(text.replaceAll("\n", " "));
    this.add(bytes, 0, bytes.length);
  }

  text(): string {
    return decoder.decode(this.#bytes.subarray(0, this.#used));
  }

  clear(): void {
    this.#used = 0;
    this.#lines = 0;
  }

  #grow(length: number): void {
    const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
