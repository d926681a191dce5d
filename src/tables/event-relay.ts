/**
 * Carries the events of a shared table to whoever keeps them for good. An event was saved in the same step as its change and waits in the
 * store until it is told; one process at a time tells. It is told at least once, in order, and always under the same id: who leaves out the ids that
 * they have already has each event exactly once.
 */
import type { Answer } from "../core/answer.ts";
import type { DurationMs } from "../core/time.ts";
import { TABLE_EVENTS_PER_RELAY, TABLE_RELAY_LEASE_MS } from "../limits/tables.ts";

/** Where the events wait. @throws Failure when it does not answer in time */
export interface WaitingEvents {
  lease(who: string, forMs: DurationMs): Promise<boolean>;
  /** The oldest first. */
  events(limit: number): Promise<readonly string[]>;
  forget(event: string): Promise<void>;
}

export interface EventRelayParts<Event> {
  readonly waiting: WaitingEvents;
  /** Keeps an event for good. When it throws, the event waits, and those behind it. @param id the same each time that this event is told */
  readonly emit: (event: Event, id: string) => Answer<void>;
  /** A name that no other process has. */
  readonly name: string;
}

export class EventRelay<Event> {
  readonly #parts: EventRelayParts<Event>;

  constructor(parts: EventRelayParts<Event>) {
    this.#parts = parts;
  }

  /** Tells some of what waits; resolves with whether there is more to tell at once. @throws Failure when the store is away */
  async relay(): Promise<boolean> {
    const { waiting, emit, name } = this.#parts;
    const isOurs = await waiting.lease(name, TABLE_RELAY_LEASE_MS);
    if (!isOurs) return false;
    const texts = await waiting.events(TABLE_EVENTS_PER_RELAY);
    for (const text of texts) {
      const { id, event } = JSON.parse(text) as { readonly id: string; readonly event: Event };
      await emit(event, id);
      await waiting.forget(text);
    }
    return texts.length === TABLE_EVENTS_PER_RELAY;
  }
}
