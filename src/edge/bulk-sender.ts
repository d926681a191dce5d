/**
 * Sends documents to Elasticsearch or OpenSearch (`POST INDEX/_bulk`), for those who search and draw there. Adding a document only ever puts it into memory;
 * one request at a time takes what has gathered. What the receiver is too busy for is sent again a few times, then dropped and counted, and so is what
 * finds no room meanwhile. The name and password of the address go into a header and nowhere else.
 */
import type { Clock } from "../core/time.ts";
import {
  SINK_ANSWER_BYTES_MAX,
  SINK_ANSWER_MS_MAX,
  SINK_ATTEMPTS_MAX,
  SINK_BUFFER_BYTES_MAX,
  SINK_CLOSE_MS_MAX,
  SINK_REQUEST_BYTES_MAX,
  SINK_RETRY_MS,
  SINK_RETRY_MS_MAX,
  SINK_SEND_MS,
} from "../limits/event-store.ts";
import { SeldomTold } from "./seldom-told.ts";

/** The index, or data stream, when the address names none. */
const DEFAULT_INDEX = "/doorbuster-traffic";

/** What became of a request: which of its documents are to be sent again, and how many were not taken. */
interface Sent {
  readonly again: readonly string[];
  readonly refused: number;
  /** `null`: nothing to tell. */
  readonly trouble: string | null;
}

export class BulkSender {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #trouble: SeldomTold;
  readonly #retryMs: number;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #end = new AbortController();
  #waiting: string[] = [];
  #waitingChars = 0;
  #sending: Promise<void> | null = null;
  #sent = 0;
  #lost = 0;

  /**
   * @param address with the index as its path, and name and password if they are asked for
   * @param onTrouble hears, at most once a minute, that documents do not arrive
   */
  constructor(address: string, clock: Clock, onTrouble: (message: string) => void, retryMs = SINK_RETRY_MS, sendMs = SINK_SEND_MS) {
    const url = new URL(address);
    const { username, password } = url;
    url.username = "";
    url.password = "";
    if (url.pathname === "/") url.pathname = DEFAULT_INDEX;
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/_bulk`;
    this.#url = url.href;
    const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
    const asker = username === "" ? {} : { authorization: `Basic ${basic}` };
    this.#headers = { "content-type": "application/x-ndjson", accept: "application/json", ...asker };
    this.#trouble = new SeldomTold(clock, onTrouble);
    this.#retryMs = retryMs;
    this.#timer = setInterval(() => this.#send(), sendMs);
  }

  get sent(): number {
    return this.#sent;
  }
  get lost(): number {
    return this.#lost;
  }

  /** @param document with the line before it that says what to do with it */
  add(document: string): void {
    if (this.#waitingChars + document.length > SINK_BUFFER_BYTES_MAX) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(document);
    this.#waitingChars += document.length;
    if (this.#waitingChars >= SINK_REQUEST_BYTES_MAX) this.#send();
  }

  /** Sends what is left, as far as that gets in `SINK_CLOSE_MS_MAX`. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const timer = setTimeout(() => this.#end.abort(), SINK_CLOSE_MS_MAX);
    while (this.#sending !== null || (this.#waiting.length > 0 && !this.#end.signal.aborted)) {
      this.#send();
      await this.#sending;
    }
    clearTimeout(timer);
    this.#end.abort();
    this.#lost += this.#waiting.length;
    this.#waiting = [];
  }

  #send(): void {
    if (this.#sending !== null || this.#waiting.length === 0) return;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#end.signal.aborted) await this.#deliver(this.#take());
  }

  #take(): readonly string[] {
    let chars = 0;
    let count = 0;
    for (; count < this.#waiting.length && chars < SINK_REQUEST_BYTES_MAX; count += 1) chars += (this.#waiting[count] as string).length;
    this.#waitingChars -= chars;
    return this.#waiting.splice(0, count);
  }

  async #deliver(documents: readonly string[]): Promise<void> {
    let left = documents;
    for (let attempt = 1; left.length > 0 && attempt <= SINK_ATTEMPTS_MAX; attempt += 1) {
      if (attempt > 1) await this.#pause(Math.min(this.#retryMs * 2 ** (attempt - 2), SINK_RETRY_MS_MAX));
      if (this.#end.signal.aborted) break;
      const { again, refused, trouble } = await this.#post(left);
      this.#sent += left.length - again.length - refused;
      this.#lost += refused;
      if (trouble !== null) this.#trouble.say(`events do not reach the traffic sink (${trouble}); ${this.#lost} are lost so far`);
      left = again;
    }
    this.#lost += left.length;
  }

  /** Never rejects. */
  async #post(documents: readonly string[]): Promise<Sent> {
    const answer = { again: documents, refused: 0 };
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: this.#headers,
        body: documents.join(""),
        redirect: "manual",
        signal: AbortSignal.any([this.#end.signal, AbortSignal.timeout(SINK_ANSWER_MS_MAX)]),
      });
      const text = await textOf(response);
      if (response.status === 429 || response.status >= 500) return { ...answer, trouble: `it answers ${response.status}` };
      // Said once more, it would be answered the same.
      if (response.status !== 200) return { again: [], refused: documents.length, trouble: `it answers ${response.status}` };
      return outcomeOf(documents, text);
    } catch (error) {
      // An error of the client may name the address, but not the credentials: those are not in it.
      return { ...answer, trouble: error instanceof Error ? error.message : String(error) };
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#end.signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
    });
  }
}

interface BulkAnswer {
  readonly errors?: boolean;
  readonly items?: readonly { readonly create?: { readonly status?: number } }[];
}

/** A document that was there already (409) has arrived with an earlier attempt. */
function outcomeOf(documents: readonly string[], text: string): Sent {
  const { errors, items } = parsed(text);
  if (errors === false) return { again: [], refused: 0, trouble: null };
  if (!Array.isArray(items) || items.length !== documents.length)
    return { again: [], refused: documents.length, trouble: "it answers what is no answer to a _bulk request" };
  const statuses = (items as NonNullable<BulkAnswer["items"]>).map((item) => item.create?.status ?? 0);
  const again = documents.filter((_, index) => statuses[index] === 429);
  const refused = statuses.filter((status) => status !== 429 && status !== 409 && (status < 200 || status > 299));
  return { again, refused: refused.length, trouble: refused.length > 0 ? `it refuses documents with ${refused[0]}` : null };
}

function parsed(text: string): BulkAnswer {
  try {
    return (JSON.parse(text) as BulkAnswer | null) ?? {};
  } catch {
    return {};
  }
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    // Leaving the loop cancels the rest.
    if (text.length > SINK_ANSWER_BYTES_MAX) return "";
  }
  return text;
}
