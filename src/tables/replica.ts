/** The rows of a shared table as they were at one position of its log, and how they get to the next. Pure but for its own memory. */
import type { View } from "./table.ts";
import type { LogEntry, Look, Position, StoredRow } from "./table-log.ts";

/** How the rows of a table are written down. */
export interface RowFormat<V extends View<Row, Key>, Row, Key> {
  readonly idOf: (key: Key) => string;
  readonly keyOf: (id: string) => Key;
  readonly keyOfRow: (row: Row) => Key;
  readonly textOf: (row: Row) => string;
  readonly rowOf: (id: string, text: string) => Row;
  readonly endsAt: (row: Row) => number | null;
  readonly emptyView: () => V;
}

/** `current`: nothing is missing. `behind`: there is more to be read. `gap`: what follows upon this position cannot be had any more. */
export type Standing = "current" | "behind" | "gap";

export const isSame = (a: Position, b: Position): boolean => a.number === b.number && a.mark === b.mark;

export class Replica<V extends View<Row, Key>, Row, Key> {
  readonly view: V;
  readonly #format: RowFormat<V, Row, Key>;
  #at: Position;

  constructor(format: RowFormat<V, Row, Key>, at: Position) {
    this.view = format.emptyView();
    this.#format = format;
    this.#at = at;
  }

  get at(): Position {
    return this.#at;
  }

  addRows(rows: readonly StoredRow[]): void {
    for (const { id, text } of rows) this.view.add(this.#format.rowOf(id, text));
  }

  /** Does what the log says. Entries that were there before are passed over, because a look may be late. @returns false at a gap */
  apply(entries: readonly LogEntry[]): boolean {
    for (const { position, markBefore, changes } of entries) {
      if (position.number < this.#at.number || isSame(position, this.#at)) continue;
      if (position.number !== this.#at.number + 1 || markBefore !== this.#at.mark) return false;
      for (const { id, text } of changes) {
        if (text === null) this.view.remove(this.#format.keyOf(id));
        else this.view.add(this.#format.rowOf(id, text));
      }
      this.#at = position;
    }
    return true;
  }

  /** @param asked where the replica stood when the look was asked for: it may have come further since */
  take({ head, entries }: Look, asked: Position): Standing {
    if (head.number < asked.number || (head.number === asked.number && head.mark !== asked.mark)) return "gap";
    if (head.number > asked.number && entries[0]?.position.number !== asked.number + 1) return "gap";
    if (!this.apply(entries)) return "gap";
    return isSame(head, this.#at) ? "current" : "behind";
  }
}
