/**
 * Segments as files of DuckDB, in one folder. One instance has them all open, in bounded memory and on one thread. Statements run outside of
 * JavaScript's thread; of one kind (writing, asking) there is one at a time, because each has one connection.
 *
 * A damaged file is refused by DuckDB's own checksums and put aside. A file that ends the process instead is put aside at the second start after
 * it: whoever opens a file leaves its name beside it until it is open.
 */
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance, DuckDBType, DuckDBValue } from "@duckdb/node-api";
import {
  AnswerTooLate,
  type Cell,
  type Column,
  DamagedSegment,
  type Question,
  type SegmentDatabase,
  type TableRows,
} from "../core/segment-database.ts";
import type { DurationMs } from "../core/time.ts";
import { EVENT_DATABASE_MEMORY_MIB, EVENT_DATABASE_THREADS, EVENT_GROUP_ROWS, SEGMENTS_ASIDE_MAX } from "../limits/event-store.ts";

type Library = typeof import("@duckdb/node-api") & { readonly bindings: typeof import("@duckdb/node-bindings") };
/** By table, what its columns are called and of which type they are. */
type Tables = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface Opened {
  readonly instance: DuckDBInstance;
  readonly writer: DuckDBConnection;
  readonly asker: DuckDBConnection;
}

const SUFFIX = ".duckdb";
const WAL_SUFFIX = ".wal";
const ASIDE_SUFFIX = ".damaged";
const OPENING_SUFFIX = ".opening";

export class DuckDbSegments implements SegmentDatabase {
  readonly #folder: string;
  readonly #tables: Tables;
  readonly #library: Library;
  readonly #types: Readonly<Record<Column["type"], DuckDBType>>;
  readonly #memoryMib: number;
  #opened: Opened;

  private constructor(folder: string, tables: Tables, library: Library, memoryMib: number, opened: Opened) {
    this.#folder = folder;
    this.#tables = tables;
    this.#library = library;
    this.#memoryMib = memoryMib;
    this.#opened = opened;
    const { USMALLINT, UINTEGER, UBIGINT, TIMESTAMP_MS, VARCHAR } = library;
    this.#types = { u16: USMALLINT, u32: UINTEGER, u64: UBIGINT, time: TIMESTAMP_MS, text: VARCHAR };
  }

  /** @throws where the library has no build for this platform */
  static async open(folder: string, tables: Tables, memoryMib = EVENT_DATABASE_MEMORY_MIB): Promise<DuckDbSegments> {
    await mkdir(folder, { recursive: true });
    const library = { ...(await import("@duckdb/node-api")), bindings: (await import("@duckdb/node-bindings")).default };
    return new DuckDbSegments(folder, tables, library, memoryMib, await openInstance(library, memoryMib));
  }

  async list(): Promise<readonly number[]> {
    const numbers = (await readdir(this.#folder)).map((name) => Number(/^events-(\d{6,})\.duckdb$/.exec(name)?.[1] ?? Number.NaN));
    return numbers.filter((number) => !Number.isNaN(number)).sort((a, b) => a - b);
  }

  async open(segment: number): Promise<void> {
    const path = this.#pathOf(segment);
    if (await this.#hasEndedTheProcess(segment)) throw await this.putAside(segment, "the process has ended twice while it was opened");
    try {
      await this.#opened.writer.run(`attach ${literal(path)} as s${segment} (row_group_size ${EVENT_GROUP_ROWS})`);
      await this.#declareTables(segment);
    } catch (error) {
      if (isOfThisMoment(error)) throw error;
      throw await this.putAside(segment, messageOf(error));
    } finally {
      await rm(path + OPENING_SUFFIX, { force: true });
    }
  }

  async append(segment: number, rows: readonly TableRows[]): Promise<void> {
    await this.#opened.writer.run("begin");
    try {
      for (const table of new Set(rows.map((part) => part.table))) {
        const appender = await this.#opened.writer.createAppender(table, "main", `s${segment}`);
        for (const part of rows) if (part.table === table) appender.appendDataChunk(this.#chunkOf(part));
        appender.closeSync();
      }
      await this.#opened.writer.run("commit");
    } catch (error) {
      await this.#opened.writer.run("rollback").catch(() => undefined);
      throw error;
    }
  }

  async finish(segment: number): Promise<void> {
    await this.#opened.writer.run(`checkpoint s${segment}`);
  }

  async ask({ sql, values }: Question, patienceMs: DurationMs): Promise<readonly (readonly Cell[])[]> {
    const timer = setTimeout(() => this.#opened.asker.interrupt(), patienceMs);
    try {
      const answer = await this.#opened.asker.runAndReadAll(sql, [...values] as DuckDBValue[]);
      return answer.getRowsJS().map((row) => row.map(cellOf));
    } catch (error) {
      if (/^INTERRUPT/.test(messageOf(error))) throw new AnswerTooLate(messageOf(error));
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async bytesOf(segment: number): Promise<number> {
    const path = this.#pathOf(segment);
    const sizes = await Promise.all([path, path + WAL_SUFFIX].map((name) => stat(name).catch(() => null)));
    return sizes.reduce((sum, file) => sum + (file === null ? 0 : file.size), 0);
  }

  async drop(segment: number): Promise<void> {
    await this.#opened.writer.run(`detach database if exists s${segment}`);
    await this.#remove(this.#pathOf(segment));
  }

  async putAside(segment: number, why: string): Promise<DamagedSegment> {
    const path = this.#pathOf(segment);
    await this.#opened.writer.run(`detach database if exists s${segment}`).catch(() => undefined);
    await rename(path, path + ASIDE_SUFFIX).catch(() => undefined);
    await rm(path + WAL_SUFFIX, { force: true });
    await rm(path + OPENING_SUFFIX, { force: true });
    const aside = (await readdir(this.#folder)).filter((name) => name.endsWith(ASIDE_SUFFIX)).sort();
    for (const name of aside.slice(0, Math.max(0, aside.length - SEGMENTS_ASIDE_MAX))) await rm(join(this.#folder, name), { force: true });
    return new DamagedSegment(`${path} cannot be used (${why}); it was put aside as ${path + ASIDE_SUFFIX}`);
  }

  async restart(): Promise<void> {
    this.#closeInstance();
    this.#opened = await openInstance(this.#library, this.#memoryMib);
  }

  close(): Promise<void> {
    this.#closeInstance();
    return Promise.resolve();
  }

  #closeInstance(): void {
    this.#opened.writer.closeSync();
    this.#opened.asker.closeSync();
    this.#opened.instance.closeSync();
  }

  #pathOf(segment: number): string {
    return join(this.#folder, `events-${String(segment).padStart(6, "0")}${SUFFIX}`);
  }

  /** Leaves the name of what is opened beside it: once, and a second time when it is still there. */
  async #hasEndedTheProcess(segment: number): Promise<boolean> {
    const path = this.#pathOf(segment) + OPENING_SUFFIX;
    const attempts = await Bun.file(path)
      .text()
      .catch(() => "");
    // A disk that is full does not keep anybody from reading.
    await writeFile(path, `${attempts}1`).catch(() => undefined);
    return attempts.length >= 2;
  }

  /** Makes the tables of a new segment. What has other ones was written by another version, and cannot be used. */
  async #declareTables(segment: number): Promise<void> {
    const found = await this.#opened.writer.runAndReadAll(
      "select table_name || ' ' || column_index || ' ' || column_name || ' ' || data_type from duckdb_columns() where database_name = ?",
      [`s${segment}`],
    );
    const expected = Object.entries(this.#tables).flatMap(([table, columns]) =>
      Object.entries(columns).map(([name, type], index) => `${table} ${index + 1} ${name} ${type}`),
    );
    const is = found.getRowsJS().map((row) => String(row[0]));
    const isAsExpected = is.toSorted().join("\n") === expected.toSorted().join("\n");
    if (is.length === 0) {
      const declared = Object.entries(this.#tables).map(
        ([table, columns]) =>
          `create table s${segment}.${table} (${Object.entries(columns)
            .map(([name, type]) => `${name} ${type} not null`)
            .join(", ")})`,
      );
      await this.#opened.writer.run(`begin; ${declared.join("; ")}; commit`);
    } else if (!isAsExpected) throw new Error("its tables are those of another version");
  }

  #chunkOf({ count, columns }: TableRows): DuckDBDataChunk {
    const { bindings } = this.#library;
    const types = columns.map((column) => this.#types[column.type]);
    const chunk = this.#library.DuckDBDataChunk.create(types, count);
    for (const [index, column] of columns.entries()) {
      const vector = bindings.data_chunk_get_vector(chunk.chunk, index);
      if (column.type === "text") {
        for (const [row, text] of column.texts.entries()) bindings.vector_assign_string_element(vector, row, text);
      } else {
        const { buffer, byteOffset } = column.bytes;
        bindings.copy_data_to_vector(vector, 0, buffer as ArrayBuffer, byteOffset, count * bytesEach[column.type]);
      }
    }
    return chunk;
  }

  async #remove(path: string): Promise<void> {
    await rm(path, { force: true });
    await rm(path + WAL_SUFFIX, { force: true });
  }
}

async function openInstance(library: Library, memoryMib: number): Promise<Opened> {
  const instance = await library.DuckDBInstance.create(":memory:", {
    threads: String(EVENT_DATABASE_THREADS),
    memory_limit: `${memoryMib}MiB`,
    // What does not fit into memory is not answered; nothing is put on disk for it.
    temp_directory: "",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    allow_community_extensions: "false",
    lock_configuration: "true",
  });
  return { instance, writer: await instance.connect(), asker: await instance.connect() };
}

const bytesEach = { u16: 2, u32: 4, u64: 8, time: 8 } as const;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A full disk, a missing right or too many open files say nothing about what is in the file. */
const isOfThisMoment = (error: unknown): boolean =>
  /No space left|Permission denied|Too many open files|Could not set lock|Read-only file system|Out of Memory/i.test(messageOf(error));

function cellOf(value: unknown): Cell {
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" || typeof value === "string" ? value : null;
}
