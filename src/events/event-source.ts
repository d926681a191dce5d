/**
 * Where events are read, whichever store keeps them: at once from the file of this process, or after a while from a database that other
 * processes write to as well. Ids are consecutive, and whoever has seen one never meets a lower one later.
 */
import type { Answer } from "../core/answer.ts";
import type { StoredEvent } from "./stored-event.ts";

export interface EventRange {
  /** The oldest event that can still be read; one more than the newest when there is none. */
  readonly oldestId: number;
  /** The newest event; 0 before the first. */
  readonly lastId: number;
}

/** The range is the one that this process knows of: free to look at, and behind the truth where others write. */
export interface EventSource extends EventRange {
  /** The range as it is. */
  range(): Answer<EventRange>;
  /** Up to `limit` events behind `after`, in order, as far as they were not removed: the first may follow later than `after + 1`. */
  read(after: number, limit: number): Answer<readonly StoredEvent[]>;
}

/** How long events can be read, and how many. */
export interface OutboxBounds {
  readonly keptMs: number;
  readonly eventsMax: number;
}
