/** The bounds of the operators' console, each with what happens at it. The others stand in `../limits.ts`. */
import type { DurationMs } from "../core/time.ts";

/** Operators who are signed in. One more: whoever has been still for the longest time is signed out. */
export const CONSOLE_SESSIONS_MAX = 100;
/** How long a session can last in all, whatever is done in it. Later: sign in again. */
export const CONSOLE_SESSION_MS_MAX: DurationMs = 24 * 3_600_000;
/** Attempts to sign in from one address at one instant after a quiet time, and how many more there are in a second. More: 429. */
export const SIGN_IN_BURST_PER_ADDRESS = 10;
export const SIGN_IN_RATE_PER_ADDRESS = 0.2;
/** As above, from everywhere together: whoever has many addresses learns no faster. More: 429. */
export const SIGN_IN_BURST = 50;
export const SIGN_IN_RATE = 2;
/** Addresses whose attempts are counted. One more: the one that has been quiet for the longest time is forgotten; the bound for all still counts. */
export const SIGN_IN_ADDRESSES_MAX = 10_000;
/** An operator's name. Longer: 400. */
export const OPERATOR_NAME_CHARS_MAX = 64;

/** How long a service may take to answer the console. Longer: 503, and what became of a change is unknown. */
export const CONSOLE_CALL_MS_MAX: DurationMs = 5_000;
/** An answer of a service. Longer: 503, ask for less with `limit`. */
export const CONSOLE_ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** Calls of the console that are under way; further ones wait, and when as many wait, an operator hears 503. Part of `OUTBOUND_REQUESTS_MAX`. */
export const CONSOLE_CALLS_MAX = 20;
/** Instances of one service that are asked where each has a part of the answer. Further ones are not asked, and the answer says so. */
export const CONSOLE_INSTANCES_MAX = 16;

/** Open pages that get live figures. One more: 503, and the page tries again. */
export const LIVE_VIEWERS_MAX = 100;
/** What a viewer that reads slowly may have waiting. More: it is cut off, and its page connects again. */
export const LIVE_WAITING_BYTES_MAX = 1024 * 1024;
/** How often figures are collected and sent while somebody looks. */
export const LIVE_TICK_MS: DurationMs = 1_000;
/** How long a service may take to answer for one of these looks. Longer: that part of it is missing. */
export const LIVE_CALL_MS_MAX: DurationMs = 900;
/** How far back the traffic goes that a page is told when it is opened, and how far back each second: one that has missed a message misses no point. */
export const TRAFFIC_SHOWN_MS: DurationMs = 900_000;
export const POINTS_TOLD_MS: DurationMs = 5_000;
/** Silence of a viewer's connection, whose pings are answered by its browser. Longer: it is closed. */
export const LIVE_IDLE_SECONDS = 30;
/** A message from a page, which says only that its operator is there. Longer: the connection is closed. */
export const LIVE_MESSAGE_BYTES_MAX = 64;

/** SKUs whose stock is followed over time. Further ones are shown without a curve. */
export const CURVE_SKUS_MAX = 50;
/** Points of a curve, one a second. One more: the oldest goes. */
export const CURVE_POINTS_MAX = 3_600;
/** How far back the rate is looked at from which the end of the stock is foretold. */
export const PROJECTION_LOOK_BACK_MS: DurationMs = 30_000;
/** Points of each curve in a report. More are thinned out. */
export const REPORT_CURVE_POINTS_MAX = 300;
