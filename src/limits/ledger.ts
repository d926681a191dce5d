/** The bounds of the ledger in Redis, as `limits.ts` has all others. */
import type { DurationMs } from "../core/time.ts";

/** Into how many parts the SKUs are divided; a cluster keeps each part on one node. It decides where everything is, and is never changed while
 *  there are data. */
export const LEDGER_PARTITIONS = 32;
/** Commands that one script decides. Further ones go in the next. It bounds for how long Redis does nothing else. */
export const LEDGER_BATCH_COMMANDS_MAX = 512;
/** How long what a process has seen of goods may let somebody through to where it is decided, and of how many SKUs it remembers that. One more: it forgets
 *  all of them, and looks again. */
export const GLANCE_MS_MAX: DurationMs = 1_000;
export const GLANCED_SKUS_MAX = 10_000;
/** How long a turn holds up the next one. A slower one, as when a node does not answer, goes on beside it. */
export const LEDGER_TURN_MS_MAX: DurationMs = 100;
/** How often a command is tried again while an order of the same user and SKU is under way, and the pause before that. After that: 503. */
export const UNDER_WAY_TRIES_MAX = 50;
export const UNDER_WAY_PAUSE_MS: DurationMs = 10;
/** How long a reply to an idempotency key is kept in Redis. More than `REPLY_KEPT_MS`, because its clock is not ours. */
export const REPLY_KEPT_IN_REDIS_MS: DurationMs = 48 * 3_600_000;
/** Entries of a stream that one transaction takes over, a turn's events each; the rest stay for the next. */
export const RELAY_ENTRIES_MAX = 100;
/** Calls about orders that a process has under way, a connection to Postgres each. Less than `POSTGRES_CONNECTIONS_MAX`. Further ones wait. */
export const ORDER_CALLS_AT_ONCE = 5;
/** How often an order is tried that others keep changing something under. After that: 503. */
export const ORDER_ATTEMPTS_MAX = 20;
/** How long an order may be under way between Redis and Postgres before others look after it. */
export const ORDER_UNDER_WAY_MS_MAX: DurationMs = 10_000;
/** Orders and parts of orders that are looked after in one go. */
export const RECOVERED_PER_TICK = 100;
/** Time between two ticks in which events of a process's own changes are taken over into the outbox; in which everybody's are, also of those who have
 *  died, or have no such tick; and in which what others have left half way is looked for. */
export const RELAY_TICK_MS: DurationMs = 100;
export const RELAY_ALL_TICK_MS: DurationMs = 500;
export const RECOVER_TICK_MS: DurationMs = 1_000;
/** Time between two ticks in which a process sweeps the whole ledger. Nothing waits for it but what is told of holds that have ended. */
export const LEDGER_SWEEP_TICK_MS: DurationMs = 1_000;
/** Rows that are compared between Redis and Postgres at once; between two such pages everybody else has a turn. */
export const RECONCILED_PER_LOOK = 200;
/** How often everything is compared again where something has happened in a partition during the look. After that: at the next claim. */
export const RESTORE_LOOKS_MAX = 5;
/** A partition that was found whole is compared with Postgres again after so long, although its server has not changed. */
export const WHOLE_FOR_MS: DurationMs = 600_000;
/** One process at a time compares. If it dies meanwhile, or something could not be given back yet, another begins after so long. */
export const RESTORE_CLAIM_MS: DurationMs = 5_000;
/** Rows that an audit of Redis and Postgres reads at once. */
export const AUDIT_PAGE_ROWS = 500;
/** What looks broken while others sell is looked at again, so often and after such a pause; only what is broken each time counts. */
export const AUDIT_LOOKS_MAX = 3;
export const AUDIT_PAUSE_MS: DurationMs = 500;
/** Breaches that are kept of one check. Further ones are not told. */
export const AUDIT_BREACHES_KEPT_MAX = 10_000;
/** The running audit: the share of the time that it takes, in a thread of its own, and the shortest rest between two looks. */
export const AUDIT_SHARE = 0.05;
export const AUDIT_REST_MS_MIN: DurationMs = 2_000;
/** A store so large that it would then rest for longer than this is looked at more often, up to the larger share. */
export const AUDIT_REST_MS_MAX: DurationMs = 30_000;
export const AUDIT_SHARE_MAX = 0.2;
/** When nobody has asked for it for so long, its thread ends; looked for this often. */
export const AUDIT_IDLE_MS: DurationMs = 60_000;
export const AUDIT_TICK_MS: DurationMs = 10_000;
