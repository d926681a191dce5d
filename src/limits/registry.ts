/** The bounds of the ServiceRegistry, in the manner of `limits.ts`. */
import type { DurationMs } from "../core/time.ts";

/** Instances in the registry. One more: 503. */
export const REGISTRY_INSTANCES_MAX = 10_000;
/** A share of the registry: when fewer than this renew, it is the registry that is cut off, and nobody is evicted; and what one run of the
 *  evictions always leaves. In percent. */
export const REGISTRY_KEPT_PERCENT = 85;
/** Renewals per minute that are expected of each instance. One that renews oftener has each renewal count less. */
export const RENEWALS_PER_MINUTE = 2;
/** The least time between two runs of the evictions. */
export const EVICTION_PERIOD_MS: DurationMs = 10_000;
/** How long an instance that does not renew stays in a registry that evicts nobody. */
export const LAPSED_KEPT_MS: DurationMs = 24 * 3_600_000;
/** How long a change can be read in the delta. A client that was away for longer reads the whole registry. */
export const REGISTRY_DELTA_MS: DurationMs = 180_000;
/** Changes in the delta. One more: the oldest goes, and clients notice by the hash code that they have missed it. */
export const REGISTRY_DELTA_MAX = 20_000;
/** Entries of an instance's metadata. One more: 400. */
export const METADATA_ENTRIES_MAX = 100;
/** Names and values of an instance's metadata together. More: 400. */
export const METADATA_CHARS_MAX = 16 * 1024;
/** Instances that the registry's page shows. The rest are counted. */
export const REGISTRY_PAGE_ROWS_MAX = 500;
/** Registries that one replicates to. One more: refused at start. Each has one request under way: part of `OUTBOUND_REQUESTS_MAX`. */
export const REGISTRY_PEERS_MAX = 5;
/** What a registry does on its own (evictions, replication) is looked at this often. */
export const REGISTRY_TICK_MS: DurationMs = 100;
/** Operations in one message to a peer. The rest go with the next. */
export const PEER_BATCH_OPERATIONS_MAX = 250;
/** A message to a peer. Longer ones are not made, and answered 413. */
export const PEER_BATCH_BYTES_MAX = 1024 * 1024;
/** Instances of which one peer has yet to hear. One more: all is forgotten, and the peer is told everything when it answers. */
export const PEER_PENDING_MAX = 20_000;
/** How long a peer may take to answer. Longer: what was sent is sent again. */
export const PEER_TIMEOUT_MS: DurationMs = 2_000;
/** The shortest and the longest wait before a peer that did not answer is tried again. */
export const PEER_RETRY_MS_MIN: DurationMs = 200;
export const PEER_RETRY_MS_MAX: DurationMs = 5_000;
/** Tries in a row after which a peer counts as gone: what is pending is forgotten, and it is told everything when it answers again. */
export const PEER_TRIES_MAX = 5;
/** What is read of a peer's answer, a whole registry. Longer: it is not read. */
export const PEER_ANSWER_BYTES_MAX = 64 * 1024 * 1024;
