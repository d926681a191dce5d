/** One request to another registry: one answer of bounded length, or why there is none. */

interface PeerRequest {
  readonly method: "GET" | "POST";
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
    const decoder = new TextDecoder();
    let bytes = 0;
    let text = "";
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      // Leaving the loop cancels the rest.
      if (bytes > answerBytesMax) return { error: `the answer is longer than ${answerBytesMax} bytes` };
      text += decoder.decode(chunk, { stream: true });
    }
    return { status: response.status, text: text + decoder.decode(), headers: response.headers };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
