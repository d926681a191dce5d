/** Sends a link's request: one POST with the admin key, and an exact word on whether anything was sent. */
import type { Post } from "../core/link-post.ts";
import { LINK_BYTES_MAX } from "../limits/links.ts";
import { readText } from "./peer-http.ts";

/** What Bun calls it when there was no connection to send anything on. */
const NOTHING_SENT: ReadonlySet<string> = new Set(["ConnectionRefused", "ECONNREFUSED", "FailedToOpenSocket", "ENOTFOUND", "EHOSTUNREACH"]);

export function linkPost(adminKey: string | null): Post {
  const headers = { "content-type": "application/json", ...(adminKey !== null && { authorization: `Bearer ${adminKey}` }) };
  return async (url, body, deadlineMs) => {
    try {
      const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal: AbortSignal.timeout(deadlineMs) });
      const text = await readText(response, LINK_BYTES_MAX);
      if (text === null) return { kind: "silent", why: `an answer of more than ${LINK_BYTES_MAX} bytes` };
      return { kind: "answered", status: response.status, text };
    } catch (error) {
      const code = String((error as { readonly code?: unknown }).code ?? "");
      if (NOTHING_SENT.has(code)) return { kind: "refused" };
      return { kind: "silent", why: error instanceof Error ? error.message : String(error) };
    }
  };
}
