/**
 * What one webhook's receiver is sent next. Pure: it is told what happened and what time it is, and says what to do.
 *
 * An event WAITS until it is the first in each of its lanes; then it is UNDER WAY until its answer comes. An answer that says yes makes it
 * DELIVERED; any other lets it wait again, until its next try is due. Events that share a name share a lane, so they are told in order; an
 * event with names in several lanes waits for all of them and then blocks them. Events in other lanes go on meanwhile, as far as the window reaches.
 *
 * Only the `position` is kept: everything up to it was delivered, or not wanted. After a crash all behind it is sent again.
 */
import { assert } from "../core/assert.ts";
import type { DurationMs, UnixMs } from "../core/time.ts";
import { WEBHOOK_GIVE_UP_MS, WEBHOOK_LANES, WEBHOOK_RETRY_MS_MAX, WEBHOOK_RETRY_MS_MIN, WEBHOOK_WINDOW_EVENTS } from "../limits.ts";

/** The event that its receiver has refused for the longest time. */
export interface Failing {
  readonly eventId: number;
  readonly since: UnixMs;
}

export interface QueuedEvent {
  readonly id: number;
  /** `null`: its receiver does not want it. */
  readonly lanes: Lanes | null;
}

/** A set of lanes, one bit each. */
export type Lanes = number;

interface Entry {
  readonly id: number;
  readonly lanes: Lanes;
  state: "waiting" | "under way" | "delivered";
  tries: number;
  failingSince: UnixMs | null;
  dueAt: UnixMs;
}

export function lanesOf(names: readonly string[]): Lanes {
  return names.reduce((lanes, name) => lanes | (1 << (Bun.hash.xxHash32(name) % WEBHOOK_LANES)), 0);
}

export class DeliveryQueue {
  readonly #random: () => number;
  readonly #lanes: Entry[][] = Array.from({ length: WEBHOOK_LANES }, () => []);
  /** In order, from the first that is not delivered. */
  readonly #window: Entry[] = [];
  readonly #underWay = new Map<number, Entry>();
  readonly #failedBefore: Failing | null;
  #readUpTo: number;

  /**
   * @param position everything up to it is done
   * @param failing as it was when the position was saved: a restart must not begin the day anew
   * @param random from 0 to below 1
   */
  constructor(position: number, failing: Failing | null, random: () => number) {
    this.#readUpTo = position;
    this.#failedBefore = failing;
    this.#random = random;
  }

  get position(): number {
    return (this.#window[0]?.id ?? this.#readUpTo + 1) - 1;
  }

  get readUpTo(): number {
    return this.#readUpTo;
  }

  /** How many further events it can use now. None while all lanes have work. */
  get room(): number {
    return this.#lanes.some((lane) => lane.length === 0) ? WEBHOOK_WINDOW_EVENTS - this.#window.length : 0;
  }

  get failing(): Failing | null {
    // What was failing before a restart stays so until it has been read again.
    let longest = this.#failedBefore !== null && this.#failedBefore.eventId > this.#readUpTo ? this.#failedBefore : null;
    for (const [head] of this.#lanes) {
      if (head === undefined || head.failingSince === null) continue;
      if (longest === null || head.failingSince < longest.since) longest = { eventId: head.id, since: head.failingSince };
    }
    return longest;
  }

  /** Takes what follows `readUpTo`, in order. */
  offer(events: readonly QueuedEvent[]): void {
    for (const { id, lanes } of events) {
      assert(id === this.#readUpTo + 1, "events are offered in order, without a gap");
      this.#readUpTo = id;
      if (lanes === null) continue;
      assert(lanes > 0, "every event has a lane");
      const failingSince = this.#failedBefore?.eventId === id ? this.#failedBefore.since : null;
      const entry: Entry = { id, lanes, state: "waiting", tries: 0, failingSince, dueAt: 0 };
      this.#window.push(entry);
      for (const lane of this.#lanesOf(entry)) lane.push(entry);
    }
    assert(this.#window.length <= WEBHOOK_WINDOW_EVENTS, "no more events are offered than there is room for");
  }

  /** The events to send now; each is under way from here on. */
  start(now: UnixMs): readonly number[] {
    const started: number[] = [];
    for (const [head] of this.#lanes) {
      if (head?.state !== "waiting" || !isDue(head, now) || !this.#lanesOf(head).every((lane) => lane[0] === head)) continue;
      head.state = "under way";
      this.#underWay.set(head.id, head);
      started.push(head.id);
    }
    return started;
  }

  delivered(id: number): void {
    const entry = this.#answered(id);
    entry.state = "delivered";
    for (const lane of this.#lanesOf(entry)) lane.shift();
    while (this.#window[0]?.state === "delivered") this.#window.shift();
  }

  /** `give up`: it has been tried for a day. */
  failed(id: number, now: UnixMs): "try again" | "give up" {
    const entry = this.#answered(id);
    entry.state = "waiting";
    entry.failingSince ??= now;
    if (now - entry.failingSince >= WEBHOOK_GIVE_UP_MS) return "give up";
    entry.dueAt = Math.min(now + this.#backoff(entry.tries), entry.failingSince + WEBHOOK_GIVE_UP_MS);
    entry.tries += 1;
    return "try again";
  }

  #answered(id: number): Entry {
    const entry = this.#underWay.get(id);
    assert(entry !== undefined, "an answer is for what is under way");
    this.#underWay.delete(id);
    return entry;
  }

  /** "Full jitter" (Brooker, Exponential Backoff And Jitter, 2015): receivers that failed together are not tried again together. */
  #backoff(tries: number): DurationMs {
    return Math.floor(this.#random() * Math.min(WEBHOOK_RETRY_MS_MAX, WEBHOOK_RETRY_MS_MIN * 2 ** tries));
  }

  #lanesOf(entry: Entry): Entry[][] {
    return this.#lanes.filter((_, index) => (entry.lanes & (1 << index)) !== 0);
  }
}

/** A try that is further away than any wait was set by a clock that has been put back since. */
const isDue = ({ dueAt }: Entry, now: UnixMs): boolean => dueAt <= now || dueAt - now > WEBHOOK_RETRY_MS_MAX;
