/**
 * One request, asked again until its answer is known. A timeout is an unknown outcome: it may have happened. So every repetition carries the
 * same `Idempotency-Key`, and the gate gives the first answer again instead of doing it twice.
 */
import type { FetchReply, Surroundings } from "./surroundings.ts";

export interface RequestOptions {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body?: object;
  /** The same for every repetition; only what changes something needs one. */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly attemptsMax?: number;
}

export interface Reply {
  readonly status: number;
  readonly etag: string | null;
  /** The server's clock, in unix ms, where the answer has no body to say it in. */
  readonly serverNow: number | null;
  /** When to ask again; `null` when that is not said. */
  readonly retryAfterMs: number | null;
  /** What the content says as JSON; an empty object when it is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** No answer could be had. What was asked for may have happened: ask again with the same key to learn it. */
export class DoorbusterFailure extends Error {
  override readonly name = "DoorbusterFailure";
  constructor(
    message: string,
    /** Give it as `idempotencyKey` to ask the same again; `null` when nothing was to be changed. */
    readonly idempotencyKey: string | null,
    /** The last answer's; `null` when there was none. */
    readonly status: number | null,
    /** What the last answer said, as JSON: an order that was placed and whose payment could not be started is its `order`. */
    readonly body: Reply["body"] = {},
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

export interface RequestSettings {
  /** Of the gate, with or without a slash at its end. */
  readonly url: string;
  readonly token: (() => string | Promise<string>) | null;
  readonly language: string | null;
  /** How often one request is sent at most. */
  readonly attemptsMax: number;
  /** How long one attempt may take. */
  readonly attemptMsMax: number;
}

const BACKOFF_MS = 200;
const BACKOFF_MS_MAX = 5_000;

export class Requests {
  readonly #settings: RequestSettings;
  readonly #surroundings: Surroundings;
  readonly #root: string;

  constructor(settings: RequestSettings, surroundings: Surroundings) {
    this.#settings = settings;
    this.#surroundings = surroundings;
    this.#root = settings.url.replace(/\/+$/, "");
  }

  /** @throws DoorbusterFailure when none of the attempts was answered for good */
  async send(request: RequestOptions): Promise<Reply> {
    const attemptsMax = request.attemptsMax ?? this.#settings.attemptsMax;
    for (let attempt = 1; ; attempt += 1) {
      const reply = await this.#attempt(request);
      const isAnswer = !(reply instanceof Error) && !asksToComeBack(reply);
      if (isAnswer) return reply;
      if (attempt >= attemptsMax) return lastOf(reply, request.key ?? null);
      await this.#surroundings.wait(this.#pauseMs(attempt, reply));
    }
  }

  async #attempt({ method, path, body, key, headers }: RequestOptions): Promise<Reply | Error> {
    const { token, language, attemptMsMax } = this.#settings;
    try {
      const bearer = token && (await token());
      const reply = await this.#surroundings.fetch(`${this.#root}${path}`, {
        method,
        headers: {
          ...(body && { "content-type": "application/json" }),
          ...(key !== undefined && { "idempotency-key": key }),
          ...(bearer && { authorization: `Bearer ${bearer}` }),
          ...(language && { "accept-language": language }),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
        cache: "no-store",
        signal: AbortSignal.timeout(attemptMsMax),
      });
      return readReply(reply, await reply.text());
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** What the server asks for, and beyond it a growing span of chance, so that a crowd does not come back as one. */
  #pauseMs(attempt: number, reply: Reply | Error): number {
    const asked = reply instanceof Error ? null : reply.retryAfterMs;
    return (asked ?? 0) + Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** attempt) * this.#surroundings.random();
  }
}

/** A 409 with `Retry-After` is about a request with the same key that is still on its way; without, it is a refusal. */
const asksToComeBack = ({ status, retryAfterMs }: Reply): boolean =>
  status === 429 || status >= 500 || (status === 409 && retryAfterMs !== null);

/** Being throttled is an answer in the end; everything else that asks us to come back has left the outcome open. */
function lastOf(reply: Reply | Error, key: string | null): Reply {
  if (reply instanceof Error) throw new DoorbusterFailure(`no answer: ${reply.message}`, key, null, {}, reply);
  if (reply.status === 429) return reply;
  throw new DoorbusterFailure(`the answer was ${reply.status}`, key, reply.status, reply.body);
}

/** @throws when a success has no content that can be read: whoever wrote it was not the gate, or did not come to its end */
function readReply({ status, headers }: FetchReply, text: string): Reply {
  const seconds = numberIn(headers.get("retry-after"));
  return {
    status,
    etag: headers.get("etag"),
    serverNow: numberIn(headers.get("server-now")),
    retryAfterMs: seconds === null ? null : seconds * 1_000,
    body: text === "" ? {} : jsonOf(status, text),
  };
}

function numberIn(header: string | null): number | null {
  const number = Number(header ?? Number.NaN);
  return Number.isFinite(number) ? number : null;
}

function jsonOf(status: number, text: string): Reply["body"] {
  try {
    return JSON.parse(text) as Reply["body"];
  } catch (error) {
    // A proxy's own page says no more than its status.
    if (status >= 400) return {};
    throw error;
  }
}
