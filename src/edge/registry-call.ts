/** One request to a registry, within its time. */
import { REGISTRY_CALL_MS_MAX } from "../limits/links.ts";
import { PEER_ANSWER_BYTES_MAX } from "../limits/registry.ts";
import { askPeer } from "./peer-http.ts";

interface RegistryAnswer {
  readonly status: number;
  readonly text: string;
  readonly at: number | null;
}

/** Never rejects. `null`: whatever it was, this registry has not answered; the caller asks the next one, or later. */
export async function callRegistry(method: "GET" | "POST" | "PUT" | "DELETE", url: string, body?: string): Promise<RegistryAnswer | null> {
  const headers = { accept: "application/json", ...(body !== undefined && { "content-type": "application/json" }) };
  const bounds = { timeoutMs: REGISTRY_CALL_MS_MAX, answerBytesMax: PEER_ANSWER_BYTES_MAX };
  const answer = await askPeer({ method, url, headers, body: body ?? null, ...bounds });
  if ("error" in answer) return null;
  // A registry of ours says its time to the millisecond; all say it to the second.
  const at = Number(answer.headers.get("server-now") ?? Date.parse(answer.headers.get("date") ?? ""));
  return { status: answer.status, text: answer.text, at: Number.isNaN(at) ? null : at };
}
