/** A table of the embedded store: this process alone has it, and each change is part of the turn's commit. */
import type { Change, Decide, Table, View } from "./table.ts";

/** Where the rows survive. All of it is called within a turn. */
export interface RowStore<Row, Key> {
  /** Adds a row, or replaces the one of its key. */
  save(row: Row): void;
  /** As `save` for each, in this order, and cheaper when there are many. */
  saveMany?(rows: readonly Row[]): void;
  remove(key: Key): void;
}

/** One transaction for what is written in one turn of the event loop. */
export interface Turns {
  turn<T>(work: () => T): Promise<T>;
}

/** From so many changes on it is worth to save them together. */
const MANY = 32;

/** The rows that are put, when nothing else is changed. */
function putsOf<Row, Key>(changes: readonly Change<Row, Key>[]): readonly Row[] | null {
  const puts: Row[] = [];
  for (const change of changes) {
    if (!("put" in change)) return null;
    puts.push(change.put);
  }
  return puts;
}

export interface EmbeddedTableParts<V, Row, Key, Event> {
  readonly rows: RowStore<Row, Key>;
  readonly turns: Turns;
  /** Has all rows in it. */
  readonly view: V;
  /** Takes an event, inside the turn whose commit saves the change. */
  readonly emit: (event: Event) => void;
}

export class EmbeddedTable<V extends View<Row, Key>, Row, Key, Event = never> implements Table<V, Row, Key, Event> {
  readonly view: V;
  readonly isCurrent = true;
  readonly #parts: EmbeddedTableParts<V, Row, Key, Event>;

  constructor(parts: EmbeddedTableParts<V, Row, Key, Event>) {
    this.view = parts.view;
    this.#parts = parts;
  }

  change<Reply>(decide: Decide<V, Row, Key, Event, Reply>): Promise<Reply> {
    return this.#parts.turns.turn(() => this.changeInTurn(decide));
  }

  /** Within a turn that somebody else has begun. */
  changeInTurn<Reply>(decide: Decide<V, Row, Key, Event, Reply>): Reply {
    const { rows, emit } = this.#parts;
    const { reply, changes, events } = decide(this.view);
    const puts = changes.length < MANY || !rows.saveMany ? null : putsOf(changes);
    if (puts) rows.saveMany?.(puts);
    for (const change of changes) {
      if ("put" in change) {
        if (!puts) rows.save(change.put);
        this.view.add(change.put);
      } else {
        rows.remove(change.remove);
        this.view.remove(change.remove);
      }
    }
    for (const event of events) emit(event);
    return reply;
  }
}
