/**
 * Instances of one service for tests of links: each a real far end, asked without a network. What happens to a request on its way is chosen for
 * each instance, and what has arrived is counted.
 */
import Type from "typebox";
import { Failure } from "../src/core/failure.ts";
import type { PostEnd } from "../src/core/link-post.ts";
import { RequestHandler } from "../src/edge/request-handler.ts";
import { Link } from "../src/links/link.ts";
import { type LinkMethod, linkMethod, linkRoute } from "../src/links/method.ts";

export interface Wish {
  readonly id: string;
  /** Stays on this side. */
  readonly secret?: string;
}
export interface Granted {
  readonly id: string;
  readonly by: string;
}
/** `cut before`: the connection ends before anything has arrived. `cut after`: before the answer is here. */
export type Way =
  | "open"
  | "refused"
  | "cut before"
  | "cut after"
  | "stopping"
  | "failing"
  | "unsure"
  | "full"
  | "nonsense"
  | "short"
  | "stranger";

export const ITEMS_MAX = 10;
const declared = {
  summary: "grants wishes.",
  item: Type.Object({ id: Type.String({ maxLength: 20 }) }),
  wire: ({ id }: Wish) => ({ id }),
  deadlineMs: 1_234,
  itemsMax: ITEMS_MAX,
} as const;
export const grantOnce = linkMethod<Wish, Granted>({ ...declared, name: "grant-once", isRepeatable: false });
export const grantAgain = linkMethod<Wish, Granted>({ ...declared, name: "grant-again", isRepeatable: true });
/** Only wishes with a name of their own may be made twice. */
export const grantNamed = linkMethod<Wish, Granted>({
  ...{ ...declared, name: "grant-named" },
  isRepeatable: (items) => (items as readonly Wish[]).every(({ id }) => id.startsWith("named")),
});

const FAILURES: Readonly<Partial<Record<Way, Failure>>> = {
  failing: new Failure("store-stopped", "the store has stopped", true),
  unsure: new Failure("commit-failed", "nobody knows", false),
  full: new Failure("overloaded", "too many", true),
};

export class LinkFarm {
  now = 1_800_000_000_000;
  urls: readonly string[];
  readonly ways = new Map<string, Way>();
  /** What has arrived where, request by request. */
  readonly arrived: { readonly url: string; readonly ids: readonly string[] }[] = [];
  readonly deadlines: number[] = [];
  readonly bugs: unknown[] = [];
  readonly link: Link;
  /** What runs when this turn is over: the tests are the event loop. */
  readonly #turns: (() => void)[] = [];
  readonly #handlers = new Map<string, RequestHandler>();

  constructor(urls: readonly string[]) {
    this.urls = urls;
    for (const url of urls) this.#handlers.set(url, this.#handlerOf(url));
    this.link = new Link({
      service: "wishes",
      instances: () => this.urls,
      post: (url, body, deadlineMs) => this.#post(url, body, deadlineMs),
      clock: { now: () => this.now, monotonicUs: () => 0 },
      onBug: (error) => void this.bugs.push(error),
      random: () => 0,
      nextTurn: (work) => void this.#turns.push(work),
    });
  }

  endTurn(): void {
    for (const work of this.#turns.splice(0)) work();
  }

  /** Asks in a turn of its own; a failure is an answer here. */
  async ask(method: LinkMethod<Wish, Granted>, ...ids: readonly string[]): Promise<readonly Granted[] | Failure> {
    const asked = this.link.method(method)(ids.map((id) => ({ id })));
    this.endTurn();
    return asked.catch((failure: Failure) => failure);
  }

  /** How often this wish has arrived anywhere. */
  arrivals(id: string): number {
    return this.arrived.flatMap(({ ids }) => ids).filter((one) => one === id).length;
  }

  #handlerOf(url: string): RequestHandler {
    const serve = (wishes: readonly Wish[]): Granted[] => {
      this.arrived.push({ url, ids: wishes.map(({ id }) => id) });
      const failure = FAILURES[this.ways.get(url) ?? "open"];
      if (failure) throw failure;
      return wishes.map(({ id }) => ({ id, by: url }));
    };
    const routes = [linkRoute(grantOnce, serve), linkRoute(grantAgain, serve), linkRoute(grantNamed, serve)];
    const unexpected = (error: unknown): never => {
      throw error;
    };
    return new RequestHandler({ routes, adminKey: "the key", onBug: unexpected, onReply: () => undefined }, () => "");
  }

  async #post(target: string, body: string, deadlineMs: number): Promise<PostEnd> {
    this.deadlines.push(deadlineMs);
    const url = new URL(target).origin;
    const way = this.ways.get(url) ?? "open";
    if (way === "refused") return { kind: "refused" };
    if (way === "cut before") return { kind: "silent", why: "cut" };
    if (way === "stranger") return { kind: "answered", status: 502, text: "<html>" };
    const handler = way === "stopping" ? stopping(this.#handlerOf(url)) : (this.#handlers.get(url) as RequestHandler);
    const headers = { "content-type": "application/json", authorization: "Bearer the key" };
    const response = await handler.answerByPath(new Request(target, { method: "POST", headers, body }));
    if (way === "cut after") return { kind: "silent", why: "cut" };
    const text = await response.text();
    if (way === "nonsense") return { kind: "answered", status: 200, text: "[null" };
    if (way === "short") return { kind: "answered", status: 200, text: '{"answers":[]}' };
    return { kind: "answered", status: response.status, text };
  }
}

function stopping(handler: RequestHandler): RequestHandler {
  handler.drain();
  return handler;
}
