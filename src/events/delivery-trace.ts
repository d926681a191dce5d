/** The delivery of an event that one purchase has made goes on with that purchase's trace. Most events belong to no single purchase. */
import { isSampled } from "../core/trace-sample.ts";
import { traceparentOf } from "../core/traceparent.ts";
import type { Post } from "./courier.ts";

/** Within a JSON text a quotation mark stands bare only around names and values: no user id or SKU can look like this. */
const SESSION_ID = /"sessionID":"([^"\\]*)"/;

/** @param share of all purchases that are traced; `null`: none, and no delivery says anything of a trace */
export function withTraceparent(post: Post, share: number | null): Post {
  const sessionId = share === null ? undefined : SESSION_ID.exec(post.body)?.[1];
  if (share === null || sessionId === undefined) return post;
  const traceparent = traceparentOf(sessionId, isSampled(sessionId, share));
  return traceparent === null ? post : { ...post, headers: { ...post.headers, traceparent } };
}
