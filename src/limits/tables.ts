/** The bounds of the tables that processes share. */
import type { DurationMs } from "../core/time.ts";

/** How long a process waits for the next change before it looks whether it has missed something. */
export const TABLE_LOOK_MS: DurationMs = 200;
/** How long ago a process may have looked. Longer: its copy is not current, and its health says so. */
export const TABLE_STALE_MS_MAX: DurationMs = 2_000;
/** The wait before a store that does not answer is asked again. */
export const TABLE_RETRY_MS: DurationMs = 100;
/** How long a process waits at its start for a store that does not answer. Longer: it does not start. */
export const TABLE_OPEN_MS_MAX: DurationMs = 30_000;
/** How often a change is sent whose outcome is unknown; sending it again does no harm. After that: 503. */
export const TABLE_SENDINGS_MAX = 2;
/** How often a change is decided anew because others were faster. After that: 503. */
export const TABLE_ATTEMPTS_MAX = 500;
/** Changes read at once from a log. */
export const TABLE_ENTRIES_PER_LOOK = 100;
/** Changes in the log of the decisions and of the policies: a process that has missed more reads all rows anew. */
export const TABLE_LOG_ENTRIES_MAX = 100_000;
/** As above, of the sales, whose rows may have 60 KB each. */
export const SALE_LOG_ENTRIES_MAX = 1_000;
/** Rows of one page when all are read anew; between two pages everybody else has a turn. */
export const TABLE_ROWS_PER_LOOK = 2_000;
/** As above, of the sales. */
export const SALE_ROWS_PER_LOOK = 50;
/** Events of a shared table that wait to be told. One more: the change that would cause it is 503. */
export const TABLE_EVENTS_WAITING_MAX = 100_000;
/** Events told in one go; the rest stay for the next. */
export const TABLE_EVENTS_PER_RELAY = 100;
/** For how long one process has the telling to itself. When it dies, another takes over after this. */
export const TABLE_RELAY_LEASE_MS: DurationMs = 5_000;
