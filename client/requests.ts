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
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

export interface RequestSettings {
  /** Of the gate, with or without a slash at its end. */
  readonly url: string;
  readonly token: (() => string) | null;
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
      const isLast = attempt >= attemptsMax;
      if (!(reply instanceof Error)) {
        // Being throttled is an answer in the end; everything else that asks us to come back has left the outcome open.
        if (!asksToComeBack(reply) || (isLast && reply.status === 429)) return readReply(reply, await reply.text());
        if (isLast) throw new DoorbusterFailure(`the answer was ${reply.status}`, request.key ?? null, reply.status);
      } else if (isLast) {
        throw new DoorbusterFailure(`no answer: ${reply.message}`, request.key ?? null, null, reply);
      }
      await this.#surroundings.wait(this.#pauseMs(attempt, reply));
    }
  }

  async #attempt({ method, path, body, key, headers }: RequestOptions): Promise<FetchReply | Error> {
    const { token, language, attemptMsMax } = this.#settings;
    try {
      return await this.#surroundings.fetch(`${this.#root}${path}`, {
        method,
        headers: {
          ...(body && { "content-type": "application/json" }),
          ...(key !== undefined && { "idempotency-key": key }),
          ...(token && { authorization: `Bearer ${token()}` }),
          ...(language && { "accept-language": language }),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(attemptMsMax),
      });
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** What the server asks for, and beyond it a growing span of chance, so that a crowd does not come back as one. */
  #pauseMs(attempt: number, reply: FetchReply | Error): number {
    const asked = reply instanceof Error ? 0 : Number(reply.headers.get("retry-after") ?? 0) * 1_000;
    const span = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** attempt);
    return (Number.isFinite(asked) ? asked : 0) + span * this.#surroundings.random();
  }
}

/** A 409 with `Retry-After` is about a request with the same key that is still on its way; without, it is a refusal. */
function asksToComeBack({ status, headers }: FetchReply): boolean {
  return status === 429 || status >= 500 || (status === 409 && headers.get("retry-after") !== null);
}

function readReply({ status, headers }: FetchReply, text: string): Reply {
  return { status, etag: headers.get("etag"), body: text === "" ? {} : (JSON.parse(text) as Reply["body"]) };
}
