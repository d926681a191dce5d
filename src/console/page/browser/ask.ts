/** Asks the console's own server. Every answer is one of three: what was asked for, a refusal with its reason, or nobody at home. */

export type Asked<T> =
  | { readonly kind: "answered"; readonly value: T }
  | { readonly kind: "refused"; readonly status: number; readonly detail: string; readonly retryAfterSeconds: number }
  | { readonly kind: "signed-out" };

interface Problem {
  readonly detail?: string;
  readonly title?: string;
}

/** A header that no page of another site can send. */
const OWN = { "x-doorbuster-console": "1" };

/** @param path relative to the page, so that a proxy may give the console a prefix */
export async function ask<T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<Asked<T>> {
  const headers = method === "GET" ? {} : { ...OWN, ...(body !== undefined && { "content-type": "application/json" }) };
  try {
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await fetch(path, { ...init, credentials: "same-origin", signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    const text = await response.text();
    if (response.ok) return { kind: "answered", value: (text === "" ? null : JSON.parse(text)) as T };
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

function parsed(text: string): Problem {
  try {
    return JSON.parse(text) as Problem;
  } catch {
    return {};
  }
}
