/** Asks the console's own server. Every answer is one of three: what was asked for, a refusal with its reason, or nobody at home. */

export type Asked<T> =
  /** `next`: what to ask for as `after` to go on; `null`: there is no more. */
  | { readonly kind: "answered"; readonly value: T; readonly next: string | null }
  | { readonly kind: "refused"; readonly status: number; readonly detail: string; readonly retryAfterSeconds: number }
  | { readonly kind: "signed-out" };

interface Problem {
  readonly detail?: string;
  readonly title?: string;
}

/** A header that no page of another site can send. */
const OWN = { "x-doorbuster-console": "1" };

/** @param path relative to the page, so that a proxy may give the console a prefix
 *  @param body a file or a text in a Blob is sent as it is, anything else as JSON */
export async function ask<T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<Asked<T>> {
  const content = body instanceof Blob ? body : JSON.stringify(body);
  const type = body instanceof Blob ? "text/plain" : "application/json";
  const headers = method === "GET" ? {} : { ...OWN, ...(body !== undefined && { "content-type": type }) };
  try {
    const init = { method, headers, ...(body !== undefined && { body: content }) };
    const response = await fetch(path, { ...init, credentials: "same-origin", signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    const text = await response.text();
    if (response.ok) {
      const value = (text === "" ? null : JSON.parse(text)) as T;
      return { kind: "answered", value, next: nextOf(response.headers.get("link")) };
    }
    if (response.status === 401 && path !== "session") return { kind: "signed-out" };
    const { detail, title } = parsed(text);
    const retryAfterSeconds = Number(response.headers.get("retry-after") ?? 0);
    return { kind: "refused", status: response.status, detail: detail ?? title ?? String(response.status), retryAfterSeconds };
  } catch (error) {
    // No answer, or one that was cut off.
    return { kind: "refused", status: 0, detail: error instanceof Error ? error.message : String(error), retryAfterSeconds: 0 };
  }
}

const ANSWER_MS_MAX = 15_000;

/** A list names its next page by an address of the service's own; what counts in it is where that page begins. */
const nextOf = (link: string | null): string | null => new URLSearchParams(link?.match(/\?([^>]*)>; rel="next"/)?.[1] ?? "").get("after");

function parsed(text: string): Problem {
  try {
    return JSON.parse(text) as Problem;
  } catch {
    return {};
  }
}
