/** Problem documents (RFC 9457): how a bad request is told what is wrong with it. */
import type { HttpReply, ProblemStatus } from "./endpoint.ts";

export interface FieldError {
  /** A JSON pointer as a URI fragment: `#/goodsQuantity` in the body, `#/path/qty`, `#/query/limit`, `#/header/Idempotency-Key`. */
  readonly pointer: string;
  readonly detail: string;
}

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  410: "Gone",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** @param detail what is wrong and what to do next, for a person */
export function problem(
  status: ProblemStatus,
  detail: string,
  extra: {
    readonly errors?: readonly FieldError[];
    readonly headers?: Readonly<Record<string, string>>;
    readonly fields?: Readonly<Record<string, unknown>>;
  } = {},
): HttpReply {
  const document = {
    type: "about:blank",
    title: titles[status],
    status,
    detail,
    ...(extra.errors && { errors: extra.errors }),
    ...extra.fields,
  };
  return { status, body: JSON.stringify(document), headers: { "content-type": "application/problem+json", ...extra.headers } };
}
