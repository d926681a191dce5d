/**
 * Postgres, which other processes use too: a bounded pool of connections, transactions that are done again when they collide, and errors that
 * say whether something happened. A server that goes away and comes back is found again by itself; meanwhile whoever asks hears at once, or
 * after a bounded wait, that it cannot be had.
 *
 * A transaction begins, works, and commits. Whatever goes wrong BEFORE the commit was sent has changed nothing, and the outcome is known. The
 * commit itself can be REFUSED (known: nothing happened), ANSWERED, or its answer can be LOST: then the outcome is unknown.
 */
import { type ReservedSQL, SQL } from "bun";
import { assert } from "../core/assert.ts";
import { Failure } from "../core/failure.ts";
import type { Sql, SqlDatabase, SqlParameter, SqlRows, TransactionOptions, Tx } from "../core/sql.ts";
import type { DurationMs } from "../core/time.ts";
import {
  POSTGRES_ANSWER_MS_MAX,
  POSTGRES_ATTEMPTS_MAX,
  POSTGRES_CONNECT_MS_MAX,
  POSTGRES_CONNECTIONS_MAX,
  POSTGRES_IDLE_IN_TRANSACTION_MS_MAX,
  POSTGRES_MIGRATION_MS_MAX,
  POSTGRES_RETRY_MS_MAX,
  POSTGRES_STATEMENT_MS_MAX,
  POSTGRES_WAITING_MAX,
} from "../limits.ts";
import { chance } from "./chance.ts";
import { failureOf, isCollision, isLostConnection, NoAnswer } from "./postgres-errors.ts";

export interface PostgresBounds {
  readonly connectionsMax: number;
  /** A connection that has not come about by then cannot be had. */
  readonly connectMsMax: DurationMs;
  /** The server ends a statement that takes longer. */
  readonly statementMsMax: DurationMs;
  /** A connection on which no answer comes for so long is given up. Longer than a statement may take. */
  readonly answerMsMax: DurationMs;
}

const BOUNDS: PostgresBounds = {
  connectionsMax: POSTGRES_CONNECTIONS_MAX,
  connectMsMax: POSTGRES_CONNECT_MS_MAX,
  statementMsMax: POSTGRES_STATEMENT_MS_MAX,
  answerMsMax: POSTGRES_ANSWER_MS_MAX,
};

/** For changes of the tables: whoever makes them waits for as long as it takes. */
export const MIGRATING: PostgresBounds = {
  connectionsMax: 1,
  connectMsMax: POSTGRES_ANSWER_MS_MAX,
  statementMsMax: POSTGRES_MIGRATION_MS_MAX,
  answerMsMax: POSTGRES_MIGRATION_MS_MAX + POSTGRES_ANSWER_MS_MAX,
};

/** For who reads everything: one statement may have much to look at. */
export const AUDITING: PostgresBounds = { ...MIGRATING, connectionsMax: 2 };

/** The oid of `bigint` (`select oid from pg_type where typname = 'int8'`). */
const INT8 = 20;

export class Postgres implements SqlDatabase {
  readonly #pool: SQL;
  readonly #bounds: PostgresBounds;
  #waiting = 0;

  /** Connects when somebody asks for something. @param url `postgres://user:password@host:port/database`, with `sslmode` where it is wanted */
  constructor(url: string, bounds: PostgresBounds = BOUNDS) {
    this.#bounds = bounds;
    this.#pool = new SQL(url, {
      // Bun would let the variable PGDATABASE win over the URL.
      database: decodeURIComponent(new URL(url).pathname.slice(1)) || undefined,
      max: bounds.connectionsMax,
      connectionTimeout: bounds.connectMsMax / 1_000,
      connection: {
        application_name: "doorbuster",
        statement_timeout: bounds.statementMsMax,
        // A process that stands still must not hold its locks for longer than this.
        idle_in_transaction_session_timeout: POSTGRES_IDLE_IN_TRANSACTION_MS_MAX,
      },
    });
  }

  readonly read: Sql = async (text, ...parameters) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#connected((connection) => this.#run(connection, text, parameters));
      } catch (error) {
        // A pool finds out that its connections are dead by using them.
        if (!isLostConnection(error) || attempt === POSTGRES_ATTEMPTS_MAX) throw failureOf(error, true);
      }
    }
  };

  async transaction<T>(work: (tx: Tx) => Promise<T>, { isSerializable = false }: TransactionOptions = {}): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const progress = { isCommitting: false };
      try {
        return await this.#connected((connection) => this.#attempt(connection, work, isSerializable, progress));
      } catch (error) {
        const hasHappenedNot = isCollision(error) || (isLostConnection(error) && !progress.isCommitting);
        if (!hasHappenedNot || attempt === POSTGRES_ATTEMPTS_MAX) throw failureOf(error, !progress.isCommitting);
        // Those that collided must not come back together.
        if (isCollision(error)) await Bun.sleep(chance() * Math.min(POSTGRES_RETRY_MS_MAX, 2 ** attempt));
      }
    }
  }

  /** Waits for what is under way, for a bounded time. */
  async close(): Promise<void> {
    await this.#pool.close({ timeout: this.#bounds.answerMsMax / 1_000 });
  }

  async #attempt<T>(
    connection: ReservedSQL,
    work: (tx: Tx) => Promise<T>,
    isSerializable: boolean,
    progress: { isCommitting: boolean },
  ): Promise<T> {
    let isOpen = true;
    const statement: Sql = (text, ...parameters) => {
      assert(isOpen, "a transaction that has ended is used no more");
      return this.#run(connection, text, parameters);
    };
    try {
      await (isSerializable ? statement`begin isolation level serializable` : statement`begin`);
      const script = async (text: string): Promise<void> => void (await this.#answered(connection, connection.unsafe(text).simple()));
      const result = await work(Object.assign(statement, { isTransaction: true, script } as const));
      progress.isCommitting = true;
      const { command } = (await statement`commit`) as SqlRows<never> & { readonly command: string };
      progress.isCommitting = false;
      // Postgres answers the commit of a transaction in which a statement has failed with a rollback, and calls it a success.
      assert(command === "COMMIT", "a transaction goes on after no error");
      return result;
    } catch (error) {
      if (!isLostConnection(error)) await this.#rollBack(connection);
      throw error;
    } finally {
      isOpen = false;
    }
  }

  async #rollBack(connection: ReservedSQL): Promise<void> {
    try {
      await this.#answered(connection, connection`rollback`);
    } catch {
      // What comes of it does not matter: a connection that ends rolls back, and the error that brought us here is passed on.
      await connection.close({ timeout: 0 });
    }
  }

  /** Does `work` with a connection that nobody else uses meanwhile. */
  async #connected<T>(work: (connection: ReservedSQL) => Promise<T>): Promise<T> {
    if (this.#waiting >= POSTGRES_WAITING_MAX) throw tooMuchToDo();
    this.#waiting += 1;
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(tooMuchToDo()), this.#bounds.answerMsMax);
    let connection: ReservedSQL;
    try {
      connection = await this.#pool.reserve({ signal: patience.signal });
    } finally {
      this.#waiting -= 1;
      clearTimeout(timer);
    }
    try {
      return await work(connection);
    } finally {
      await connection.release();
    }
  }

  async #run<Row>(connection: ReservedSQL, text: TemplateStringsArray, parameters: readonly SqlParameter[]): Promise<SqlRows<Row>> {
    const values = parameters.map((value) => (Array.isArray(value) ? this.#pool.array([...value]) : value));
    const rows = await this.#answered(connection, connection<Record<string, unknown>[]>(text, ...values));
    for (const { name, type } of rows.columns ?? []) if (type === INT8) for (const row of rows) row[name] = exactNumber(row[name]);
    return rows as unknown as SqlRows<Row>;
  }

  /** A server that stands still, or a network that drops everything, gives no answer at all. */
  async #answered<T>(connection: ReservedSQL, query: Promise<T>): Promise<T> {
    let isGivenUp = false;
    const timer = setTimeout(() => {
      isGivenUp = true;
      void connection.close({ timeout: 0 });
    }, this.#bounds.answerMsMax);
    try {
      return await query;
    } catch (error) {
      throw isGivenUp ? new NoAnswer("no answer came in time", { cause: error }) : error;
    } finally {
      clearTimeout(timer);
    }
  }
}

const tooMuchToDo = (): Failure => new Failure("overloaded", "too much waits for the database; try again in a second", true);

/** Bun gives a `bigint` as text. */
function exactNumber(value: unknown): number | null {
  if (value === null) return null;
  const number = Number(value);
  assert(Number.isSafeInteger(number), "a bigint that the database holds is exact as a number");
  return number;
}
