/**
 * What the event store asks of a database of many files. Each file, a segment, has the same tables; rows are only ever added to the last one,
 * and a segment is thrown away whole. In statements the tables of segment 7 are `s7.events` and so on.
 */
import type { DurationMs } from "./time.ts";

/** The values of one column, one behind the other: numbers as little-endian bytes, texts as they are. */
export type Column =
  | { readonly type: "u16" | "u32" | "u64" | "time"; readonly bytes: Uint16Array | Uint32Array }
  | { readonly type: "text"; readonly texts: readonly string[] };

export interface TableRows {
  readonly table: string;
  readonly count: number;
  /** In the order in which the table declares them. */
  readonly columns: readonly Column[];
}

export type Cell = number | string | null;
/** A statement with `?` where its values go; a value never becomes part of the text. A bigint is a number of 64 bits. */
export interface Question {
  readonly sql: string;
  readonly values: readonly (number | bigint | string)[];
}

/** The file does not hold what a segment has to. It was put aside, and is not looked at again. */
export class DamagedSegment extends Error {
  override readonly name = "DamagedSegment";
}

/** The answer would have taken longer than its asker would wait; it was given up. */
export class AnswerTooLate extends Error {
  override readonly name = "AnswerTooLate";
}

export interface SegmentDatabase {
  /** The numbers of all segments on disk, the oldest first. */
  list(): Promise<readonly number[]>;
  /**
   * Opens a segment, or makes it. Whatever was appended before a crash is there.
   * @throws DamagedSegment
   */
  open(segment: number): Promise<void>;
  /** Adds the rows to the tables of one segment: all of them, or when it throws none. */
  append(segment: number, rows: readonly TableRows[]): Promise<void>;
  /** Nothing more comes into the segment: it leaves the memory, as far as it is not read. */
  finish(segment: number): Promise<void>;
  /** @throws AnswerTooLate */
  ask(question: Question, patienceMs: DurationMs): Promise<readonly (readonly Cell[])[]>;
  /** What an open segment takes on disk. */
  bytesOf(segment: number): Promise<number>;
  /** Closes the segment and removes its file. */
  drop(segment: number): Promise<void>;
  /** Closes a segment that could not be read, and keeps its file out of the way. */
  putAside(segment: number, why: string): Promise<DamagedSegment>;
  /** After an error of which nobody knows what it left behind: begins anew, with no segment open. Nothing may be under way. */
  restart(): Promise<void>;
  close(): Promise<void>;
}
