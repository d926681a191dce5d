/**
 * One transaction per turn of the event loop: everything that asked since the last turn is done together, in order of arrival, and made
 * durable with one fsync; then every caller hears. The gate has collected its turn already, and is committed at once. It runs on the main thread: a commit in a Worker costs more CPU per purchase than the
 * whole commit does (docs/adr/0003).
 *
 * Fail-stop: if anything in a turn fails, the transaction is rolled back and nothing is accepted any more, because memory is then ahead of
 * the disk. Nobody was told of what is lost by that.
 */
import type { Database } from "bun:sqlite";
import { Failure } from "../core/failure.ts";
import { WRITES_WAITING_MAX } from "../limits.ts";

interface Waiting {
  readonly work: () => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (failure: Failure) => void;
}

export class GroupCommit {
  readonly #begin;
  readonly #commit;
  readonly #db: Database;
  readonly #onFailure: (failure: Failure) => void;
  readonly #flushes: (() => void)[] = [];
  #waiting: Waiting[] = [];
  #stopped: Failure | null = null;

  /** @param onFailure hears once, before the callers do, when a commit has failed */
  constructor(db: Database, onFailure: (failure: Failure) => void) {
    this.#db = db;
    this.#begin = db.query("begin immediate");
    this.#commit = db.query("commit");
    this.#onFailure = onFailure;
  }

  /** @param isCollected the work is what a whole turn has collected: waiting for more would only cost it time */
  turn<T>(work: () => T, isCollected = false): Promise<T> {
    if (this.#stopped) return Promise.reject(this.#stopped);
    if (this.#waiting.length >= WRITES_WAITING_MAX)
      return Promise.reject(new Failure("overloaded", "too many changes wait for their commit; try again in a second", true));
    return new Promise<T>((resolve, reject) => {
      const isFirst = this.#waiting.length === 0;
      this.#waiting.push({ work, resolve: resolve as (result: unknown) => void, reject });
      if (isCollected) this.#runTurn();
      else if (isFirst) setImmediate(() => this.#runTurn());
    });
  }

  beforeCommit(flush: () => void): void {
    this.#flushes.push(flush);
  }

  /** Commits what waits and accepts nothing more. */
  close(): void {
    if (this.#waiting.length > 0) this.#runTurn();
    this.#stopped ??= new Failure("store-stopped", "the store is closed", true);
  }

  #runTurn(): void {
    const turn = this.#waiting;
    this.#waiting = [];
    if (turn.length === 0) return;
    if (this.#stopped) {
      for (const { reject } of turn) reject(this.#stopped);
      return;
    }
    const results: unknown[] = [];
    try {
      this.#begin.run();
      for (const { work } of turn) results.push(work());
      for (const flush of this.#flushes) flush();
      this.#commit.run();
    } catch (cause) {
      this.#fail(turn, cause);
      return;
    }
    for (let i = 0; i < turn.length; i += 1) (turn[i] as Waiting).resolve(results[i]);
  }

  #fail(turn: readonly Waiting[], cause: unknown): void {
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#stopped = new Failure("commit-failed", `the store could not commit (${why})`, false, cause);
    try {
      if (this.#db.inTransaction) this.#db.run("rollback");
    } catch (rollbackError) {
      // The transaction stays open and dies with the process; the next start rolls it back.
      this.#stopped = new Failure(
        "commit-failed",
        `${this.#stopped.message}; rolling back failed too (${String(rollbackError)})`,
        false,
        cause,
      );
    }
    this.#onFailure(this.#stopped);
    for (const { reject } of turn) reject(this.#stopped);
  }
}
