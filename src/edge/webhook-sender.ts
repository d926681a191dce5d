/** Sends a webhook's delivery: one POST, one answer, whatever the receiver does. */
import { WEBHOOK_TIMEOUT_MS } from "../limits.ts";

interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

type PostAnswer = { readonly status: number } | { readonly error: string };

/** What is read of an answer, whose words nobody needs, so that its connection can be used again. */
const ANSWER_BYTES_MAX = 16 * 1024;

/** Never rejects. Redirects are answers like any other: a receiver must not be able to point us at addresses that only we can reach. */
export async function sendWebhook({ url, headers, body, signal }: Post, timeoutMs = WEBHOOK_TIMEOUT_MS): Promise<PostAnswer> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      // A small answer can unpack into a very large one.
      decompress: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    await discard(response);
    return { status: response.status };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

async function discard(response: Response): Promise<void> {
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (bytes > ANSWER_BYTES_MAX) return;
  }
}
