/** One request to another registry: one answer of bounded length, or why there is none. */

interface PeerRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly timeoutMs: number;
  readonly answerBytesMax: number;
}

type PeerAnswer = { readonly status: number; readonly text: string; readonly headers: Headers } | { readonly error: string };

/** Never rejects. Redirects are answers like any other: a peer is who it was configured to be. */
export async function askPeer({ method, url, headers, body, timeoutMs, answerBytesMax }: PeerRequest): Promise<PeerAnswer> {
  try {
    const response = await fetch(url, { method, headers, body, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
    const text = await readText(response, answerBytesMax);
    if (text === null) return { error: `the answer is longer than ${answerBytesMax} bytes` };
    return { status: response.status, text, headers: response.headers };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** An answer's body; `null`: it is longer, and the rest is not read. */
export async function readText(response: Response, bytesMax: number): Promise<string | null> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = "";
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (bytes > bytesMax) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
