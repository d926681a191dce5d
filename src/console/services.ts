/**
 * The services as the console sees them: by their operator routes over HTTP, wherever they run. What only looks is asked of another instance when one does
 * not answer; what changes something is asked once, because it may have happened.
 */
import type { HttpReply } from "../core/endpoint.ts";
import { problem } from "../core/problem.ts";
import type { Clock, DurationMs } from "../core/time.ts";
import { CONSOLE_ANSWER_BYTES_MAX, CONSOLE_CALL_MS_MAX, CONSOLE_CALLS_MAX, CONSOLE_INSTANCES_MAX } from "../limits/console.ts";
import { Balancer } from "../links/balancer.ts";

export const CONSOLE_SERVICES = [
  "gate-keeper",
  "safe-protector",
  "policy-controller",
  "inventory-manager",
  "shopping-cart",
  "service-registry",
] as const;
export type ConsoleService = (typeof CONSOLE_SERVICES)[number];

export interface ServiceRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly timeoutMs: DurationMs;
  readonly answerBytesMax: number;
}
export interface ServiceAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: { get(name: string): string | null };
}
/** Asks one instance. Never rejects. */
export type AskService = (request: ServiceRequest) => Promise<ServiceAnswer | { readonly error: string }>;

export interface ServicesParts {
  /** The base URLs of the instances that there are now, and that are ours: they are sent the admin key. */
  readonly urlsOf: (service: ConsoleService) => readonly string[];
  readonly ask: AskService;
  readonly adminKey: string | null;
  readonly clock: Clock;
  readonly random: () => number;
}

/** What is asked of a service. */
export interface OperatorCall {
  readonly method: ServiceRequest["method"];
  /** With its query, behind the base URL. */
  readonly path: string;
  readonly body?: string;
  /** Who asks, for the trail; `null`: nobody has signed in, because there is no key. */
  readonly operator?: string | null;
  readonly contentType?: string;
}

const ATTEMPTS_MAX = 3;
const PASSED_ON = ["content-type", "retry-after", "link"];

export class Services {
  readonly #parts: ServicesParts;
  readonly #balancers: Readonly<Record<ConsoleService, Balancer>>;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(parts: ServicesParts) {
    this.#parts = parts;
    this.#balancers = Object.fromEntries(CONSOLE_SERVICES.map((service) => [service, new Balancer()])) as Record<ConsoleService, Balancer>;
  }

  urlsOf(service: ConsoleService): readonly string[] {
    return this.#parts.urlsOf(service).slice(0, CONSOLE_INSTANCES_MAX);
  }

  /** The service's own answer, problem documents too, or why there is none. */
  async call(service: ConsoleService, call: OperatorCall): Promise<HttpReply> {
    if (this.#waiting.length >= CONSOLE_CALLS_MAX) return problem(503, "the console has too many calls under way; try again");
    const answer = await this.#ask(service, call, CONSOLE_CALL_MS_MAX);
    if (answer === null) return unreached(service, call);
    // Said of the console and not of who sits before it: that must not look like the end of a session.
    if (answer.status === 401)
      return problem(503, `${service} does not accept the console's admin key: give both the same one`, { fields: { code: "other-key" } });
    const headers = PASSED_ON.flatMap((name) => {
      const value = answer.headers.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    return { status: answer.status, body: answer.text, headers: { ...Object.fromEntries(headers), "cache-control": "no-store" } };
  }

  /** What a look at one instance says; `null`: there is no such answer, for whatever reason. */
  async read(service: ConsoleService, path: string, timeoutMs: DurationMs): Promise<unknown> {
    const answer = await this.#ask(service, { method: "GET", path }, timeoutMs);
    return answer?.status === 200 ? parsed(answer.text) : null;
  }

  /** The same of every instance; `null` for each that has not answered. */
  readAll(service: ConsoleService, path: string, timeoutMs: DurationMs): Promise<readonly unknown[]> {
    return Promise.all(this.urlsOf(service).map((url) => this.readAt(url, path, timeoutMs)));
  }

  /** @param url one of those that `urlsOf` says */
  async readAt(url: string, path: string, timeoutMs: DurationMs): Promise<unknown> {
    const answer = await this.#inTurn(() => this.#parts.ask(this.#requestTo(url, { method: "GET", path }, timeoutMs)));
    return "error" in answer ? null : parsed(answer.text);
  }

  #ask(service: ConsoleService, call: OperatorCall, timeoutMs: DurationMs): Promise<ServiceAnswer | null> {
    return this.#inTurn(() => this.#askInstances(service, call, timeoutMs));
  }

  /** So many at a time; the others wait for one to end. */
  async #inTurn<T>(run: () => Promise<T>): Promise<T> {
    if (this.#underWay < CONSOLE_CALLS_MAX) this.#underWay += 1;
    else await new Promise<void>((begin) => this.#waiting.push(begin));
    try {
      return await run();
    } finally {
      // Whoever waits takes the place over.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#underWay -= 1;
    }
  }

  async #askInstances(service: ConsoleService, call: OperatorCall, timeoutMs: DurationMs): Promise<ServiceAnswer | null> {
    const { clock, random, ask } = this.#parts;
    const balancer = this.#balancers[service];
    balancer.update(this.#parts.urlsOf(service));
    const tried: string[] = [];
    const attemptsMax = call.method === "GET" ? ATTEMPTS_MAX : 1;
    while (tried.length < attemptsMax) {
      // While all are left alone, one of them is asked all the same: an operator wants to know now.
      const url = balancer.pick(clock.now(), random, tried) ?? this.#parts.urlsOf(service).find((other) => !tried.includes(other));
      if (url === undefined) return null;
      tried.push(url);
      const underWay = balancer.began(url);
      const answer = await ask(this.#requestTo(url, call, timeoutMs));
      const isAnswered = !("error" in answer);
      balancer.ended(underWay, isAnswered ? "answered" : "silent", clock.now());
      if (isAnswered) return answer;
    }
    return null;
  }

  #requestTo(url: string, { method, path, body, operator = null, contentType }: OperatorCall, timeoutMs: DurationMs): ServiceRequest {
    const { adminKey } = this.#parts;
    const headers = {
      accept: "application/json",
      ...(adminKey !== null && { authorization: `Bearer ${adminKey}` }),
      ...(body !== undefined && { "content-type": contentType ?? "application/json" }),
      ...(operator !== null && { "x-doorbuster-operator": encodeURIComponent(operator) }),
    };
    return { method, url: `${url}${path}`, headers, body: body ?? null, timeoutMs, answerBytesMax: CONSOLE_ANSWER_BYTES_MAX };
  }
}

function unreached(service: ConsoleService, { method }: OperatorCall): HttpReply {
  const detail =
    method === "GET"
      ? `${service} does not answer`
      : `${service} has not answered in time: look whether the change has happened before you make it again`;
  return problem(503, detail, { fields: { code: "unreached", outcomeKnown: method === "GET" } });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Whatever it is, it is no answer of ours.
    return null;
  }
}
