/** Where keys come from: a file of the operator's, or a key set's server. Both are read whole, within a bound. */
import { open } from "node:fs/promises";
import { KEYS_BYTES_MAX, KEYS_FETCH_MS_MAX } from "../limits.ts";

/** The keys cannot be had; the message is for the operator. */
export class KeysUnreadable extends Error {
  override readonly name = "KeysUnreadable";
}

export async function readKeyFile(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(KEYS_BYTES_MAX + 1), 0, KEYS_BYTES_MAX + 1, 0);
      if (bytesRead > KEYS_BYTES_MAX) throw new KeysUnreadable(`it is longer than ${KEYS_BYTES_MAX} bytes`);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof KeysUnreadable) throw cause;
    throw new KeysUnreadable(`it cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown reason"})`, { cause });
  }
}

/** A redirect is not followed: keys are taken from the address that the operator has named, and from no other. */
export async function fetchKeySet(url: string): Promise<string> {
  try {
    const response = await fetch(url, {
      redirect: "manual",
      headers: { accept: "application/jwk-set+json, application/json" },
      signal: AbortSignal.timeout(KEYS_FETCH_MS_MAX),
    });
    if (response.status !== 200) throw new KeysUnreadable(`${url} answers with status ${response.status}`);
    return await textWithin(response);
  } catch (cause) {
    if (cause instanceof KeysUnreadable) throw cause;
    throw new KeysUnreadable(`${url} does not answer (${cause instanceof Error ? cause.name : "unknown reason"})`, { cause });
  }
}

async function textWithin(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > KEYS_BYTES_MAX) throw new KeysUnreadable(`its answer is longer than ${KEYS_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
