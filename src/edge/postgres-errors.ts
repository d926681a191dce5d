/**
 * What an error of Postgres means. A code of five characters is the server's own (SQLSTATE, appendix A of its manual); without one the
 * connection could not be had or was lost. What is left over, a statement that makes no sense for one, is a bug and stays what it is.
 */
import { SQL } from "bun";
import { Failure } from "../core/failure.ts";

/** 40001 serialization failure, 40P01 deadlock: done again, it may go through. */
const COLLISIONS: ReadonlySet<string> = new Set(["40001", "40P01"]);
/** 57P01 to 57P03: it is being stopped or started; 57P05, 25P03: the connection stood still for too long. With each the connection ends. */
const LOST: ReadonlySet<string> = new Set(["57P01", "57P02", "57P03", "57P05", "25P03"]);
/** 57014: took too long; 25006: only reads there, as on a standby; 55P03: a lock could not be had. By class, 08: connection; 28: who we say
 *  that we are; 3D: no such database; 53: too little memory, disk or connections; 58: its disk or system failed. */
const UNAVAILABLE = /^(57014|25006|55P03|08|28|3D|53|58)/;

export function isCollision(error: unknown): boolean {
  return error instanceof SQL.PostgresError && COLLISIONS.has(error.errno ?? "");
}

/** A connection was given up because nothing came on it. To try at once again would be to wait as long again. */
export class NoAnswer extends Error {}

/** The connection ended while it was used. Not: there was none to be had. */
export function isLostConnection(error: unknown): boolean {
  if (!(error instanceof SQL.PostgresError)) return false;
  return error.errno === undefined ? error.code === "ERR_POSTGRES_CONNECTION_CLOSED" : LOST.has(error.errno);
}

/** @param isBeforeCommit no commit had been sent. An error with which the server ended the connection, or no answer, leaves a commit unknown. */
export function failureOf(error: unknown, isBeforeCommit: boolean): unknown {
  if (error instanceof NoAnswer) return unavailable(isBeforeCommit, error);
  if (!(error instanceof SQL.PostgresError)) return error;
  const { errno, code, severity } = error;
  if (isCollision(error)) return new Failure("overloaded", "too many want to change the same; try again in a second", true, error);
  const isOurs = errno === undefined && !/^ERR_POSTGRES_(CONNECTION|IDLE|LIFETIME|TLS)/.test(code);
  if (isOurs || (errno !== undefined && !LOST.has(errno) && !UNAVAILABLE.test(errno))) return error;
  const isAnswered = errno !== undefined && severity === "ERROR";
  return unavailable(isBeforeCommit || isAnswered, error);
}

/** Without the cause's own words, which may name hosts and users: callers get to read the message. */
const unavailable = (outcomeKnown: boolean, cause: Error): Failure =>
  new Failure("store-unavailable", "the database cannot be used at the moment; try again", outcomeKnown, cause);
