/** The bounds of what is told of purchases beside their answers: records in Redis, traces for a collector. */
import type { DurationMs } from "../core/time.ts";

// --- Access records --------------------------------------------------------------------------------------------------------
/** The longest that an access record waits in the gate before it goes to all who take it: the disk, Redis, the analysis. */
export const RECORDS_HAND_OVER_MS: DurationMs = 50;
/** Pages (64 KiB each) that gather before it. As many: they go at once. */
export const RECORDS_HAND_OVER_PAGES_MAX = 16;
/** Access-log text that waits for the disk. When it is full, records are dropped and counted. */
export const ACCESS_LOG_BUFFER_BYTES_MAX = 8 * 1024 * 1024;

// --- Access records in Redis -----------------------------------------------------------------------------------------------
/** Access-log text that waits for Redis. When it is full, records are dropped and counted. */
export const ACCESS_STREAM_BUFFER_BYTES_MAX = 8 * 1024 * 1024;
/** How often records are sent to Redis: what was handed over since goes together. */
export const ACCESS_STREAM_FLUSH_MS: DurationMs = 100;
/** Entries of one stream, up to 64 KiB each, and there are eight: 256 MiB of Redis when gates write whole pages. Further ones push out the
 *  oldest, whether they have been read or not. */
export const ACCESS_STREAM_ENTRIES_MAX = 512;
/** How long Redis may take to connect. Longer: another attempt. */
export const ACCESS_STREAM_CONNECT_MS_MAX: DurationMs = 2_000;
/** How long Redis may take to answer. Longer: the records are dropped and the connection is made anew. */
export const ACCESS_STREAM_ANSWER_MS_MAX: DurationMs = 2_000;
/** How long a stream is left alone that did not take its records, and the longest wait between two attempts to connect. */
export const ACCESS_STREAM_REST_MS: DurationMs = 1_000;
/** How long the process that was told to stop waits for Redis. Records that are not taken by then are dropped. */
export const ACCESS_STREAM_CLOSE_MS_MAX: DurationMs = 1_000;

// --- Traces ----------------------------------------------------------------------------------------------------------------
/** Spans that wait for the collector of traces, about a kilobyte each; a purchase has up to six. One more: its trace is dropped and counted. */
export const OTLP_QUEUE_SPANS_MAX = 8_192;
/** Spans in one request to the collector. The rest go with the next. */
export const OTLP_BATCH_SPANS_MAX = 1_024;
/** The longest that a span waits for its request, unless the collector is slow. */
export const OTLP_EXPORT_MS: DurationMs = 1_000;
/** How long a request to the collector may take, with its repetitions. Longer: its spans are dropped. */
export const OTLP_TIMEOUT_MS: DurationMs = 5_000;
/** How long nothing is sent after spans were dropped so. */
export const OTLP_REST_MS: DurationMs = 5_000;
/** How long the process that was told to stop waits for the collector. What is not taken by then is dropped. */
export const OTLP_CLOSE_MS_MAX: DurationMs = 1_000;
/** Between two messages about the same trouble with somebody whom no purchase needs. */
export const TROUBLE_TOLD_MS: DurationMs = 60_000;
/** How long all must have been well before a trouble is said to be over. */
export const TROUBLE_OVER_MS: DurationMs = 1_000;
