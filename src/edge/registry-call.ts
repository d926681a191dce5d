/** One request to a registry, within its time. */
import { REGISTRY_CALL_MS_MAX } from "../limits/links.ts";

interface RegistryAnswer {
  readonly status: number;
  readonly text: string;
  readonly at: number | null;
}

/** Never rejects. */
export async function callRegistry(method: string, url: string, body?: string): Promise<RegistryAnswer | null> {
  try {
    const headers = { accept: "application/json", ...(body !== undefined && { "content-type": "application/json" }) };
    const signal = AbortSignal.timeout(REGISTRY_CALL_MS_MAX);
    const response = await fetch(url, { method, headers, redirect: "manual", signal, ...(body !== undefined && { body }) });
    // A registry of ours says its time to the millisecond; all say it to the second.
    const at = Number(response.headers.get("server-now") ?? Date.parse(response.headers.get("date") ?? ""));
    return { status: response.status, text: await response.text(), at: Number.isNaN(at) ? null : at };
  } catch {
    // Whatever it was, this registry has not answered: the caller asks the next one, or later.
    return null;
  }
}
