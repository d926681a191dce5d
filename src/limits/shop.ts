/** The bounds of the shop page, and of those who watch the board live. */
import type { DurationMs } from "../core/time.ts";

/** WebSockets that watch the board of one gate, up to 3 KiB each. One more: 503, and the page falls back to a stream or to polling. */
export const BOARD_WATCHERS_MAX = 50_000;
/** Watchers over server-sent events, which cost more. One more: 503, and the page polls. */
export const BOARD_STREAMS_MAX = 2_000;
/** How often a gate looks for what has changed on the board, as long as somebody watches. */
export const BOARD_LOOK_MS: DurationMs = 100;
/** After a push to all, the next one waits so long for each watcher: while stock changes without end, a crowd that looks on takes about half of
 *  a core and never all of it. */
export const BOARD_PUSH_REST_US_PER_WATCHER = 15;
/** The longest text that goes to all watchers at once. A longer board is not pushed: they are told to ask for it. */
export const BOARD_PUSH_CHARS_MAX = 32 * 1024;
/** What may wait for a watcher who does not read. More: the connection is closed; the page comes again. */
export const WATCHER_BACKLOG_BYTES_MAX = 128 * 1024;
/** What a watcher may say. There is nothing to say, and nobody listens: anything longer closes the connection. */
export const WATCHER_FRAME_BYTES_MAX = 256;
/** How long a watcher's connection may be silent. The server's pings keep those open that answer them. */
export const WATCHER_IDLE_SECONDS = 60;
/** The longest silence of a board stream, in looks of `BOARD_LOOK_MS`: below `CONNECTION_IDLE_SECONDS`, behind which it is closed. */
export const BOARD_STREAM_BEAT_LOOKS = 40;
