/**
 * Records on their way out of the process: text that is encoded once, into pages of a fixed size, which all who bring records somewhere share. Every
 * little while they get what has come since, many pages together. Whoever adds never waits; how many pages wait for whom is each carrier's own
 * bound (`WaitingPages`).
 */
import { RECORDS_HAND_OVER_MS, RECORDS_HAND_OVER_PAGES_MAX } from "../limits/records.ts";

/** A page is written, or sent, as it is. */
export const RECORD_PAGE_BYTES = 64 * 1024;

/** Brings records somewhere, or drops and counts them. */
export interface RecordCarrier {
  /** @param pages nobody writes into them any more; each is the carrier's until its `release` */
  carry(pages: readonly RecordPage[]): void;
}

export class RecordPage {
  /** Of memory that threads can share: a page that is copied for another thread costs as much again as writing it. */
  readonly memory: SharedArrayBuffer;
  readonly bytes: Buffer;
  used = 0;
  records = 0;
  #holders = 0;
  #isForsaken = false;
  readonly #takeBack: (page: RecordPage) => void;

  constructor(takeBack: (page: RecordPage) => void = () => undefined, bytesMax = RECORD_PAGE_BYTES) {
    this.memory = new SharedArrayBuffer(bytesMax);
    this.bytes = Buffer.from(this.memory);
    this.#takeBack = takeBack;
  }

  /** A page that was filled elsewhere, for one carrier. @param text whole records, each with its line feed */
  static of(text: string): RecordPage {
    const page = new RecordPage(undefined, Buffer.byteLength(text));
    page.used = page.bytes.write(text);
    page.records = text.split("\n").length - 1;
    page.holdFor(1);
    return page;
  }

  get isShared(): boolean {
    return this.#holders > 1;
  }

  holdFor(carriers: number): void {
    this.#holders = carriers;
  }

  /** One of its holders needs it no more. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    // Whatever may still be read from is left to the garbage collector.
    if (this.#isForsaken) return;
    this.used = 0;
    this.records = 0;
    this.#takeBack(this);
  }

  /** Released, but its bytes may still be on the way. */
  forsake(): void {
    this.#isForsaken = true;
    this.release();
  }

  /** Adds what is in the other page, for which there is room. */
  append({ bytes, used, records }: RecordPage): void {
    bytes.copy(this.bytes, this.used, 0, used);
    this.used += used;
    this.records += records;
  }
}

export class RecordPages {
  readonly #carriers: RecordCarrier[] = [];
  /** Pages are used again and again: a page a second would otherwise be garbage of a kind that is dear to collect. As many as were in use at once. */
  readonly #free: RecordPage[] = [];
  readonly #takeBack = (page: RecordPage): void => void this.#free.push(page);
  readonly #timer: ReturnType<typeof setInterval>;
  #filling = new RecordPage(this.#takeBack);
  #full: RecordPage[] = [];

  constructor() {
    this.#timer = setInterval(() => this.#handOver(), RECORDS_HAND_OVER_MS);
  }

  /** From now on this one has every page too. */
  carriedBy(carrier: RecordCarrier): void {
    this.#carriers.push(carrier);
  }

  /** @param line one record with its line feed; it fits into a page whatever its encoding. Encoded at once: a longer text put together first
   *  would be copied twice more. */
  add(line: string): void {
    // A character of JavaScript becomes at most three bytes of UTF-8.
    if (this.#filling.used + 3 * line.length > RECORD_PAGE_BYTES) this.#turnPage();
    const page = this.#filling;
    page.used += page.bytes.write(line, page.used);
    page.records += 1;
  }

  /** The carriers have what there is. */
  close(): void {
    clearInterval(this.#timer);
    this.#handOver();
  }

  #turnPage(): void {
    this.#full.push(this.#filling);
    this.#filling = this.#free.pop() ?? new RecordPage(this.#takeBack);
    if (this.#full.length >= RECORDS_HAND_OVER_PAGES_MAX) this.#handOver();
  }

  #handOver(): void {
    if (this.#filling.used > 0) this.#turnPage();
    const pages = this.#full;
    if (pages.length === 0) return;
    this.#full = [];
    // The last of these holders is we ourselves: nobody's release before the end makes a page free.
    for (const page of pages) page.holdFor(this.#carriers.length + 1);
    for (const carrier of this.#carriers) carrier.carry(pages);
    for (const page of pages) page.release();
  }
}

/**
 * The pages of one carrier, the oldest first. Those that come while others wait are put together with them, so that a place which is away for a
 * minute costs records by their bytes and not by how often they were handed over.
 */
export class WaitingPages {
  readonly #pagesMax: number;
  #pages: RecordPage[] = [];
  #underWay = 0;
  #dropped = 0;

  /** @param bytesMax with what is under way */
  constructor(bytesMax: number) {
    this.#pagesMax = Math.floor(bytesMax / RECORD_PAGE_BYTES);
  }

  /** Records that found no room. */
  get dropped(): number {
    return this.#dropped;
  }
  get isEmpty(): boolean {
    return this.#pages.length === 0;
  }

  /** Takes the page, or drops what is in it. */
  add(page: RecordPage): void {
    const last = this.#pages.at(-1);
    if (last !== undefined && last.used + page.used <= RECORD_PAGE_BYTES) {
      const own = last.isShared ? ownCopy(last) : last;
      own.append(page);
      page.release();
      this.#pages[this.#pages.length - 1] = own;
    } else if (this.#pages.length + this.#underWay >= this.#pagesMax) {
      this.#dropped += page.records;
      page.release();
    } else this.#pages.push(page);
  }

  /** The next to go. It is under way until `done`, or until it is put back. */
  take(): RecordPage | undefined {
    const page = this.#pages.shift();
    if (page !== undefined) this.#underWay += 1;
    return page;
  }

  putBack(page: RecordPage): void {
    this.#underWay -= 1;
    this.#pages.unshift(page);
  }

  /** @param isOnItsWay its bytes may still be read from */
  done(page: RecordPage, isOnItsWay = false): void {
    this.#underWay -= 1;
    if (isOnItsWay) page.forsake();
    else page.release();
  }

  /** Drops what is left. */
  giveUp(): void {
    for (const page of this.#pages) {
      this.#dropped += page.records;
      page.release();
    }
    this.#pages = [];
  }
}

/** A page of nobody else's. */
function ownCopy(page: RecordPage): RecordPage {
  const own = new RecordPage();
  own.holdFor(1);
  own.append(page);
  page.release();
  return own;
}
