/** The bounds of the links between processes, and of the processes themselves, each with what happens at it. The others stand in `../limits.ts`. */
import type { DurationMs } from "../core/time.ts";

/** Gate processes of one machine. More: refused at start. */
export const GATES_MAX = 64;
/** The wait before a process of ours that has ended is started again: the first time, and at most. One that has lived for a while begins anew. */
export const CHILD_PAUSE_MS_MIN: DurationMs = 100;
export const CHILD_PAUSE_MS_MAX: DurationMs = 5_000;
export const CHILD_SETTLED_MS: DurationMs = 10_000;
/** A process that waits for its stores at its start tries again after this pause. */
export const STORE_RETRY_MS: DurationMs = 250;
/** For how long a process can be told to wait for its stores at its start, or to go on answering after it was told to stop. More: refused at start. */
export const PATIENCE_MS_MAX: DurationMs = 600_000;
/** Items in one request over a link. Further ones of the same turn go in another. Not less than `TURN_PURCHASES_MAX`. */
export const LINK_ITEMS_MAX = 1_024;
/** The body of a request over a link, and of its answer. Longer: 413. Room for `LINK_ITEMS_MAX` purchases with the longest ids and keys. */
export const LINK_BYTES_MAX = 8 * 1024 * 1024;
/** An answer of the shopper's door over a link. Longer, as a list of thousands of long orders can be: 400, ask for less with `limit`. As JSON within
 *  JSON each character can be two, and as UTF-8 three bytes: with both it is still below `LINK_BYTES_MAX`. */
export const DOOR_REPLY_CHARS_MAX = LINK_BYTES_MAX / 4;
/** Connections that a process keeps to instances of services. One more: the oldest is closed, and opened again when it is needed. */
export const LINK_CONNECTIONS_MAX = 1_000;
/** Requests over links that one port answers at a time. One more: 503, nothing has happened. */
export const LINK_FRAMES_MAX = 10_000;
/** Items that wait for their answers on one link. One more: a failure at once. */
export const LINK_ITEMS_WAITING_MAX = 20_000;
/** How long a step of a purchase may take. Longer: the step is unavailable, and what it did is unknown. */
export const LINK_DEADLINE_MS: DurationMs = 2_000;
/** Instances that one call is tried at. */
export const LINK_ATTEMPTS_MAX = 3;
/** Failures in a row after which an instance is left alone for a while. One that does not answer at all is left alone at once. */
export const LINK_FAILURES_MAX = 3;
/** How long it is left alone: the first time, and at most. */
export const LINK_PAUSE_MS_MIN: DurationMs = 100;
export const LINK_PAUSE_MS_MAX: DurationMs = 1_000;
/** How often the instances of a service are asked for, and so how late a new one is noticed. */
export const INSTANCES_REFRESH_MS: DurationMs = 1_000;
/** How long a registry may take to answer. Longer: the next one is asked, or the same one at the next beat. */
export const REGISTRY_CALL_MS_MAX: DurationMs = 1_000;
/** Instances of one service. Further ones are not asked. */
export const INSTANCES_MAX = 1_000;
