/** Brings one webhook's events to its receiver: reads ahead, sends what is due, and reads from the answer what to do next. */
import { assert } from "../core/assert.ts";
import type { Clock } from "../core/time.ts";
import { EVENTS_PER_READ } from "../limits.ts";
import { DeliveryQueue, lanesOf } from "./delivery-queue.ts";
import type { Outbox } from "./outbox.ts";
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
  readonly outbox: Outbox;
  /** Never rejects, and follows no redirect. */
  readonly send: (post: Post) => Promise<PostAnswer>;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly onBug: (error: unknown) => void;
}

const ERROR_CHARS_MAX = 200;

export class Courier {
  readonly #tools: CourierTools;
  readonly #queue: DeliveryQueue;
  readonly #giveUp: (reason: string) => void;
  readonly #stopping = new AbortController();
  #webhook: Webhook;
  #lastError: DeliveryError | null;
  #isReadingOn = false;

  /** @param giveUp is told why nothing more must be sent; the courier has stopped then */
  constructor(webhook: Webhook, progress: Progress, tools: CourierTools, giveUp: (reason: string) => void) {
    this.#webhook = webhook;
    this.#tools = tools;
    this.#giveUp = giveUp;
    this.#lastError = progress.lastError;
    this.#queue = new DeliveryQueue(progress.position, progress.failing, tools.random);
  }

  get progress(): Progress {
    return { position: this.#queue.position, failing: this.#queue.failing, lastError: this.#lastError };
  }

  /** From the next delivery on. */
  change(webhook: Webhook): void {
    this.#webhook = webhook;
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** Sends what can be sent now. */
  work(): void {
    if (this.#stopping.signal.aborted) return;
    this.#readAhead();
    for (const id of this.#queue.start(this.#tools.clock.now())) this.#deliver(id).catch(this.#tools.onBug);
  }

  #readAhead(): void {
    if (this.#isReadingOn || this.#queue.room < EVENTS_PER_READ) return;
    const events = this.#tools.outbox.read(this.#queue.readUpTo, EVENTS_PER_READ);
    const { types } = this.#webhook;
    const isAskedFor = (event: StoredEvent): boolean => types === null || types.includes(event.type);
    this.#queue.offer(events.map((event) => ({ id: event.id, lanes: isAskedFor(event) ? lanesOf(event.orderedBy) : null })));
    if (events.length < EVENTS_PER_READ) return;
    // A long way behind: somebody else has a turn before the next piece.
    this.#isReadingOn = true;
    setImmediate(() => {
      this.#isReadingOn = false;
      this.work();
    });
  }

  async #deliver(id: number): Promise<void> {
    const { outbox, send, clock } = this.#tools;
    const [event] = outbox.read(id - 1, 1);
    assert(event?.id === id, "an event that is due is in the outbox");
    const { signal } = this.#stopping;
    const body = event.text;
    const { url, secrets } = this.#webhook;
    const answer = await send({ url, body, signal, headers: signedHeaders(secrets, String(id), clock.now(), body) });
    if (signal.aborted) return;
    if ("status" in answer && answer.status >= 200 && answer.status < 300) {
      this.#queue.delivered(id);
      this.work();
    } else this.#failed(id, answer);
  }

  /** What is tried again waits for the next call of `work`, so that a receiver that refuses at once cannot keep the process busy. */
  #failed(id: number, answer: PostAnswer): void {
    const at = this.#tools.clock.now();
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
