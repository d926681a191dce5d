/**
 * Brings one webhook's events to its receiver: reads ahead, sends what is due when it is its turn, and reads from the answer what to do next.
 *
 * A receiver is NEW until it has taken something; then it is KNOWN, and all lanes are used. One that gives no answer is SILENT until it takes
 * something again. Whoever is not known has one delivery under way at a time, so that a receiver that hangs holds one slot and not one per lane.
 */
import { assert } from "../core/assert.ts";
import { Failure } from "../core/failure.ts";
import type { Clock } from "../core/time.ts";
import { EVENTS_PER_READ } from "../limits.ts";
import { DeliveryQueue, lanesOf } from "./delivery-queue.ts";
import type { DeliverySlots, Sender } from "./delivery-slots.ts";
import type { EventType } from "./event.ts";
import type { EventSource } from "./event-source.ts";
import type { StoredEvent } from "./stored-event.ts";
import type { DeliveryError, Progress, Webhook } from "./webhook.ts";
import { signedHeaders } from "./webhook-signature.ts";

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Ends it early: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** `error`: no answer came, or not in time. Whether the receiver has got it is unknown. */
export type PostAnswer = { readonly status: number } | { readonly error: string };

export interface CourierTools {
  readonly outbox: EventSource;
  /** Never rejects, and follows no redirect. */
  readonly send: (post: Post) => Promise<PostAnswer>;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly onBug: (error: unknown) => void;
}

const ERROR_CHARS_MAX = 200;

export class Courier implements Sender {
  readonly #tools: CourierTools;
  readonly #slots: DeliverySlots;
  readonly #queue: DeliveryQueue;
  readonly #giveUp: (reason: string) => void;
  readonly #stopping = new AbortController();
  #webhook: Webhook;
  #lastError: DeliveryError | null;
  #receiver: "new" | "known" | "silent" = "new";
  #isReadingOn = false;

  /** @param giveUp is told why nothing more must be sent; the courier has stopped then */
  constructor(webhook: Webhook, progress: Progress, tools: CourierTools, slots: DeliverySlots, giveUp: (reason: string) => void) {
    this.#webhook = webhook;
    this.#tools = tools;
    this.#slots = slots;
    this.#giveUp = giveUp;
    this.#lastError = progress.lastError;
    this.#queue = new DeliveryQueue(progress.position, progress.failing, tools.random);
    slots.join(this);
  }

  get progress(): Progress {
    return { position: this.#queue.position, failing: this.#queue.failing, lastError: this.#lastError };
  }

  get isSilent(): boolean {
    return this.#receiver === "silent";
  }

  get underWay(): number {
    return this.#queue.underWay;
  }

  /** From the next delivery on, also for what is queued already: what is not asked for any more is passed over. */
  change(webhook: Webhook): void {
    this.#webhook = webhook;
    this.#queue.wantsOnly((type) => this.#isAskedFor(type));
  }

  stop(): void {
    this.#stopping.abort();
    this.#slots.leave(this);
  }

  /** Asks for a turn at the next hand-out. */
  work(): void {
    if (this.#stopping.signal.aborted) return;
    this.#readAhead();
    this.#slots.want(this);
  }

  /** For the slots to call. */
  sendNext(): Promise<void> | null {
    if (this.#receiver !== "known" && this.#queue.underWay > 0) return null;
    const id = this.#queue.start(this.#tools.clock.now());
    return id === null ? null : this.#deliver(id).catch(this.#tools.onBug);
  }

  #isAskedFor(type: EventType): boolean {
    const { types } = this.#webhook;
    return types === null || types.includes(type);
  }

  #readAhead(): void {
    const { outbox } = this.#tools;
    const { readUpTo, room } = this.#queue;
    if (this.#isReadingOn || room < EVENTS_PER_READ || readUpTo >= outbox.lastId) return;
    const events = outbox.read(readUpTo, EVENTS_PER_READ);
    if (events instanceof Promise) void this.#takeLater(events).catch(this.#tools.onBug);
    else this.#take(events);
  }

  async #takeLater(reading: Promise<readonly StoredEvent[]>): Promise<void> {
    this.#isReadingOn = true;
    let events: readonly StoredEvent[] = [];
    try {
      events = await reading;
    } catch (error) {
      // A store that cannot be had is asked again at the next tick.
      if (!(error instanceof Failure)) throw error;
    } finally {
      this.#isReadingOn = false;
    }
    // What comes first may have been removed meanwhile; whoever removes it says so to the webhook.
    if (this.#stopping.signal.aborted || events[0]?.id !== this.#queue.readUpTo + 1) return;
    this.#take(events);
    this.#slots.want(this);
    this.#slots.handOut();
  }

  #take(events: readonly StoredEvent[]): void {
    this.#queue.offer(events.map(({ id, type, orderedBy }) => ({ id, type, lanes: this.#isAskedFor(type) ? lanesOf(orderedBy) : null })));
    if (events.length < EVENTS_PER_READ) return;
    // A long way behind: somebody else has a turn before the next piece.
    this.#isReadingOn = true;
    setImmediate(() => {
      this.#isReadingOn = false;
      this.work();
      this.#slots.handOut();
    });
  }

  async #deliver(id: number): Promise<void> {
    const { send, clock } = this.#tools;
    const { signal } = this.#stopping;
    const event = await this.#eventWith(id);
    if (signal.aborted) return;
    if (event === null) return this.#queue.notSent(id, clock.now());
    const body = event.text;
    const { id: webhookId, url, secrets } = this.#webhook;
    // Event ids begin anew with every store, and receivers leave out what comes twice by this header.
    const headers = signedHeaders(secrets, `${webhookId}_${id}`, clock.now(), body);
    const answer = await send({ url, body, signal, headers });
    if (signal.aborted) return;
    if ("status" in answer && answer.status >= 200 && answer.status < 300) {
      this.#receiver = "known";
      this.#queue.delivered(id);
      this.work();
    } else this.#failed(id, answer);
  }

  /** `null`: it cannot be had at the moment, or was removed meanwhile. */
  async #eventWith(id: number): Promise<StoredEvent | null> {
    const { outbox } = this.#tools;
    try {
      const [event] = await outbox.read(id - 1, 1);
      if (event?.id === id) return event;
      const { oldestId } = await outbox.range();
      assert(id < oldestId, "an event that is due is in the outbox");
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
    return null;
  }

  /** What is tried again waits for the next call of `work`, so that a receiver that refuses at once cannot keep the process busy. */
  #failed(id: number, answer: PostAnswer): void {
    const at = this.#tools.clock.now();
    if ("error" in answer) this.#receiver = "silent";
    const detail = whatWentWrong(answer);
    this.#lastError = { at, eventId: id, detail };
    const next = this.#queue.failed(id, at);
    if ("status" in answer && answer.status === 410) this.#end(`the receiver answered 410 (gone) to event ${id}`);
    else if (next === "give up") this.#end(`event ${id} could not be delivered for 24 hours; the last answer: ${detail}`);
  }

  #end(reason: string): void {
    this.stop();
    this.#giveUp(reason);
  }
}

function whatWentWrong(answer: PostAnswer): string {
  if ("error" in answer) return answer.error.slice(0, ERROR_CHARS_MAX);
  const isRedirect = answer.status >= 300 && answer.status < 400;
  return isRedirect ? `status ${answer.status}: redirects are not followed, give the final URL` : `status ${answer.status}`;
}
