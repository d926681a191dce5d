/**
 * What a shared table asks of the store that all processes share: the rows in order, and a log of the changes to them. Each change has a
 * position, one more than that of the change before it, and a mark by chance. A position and its mark together name one state of the table: when a
 * store comes back in an older state, or empty, its next change has a position that was there before, and another mark.
 */
import type { UnixMs } from "../core/time.ts";

export interface Position {
  /** 0: nothing was ever written. */
  readonly number: number;
  readonly mark: string;
}

/** A row as the store knows it. */
export interface StoredRow {
  /** Rows are in the order of its bytes. Has none of U+0000 and U+0001 in it. */
  readonly id: string;
  readonly text: string;
}

export interface StoredChange {
  readonly id: string;
  /** `null`: the row is removed. */
  readonly text: string | null;
  /** When the row ends; `null`: it does not. */
  readonly endsAt: UnixMs | null;
}

export interface LogEntry {
  readonly position: Position;
  /** The mark of the change before. */
  readonly markBefore: string;
  readonly changes: readonly Omit<StoredChange, "endsAt">[];
}

/** What stood in the store at one instant. */
export interface Look {
  readonly head: Position;
  /** The first changes behind the position that was asked with, in order; not all when there are many. */
  readonly entries: readonly LogEntry[];
  readonly rows: readonly StoredRow[];
}

export interface LookFor {
  /** `null`: no entries are wanted. */
  readonly behind: Position | null;
  /** Up to so many rows from behind an id. */
  readonly rows: { readonly after: string | null; readonly limit: number } | null;
}

export type Written = { readonly kind: "written" } | { readonly kind: "moved"; readonly look: Look } | { readonly kind: "full" };

/** @throws Failure, in every call, when the store does not answer in time */
export interface TableLog {
  look(what: LookFor): Promise<Look>;
  /** Resolves when there is something behind the position, and after a while in any case. */
  waitFor(behind: Position): Promise<void>;
  /**
   * Changes rows, tells events, and adds an entry with the new mark, in one step; but only if the table still stands `at` that position. Else it
   * has `moved`, and nothing happens. Without changes and events it only finds out whether the table still stands there. `full`: nothing
   * happens, because too many events wait to be told. After an unknown outcome, ask again with the same position and mark: it happens once at most.
   */
  write(at: Position, mark: string, changes: readonly StoredChange[], events: readonly string[]): Promise<Written>;
  /** Ids of up to `limit` rows that have ended by then. */
  ended(now: UnixMs, limit: number): Promise<readonly string[]>;
  close(): void;
}
