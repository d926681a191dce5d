/** The bounds of the traffic analysis, in the manner of `limits.ts`. Its memory is the same however many clients there are. */
import type { DurationMs } from "../core/time.ts";

// --- Hand-over to the thread that analyses ---------------------------------------------------------------------------------
/** Pages of records (64 KiB each) that are with the analysis or on the way to it. One more: its records are not analysed, and counted as dropped. */
export const TRAFFIC_PAGES_UNDER_WAY_MAX = 64;
/** The wait before an analysis that has ended is started again: the first time, and at most. One that has lived for a while begins anew. */
export const TRAFFIC_RESTART_MS_MIN: DurationMs = 100;
export const TRAFFIC_RESTART_MS_MAX: DurationMs = 5_000;
export const TRAFFIC_SETTLED_MS: DurationMs = 10_000;
/** How long an analysis may be silent. Longer: it hangs, and is ended and started again. */
export const TRAFFIC_SILENT_MS_MAX: DurationMs = 15_000;
/** How often it is looked whether it is. */
export const TRAFFIC_LOOK_MS: DurationMs = 1_000;
/** How long the process that was told to stop waits for the analysis. What it has not saved by then is lost. */
export const TRAFFIC_CLOSE_MS_MAX: DurationMs = 2_000;

// --- Reading ---------------------------------------------------------------------------------------------------------------
/** Events of one page that are read into columns; a page of 64 KiB has some 150. Further ones are read the slow way. */
export const PAGE_EVENTS_MAX = 1_024;

// --- What is kept ----------------------------------------------------------------------------------------------------------
/** The longest that an event waits before the scenarios look at it. */
export const SLICE_MS: DurationMs = 200;
/** Events, and different addresses or accounts, of one slice. One more: the slice ends, and the next one begins. */
export const SLICE_EVENTS_MAX = 16_384;
export const SLICE_KEYS_MAX = 4_096;
/** Addresses, networks and accounts each that the scenarios follow. One more: the half that did least in the longest window is forgotten. */
export const FOLLOWED_KEYS_MAX = 8_192;
/** Of heaviest addresses, networks, accounts and SKUs each in a span of time, as Space-Saving keeps them: no count is wrong by more than a
 *  128th of all requests in it. */
export const HEAVY_KEYS_KEPT = 128;
/** Of them, how many are shown. */
export const HEAVY_KEYS_SHOWN = 20;
/** Reasons and the like that are counted by name. Further ones are counted as `other`. */
export const COUNTED_NAMES_MAX = 64;
/** Points of the history, one a second. The oldest go. */
export const HISTORY_POINTS_MAX = 3_600;
/** The longest purchase that the latencies tell apart. Longer ones count as this long. */
export const LATENCY_US_MAX = 60_000_000;
/** Trace ids that a decision names as evidence. */
export const EVIDENCE_TRACES_MAX = 5;
/** Proposals of one slice: more offenders than these in a fifth of a second wait for the next. */
export const PROPOSALS_PER_SLICE_MAX = 256;
/** Proposals that wait for a store that is away. The oldest go. */
export const UNLEARNED_MAX = 1_024;
/** Scenarios. More: refused at start. */
export const SCENARIOS_MAX = 64;
/** Observed decisions whose traffic is counted. Further ones are not counted. */
export const OBSERVED_MAX = 10_000;
/** Users that an observed decision would have stopped, remembered to see whether they buy later. Further ones are not counted as buyers. */
export const OBSERVED_USERS_MAX = 100_000;

// --- Several analyses of one traffic ---------------------------------------------------------------------------------------
/** Addresses, networks and accounts each that one digest tells about, those who did most first. The rest are in its sums only. */
export const DIGEST_KEYS_MAX = 2_048;
/** Digests in their stream; those of a minute from ten workers. Further ones push out the oldest, read or not. */
export const DIGESTS_MAX = 4_096;
/** Digests that are read at once. The rest are read with the next look. */
export const DIGESTS_PER_READ = 128;
/** The longest window that is shown. */
export const TRAFFIC_WINDOW_MS_MAX: DurationMs = 600_000;
/** How often the streams are looked at. */
export const TRAFFIC_POLL_MS: DurationMs = 100;
/** Entries of one stream that are read at once. The rest are read with the next look. */
export const TRAFFIC_ENTRIES_PER_READ = 32;
/** How long a worker may keep entries that it has read before others take them over. */
export const TRAFFIC_CLAIM_MS: DurationMs = 3_000;
/** An offence that is older than this is history: nothing is decided about it any more. */
export const OFFENCE_STALE_MS: DurationMs = 60_000;
/** Slices that wait to be told to the other analyses while Redis does not take them. As many: no further records are read, which wait in their streams. */
export const UNTOLD_SLICES_MAX = 100;
