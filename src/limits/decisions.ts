/** The bounds of what SafeProtector decides: how long what it learns stands, and how much of it there is. */
import type { DurationMs } from "../core/time.ts";
import type { TokenBucketSettings } from "../core/token-bucket.ts";

/** Learned decisions, remembered ones included, with their evidence in memory. One more: those that have ended make room, else it is not taken. */
export const LEARNED_DECISIONS_MAX = 50_000;
/** The longest that a learned decision is made to stand, however often the offence is repeated. */
export const LEARNED_MS_MAX: DurationMs = 24 * 3_600_000;
/** How long a learned decision is remembered after its end: who offends again within it is a repeated offender. */
export const LEARNED_REMEMBERED_MS: DurationMs = 24 * 3_600_000;
/** Learned decisions of one change. The rest follow in further ones. */
export const LEARNED_PER_CHANGE = 500;
/** Ended decisions looked for when there is no room for what is learned; so many more looks than decisions are made at most. */
export const LEARNED_LOOKS_FOR_ROOM = 1_000;
/** Offences that are counted of one value. More stay at this count. */
export const OFFENCES_MAX = 1_000_000;
/** Counts and trace ids kept as evidence of one decision. Further ones are left out. */
export const EVIDENCE_COUNTS_MAX = 20;
export const EVIDENCE_TRACE_IDS_MAX = 10;
/** What a throttled account, address or network may still ask for. More: 429. */
export const THROTTLED_TO: Readonly<Record<"account" | "address" | "network", TokenBucketSettings>> = {
  account: { ratePerSecond: 0.5, burst: 2 },
  address: { ratePerSecond: 5, burst: 10 },
  network: { ratePerSecond: 20, burst: 40 },
};
/** Token buckets of throttled values. One more: the one that was made first begins anew when its owner comes again. */
export const THROTTLED_BUCKETS_MAX = 50_000;
/** Decisions read for one page of the list: a filter that matches few gets a shorter page, and where to ask on. */
export const DECISIONS_LOOKED_AT_PER_PAGE = 20_000;
/** Decisions read from the store at once; between two such pieces everybody else has a turn. */
export const DECISIONS_PER_READ = 500;
/** Decisions of which it is counted what they would have refused. Further ones are observed, and not counted. */
export const OBSERVED_COUNTED_MAX = 10_000;
/** Causes that refusals are counted by. Those of further ones are counted together. */
export const CAUSES_COUNTED_MAX = 200;

// --- Imports ---------------------------------------------------------------------------------------------------------------
/** The text of one import: a million lines of the longest networks fit. Longer: 413. All other requests end at `BODY_BYTES_MAX`. */
export const IMPORT_BYTES_MAX = 64 * 1024 * 1024;
/** Lines read in one go, and taken over in one change; in between everybody else has turns. */
export const IMPORT_LINES_PER_READ = 2_000;
export const IMPORT_LINES_PER_CHANGE = 1_000;
/** Turns of the event loop between two pieces of work. A purchase needs some from its socket to its reply, and would wait for a piece in each. */
export const IMPORT_TURNS_BETWEEN_PIECES = 4;
/** Bad lines that the answer names. Further ones are counted. */
export const IMPORT_BAD_LINES_NAMED = 100;
/** Imports under way. One more: 503. */
export const IMPORTS_UNDER_WAY_MAX = 1;
