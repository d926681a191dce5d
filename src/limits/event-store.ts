/** The bounds of the events that are kept for searching, in the manner of `limits.ts`. */
import type { DurationMs } from "../core/time.ts";

// --- Keeping ---------------------------------------------------------------------------------------------------------------
/** Events in one page: they are encoded when they come, and written together. */
export const EVENT_PAGE_ROWS = 2_048;
/** Pages that wait to be written, about 250 KB each. When all are full, events are not kept, and counted as lost. */
export const EVENT_PAGES_MAX = 64;
/** Pages of one commit, which begins when there are so many. The rest go with the next. */
export const EVENT_COMMIT_PAGES_MAX = 15;
/** Events that the database compresses together: as many as a whole commit has, so that they are written once and not twice. */
export const EVENT_GROUP_ROWS = EVENT_COMMIT_PAGES_MAX * EVENT_PAGE_ROWS;
/** The longest that an event waits before it is written, and about what a crash loses. A search has what waits written first. */
export const EVENT_COMMIT_MS: DurationMs = 2_000;
/** How often it is looked whether something is to be written, and told how much is kept. */
export const EVENT_STORE_TICK_MS: DurationMs = 1_000;
/** Events that come while the store is being opened. Further ones are lost and counted. */
export const EVENTS_BEFORE_OPEN_MAX = 65_536;
/** Events of one segment. With the next page the next segment begins. */
export const SEGMENT_EVENTS_MAX = 1_000_000;
/** A segment ends, too, when it holds this share of the time or the bytes that all may take: only whole segments are thrown away. */
export const SEGMENT_SHARE_MAX = 1 / 16;
/** Different courses of requests (instance, steps, outcomes, reason) of one segment. One more: the next segment begins. */
export const SEGMENT_SHAPES_MAX = 16_384;
/** Segments. One more: the oldest goes, whatever its age. */
export const SEGMENTS_MAX = 128;
/** Damaged segments that are put aside for somebody to look at. The oldest go. */
export const SEGMENTS_ASIDE_MAX = 2;
/** How long nothing is written after the disk did not take it. What comes meanwhile waits, as far as there is room. */
export const EVENT_STORE_REST_MS: DurationMs = 5_000;
/** Memory of the database, beside what its code takes. What needs more is not answered. */
export const EVENT_DATABASE_MEMORY_MIB = 192;
/** Threads of the database: a search must leave the other cores to purchases. */
export const EVENT_DATABASE_THREADS = 1;

/** The ranges of what operators choose. */
export const EVENTS_KEPT_HOURS_MAX = 24 * 30;
export const EVENTS_KEPT_BYTES_MIN = 64 * 1024 * 1024;
export const EVENTS_KEPT_BYTES_MAX = 1024 ** 4;

// --- Asking ----------------------------------------------------------------------------------------------------------------
/** Events of one page of a search. More: 400. */
export const EVENTS_FOUND_MAX = 500;
export const EVENTS_FOUND_DEFAULT = 100;
/** How long a search may take. Longer: 503, with the advice to narrow it down. */
export const SEARCH_MS_MAX: DurationMs = 10_000;
/** How long a report may take. Longer: 503. */
export const REPORT_MS_MAX: DurationMs = 60_000;
/** Searches and reports that wait for their turn; one is answered at a time. One more: 503. */
export const SEARCHES_WAITING_MAX = 8;
/** Pieces of time that a report divides its time into, at most. */
export const REPORT_BUCKETS_MAX = 120;
/** SKUs in a report: those that were held most. The others are in the sums only. */
export const REPORT_SKUS_MAX = 100;

// --- The sink --------------------------------------------------------------------------------------------------------------
/** Text that waits for the sink. When it is full, events are dropped and counted; the store keeps them all the same. */
export const SINK_BUFFER_BYTES_MAX = 16 * 1024 * 1024;
/** Text in one request to the sink, about: a request ends with the event that crosses this. */
export const SINK_REQUEST_BYTES_MAX = 1024 * 1024;
/** The longest that an event waits for its request, unless the sink is slow. */
export const SINK_SEND_MS: DurationMs = 1_000;
/** How long the sink may take to answer. Longer: the request has failed. */
export const SINK_ANSWER_MS_MAX: DurationMs = 10_000;
/** How often a request is sent, at most. Then its events are dropped and counted. */
export const SINK_ATTEMPTS_MAX = 5;
/** The wait before the second attempt; it doubles with each, up to the second of these. */
export const SINK_RETRY_MS: DurationMs = 500;
export const SINK_RETRY_MS_MAX: DurationMs = 8_000;
/** An answer of the sink. What is longer is not read on. */
export const SINK_ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** How long the process that was told to stop waits for the sink. What is not taken by then is dropped. */
export const SINK_CLOSE_MS_MAX: DurationMs = 1_000;
