/**
 * Every bound of the system, named once, with what happens when it is reached. A bound that an operator may want to move is a
 * setting (`src/settings/table.ts`) and stands here with its range; the others are fixed.
 */
import type { DurationMs } from "./core/time.ts";

// --- Input -----------------------------------------------------------------------------------------------------------------
/** A request body. Longer: 413. */
export const BODY_BYTES_MAX = 16 * 1024;
/** An `Idempotency-Key`. Longer: 400. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 255;
/** A free-text note on a blacklist entry. Longer: 400. */
export const NOTE_CHARS_MAX = 500;
/** Units in one purchase. More: 400. */
export const PURCHASE_QUANTITY_MAX = 1_000_000;
/** Units of one SKU on hand, and the highest limit of a tier or order record. More: 400. */
export const STOCK_QUANTITY_MAX = 1_000_000_000;
/** A user level. Higher: 400. */
export const USER_LEVEL_MAX = 1_000_000;
/** A price in whole currency units. Higher: 400. */
export const PRICE_MAX = 10_000_000;
/** How long a blacklist entry may be asked to stand; without a duration it stands until removed. Longer: 400. */
export const DECISION_SECONDS_MAX = 10 * 365 * 24 * 3600;
/** Rows of one page of a list. More: 400. */
export const PAGE_ROWS_MAX = 10_000;
/** Rows of one page when the request names no limit. */
export const PAGE_ROWS_DEFAULT = 1_000;
/** Rows read from the store for one chunk of a streamed list. */
export const LIST_CHUNK_ROWS = 100;
/** Seconds a connection may take to send its request or stay silent. Longer: closed. */
export const CONNECTION_IDLE_SECONDS = 10;

// --- The purchase ----------------------------------------------------------------------------------------------------------
/** Purchases that wait for their turn or for their commit. One more: 429, try again in a second. */
export const PURCHASES_IN_FLIGHT_MAX = 20_000;
/** Purchases that go through the steps in one turn. The rest stay for the next turn. */
export const TURN_PURCHASES_MAX = 1_024;

/** Looks at the sockets before a turn begins, as long as each brings somebody new. */
export const TURN_LOOKS_MAX = 8;

// --- The ledger ------------------------------------------------------------------------------------------------------------
/** SKUs in the store. One more: 409. */
export const SKUS_MAX = 1_000_000;
/** SKUs one user may have in hand, ordered or on record before a further one is refused with `limit-reached`. */
export const LINES_PER_USER_MAX = 1_000;
/** How long a hold may be asked to last. Longer settings are refused at start. */
export const FROZEN_FOR_MS_MAX: DurationMs = 24 * 3_600_000;
/** The longest payment window: an order not paid by then is expired. Longer ones are cut to this. */
export const PAYMENT_WINDOW_MS_MAX: DurationMs = 3_600_000;
/** How long the first reply to an idempotency key is kept, at least. */
export const REPLY_KEPT_MS: DurationMs = 24 * 3_600_000;
/** Replies kept for idempotency keys, 16 to 32 bytes of memory and about 150 bytes of disk each. When that many are younger than 24 hours, a
 *  purchase with a new key is answered 503 and nothing is frozen; one without a key is served. */
export const REPLIES_MAX = 25_165_824;
/** The share of them that refusals may fill, so that a crowd that is refused can never shut out those who could buy. Beyond it, who would
 *  be refused with a new key is answered 503. */
export const KEPT_REFUSALS_SHARE = 0.5;
/** Replies in one row of the store: what must be read to repeat one of them. */
export const REPLIES_PER_ROW = 32;
/** Rows of ended holds, orders and replies removed from the store in one turn; the rest stay for the next tick. */
export const SWEEP_ROWS_PER_TURN = 500;
/** SKUs looked at in one tick of the sweeper. */
export const SWEEP_SKUS_PER_TICK = 10_000;
/** Time between two ticks of the sweeper. Nothing waits for it: what is due is free before it comes. */
export const SWEEP_TICK_MS: DurationMs = 250;
/** Changes that wait for their commit, not counting those that the gate has collected. One more: 503. */
export const WRITES_WAITING_MAX = 10_000;

// --- Protection and policy -------------------------------------------------------------------------------------------------
/** Blacklist entries. One more: 409. */
export const DECISIONS_MAX = 5_000_000;
/** SKUs with a policy. One more: 409. */
export const POLICIES_MAX = 1_000_000;
/** Tiers of one SKU. One more: 409. */
export const TIERS_PER_SKU_MAX = 100;

// --- Registry --------------------------------------------------------------------------------------------------------------
/** Instances in the registry. One more: 503. */
export const REGISTRY_INSTANCES_MAX = 10_000;
/** Our own services' lease: renewed every second, gone after three. */
export const LEASE_RENEWAL_MS: DurationMs = 1_000;
export const LEASE_DURATION_SECONDS = 3;

// --- Records ---------------------------------------------------------------------------------------------------------------
/** Access-log text that waits for the disk. When it is full, records are dropped and counted. */
export const ACCESS_LOG_BUFFER_BYTES_MAX = 8 * 1024 * 1024;
/** The longest that an access-log record waits before it is written. */
export const ACCESS_LOG_FLUSH_MS: DurationMs = 100;

// --- Shutdown --------------------------------------------------------------------------------------------------------------
/** From the signal to the exit: what is still unanswered then is cut off. */
export const SHUTDOWN_MS_MAX: DurationMs = 8_000;

// --- Orders in the ledger --------------------------------------------------------------------------------------------------
/** SKUs in one order. More: the order is refused with `too-many-items`. */
export const ORDER_ITEMS_MAX = 100;
/** How long an order that has ended stays in the store, at least. One whose refund is due stays for good. */
export const ORDER_KEPT_MS: DurationMs = 90 * 24 * 3_600_000;
/** A reply kept for the key of a request that is no purchase. Room for an order of `ORDER_ITEMS_MAX` items with the longest SKUs; whoever makes
 *  a longer one has a bug. */
export const KEPT_BODY_CHARS_MAX = 64 * 1024;
