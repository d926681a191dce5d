/**
 * A service's routes as data. `api.ts` of a service declares its endpoints, `service.ts` binds a handler to each, and the edge serves
 * them: it parses, checks, and refuses what does not fit, so a handler sees only what its endpoint declares.
 */
import type { Static, TObject, TSchema } from "typebox";
import type { Answer } from "./answer.ts";

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
  /** Whether the admin key is asked for, when one is configured. */
  readonly needsAdminKey: boolean;
}

export interface RequestInput<P extends TObject, Q extends TObject, B extends TSchema> {
  readonly params: Static<P>;
  readonly query: Static<Q>;
  readonly body: Static<B>;
  readonly headers: { get(name: string): string | null };
}

export interface HttpReply {
  readonly status: number;
  /** JSON text, or chunks of it that are made while they are sent. */
  readonly body: string | AsyncIterable<string>;
  readonly headers?: Readonly<Record<string, string>>;
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
