/**
 * The access log: JSON lines in files under the data folder, the oldest deleted. Pages of records are written one at a time. When the disk cannot
 * follow, the buffer fills and records are dropped and counted, because a record is worth less than a purchase.
 */
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ACCESS_LOG_BUFFER_BYTES_MAX } from "../limits/records.ts";
import { type RecordCarrier, type RecordPage, WaitingPages } from "./record-pages.ts";

export interface AccessLogSettings {
  readonly folder: string;
  readonly fileBytesMax: number;
  readonly filesMax: number;
}

/** Kept open: a process that has run out of file descriptors still has its log. */
interface LogFile {
  readonly handle: FileHandle;
  bytes: number;
}

export class AccessLog implements RecordCarrier {
  readonly #settings: AccessLogSettings;
  readonly #onTrouble: (message: string) => void;
  readonly #waiting = new WaitingPages(ACCESS_LOG_BUFFER_BYTES_MAX);
  #file: LogFile | null = null;
  #fileNumber: number;
  #continuesLastFile = true;
  #writing: Promise<void> | null = null;
  #isInTrouble = false;
  #written = 0;
  #dropped = 0;

  private constructor(settings: AccessLogSettings, lastFileNumber: number, onTrouble: (message: string) => void) {
    this.#settings = settings;
    this.#fileNumber = lastFileNumber;
    this.#onTrouble = onTrouble;
  }

  /** @param onTrouble hears once when the disk begins to fail */
  static async open(settings: AccessLogSettings, onTrouble: (message: string) => void): Promise<AccessLog> {
    await mkdir(settings.folder, { recursive: true });
    const last = (await numbersOf(settings.folder)).at(-1) ?? 0;
    return new AccessLog(settings, last, onTrouble);
  }

  get recordsWritten(): number {
    return this.#written;
  }
  get recordsDropped(): number {
    return this.#dropped + this.#waiting.dropped;
  }

  carry(pages: readonly RecordPage[]): void {
    for (const page of pages) this.#waiting.add(page);
    if (this.#writing === null && !this.#waiting.isEmpty) this.#writing = this.#writeAll();
  }

  /** Once everything is written that was there to write. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.handle.close();
  }

  async #writeAll(): Promise<void> {
    for (let page = this.#waiting.take(); page !== undefined; page = this.#waiting.take()) {
      await this.#write(page);
      this.#waiting.done(page);
    }
    this.#writing = null;
  }

  async #write({ bytes, used, records }: RecordPage): Promise<void> {
    try {
      const file = await this.#fileFor(used);
      await file.handle.writeFile(bytes.subarray(0, used));
      file.bytes += used;
      this.#written += records;
      this.#isInTrouble = false;
    } catch (error) {
      // A write that failed may have left a part of a record behind: what comes next begins a file.
      await this.#file?.handle.close().catch(() => undefined);
      this.#file = null;
      this.#continuesLastFile = false;
      this.#dropped += records;
      if (!this.#isInTrouble)
        this.#onTrouble(
          `the access log cannot be written (${error instanceof Error ? error.message : String(error)}); records are dropped`,
        );
      this.#isInTrouble = true;
    }
  }

  async #fileFor(bytes: number): Promise<LogFile> {
    if (this.#file === null && this.#continuesLastFile && this.#fileNumber > 0) this.#file = await this.#open(this.#fileNumber);
    if (this.#file && (this.#file.bytes === 0 || this.#file.bytes + bytes <= this.#settings.fileBytesMax)) return this.#file;
    const next = await this.#open(this.#fileNumber + 1);
    await this.#file?.handle.close();
    this.#fileNumber += 1;
    this.#file = next;
    const numbers = await numbersOf(this.#settings.folder);
    const tooMany = numbers.length - this.#settings.filesMax;
    for (const number of numbers.slice(0, Math.max(0, tooMany))) await rm(this.#pathOf(number), { force: true });
    return next;
  }

  async #open(number: number): Promise<LogFile> {
    const handle = await open(this.#pathOf(number), "a");
    return { handle, bytes: (await handle.stat()).size };
  }

  #pathOf(number: number): string {
    return join(this.#settings.folder, fileName(number));
  }
}

const fileName = (number: number): string => `access-${String(number).padStart(9, "0")}.jsonl`;

async function numbersOf(folder: string): Promise<number[]> {
  const numbers = (await readdir(folder)).map((name) => Number(/^access-(\d{9,})\.jsonl$/.exec(name)?.[1] ?? Number.NaN));
  return numbers.filter((number) => !Number.isNaN(number)).sort((a, b) => a - b);
}
