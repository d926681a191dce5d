/**
 * A table: rows that every process keeps in memory, in the shape in which it asks for them (a *view*), and that a store keeps for good. What
 * changes is decided on the view by a pure function, `decide(view) -> { reply, changes, events }`, and carried out by the store in one atomic
 * step. Whoever decides knows neither the store nor how many processes share it.
 */

/** Rows in memory, found by what they are asked for. */
export interface View<Row, Key> {
  /** Adds a row, or puts it in the place of the one of its key. */
  add(row: Row): void;
  /** Removing what is not there is no mistake. */
  remove(key: Key): void;
}

export type Change<Row, Key> = { readonly put: Row } | { readonly remove: Key };

export interface Decided<Row, Key, Event, Reply> {
  readonly reply: Reply;
  /** In this order; a later one of the same key counts. */
  readonly changes: readonly Change<Row, Key>[];
  /** What happened by that. Saved in the same step as the changes. */
  readonly events: readonly Event[];
}

export type Decide<V, Row, Key, Event, Reply> = (view: V) => Decided<Row, Key, Event, Reply>;

export interface Table<V, Row, Key, Event = never> {
  /** The rows as this process knows them. Ask for it anew each time: another one takes its place when the rows had to be read again. */
  readonly view: V;
  /** Whether the view is what the store says, as far as anybody can know. What others have changed may be missing from one that is not. */
  readonly isCurrent: boolean;
  /**
   * Decides and carries out, as if no other change happened meanwhile, in this process or in another. When it resolves, the changes are durable
   * and in the view. `decide` is pure, because it is asked again when somebody else was faster.
   * @throws Failure when the store cannot be reached; nothing has changed then, or its outcome is not known
   */
  change<Reply>(decide: Decide<V, Row, Key, Event, Reply>): Promise<Reply>;
}
