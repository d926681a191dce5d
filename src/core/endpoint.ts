/**
 * A service's routes as data. `api.ts` of a service declares its endpoints, `service.ts` binds a handler to each, and the edge serves
 * them: it parses, checks, and refuses what does not fit, so a handler sees only what its endpoint declares.
 */
import type { Static, TObject, TSchema } from "typebox";
import type { Answer } from "./answer.ts";
import type { IpAddress, UserId } from "./ids.ts";
import type { ReplySchema } from "./reply-schema.ts";

/** What a request is told that was not done. */
export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415 | 422 | 429 | 500 | 503;

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface Endpoint<P extends TObject = TObject, Q extends TObject = TObject, B extends TSchema = TSchema> {
  /** The operation's name in the contract. */
  readonly name: string;
  readonly method: Method;
  /** `{name}` stands for one percent-encoded segment, declared under that name in `params`. */
  readonly path: string;
  readonly params: P;
  readonly query: Q;
  /** `null`: a request body is not read. */
  readonly body: B | null;
  /** The body is handed over as the text that came, whatever its content type: a signature is verified over it. `body` says that it is text. */
  readonly isBodyRaw?: true;
  /** Other content types than JSON in which the same body is understood, for instance `application/xml`. */
  readonly otherBodies?: Readonly<Record<string, BodyForm>>;
  /** The longest body; what is longer is 413. Without it the edge's own bounds count (`BODY_BYTES_MAX`, `NOTICE_BYTES_MAX` for a raw one). */
  readonly bodyBytesMax?: number;
  /** Whether the admin key is asked for, when one is configured. */
  readonly needsAdminKey: boolean;
  /** What it does, in one sentence. This and all that follows is for whoever reads the API's description. */
  readonly summary: string;
  /** By status, what is answered in the documented form. */
  readonly replies: Readonly<Record<number, ReplySchema>>;
  /** The problem documents of its own, each with what leads to it. Those that the edge answers (400, 401, 413, 415) go without saying. */
  readonly problems?: Readonly<Partial<Record<ProblemStatus, string>>>;
  /** A good request. */
  readonly example?: ExampleRequest;
  /** The request headers that it reads. */
  readonly headers?: TObject;
  /** Whether a shopper asks. */
  readonly isForShoppers?: boolean;
  /** Whether a signed token must say which one. Without tokens the request says it itself. */
  readonly needsToken?: boolean;
}

/** The endpoint as it is where tokens are in use. */
export const withTokens = (endpoint: Endpoint): Endpoint => (endpoint.isForShoppers ? { ...endpoint, needsToken: true } : endpoint);

/** How a text of another content type becomes the value that the body's schema describes. */
export interface BodyForm {
  readonly parse: (text: string) => { readonly value: unknown } | { readonly fault: string };
  readonly example: string;
}

export interface ExampleRequest {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
}

export interface RequestInput<P extends TObject, Q extends TObject, B extends TSchema> {
  readonly params: Static<P>;
  readonly query: Static<Q>;
  readonly body: Static<B>;
  readonly headers: { get(name: string): string | null };
  /** The address at the other end of the connection, as text. */
  peer(): string;
}

export interface HttpReply {
  readonly status: number;
  /** JSON text, or chunks of it that are made while they are sent. */
  readonly body: string | AsyncIterable<string>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whose request it was, for whoever keeps records. Not a part of the answer. */
  readonly about?: RequestAbout;
}

/** How it crosses a link as a whole answer does, percent-encoded JSON. */
export const ABOUT_HEADER = "doorbuster-about";

export interface RequestAbout {
  readonly userId: UserId;
  /** As the request claims where it is believed; `null`: the address that it came from. */
  readonly clientIp: IpAddress | null;
}

/** A request and what it was answered, for whoever keeps records. */
export interface Answered {
  /** `null`: there is none at that address. */
  readonly endpoint: Endpoint | null;
  readonly method: string;
  readonly reply: HttpReply;
  readonly headers: { get(name: string): string | null };
  peer(): string;
}

export interface Route {
  readonly endpoint: Endpoint;
  readonly handle: (input: RequestInput<TObject, TObject, TSchema>) => Answer<HttpReply>;
}

/** Binds what a service does to one of its endpoints. */
export function on<P extends TObject, Q extends TObject, B extends TSchema>(
  endpoint: Endpoint<P, Q, B>,
  handle: (input: RequestInput<P, Q, B>) => Answer<HttpReply>,
): Route {
  // The edge has checked the input against this endpoint's own schemas; the compiler cannot follow that through the table.
  return { endpoint, handle } as unknown as Route;
}

export const json = (value: unknown, status = 200): HttpReply => ({ status, body: JSON.stringify(value) });
