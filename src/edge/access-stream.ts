/**
 * Access records on their way to Redis Streams, from which others read what the gates see (`core/access-stream.ts`). A timer
 * sends what has gathered, a page at a time to each stream, over a connection of its own: a page before them would hold up the ledger's commands.
 *
 * A record arrives once or not at all. What Redis has refused, or what was never sent, waits for another stream and for better times; what was
 * sent and not answered is not sent again, because it may have arrived. What finds no room meanwhile is dropped. Both are counted as dropped.
 */
import { Cluster, Redis } from "ioredis";
import { ACCESS_STREAM_FIELD, ACCESS_STREAM_KEYS } from "../core/access-stream.ts";
import type { Clock, MonotonicUs } from "../core/time.ts";
import {
  ACCESS_STREAM_ANSWER_MS_MAX,
  ACCESS_STREAM_BUFFER_BYTES_MAX,
  ACCESS_STREAM_CLOSE_MS_MAX,
  ACCESS_STREAM_CONNECT_MS_MAX,
  ACCESS_STREAM_ENTRIES_MAX,
  ACCESS_STREAM_FLUSH_MS,
  ACCESS_STREAM_REST_MS,
} from "../limits/records.ts";
import { type RecordCarrier, type RecordPage, WaitingPages } from "./record-pages.ts";
import { SeldomTold } from "./seldom-told.ts";

type Sent = "written" | "refused" | "unknown";

export class AccessStream implements RecordCarrier {
  readonly #clock: Clock;
  readonly #entriesMax: number;
  readonly #redis: Redis | Cluster;
  readonly #trouble: SeldomTold;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #waiting = new WaitingPages(ACCESS_STREAM_BUFFER_BYTES_MAX);
  readonly #underWay = new Set<Promise<void>>();
  #nextStream = 0;
  /** Until when each stream is left alone: for ever, while a page is under way to it. */
  readonly #restsUntilUs: MonotonicUs[] = ACCESS_STREAM_KEYS.map(() => Number.NEGATIVE_INFINITY);
  #written = 0;
  #dropped = 0;
  #isClosed = false;
  #isOver = false;

  /**
   * Connects by itself, and again whenever it has to.
   * @param urls one server, or some nodes of a cluster
   * @param onTrouble hears, at most once a minute, that records do not reach Redis
   * @param entriesMax of each stream
   */
  constructor(urls: readonly string[], clock: Clock, onTrouble: (message: string) => void, entriesMax = ACCESS_STREAM_ENTRIES_MAX) {
    this.#entriesMax = entriesMax;
    this.#clock = clock;
    this.#trouble = new SeldomTold(clock, onTrouble);
    this.#redis = connected(urls);
    this.#redis.on("error", (error: Error) => this.#tell(error.message));
    this.#timer = setInterval(() => this.#sendWhatCanBe(), ACCESS_STREAM_FLUSH_MS);
  }

  get recordsWritten(): number {
    return this.#written;
  }
  get recordsDropped(): number {
    return this.#dropped + this.#waiting.dropped;
  }

  carry(pages: readonly RecordPage[]): void {
    for (const page of pages) this.#waiting.add(page);
    if (this.#isClosed) this.#waiting.giveUp();
  }

  /** Sends what is left, as far as that gets in `ACCESS_STREAM_CLOSE_MS_MAX`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#sendWhatCanBe();
    const isLate = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#isOver = true;
      isLate.resolve();
    }, ACCESS_STREAM_CLOSE_MS_MAX);
    while (this.#underWay.size > 0 && !this.#isOver) await Promise.race([Promise.all(this.#underWay), isLate.promise]);
    this.#isOver = true;
    clearTimeout(timer);
    // Whatever is under way ends unanswered, and is counted with it.
    this.#redis.disconnect();
    await Promise.all(this.#underWay);
    this.#waiting.giveUp();
  }

  /** To each stream one page at a time, until there is none or nobody takes them. One node that hangs holds up its own streams only. */
  #sendWhatCanBe(): void {
    while (!this.#isOver && this.#redis.status === "ready") {
      const stream = this.#waiting.isEmpty ? undefined : this.#streamThatTakes();
      const page = stream === undefined ? undefined : this.#waiting.take();
      if (stream === undefined || page === undefined) return;
      const sent = this.#send(stream, page).finally(() => this.#underWay.delete(sent));
      this.#underWay.add(sent);
    }
  }

  async #send(stream: number, page: RecordPage): Promise<void> {
    this.#restsUntilUs[stream] = Number.POSITIVE_INFINITY;
    const sent = await this.#append(stream, page);
    const restMs = sent === "written" ? 0 : ACCESS_STREAM_REST_MS;
    this.#restsUntilUs[stream] = this.#clock.monotonicUs() + 1_000 * restMs;
    if (sent === "written") {
      this.#written += page.records;
      this.#waiting.done(page);
    } else if (sent === "refused") this.#waiting.putBack(page);
    else {
      this.#dropped += page.records;
      // The command may still be sent, with the bytes of this very page.
      this.#waiting.done(page, true);
    }
    this.#sendWhatCanBe();
  }

  /** The next in turn that is free, and has not failed a moment ago. */
  #streamThatTakes(): number | undefined {
    const nowUs = this.#clock.monotonicUs();
    for (let tried = 0; tried < ACCESS_STREAM_KEYS.length; tried += 1) {
      const stream = this.#nextStream;
      this.#nextStream = (stream + 1) % ACCESS_STREAM_KEYS.length;
      if (nowUs >= (this.#restsUntilUs[stream] as number)) return stream;
    }
    return undefined;
  }

  async #append(stream: number, { bytes, used }: RecordPage): Promise<Sent> {
    const key = ACCESS_STREAM_KEYS[stream] as string;
    try {
      await this.#redis.xadd(key, "MAXLEN", "~", this.#entriesMax, "*", ACCESS_STREAM_FIELD, bytes.subarray(0, used));
      return "written";
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      this.#tell(message);
      return name === "ReplyError" || NEVER_SENT.test(message) ? "refused" : "unknown";
    }
  }

  #tell(reason: string): void {
    if (!this.#isClosed) this.#trouble.say(`access records do not reach Redis (${reason}); those that find no room are dropped`);
  }
}

/** ioredis had no connection to write to. */
const NEVER_SENT = /enableOfflineQueue options is false/;

function connected(urls: readonly string[]): Redis | Cluster {
  const patience = (attempt: number): number => Math.min(ACCESS_STREAM_REST_MS, 50 * attempt);
  const node = {
    disconnectTimeout: 100,
    connectTimeout: ACCESS_STREAM_CONNECT_MS_MAX,
    commandTimeout: ACCESS_STREAM_ANSWER_MS_MAX,
    // A server that has stopped answering loses its connection, and with it what waits in the socket: memory stays bounded.
    socketTimeout: ACCESS_STREAM_ANSWER_MS_MAX,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  } as const;
  const [first = "", ...others] = urls;
  if (others.length === 0) return new Redis(first, { ...node, enableOfflineQueue: false, retryStrategy: patience });
  return new Cluster([...urls], {
    enableOfflineQueue: false,
    clusterRetryStrategy: patience,
    retryDelayOnFailover: 0,
    slotsRefreshTimeout: ACCESS_STREAM_CONNECT_MS_MAX,
    slotsRefreshInterval: ACCESS_STREAM_REST_MS,
    redisOptions: { ...node, ...credentialsOf(first) },
  });
}

/** Of the nodes that are found later, too. */
function credentialsOf(url: string): { username?: string; password?: string; tls?: Record<string, never> } {
  const { username, password, protocol } = new URL(url);
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(protocol === "rediss:" && { tls: {} }),
  };
}
