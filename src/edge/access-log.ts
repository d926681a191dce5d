/**
 * The access log: JSON lines in files under the data folder, the oldest deleted. Adding a line only ever puts it into memory; a writer of its
 * own brings the lines to disk, one write at a time. When the disk cannot follow, the buffer fills and lines are dropped and counted, because
 * a record is worth less than a purchase.
 */
import { appendFile, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ACCESS_LOG_BUFFER_BYTES_MAX, ACCESS_LOG_FLUSH_MS } from "../limits.ts";

/** So many characters are encoded together. */
const CHUNK_CHARS = 16_384;

export interface AccessLogSettings {
  readonly folder: string;
  readonly fileBytesMax: number;
  readonly filesMax: number;
}

export class AccessLog {
  readonly #settings: AccessLogSettings;
  readonly #onTrouble: (message: string) => void;
  /** Records not yet encoded. Kept short: a long life of many small strings costs the garbage collector more than all the rest. */
  #text = "";
  #textRecords = 0;
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #chunkRecords = 0;
  #file: { path: string; bytes: number } | null = null;
  #fileNumber: number;
  #writing: Promise<void> | null = null;
  #isInTrouble = false;
  readonly #timer: ReturnType<typeof setInterval>;
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
    if (this.#chunkBytes > ACCESS_LOG_BUFFER_BYTES_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#text += line;
    this.#textRecords += 1;
    if (this.#text.length > CHUNK_CHARS) this.#encode();
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    this.#flush();
    await this.#writing;
  }

  #encode(): void {
    if (this.#textRecords === 0) return;
    const chunk = Buffer.from(this.#text);
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
    this.#chunkRecords += this.#textRecords;
    this.#text = "";
    this.#textRecords = 0;
  }

  #flush(): void {
    if (this.#writing) return;
    this.#encode();
    if (this.#chunks.length === 0) return;
    const bytes = Buffer.concat(this.#chunks);
    const records = this.#chunkRecords;
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#chunkRecords = 0;
    this.#writing = this.#write(bytes, records).finally(() => {
      this.#writing = null;
    });
  }

  async #write(bytes: Buffer, records: number): Promise<void> {
    try {
      const file = await this.#fileFor(bytes.length);
      await appendFile(file.path, bytes);
      file.bytes += bytes.length;
      this.#written += records;
      this.#isInTrouble = false;
    } catch (error) {
      this.#dropped += records;
      if (!this.#isInTrouble) this.#onTrouble(`the access log cannot be written (${error instanceof Error ? error.message : String(error)}); records are dropped`);
      this.#isInTrouble = true;
    }
  }

  async #fileFor(bytes: number): Promise<{ path: string; bytes: number }> {
    this.#file ??= await this.#continueLast();
    if (this.#file && (this.#file.bytes === 0 || this.#file.bytes + bytes <= this.#settings.fileBytesMax)) return this.#file;
    this.#fileNumber += 1;
    this.#file = { path: this.#pathOf(this.#fileNumber), bytes: 0 };
    const numbers = await numbersOf(this.#settings.folder);
    const tooMany = numbers.length + 1 - this.#settings.filesMax;
    for (const number of numbers.slice(0, Math.max(0, tooMany))) await rm(this.#pathOf(number), { force: true });
    return this.#file;
  }

  async #continueLast(): Promise<{ path: string; bytes: number } | null> {
    if (this.#fileNumber === 0) return null;
    const path = this.#pathOf(this.#fileNumber);
    return { path, bytes: (await stat(path)).size };
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
