/**
 * The shopper's door over a link. A gate in a process of its own checks each request as always and hands it on as a whole; where the carts and
 * orders are, it is answered as if it had come there. A request that has changed something is not handed on twice.
 */
import Type, { type TObject, type TSchema } from "typebox";
import {
  ABOUT_HEADER,
  type Endpoint,
  type HttpReply,
  type Method,
  on,
  type RequestAbout,
  type RequestInput,
  type Route,
} from "../../core/endpoint.ts";
import { problem } from "../../core/problem.ts";
import type { Throttle } from "../../core/throttle.ts";
import { DOOR_REPLY_CHARS_MAX, LINK_DEADLINE_MS } from "../../limits/links.ts";
import { NOTICE_BYTES_MAX, PROVIDER_CALL_MS_MAX } from "../../limits.ts";
import { type LinkMethod, linkMethod, linkRoute } from "../../links/method.ts";

/** What the door's handlers read of a request's headers; the others stay at the gate. */
const HEADERS_HANDED_ON = [
  ...["authorization", "accept-language", "idempotency-key", "if-none-match"],
  ...["webhook-id", "webhook-timestamp", "webhook-signature", "stripe-signature"],
] as const;

export interface DoorRequest {
  readonly method: Method;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface DoorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly about?: RequestAbout;
}

const PATH_CHARS_MAX = 4_096;
const HEADER_CHARS_MAX = 16 * 1024;
/** Nothing else can stand in a request: whoever made one of something else would be answered with a fault of ours. */
const Path = Type.String({ pattern: "^/[!-~]*$", maxLength: PATH_CHARS_MAX });
const HeaderValue = Type.String({ pattern: "^[\\t -~\\x80-\\xff]*$", maxLength: HEADER_CHARS_MAX });
const Headers = Type.Object(Object.fromEntries([...HEADERS_HANDED_ON, "content-type"].map((name) => [name, Type.Optional(HeaderValue)])), {
  additionalProperties: false,
});
const common = {
  wire: (request: DoorRequest) => request,
  // Each is answered in its own time.
  itemsMax: 1,
};
const readDoor = linkMethod<DoorRequest, DoorReply>({
  ...common,
  name: "read-door",
  summary: "what a shopper asks to see.",
  item: Type.Object({ method: Type.Literal("GET"), path: Path, headers: Headers, body: Type.Null() }),
  isRepeatable: true,
  deadlineMs: LINK_DEADLINE_MS,
});
const passDoor = linkMethod<DoorRequest, DoorReply>({
  ...common,
  name: "pass-door",
  summary: "what a shopper wants done, or a payment provider tells.",
  item: Type.Object({
    method: Type.Enum(["POST", "PUT", "DELETE"]),
    path: Path,
    headers: Headers,
    body: Type.Union([Type.String({ maxLength: NOTICE_BYTES_MAX }), Type.Null()]),
  }),
  isRepeatable: false,
  // A payment may have to be started meanwhile.
  deadlineMs: PROVIDER_CALL_MS_MAX + LINK_DEADLINE_MS,
});

const tooLong = problem(400, "the answer would be too long; ask for less at a time", {
  errors: [{ pointer: "#/query/limit", detail: "must be smaller: these are long" }],
}) as DoorReply;

/** The far end. @param answer the door's routes, as a server would ask them */
export function doorLinkRoutes(answer: (request: Request) => Response | Promise<Response>): Route[] {
  const serve = async ([asked]: readonly DoorRequest[]): Promise<readonly DoorReply[]> => {
    const { method, path, headers, body } = asked as DoorRequest;
    const response = await answer(new Request(`http://door${path}`, { method, headers, body }));
    const text = await response.text();
    // What does not fit would be no answer at all, and who gives none is left alone by every shopper of that gate.
    if (text.length > DOOR_REPLY_CHARS_MAX) return [tooLong];
    const { [ABOUT_HEADER]: about, ...headersOfReply } = Object.fromEntries(response.headers);
    const shown = { status: response.status, headers: headersOfReply, body: text };
    return [about === undefined ? shown : { ...shown, about: JSON.parse(decodeURIComponent(about)) as RequestAbout }];
  };
  return [linkRoute(readDoor, serve), linkRoute(passDoor, serve)];
}

export interface DoorLink {
  method<Item, Reply>(method: LinkMethod<Item, Reply>): (items: readonly Item[]) => Promise<readonly Reply[]>;
}
type Input = RequestInput<TObject, TObject, TSchema>;

/** The near end: these endpoints, answered over the link. */
export function handedOn(endpoints: readonly Endpoint[], link: DoorLink, throttle: Pick<Throttle, "admit" | "retryAfterSeconds">): Route[] {
  const [read, pass] = [link.method(readDoor), link.method(passDoor)];
  const handle = async (endpoint: Endpoint, input: Input): Promise<HttpReply> => {
    if (throttle.admit(1) === 0)
      return problem(429, "too many requests at this moment; try again", {
        headers: { "retry-after": String(throttle.retryAfterSeconds()) },
      });
    const [reply] = await (endpoint.method === "GET" ? read : pass)([requestOf(endpoint, input)]);
    return reply as DoorReply;
  };
  return endpoints.map((endpoint) => on(endpoint as Endpoint<TObject, TObject, TSchema>, (input) => handle(endpoint, input)));
}

/** The request as it came, from what was read of it. */
function requestOf(endpoint: Endpoint, { params, query, body, headers }: Input): DoorRequest {
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String((params as Named)[name])));
  const search = new URLSearchParams(query as Readonly<Record<string, string>>).toString();
  const kept = HEADERS_HANDED_ON.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  const content = endpoint.body === null ? null : endpoint.isBodyRaw ? String(body) : JSON.stringify(body);
  return {
    method: endpoint.method,
    path: search === "" ? path : `${path}?${search}`,
    headers: Object.fromEntries(content === null ? kept : [...kept, ["content-type", "application/json"]]),
    body: content,
  };
}
type Named = Readonly<Record<string, unknown>>;
