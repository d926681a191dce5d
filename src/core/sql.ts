/**
 * What a store asks of a SQL database that other processes use too: statements with parameters, and transactions. Who keeps the connections
 * is the edge's business.
 */

export type SqlValue = string | number | boolean | null;
/** A list stands where the statement says that it wants one: `any(${ids}::bigint[])`. */
export type SqlParameter = SqlValue | readonly SqlValue[];

export interface SqlRows<Row> extends ReadonlyArray<Row> {
  /** Rows that were written; 0 for a statement that only reads. */
  readonly affectedRows: number;
}

/** One statement. What stands between `${` and `}` is a parameter and never becomes part of the text. A `bigint` comes back as a number, and as a
 *  bug when it is not exact as one; a `numeric`, as sums are, comes back as text: cast it. */
export type Sql = <Row = never>(text: TemplateStringsArray, ...parameters: readonly SqlParameter[]) => Promise<SqlRows<Row>>;

/** An open transaction. It ends with the work that it was given to; to use it later is a bug. */
export interface Tx extends Sql {
  readonly isTransaction: true;
  /** Statements without parameters, separated by semicolons. */
  script(text: string): Promise<void>;
}

export interface TransactionOptions {
  /** As if nobody else changed anything meanwhile. Otherwise each statement sees what was committed before it began. */
  readonly isSerializable?: boolean;
}

export interface SqlDatabase {
  /** For statements that change nothing: a change needs a transaction, so that it is known what became of it. */
  readonly read: Sql;
  /**
   * All of `work` or nothing of it. `work` is done again when the database could not bring it in line with what others did meanwhile, or when the connection
   * was lost before the commit: it must have no effects of its own. An error that it throws rolls back and is passed on.
   * @throws Failure `outcomeKnown` false: the answer to the commit was lost, and it may have happened
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
}
