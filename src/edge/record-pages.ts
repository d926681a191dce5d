/**
 * Records on their way out of the process: text that is encoded at once into pages of a fixed size, and as many pages as a bound allows. When
 * all are full, a record is not taken: whoever adds never waits.
 */

/** A page is written, or sent, as it is. */
export const RECORD_PAGE_BYTES = 64 * 1024;

export interface RecordPage {
  readonly bytes: Buffer;
  used: number;
  records: number;
}

export class RecordPages {
  readonly #pagesMax: number;
  /** Pages are used again and again: a page a second would otherwise be garbage of a kind that is dear to collect. */
  readonly #free: RecordPage[] = [];
  #full: RecordPage[] = [];
  #filling: RecordPage = newPage();
  #pages = 1;

  constructor(bytesMax: number) {
    this.#pagesMax = Math.floor(bytesMax / RECORD_PAGE_BYTES);
  }

  get isEmpty(): boolean {
    return this.#filling.used === 0 && this.#full.length === 0;
  }

  /** @param line one record with its line feed; it fits into a page whatever its encoding. Encoded at once: a longer text put together first
   *  would be copied twice more.
   *  @returns whether there was room */
  add(line: string): boolean {
    // A character of JavaScript becomes at most three bytes of UTF-8.
    if (this.#filling.used + 3 * line.length > RECORD_PAGE_BYTES && !this.#turnPage()) return false;
    const page = this.#filling;
    page.used += page.bytes.write(line, page.used);
    page.records += 1;
    return true;
  }

  /** The pages that have something in them, the oldest first. They come back with `giveBack`. */
  take(): readonly RecordPage[] {
    if (this.#filling.used > 0) this.#turnPage();
    const pages = this.#full;
    this.#full = [];
    return pages;
  }

  /** The page is empty again. */
  giveBack(page: RecordPage): void {
    page.used = 0;
    page.records = 0;
    this.#free.push(page);
  }

  /** A page that was taken does not come back: there is room for another. */
  giveUp(): void {
    this.#pages -= 1;
  }

  /** Puts the page away and takes an empty one; false when there is none. */
  #turnPage(): boolean {
    const next = this.#free.pop() ?? this.#makePage();
    if (next === null) return false;
    this.#full.push(this.#filling);
    this.#filling = next;
    return true;
  }

  #makePage(): RecordPage | null {
    if (this.#pages >= this.#pagesMax) return null;
    this.#pages += 1;
    return newPage();
  }
}

const newPage = (): RecordPage => ({ bytes: Buffer.allocUnsafeSlow(RECORD_PAGE_BYTES), used: 0, records: 0 });
