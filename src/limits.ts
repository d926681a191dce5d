/**
 * Every bound of the system, named once, with what happens when it is reached. A bound that an operator may want to move is a
 * setting (`src/settings/table.ts`) and stands here with its range; the others are fixed. Those of what only some processes have (links, the
 * registry, shared tables) and of what operators see stand in `limits/`.
 */
import type { DurationMs } from "./core/time.ts";

// --- Input -----------------------------------------------------------------------------------------------------------------
/** A request body. Longer: 413. */
export const BODY_BYTES_MAX = 16 * 1024;
/** A payment provider's notification, which may carry whatever its account has put into it. Longer: 413. */
export const NOTICE_BYTES_MAX = 256 * 1024;
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
/** Orders that one look through them passes at most; then everybody else has a turn. */
export const ORDERS_PASSED_PER_LOOK = 5_000;
/** Looks that may find less than they could take, in one page of orders. After that the page ends, and says where to go on. */
export const ORDER_LOOKS_MAX = 50;
/** Seconds a connection may take to send its request or stay silent. Longer: closed. */
export const CONNECTION_IDLE_SECONDS = 10;

// --- The purchase ----------------------------------------------------------------------------------------------------------
/** Purchases that wait for their turn or for their commit. One more: 429, try again in a second. */
export const PURCHASES_IN_FLIGHT_MAX = 20_000;
/** Purchases that go through the steps in one turn. The rest stay for the next turn. */
export const TURN_PURCHASES_MAX = 1_024;

/** Turns of a gate under way at a time. While there are so many, whoever arrives waits for the next turn, and goes with all who have come by then. */
export const TURNS_UNDER_WAY_MAX = 2;
/** How long the next turn waits for one that is under way. Longer: it begins beside it. */
export const TURN_WAIT_MS_MAX: DurationMs = 20;
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
/** Replies kept for idempotency keys, 16 to 32 bytes of memory and on disk about 150 bytes for a purchase and up to
 *  `KEPT_BODY_CHARS_MAX` for an order. When that many are younger than 24 hours, a
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
/** The registry's own bounds stand in `limits/registry.ts`. Our own services' lease: renewed every second, gone after three. */
export const LEASE_RENEWAL_MS: DurationMs = 1_000;
export const LEASE_DURATION_SECONDS = 3;

// --- Shutdown --------------------------------------------------------------------------------------------------------------
/** From the signal to the exit: what is still unanswered then is cut off. */
export const SHUTDOWN_MS_MAX: DurationMs = 8_000;

// --- Sales -----------------------------------------------------------------------------------------------------------------
/** Sales in the store, whatever their status. One more: 409, delete an ended one first. */
export const SALES_MAX = 10_000;
/** SKUs in one sale. More: 400. */
export const SALE_ITEMS_MAX = 100;
/** A sale's name. Longer: 400. */
export const SALE_NAME_CHARS_MAX = 200;
/** The oldest that a snapshot of the board may be. An older one is made again when somebody asks. */
export const BOARD_AGE_MS_MAX: DurationMs = 100;
/** Sales that the board's list shows; each of the others is found under its own address. */
export const BOARD_SALES_MAX = 50;
/** How long the board's list goes on showing a sale that has ended. */
export const BOARD_ENDED_SHOWN_MS: DurationMs = 24 * 3_600_000;
/** Copies of sales that a gate in a process of its own keeps. One more: all are made anew. */
export const BOARD_COPIES_MAX = 1_000;
/** "few" are left: at most this share of all that was stocked, or at most so many units. */
export const BOARD_FEW_SHARE = 0.1;
export const BOARD_FEW_UNITS = 10;
// --- Identity --------------------------------------------------------------------------------------------------------------
/** A signed token. Longer: 401, before anything of it is read. */
export const TOKEN_CHARS_MAX = 8 * 1024;
/** Verified tokens that are remembered. One more: those that were not used lately are forgotten, and verified again when they come. */
export const VERIFIED_TOKENS_MAX = 100_000;
/** What the remembered tokens may come to together. One more character: as above. */
export const VERIFIED_TOKENS_CHARS_MAX = 64 * 1024 * 1024;
/** How old the reading of the keys may be on which an accepted token rests: a key that was taken away ends its tokens within this time. */
export const VERIFIED_TOKEN_MS_MAX: DurationMs = 60_000;
/** Tokens whose signature is being checked. One more: 503. */
export const VERIFICATIONS_IN_FLIGHT_MAX = 20_000;
/** How far the clock of who signs tokens may be from ours. */
export const TOKEN_CLOCK_TOLERANCE_MS: DurationMs = 5_000;
/** Keys read longer ago than this are read again, while tokens are still checked with them. */
export const KEYS_FRESH_MS: DurationMs = 30_000;
/** Time between two readings of the keys, also when tokens name keys that nobody knows. */
export const KEYS_REREAD_MS_MIN: DurationMs = 5_000;
/** How long a key set's server may take to answer. Longer: the keys were not read. */
export const KEYS_FETCH_MS_MAX: DurationMs = 3_000;
/** The text of a key file or key set. Longer: it is not read. */
export const KEYS_BYTES_MAX = 256 * 1024;
/** A shared secret. Shorter: refused at start (RFC 7518, 3.2: as long as the hash). */
export const TOKEN_SECRET_BYTES_MIN = 32;
/** An RSA key. Shorter: refused (RFC 7518, 3.3). */
export const RSA_KEY_BITS_MIN = 2_048;
/** Ranges of trusted proxies. One more: refused at start. */
export const TRUSTED_PROXIES_MAX = 64;
/** Entries of a forwarding header that are read, from the nearest. What lies behind them is not looked at. */
export const FORWARDED_HOPS_MAX = 16;
// --- Payment ---------------------------------------------------------------------------------------------------------------
/** One request to a payment provider. */
export const PROVIDER_TIMEOUT_MS: DurationMs = 3_000;
/** How often a request to a payment provider is repeated at once, with the same idempotency key. */
export const PROVIDER_RETRIES_MAX = 1;
/** The wait before that repetition. Stripe's library has it built in. */
export const PROVIDER_RETRY_WAIT_MS: DurationMs = 500;
/** The longest that a provider is waited for. Below `SHUTDOWN_MS_MAX`, so that what is under way when the process is told to stop ends well,
 *  and below `CONNECTION_IDLE_SECONDS`, for which a shopper's connection may be silent. */
export const PROVIDER_CALL_MS_MAX: DurationMs = PROVIDER_TIMEOUT_MS + PROVIDER_RETRIES_MAX * (PROVIDER_RETRY_WAIT_MS + PROVIDER_TIMEOUT_MS);
/** Payments that are being started at a provider. One more: 503, ask again with the same order. Part of `OUTBOUND_REQUESTS_MAX`. */
export const PAYMENT_STARTS_IN_FLIGHT_MAX = 96;
/** The age of a notification's signature. Older: refused, the provider sends it again with a fresh one. */
export const NOTICE_AGE_SECONDS_MAX = 300;
/** Secrets that may sign notifications at one time, the old one and the new one for instance. More are refused at start. */
export const NOTICE_SECRETS_MAX = 8;
/** A provider's name for a payment. Longer: the notification is refused. */
export const PAYMENT_ID_CHARS_MAX = 200;
/** An amount in a notification, in whole currency units: its cents are exact in a double. Higher: the notification is refused. */
export const PAYMENT_AMOUNT_MAX = 10_000_000_000_000;
/** Refunds that are being asked for at one time. The rest wait until one of them has ended. Part of `OUTBOUND_REQUESTS_MAX`. */
export const REFUNDS_IN_FLIGHT_MAX = 32;
/** As above, of one provider: one that does not answer leaves room for the others. */
export const REFUNDS_PER_PROVIDER_MAX = 8;
/** Time between two looks for refunds that have become due while none was under way. */
export const REFUND_TICK_MS: DurationMs = 1_000;
/** The shortest and the longest wait before a refund is asked for again. */
export const REFUND_RETRY_MS_MIN: DurationMs = 1_000;
export const REFUND_RETRY_MS_MAX: DurationMs = 3_600_000;
/** How long a refund is asked for again and again before it is left to the operator. */
export const REFUND_TRIED_FOR_MS: DurationMs = 72 * 3_600_000;
/** What is kept of a provider's reason for not refunding. Longer ones are cut. */
export const REFUND_ERROR_CHARS_MAX = 500;
/** How long a refund that was made stays in the list. Those that were not made stay. */
export const REFUND_KEPT_MS: DurationMs = 90 * 24 * 3_600_000;
/** Old refunds removed in one turn; the rest stay for the next tick. */
export const REFUNDS_SWEPT_PER_TURN = 100;
// --- Orders in the ledger --------------------------------------------------------------------------------------------------
/** SKUs in one order. More: the order is refused with `too-many-items`. */
export const ORDER_ITEMS_MAX = 100;
/** How long an order that has ended stays in the store, at least. One whose refund is due stays for good. */
export const ORDER_KEPT_MS: DurationMs = 90 * 24 * 3_600_000;
/** A reply kept for the key of a request that is no purchase. Room for an order of `ORDER_ITEMS_MAX` items with the longest SKUs; whoever makes
 *  a longer one has a bug. */
export const KEPT_BODY_CHARS_MAX = 64 * 1024;

// --- Orders and other requests of shoppers ---------------------------------------------------------------------------------
/** Requests with an idempotency key that are on their way, purchases among them. One more, and it is no purchase: 503. */
export const KEYED_REQUESTS_IN_FLIGHT_MAX = 30_000;
/** Texts of a success kept ready, one for each time that goods stay frozen. One more: all are made anew as they are needed. */
export const SUCCESS_TEXTS_MAX = 64;
// --- Events and webhooks ---------------------------------------------------------------------------------------------------
/** Events in one row of the outbox. More in one turn: further rows. */
export const OUTBOX_EVENTS_PER_ROW = 64;
/** How long an event can be read, unless there are too many. Longer than webhooks are retried, so that none loses its first event to the sweeper. */
export const OUTBOX_KEPT_MS: DurationMs = 48 * 3_600_000;
/** Events in the outbox, about 200 bytes of disk each. One more: the oldest go, and a webhook that has not received them is disabled. */
export const OUTBOX_EVENTS_MAX = 10_000_000;
/** In an outbox of many processes, how often events that were committed get their ids, and how often each process learns of new ones. */
export const OUTBOX_TICK_MS: DurationMs = 50;
/** Rows of events that get their ids in one transaction. The rest follow in the next one, at once. */
export const OUTBOX_ARRIVALS_PER_STEP = 200;
/** Events of one page when the request names no limit. */
export const EVENTS_PER_PAGE_DEFAULT = 100;
/** Events of one page. More: 400. */
export const EVENTS_PER_PAGE_MAX = 1_000;
/** Events looked at for one page: a filter that matches few of them gets a shorter page, and a cursor from which to ask on. */
export const EVENTS_LOOKED_AT_PER_PAGE = 10_000;
/** Events read from the outbox at once; between two such pieces everybody else has a turn. */
export const EVENTS_PER_READ = 64;
/** Open event streams. One more: 503. */
export const EVENT_STREAMS_MAX = 100;
/** The longest silence of an event stream. Well below `CONNECTION_IDLE_SECONDS`, behind which the connection is closed. */
export const EVENT_STREAM_BEAT_MS: DurationMs = 5_000;
/** How often event streams look for what is new: a look after every turn would cost purchases. */
export const EVENT_STREAM_TICK_MS: DurationMs = 50;
/** Webhooks. One more: 409. */
export const WEBHOOKS_MAX = 100;
/** A webhook's URL. Longer: 400. */
export const WEBHOOK_URL_CHARS_MAX = 2_000;
/** Signing keys of one webhook: the one in use and those it is changed for. More: 400. */
export const WEBHOOK_SECRETS_MAX = 5;
/** Ways to a receiver that do not wait for each other; each has at most one delivery under way. At most 31, a bit of an integer each. */
export const WEBHOOK_LANES = 31;
/** Requests that the whole process may have under way to others; Bun lets further ones wait behind them. What bounds them must come to less,
 *  so that no receiver and no provider that hangs keeps others waiting: `WEBHOOK_DELIVERIES_MAX`, `PAYMENT_STARTS_IN_FLIGHT_MAX`,
 *  `REFUNDS_IN_FLIGHT_MAX`, `REGISTRY_PEERS_MAX`, `CONSOLE_CALLS_MAX`, one reading of the keys for tokens, and one request to the collector of traces. */
export const OUTBOUND_REQUESTS_MAX = 256;
/** Deliveries under way, over all webhooks. The rest wait until one has ended, and webhooks take turns. Part of `OUTBOUND_REQUESTS_MAX`. */
export const WEBHOOK_DELIVERIES_MAX = 96;
/** As above, to receivers that gave no answer the last time: however many hang, the others have the rest. */
export const WEBHOOK_SILENT_DELIVERIES_MAX = 32;
/** Events of one webhook in memory. Further ones are read when the first of them has been delivered. */
export const WEBHOOK_WINDOW_EVENTS = 4_096;
/** How long a receiver may take to answer. Longer: the delivery is tried again. */
export const WEBHOOK_TIMEOUT_MS: DurationMs = 15_000;
/** The first retry comes within this; each further bound is twice as long. */
export const WEBHOOK_RETRY_MS_MIN: DurationMs = 100;
/** The longest wait between two tries. */
export const WEBHOOK_RETRY_MS_MAX: DurationMs = 3_600_000;
/** How long one event is tried. Then its webhook is disabled. */
export const WEBHOOK_GIVE_UP_MS: DurationMs = 24 * 3_600_000;
/** How often due retries are looked for. */
export const WEBHOOK_TICK_MS: DurationMs = 50;
/** How often the positions of webhooks are saved: what was delivered since is delivered again after a crash. */
export const WEBHOOK_SAVE_MS: DurationMs = 1_000;
// --- Postgres --------------------------------------------------------------------------------------------------------------
/** Connections of one process. More at a time: they wait for one, up to `POSTGRES_ANSWER_MS_MAX`. */
export const POSTGRES_CONNECTIONS_MAX = 8;
/** Statements and transactions that wait for a connection. One more: 503. */
export const POSTGRES_WAITING_MAX = 1_000;
/** How long a connection may take to come about. Longer: the database cannot be reached. */
export const POSTGRES_CONNECT_MS_MAX: DurationMs = 2_000;
/** How long a statement may take. Longer: the server ends it, and what it belonged to is rolled back. */
export const POSTGRES_STATEMENT_MS_MAX: DurationMs = 3_000;
/** How long an answer is waited for. Longer: the connection is given up; whether a commit under way on it has happened is unknown. */
export const POSTGRES_ANSWER_MS_MAX: DurationMs = 5_000;
/** How long a transaction may stand still. Longer: the server rolls it back, so that a process that hangs frees what it had locked. */
export const POSTGRES_IDLE_IN_TRANSACTION_MS_MAX: DurationMs = 5_000;
/** How often a transaction is tried that collides with others, or that loses its connection before its commit. After that: 503. */
export const POSTGRES_ATTEMPTS_MAX = 8;
/** The longest wait between two of them. */
export const POSTGRES_RETRY_MS_MAX: DurationMs = 100;
/** How long one migration may take, the wait for another process that migrates included. Longer: it is rolled back. */
export const POSTGRES_MIGRATION_MS_MAX: DurationMs = 600_000;
/** How often a process proves that it leads, or asks whether it may: so long is nobody leading after a leader has died. */
export const LEADER_TICK_MS: DurationMs = 500;
/** How long an answer to that may take. Longer: it does not lead any more. */
export const LEADER_ANSWER_MS_MAX: DurationMs = 1_000;
/** How long the server lets a leader be silent. Longer: another one leads. More than a tick and an answer together, so that a leader knows it before. */
export const LEADER_SILENT_MS_MAX: DurationMs = 3_000;
// --- Redis -----------------------------------------------------------------------------------------------------------------
/** How long a connection may take to come about. Longer: tried again. */
export const REDIS_CONNECT_MS_MAX: DurationMs = 1_000;
/** How long an answer is waited for. Longer: whether the script has run is unknown. Below `LINK_DEADLINE_MS`. */
export const REDIS_ANSWER_MS_MAX: DurationMs = 1_500;
/** How long nothing may come on a connection on which something was asked. Longer: it is given up for a new one. More than an answer may take, so that one
 *  slow answer does not cost those of others. */
export const REDIS_SILENT_MS_MAX: DurationMs = 3_000;
/** The longest wait between two attempts to connect again. */
export const REDIS_RECONNECT_MS_MAX: DurationMs = 200;
/** In strict mode, how long replicas may take to confirm a change. Longer: its outcome is unknown. */
export const REPLICAS_CONFIRM_MS_MAX: DurationMs = 500;
