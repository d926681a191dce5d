/**
 * From a request to its response, by a service's routes: finds the endpoint, asks for the admin key where one is needed, reads the body once
 * within its bound, checks everything against the endpoint's schemas, and turns what went wrong into a problem document. What a client sends
 * can reach a handler only in the declared form.
 */
import { timingSafeEqual } from "node:crypto";
import type { Answer } from "../core/answer.ts";
import { ABOUT_HEADER, type Answered, type Endpoint, type HttpReply, type RequestAbout, type Route } from "../core/endpoint.ts";
import { Failure } from "../core/failure.ts";
import { problem } from "../core/problem.ts";
import { BODY_BYTES_MAX, NOTICE_BYTES_MAX } from "../limits.ts";
import { PathTable } from "./path-table.ts";
import { InputChecker, invalid, otherFormOf, refuseByHeaders, refuseByLength, takesOtherNames, tooLarge } from "./request-input.ts";

export interface RequestHandlerSettings {
  readonly routes: readonly Route[];
  /** `null`: nobody is asked for a key, and the host is a loopback address. */
  readonly adminKey: string | null;
  /** Hears of every error that is not the client's: a bug, told with its stack. */
  readonly onBug: (error: unknown) => void;
  /** Counts every reply by its status. */
  readonly onReply: (status: number) => void;
  /** Whether answers say in a header whom they are about: only where another process of ours hands them on. */
  readonly showsAbout?: boolean;
  /** Hears of every answer that is no plain success, and of those that say whom they are about. */
  readonly onAnswered?: ((answered: Answered) => void) | undefined;
}

/** The address at the other end of a request's connection, as text. */
export type PeerOf = (request: Request) => string;

interface Bound {
  readonly route: Route;
  readonly checker: InputChecker;
  readonly hasQuery: boolean;
  readonly bodyBytesMax: number;
}
type Methods = ReadonlyMap<string, Bound>;

/** As `Headers`, and made once: Bun copies those in half the time that it takes to read them from a plain object. */
const JSON_INIT: ResponseInit = { headers: new Headers({ "content-type": "application/json" }) };

export class RequestHandler {
  readonly #settings: RequestHandlerSettings;
  readonly #adminKey: Buffer | null;
  readonly #paths: PathTable<Bound>;
  readonly #peerOf: PeerOf;
  #draining = false;
  #lastRead: { readonly from: HttpReply["headers"]; readonly headers: Headers } = { from: undefined, headers: new Headers() };

  constructor(settings: RequestHandlerSettings, peerOf: PeerOf) {
    this.#settings = settings;
    this.#peerOf = peerOf;
    this.#adminKey = settings.adminKey === null ? null : Buffer.from(settings.adminKey);
    this.#paths = new PathTable(settings.routes.flatMap(entriesOf));
  }

  /** What answers each path that has no parameters: Bun matches those itself, which is cheaper than our own look at the URL. */
  fixedPaths(): Record<string, (request: Request) => Response | Promise<Response>> {
    return Object.fromEntries(
      this.#paths.fixed().map(([path, methods]) => [path, (request: Request) => this.#answer(request, methods, null)]),
    );
  }

  /** From now on everybody is told to come back. */
  drain(): void {
    this.#draining = true;
  }

  answerByPath(request: Request): Response | Promise<Response> {
    const { url } = request;
    // Without a Host header, as HTTP/1.0 allows, there is only the path.
    const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("//") + 2);
    const end = url.indexOf("?", start);
    const found = this.#paths.find(end < 0 ? url.slice(start) : url.slice(start, end));
    return found ? this.#answer(request, found.methods, found.params) : this.#told(request, null, NOT_FOUND);
  }

  notFound(): Response {
    return this.#respond(NOT_FOUND);
  }

  #answer(request: Request, methods: Methods, rawParams: Readonly<Record<string, string>> | null): Response | Promise<Response> {
    const bound = methods.get(request.method);
    if (!bound) {
      const allow = [...methods.keys()].join(", ");
      const endpoint = [...methods.values()][0]?.route.endpoint ?? null;
      return this.#told(request, endpoint, problem(405, `this address answers ${allow}`, { headers: { allow } }));
    }
    const { endpoint } = bound.route;
    if (this.#draining) return this.#respond(stopping());
    if (endpoint.needsAdminKey && !this.#isAuthorized(request)) return this.#told(request, endpoint, this.#unauthorized());
    if (endpoint.body === null) return this.#handleNow(bound, request, rawParams);
    const contentLength = request.headers.get("content-length");
    const bytesMax = bound.bodyBytesMax;
    const refusal = endpoint.isBodyRaw
      ? refuseByLength(contentLength, bytesMax)
      : refuseByHeaders(request.headers.get("content-type"), contentLength, bytesMax, endpoint.otherBodies);
    if (refusal) return this.#told(request, endpoint, refusal);
    return new Promise<Response>((tell) => {
      (contentLength === null ? readChunks(request, bytesMax) : request.text()).then(
        (text) =>
          text === null ? tell(this.#told(request, endpoint, tooLarge(bytesMax))) : this.#handle(bound, request, rawParams, text, tell),
        // The client has gone, or its chunks were malformed: nobody reads the answer.
        () => tell(this.#respond(invalid([{ pointer: "#", detail: "the body could not be read" }]))),
      );
    });
  }

  /** What needs no body is often answered at once, and then without a promise. */
  #handleNow(bound: Bound, request: Request, rawParams: Readonly<Record<string, string>> | null): Response | Promise<Response> {
    try {
      const reply = replyTo(bound, this.#peerOf, request, rawParams, null);
      const { endpoint } = bound.route;
      if (!(reply instanceof Promise)) return this.#told(request, endpoint, reply);
      return reply.then(
        (later) => this.#told(request, endpoint, later),
        (error: unknown) => this.#told(request, endpoint, this.#replyToFailed(error)),
      );
    } catch (error) {
      return this.#told(request, bound.route.endpoint, this.#replyToFailed(error));
    }
  }

  /** @param tell takes the response. A promise of it, chained to the one that Bun waits for, would cost three more rounds of the job queue. */
  #handle(
    bound: Bound,
    request: Request,
    rawParams: Readonly<Record<string, string>> | null,
    text: string,
    tell: (response: Response) => void,
  ): void {
    const { endpoint } = bound.route;
    const fail = (error: unknown): void => tell(this.#told(request, endpoint, this.#replyToFailed(error)));
    try {
      const reply = replyTo(bound, this.#peerOf, request, rawParams, text);
      if (reply instanceof Promise) reply.then((later) => tell(this.#told(request, endpoint, later)), fail);
      else tell(this.#told(request, endpoint, reply));
    } catch (error) {
      fail(error);
    }
  }

  #told(request: Request, endpoint: Endpoint | null, reply: HttpReply): Response {
    const { onAnswered } = this.#settings;
    if (onAnswered !== undefined && (reply.status >= 400 || reply.about !== undefined)) {
      const { method, headers } = request;
      onAnswered({ endpoint, method, reply, headers, peer: () => this.#peerOf(request) });
    }
    return this.#respond(reply);
  }

  readonly #respond = (reply: HttpReply): Response => {
    this.#settings.onReply(reply.status);
    // Bun streams an async iterable; the types of the web do not know that.
    const body = reply.body as string;
    if (reply.about !== undefined && this.#settings.showsAbout) return withAbout(reply, reply.about);
    if (reply.status === 200 && reply.headers === undefined) return new Response(body, JSON_INIT);
    return new Response(body, { status: reply.status, headers: this.#headersOf(reply) });
  };

  /** A crowd that is turned away gets the same headers over and over, and reading them from a plain object is half the cost of its response. */
  #headersOf({ headers = NO_HEADERS }: HttpReply): Headers {
    if (headers !== this.#lastRead.from)
      this.#lastRead = { from: headers, headers: new Headers({ "content-type": "application/json", ...headers }) };
    return this.#lastRead.headers;
  }

  /** Whether who asks may open a connection for links. `null`: yes. */
  refuseLink(request: Request): Response | null {
    if (this.#draining) return this.#respond(stopping());
    return this.#isAuthorized(request) ? null : this.#respond(this.#unauthorized());
  }

  /** Whether pages may still come in that look on. `null`: yes. */
  refuseViewer(): Response | null {
    return this.#draining ? this.#respond(stopping()) : null;
  }

  /** A reply that was made elsewhere than in a route. */
  respond(reply: HttpReply): Response {
    return this.#respond(reply);
  }

  /** A request to one of the link routes that came over a connection which was let in: the same, without the cost of a `Request`. */
  async answerFrame(path: string, text: string): Promise<HttpReply> {
    const reply = await this.#replyToFrame(path, text);
    this.#settings.onReply(reply.status);
    return reply;
  }

  async #replyToFrame(path: string, text: string): Promise<HttpReply> {
    const bound = path.startsWith("/link/") ? this.#paths.find(path)?.methods.get("POST") : undefined;
    if (this.#draining) return stopping();
    if (!bound) return problem(404, "there is no such link here");
    try {
      return await replyTo(bound, this.#peerOf, FRAME_REQUEST, null, text);
    } catch (error) {
      return this.#replyToFailed(error);
    }
  }

  tooBusy(): HttpReply {
    this.#settings.onReply(503);
    return problem(503, "too many calls wait for their answer", { fields: { code: "overloaded", outcomeKnown: true } });
  }

  /** What an error becomes: a failure is 503, anything else is a bug of ours. */
  readonly failed = (error: unknown): Response => this.#respond(this.#replyToFailed(error));

  #replyToFailed(error: unknown): HttpReply {
    if (error instanceof Failure) return problem(503, error.message, { headers: { "retry-after": "1" } });
    this.#settings.onBug(error);
    return problem(500, "a fault of ours; it was recorded");
  }

  #unauthorized(): HttpReply {
    if (this.#adminKey === null) return problem(403, "protected mode: a page of another site may not make this call");
    const headers = { "www-authenticate": 'Bearer realm="doorbuster"' };
    return problem(401, "this call needs the admin key: send the header Authorization: Bearer <key>", { headers });
  }

  #isAuthorized(request: Request): boolean {
    if (this.#adminKey === null) return isOwnMachine(request.headers);
    const [, text = ""] = /^bearer +(.*)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    const given = Buffer.from(text);
    // Both sides of the comparison have one length, so that its time tells nothing about the key.
    const padded = Buffer.alloc(this.#adminKey.length);
    given.copy(padded);
    return timingSafeEqual(padded, this.#adminKey) && given.length === this.#adminKey.length;
  }
}

/**
 * In protected mode a call that needs no key must come from this machine, and a browser on it comes from wherever its page does: from a form of
 * another site (it sends an Origin), or under a name that somebody made point here (DNS rebinding). Programs send no Origin.
 */
function isOwnMachine(headers: Headers): boolean {
  const origin = headers.get("origin");
  const host = headers.get("host") ?? "localhost";
  return LOCAL_NAME.test(host) && (origin === null || LOCAL_NAME.test(origin.replace(/^https?:\/\//, "")));
}
const LOCAL_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/** Whoever has another instance to ask can do so at once: nothing has happened here. */
const stopping = (): HttpReply =>
  problem(503, "this process is stopping; try again", {
    headers: { "retry-after": "1", connection: "close" },
    fields: { isStopping: true },
  });

/** What a link's handler sees of the request behind it: nothing. */
const FRAME_REQUEST = new Request("http://link");
function withAbout({ status, body, headers }: HttpReply, about: RequestAbout): Response {
  const told = { [ABOUT_HEADER]: encodeURIComponent(JSON.stringify(about)) };
  return new Response(body as string, { status, headers: { "content-type": "application/json", ...headers, ...told } });
}

const NOTHING = { value: {} };
const NOT_FOUND = problem(404, "there is nothing at this address; see the contract for the paths of this service");
const NO_HEADERS = {};

const bind = (route: Route): Bound => ({
  route,
  checker: new InputChecker(route.endpoint),
  hasQuery: Object.keys(route.endpoint.query.properties).length > 0 || takesOtherNames(route.endpoint.query),
  bodyBytesMax: route.endpoint.bodyBytesMax ?? (route.endpoint.isBodyRaw ? NOTICE_BYTES_MAX : BODY_BYTES_MAX),
});

/** Whoever answers GET answers HEAD too (RFC 9110, 9.1): the same, of which Bun sends the head. A body that is a stream is never begun. */
function entriesOf(route: Route): { readonly method: string; readonly path: string; readonly target: Bound }[] {
  const { method, path } = route.endpoint;
  const target = bind(route);
  return (method === "GET" ? ["GET", "HEAD"] : [method]).map((answered) => ({ method: answered, path, target }));
}

/** What a handler sees of a request. A class, so that a purchase pays for no closure that only few ask. */
class CheckedRequest {
  constructor(
    readonly params: unknown,
    readonly query: unknown,
    readonly body: unknown,
    private readonly request: Request,
    private readonly peerOf: PeerOf,
  ) {}

  get headers(): Headers {
    return this.request.headers;
  }

  peer(): string {
    return this.peerOf(this.request);
  }
}

function replyTo(
  { route, checker, hasQuery }: Bound,
  peerOf: PeerOf,
  request: Request,
  rawParams: Readonly<Record<string, string>> | null,
  text: string | null,
): Answer<HttpReply> {
  const params = rawParams === null ? NOTHING : checker.params(rawParams);
  if ("refusal" in params) return params.refusal;
  const query = hasQuery ? checker.query(searchOf(request.url)) : NOTHING;
  if ("refusal" in query) return query.refusal;
  const body = text === null ? NOTHING : bodyOf(route.endpoint, checker, request, text);
  if ("refusal" in body) return body.refusal;
  const input = new CheckedRequest(params.value, query.value, body.value, request, peerOf);
  return route.handle(input as Parameters<Route["handle"]>[0]);
}

function searchOf(url: string): string {
  const start = url.indexOf("?");
  return start < 0 ? "" : url.slice(start + 1);
}

function bodyOf(endpoint: Endpoint, checker: InputChecker, request: Request, text: string): ReturnType<InputChecker["body"]> {
  if (endpoint.isBodyRaw) return { value: text };
  // Only where there is a choice is the header read again: the purchase has none.
  return checker.body(text, endpoint.otherBodies ? otherFormOf(request.headers.get("content-type"), endpoint.otherBodies) : null);
}

/** The body as text, whose length nobody has declared; `null` when it is too long. Rejects when the client goes away. */
async function readChunks(request: Request, bytesMax: number): Promise<string | null> {
  const decoder = new TextDecoder("utf-8");
  let bytes = 0;
  let text = "";
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
