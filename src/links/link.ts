/**
 * The near end of a link to a service, of which there may be several instances. The calls of one turn of the event loop to the same method
 * go in one request. Every request has a deadline, and each call has one of three ends: its answers; a `Failure` whose outcome is known
 * (nothing has happened); or one whose outcome is unknown (it may have happened: ask again with the same key).
 *
 * It is tried again at another instance when nothing was sent, when the instance said that it is stopping, and when the method is repeatable.
 */
import { Failure, type FailureCode } from "../core/failure.ts";
import type { Post, PostEnd } from "../core/link-post.ts";
import type { Clock } from "../core/time.ts";
import { LINK_ATTEMPTS_MAX, LINK_ITEMS_WAITING_MAX } from "../limits/links.ts";
import { Balancer, type CallEnd } from "./balancer.ts";
import { type LinkMethod, pathOf } from "./method.ts";

export interface LinkParts {
  /** Whom it leads to, for messages. */
  readonly service: string;
  /** The base URLs of the instances that there are now. The same array as before when nothing has changed. */
  readonly instances: () => readonly string[];
  readonly post: Post;
  readonly clock: Clock;
  readonly random: () => number;
  /** Hears of an error on the way that nobody has thought of. */
  readonly onBug: (error: unknown) => void;
  /** Hears why a call has failed in the end. */
  readonly onFailure?: (why: string) => void;
  /** Hears that a call was answered. */
  readonly onAnswer?: () => void;
  /** Runs `work` when this turn of the event loop is over. */
  readonly nextTurn: (work: () => void) => void;
}

/** What asking needs to know of a method. */
type AskedMethod = Pick<LinkMethod<never, unknown>, "name" | "isRepeatable" | "deadlineMs" | "readReply">;

interface Call {
  readonly items: readonly unknown[];
  readonly resolve: (answers: readonly unknown[]) => void;
  readonly reject: (failure: Failure) => void;
}

export interface LinkCounts {
  requests: number;
  items: number;
  retries: number;
  failures: number;
}

export class Link {
  readonly counts: LinkCounts = { requests: 0, items: 0, retries: 0, failures: 0 };
  readonly #parts: LinkParts;
  readonly #balancer = new Balancer();
  #itemsWaiting = 0;

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  get service(): string {
    return this.#parts.service;
  }

  /** How many instances there are, and how many of them are asked. */
  instanceCounts(): { readonly known: number; readonly closed: number } {
    this.#balancer.update(this.#parts.instances());
    return this.#balancer.counts(this.#parts.clock.now());
  }

  /** The method as a function, which collects the calls of a turn. */
  method<Item, Reply>(method: LinkMethod<Item, Reply>): (items: readonly Item[]) => Promise<readonly Reply[]> {
    let waiting: Call[] = [];
    const flush = (): void => {
      const calls = waiting;
      waiting = [];
      for (const batch of batchesOf(calls, method.itemsMax))
        this.#carryOut(method, batch).catch((error: unknown) => this.#failed(batch, error));
    };
    return (items) => {
      if (items.length === 0) return Promise.resolve([]);
      if (this.#itemsWaiting + items.length > LINK_ITEMS_WAITING_MAX)
        return Promise.reject(new Failure("overloaded", `too many calls wait for ${this.#parts.service}; try again in a second`, true));
      this.#itemsWaiting += items.length;
      return new Promise((resolve, reject) => {
        waiting.push({ items: items.map(method.wire), resolve: resolve as Call["resolve"], reject });
        if (method.isCollected) flush();
        else if (waiting.length === 1) this.#parts.nextTurn(flush);
      });
    };
  }

  /** A bug on the way: what became of the calls is unknown, and whoever waits hears so. */
  #failed(calls: readonly Call[], error: unknown): void {
    this.#parts.onBug(error);
    this.#itemsWaiting -= calls.reduce((sum, { items }) => sum + items.length, 0);
    for (const { reject } of calls) reject(new Failure("unreachable", `${this.#parts.service} could not be asked`, false, error));
  }

  async #carryOut(method: AskedMethod, calls: readonly Call[]): Promise<void> {
    const items = calls.flatMap((call) => call.items);
    const answers = await this.#ask(method, items);
    this.#itemsWaiting -= items.length;
    if (answers instanceof Failure) {
      this.counts.failures += 1;
      this.#parts.onFailure?.(answers.message);
      for (const { reject } of calls) reject(answers);
      return;
    }
    this.#parts.onAnswer?.();
    let next = 0;
    for (const call of calls) {
      call.resolve(answers.slice(next, next + call.items.length));
      next += call.items.length;
    }
  }

  async #ask(method: AskedMethod, items: readonly unknown[]): Promise<readonly unknown[] | Failure> {
    const { clock, random, post, instances, service } = this.#parts;
    const body = bodyOf(items);
    const mayRepeat = isRepeatable(method, items);
    const tried: string[] = [];
    let last: Failure | null = null;
    this.counts.items += items.length;
    const endsAtUs = clock.monotonicUs() + method.deadlineMs * 1_000;
    while (tried.length < LINK_ATTEMPTS_MAX) {
      this.#balancer.update(instances());
      const url = this.#balancer.pick(clock.now(), random, tried);
      if (url === null) break;
      if (tried.length > 0) this.counts.retries += 1;
      tried.push(url);
      this.counts.requests += 1;
      const call = this.#balancer.began(url);
      const leftMs = Math.ceil((endsAtUs - clock.monotonicUs()) / 1_000);
      // What may be asked of another instance too leaves time for that: one that hangs must not cost everybody the whole deadline.
      const deadlineMs = mayRepeat && tried.length === 1 ? Math.ceil(leftMs / 2) : leftMs;
      const read = readEnd(await post(url + pathOf(method), body, deadlineMs), items.length, service, method.readReply);
      this.#balancer.ended(call, read.end, clock.now());
      if ("answers" in read) return read.answers;
      last = read.failure;
      // What was refused for want of room, or by a store that has stopped, another instance may do; what may have happened, only if that does no harm.
      if (!last.outcomeKnown && !mayRepeat) break;
      if (clock.monotonicUs() >= endsAtUs) break;
    }
    return last ?? new Failure("unreachable", `${service} cannot be reached at this moment`, true);
  }
}

const isRepeatable = (method: AskedMethod, items: readonly unknown[]): boolean =>
  typeof method.isRepeatable === "boolean" ? method.isRepeatable : method.isRepeatable(items);

type Read = { readonly end: CallEnd } & ({ readonly answers: readonly unknown[] } | { readonly failure: Failure });

/** What the end of a request means: for its callers, and for the instance. */
export function readEnd(
  posted: PostEnd,
  items: number,
  service: string,
  readReply: (crossed: unknown) => unknown = (crossed) => crossed,
): Read {
  if (posted.kind === "refused") return { end: "gone", failure: new Failure("unreachable", `${service} cannot be reached`, true) };
  if (posted.kind === "silent")
    return { end: "silent", failure: new Failure("unreachable", `${service} did not answer (${posted.why})`, false) };
  const said = parsed(posted.text);
  if (posted.status === 200 && Array.isArray(said.answers) && said.answers.length === items) {
    const answers = understood(said.answers, readReply);
    if (answers !== null) return { end: "answered", answers };
  }
  if (posted.status === 503 && said.isStopping === true)
    return { end: "gone", failure: new Failure("unreachable", `${service} is stopping`, true) };
  if (posted.status === 503 && typeof said.code === "string") {
    const failure = new Failure(said.code as FailureCode, String(said.detail), said.outcomeKnown === true);
    // Too busy is an answer of an instance that is well.
    return { end: failure.code === "overloaded" ? "answered" : "failed", failure };
  }
  const detail = typeof said.detail === "string" ? `: ${said.detail}` : "";
  // What was not understood (4xx) has not happened.
  const isKnown = posted.status >= 400 && posted.status < 500;
  const failure = new Failure("unreachable", `${service} answered with ${posted.status}${detail}`, isKnown);
  // Who found something wrong with what was asked is well: otherwise a shopper who finds such a thing could shut the step for everybody.
  return { end: WRONGLY_ASKED.has(posted.status) ? "answered" : "failed", failure };
}

/** `null`: nothing of ours has made them. */
function understood(crossed: readonly unknown[], readReply: (crossed: unknown) => unknown): readonly unknown[] | null {
  try {
    return crossed.map(readReply);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

const WRONGLY_ASKED: ReadonlySet<number> = new Set([400, 413, 415, 422]);

/** A body with U+FFFD is refused where it arrives, because decoding puts that where bytes were no UTF-8. Here it is what somebody has sent, escaped or in
 *  a provider's notification, and crosses as an escape too. */
const bodyOf = (items: readonly unknown[]): string => JSON.stringify({ items }).replaceAll("\ufffd", "\\ufffd");

/** What an answer may say: the answers, or a problem document. */
interface Said {
  readonly answers?: unknown;
  readonly isStopping?: unknown;
  readonly code?: unknown;
  readonly detail?: unknown;
  readonly outcomeKnown?: unknown;
}

function parsed(text: string): Said {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    // Whatever answered there is none of ours; its status says the rest.
    return {};
  }
}

/** Calls together as far as one request reaches. A call is never divided: it has one end. */
function batchesOf(calls: readonly Call[], itemsMax: number): readonly (readonly Call[])[] {
  const batches: Call[][] = [];
  let room = 0;
  for (const call of calls) {
    if (batches.length === 0 || call.items.length > room) {
      batches.push([]);
      room = itemsMax;
    }
    (batches.at(-1) as Call[]).push(call);
    room -= call.items.length;
  }
  return batches;
}
