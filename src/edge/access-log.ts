/**
 * The access log: JSON lines in files under the data folder, the oldest deleted. Adding a line only ever puts it into memory; a writer of its
 * own brings the lines to disk, one write at a time. When the disk cannot follow, the buffer fills and lines are dropped and counted, because
 * a record is worth less than a purchase.
 */
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ACCESS_LOG_BUFFER_BYTES_MAX, ACCESS_LOG_FLUSH_MS } from "../limits.ts";
import { type RecordPage, RecordPages } from "./record-pages.ts";

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

export class AccessLog {
  readonly #settings: AccessLogSettings;
  readonly #onTrouble: (message: string) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #waiting = new RecordPages(ACCESS_LOG_BUFFER_BYTES_MAX);
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
    this.#timer = setInterval(() => this.#flush(), ACCESS_LOG_FLUSH_MS);
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
    return this.#dropped;
  }

  /** @param line one record with its line feed */
  add(line: string): void {
    if (!this.#waiting.add(line)) this.#dropped += 1;
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    while (this.#writing || !this.#waiting.isEmpty) {
      this.#flush();
      await this.#writing;
    }
    await this.#file?.handle.close();
  }

  #flush(): void {
    if (this.#writing) return;
    const pages = this.#waiting.take();
    if (pages.length === 0) return;
    this.#writing = this.#writeAll(pages).finally(() => {
      this.#writing = null;
    });
  }

  async #writeAll(pages: readonly RecordPage[]): Promise<void> {
    for (const page of pages) {
      await this.#write(page);
      this.#waiting.giveBack(page);
    }
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
