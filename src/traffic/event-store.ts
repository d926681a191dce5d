/** The last hours of traffic, kept on disk: what is asked of whoever keeps them, and what is answered. */
import type { DurationMs, UnixMs } from "../core/time.ts";
import type { TrafficEvent } from "./event.ts";
import type { ReadEvents } from "./read-events.ts";

export interface EventStore {
  /** Takes the events, or loses and counts them when there is no room; never waits. */
  add(page: ReadEvents): void;
  /** Everything that was added before is on disk, or lost and counted. */
  flush(): Promise<void>;
  /** @throws SearchRefused */
  search(query: EventQuery): Promise<EventPage>;
  /**
   * What happened from one moment until before another.
   * @throws SearchRefused
   */
  report(fromMs: UnixMs, untilMs: UnixMs): Promise<DropReport>;
  /** Writes what is left. */
  close(): Promise<void>;
}

/** All of what is given must be so. */
export interface EventQuery {
  readonly traceId?: string;
  readonly userId?: string;
  /** An address, or all addresses of a CIDR range. */
  readonly clientIp?: string;
  readonly sku?: string;
  /** `held`: none, because it went well. */
  readonly reason?: string;
  /** Where the purchase ended. */
  readonly step?: string;
  readonly fromMs?: UnixMs;
  /** Before this moment. */
  readonly untilMs?: UnixMs;
  /** Behind the last event of a page: its `next`. */
  readonly before?: string;
  readonly limit: number;
}

export interface EventPage {
  /** Newest first: those of a page by their time, and the pages by when they arrived, which may differ by as much as gates are late to tell. */
  readonly events: readonly TrafficEvent[];
  /** `null`: there is nothing more. */
  readonly next: string | null;
  readonly tookMs: DurationMs;
}

/** Nothing is wrong with the store. `detail` says what to do, for a person. */
export class SearchRefused extends Error {
  override readonly name = "SearchRefused";
  constructor(
    readonly why: "too-long" | "too-many" | "unknown-cursor" | "unavailable",
    readonly detail: string,
  ) {
    super(detail);
  }
}

export interface DropReport {
  readonly from: UnixMs;
  readonly until: UnixMs;
  /** The oldest and the newest event in that time; `null`: there is none. What is older may have been thrown away. */
  readonly seen: { readonly first: UnixMs; readonly last: UnixMs } | null;
  /** All requests, and of them the purchases: how many there were, how many ended with a hold, with how many units, and how many were answered 503. */
  readonly requests: number;
  readonly purchases: number;
  readonly held: number;
  readonly heldUnits: number;
  readonly failed: number;
  readonly funnel: readonly { readonly step: string; readonly entered: number; readonly refused: Readonly<Record<string, number>> }[];
  /** Requests that were no purchase, by reason; `fine` without one. */
  readonly other: Readonly<Record<string, number>>;
  /** Of purchases, at the gate. */
  readonly latencyUs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
  /** Estimates, a few percent off at most. */
  readonly distinct: { readonly users: number; readonly addresses: number };
  /** Purchases that were kept away. */
  readonly blocked: readonly { readonly reason: string; readonly requests: number; readonly users: number; readonly addresses: number }[];
  readonly conversion: {
    readonly users: number;
    readonly usersWhoHeld: number;
    /** Requests that went well. */
    readonly ordersPlaced: number;
    readonly ordersCancelled: number;
    readonly holdsReleased: number;
  };
  /** One point for every piece of time of this length, the first beginning at `from`. */
  readonly bucketMs: DurationMs;
  readonly timeline: readonly {
    readonly at: UnixMs;
    readonly requests: number;
    readonly purchases: number;
    readonly held: number;
    readonly failed: number;
    readonly blocked: number;
  }[];
  /** Those of which most was held, with the units that were held in each piece of time. */
  readonly skus: readonly {
    readonly goodsSKU: string;
    readonly purchases: number;
    readonly heldUnits: number;
    readonly heldOverTime: readonly number[];
  }[];
}
