/**
 * What one webhook's receiver is sent next. Pure: it is told what happened and what time it is, and says what to do.
 *
 * An event WAITS until it is the first in each of its lanes; then it is UNDER WAY until its answer comes. An answer that says yes makes it
 * DELIVERED; any other lets it wait again, until its next try is due. Events that share a name share a lane, so they are told in order; an
 * event with names in several lanes waits for all of them and then blocks them. Events in other lanes go on meanwhile, as far as the window reaches.
 * What its receiver does not want any more is PASSED OVER: at once when it waits, and after any answer when it is under way.
 *
 * Only the `position` is kept: everything up to it was delivered, or not wanted. After a crash all behind it is sent again.
 */
import { assert } from "../core/assert.ts";
import type { DurationMs, UnixMs } from "../core/time.ts";
import { WEBHOOK_GIVE_UP_MS, WEBHOOK_LANES, WEBHOOK_RETRY_MS_MAX, WEBHOOK_RETRY_MS_MIN, WEBHOOK_WINDOW_EVENTS } from "../limits.ts";
import type { EventType } from "./event.ts";

/** The event that its receiver has refused for the longest time. */
export interface Failing {
  readonly eventId: number;
  readonly since: UnixMs;
}

export interface QueuedEvent {
  readonly id: number;
  readonly type: EventType;
  /** `null`: its receiver does not want it. */
  readonly lanes: Lanes | null;
}

/** A set of lanes, one bit each. */
export type Lanes = number;

interface Entry {
  readonly id: number;
  readonly type: EventType;
  readonly lanes: Lanes;
  state: "waiting" | "under way" | "done";
  /** Under way when its receiver stopped wanting it: it is not sent again, whatever the answer. */
  isLastTry: boolean;
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
  /** In order, from the first that is not done. */
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

  get underWay(): number {
    return this.#underWay.size;
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
    for (const { id, type, lanes } of events) {
      assert(id === this.#readUpTo + 1, "events are offered in order, without a gap");
      this.#readUpTo = id;
      if (lanes === null) continue;
      assert(lanes > 0, "every event has a lane");
      const failingSince = this.#failedBefore?.eventId === id ? this.#failedBefore.since : null;
      const entry: Entry = { id, type, lanes, state: "waiting", isLastTry: false, tries: 0, failingSince, dueAt: 0 };
      this.#window.push(entry);
      for (const lane of this.#lanesOf(entry)) lane.push(entry);
    }
    assert(this.#window.length <= WEBHOOK_WINDOW_EVENTS, "no more events are offered than there is room for");
  }

  /** Its receiver wants to hear of these types only, from now on. What was passed over before stays so. */
  wantsOnly(isWanted: (type: EventType) => boolean): void {
    for (const entry of this.#window) {
      if (entry.state === "done") continue;
      entry.isLastTry = entry.state === "under way" && !isWanted(entry.type);
      if (entry.state === "waiting" && !isWanted(entry.type)) this.#leave(entry);
    }
    this.#moveOn();
  }

  /** The event to send now; it is under way from here on. `null`: there is none. Of several, the one that is due the longest, so that what
   *  fails again and again does not keep others from their first try. */
  start(now: UnixMs): number | null {
    let next: Entry | null = null;
    for (const [head] of this.#lanes) {
      if (head?.state !== "waiting" || !isDue(head, now) || !this.#lanesOf(head).every((lane) => lane[0] === head)) continue;
      if (next === null || head.dueAt < next.dueAt) next = head;
    }
    if (next === null) return null;
    next.state = "under way";
    this.#underWay.set(next.id, next);
    return next.id;
  }

  delivered(id: number): void {
    this.#leave(this.#answered(id));
    this.#moveOn();
  }

  /** `give up`: it has been tried for a day. `passed over`: its receiver does not want it any more. */
  failed(id: number, now: UnixMs): "try again" | "passed over" | "give up" {
    const entry = this.#answered(id);
    if (entry.isLastTry) {
      this.#leave(entry);
      this.#moveOn();
      return "passed over";
    }
    entry.state = "waiting";
    entry.failingSince ??= now;
    if (now - entry.failingSince >= WEBHOOK_GIVE_UP_MS) return "give up";
    entry.dueAt = Math.min(now + this.#backoff(entry.tries), entry.failingSince + WEBHOOK_GIVE_UP_MS);
    entry.tries += 1;
    return "try again";
  }

  /** It could not even be sent, which says nothing of its receiver. */
  notSent(id: number, now: UnixMs): void {
    const entry = this.#answered(id);
    entry.state = "waiting";
    entry.dueAt = now + WEBHOOK_RETRY_MS_MIN;
  }

  #answered(id: number): Entry {
    const entry = this.#underWay.get(id);
    assert(entry !== undefined, "an answer is for what is under way");
    this.#underWay.delete(id);
    return entry;
  }

  #leave(entry: Entry): void {
    entry.state = "done";
    for (const lane of this.#lanesOf(entry)) lane.splice(lane.indexOf(entry), 1);
  }

  #moveOn(): void {
    while (this.#window[0]?.state === "done") this.#window.shift();
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
