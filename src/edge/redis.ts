/**
 * Redis, one node or a cluster, which other processes use too. A server that goes away and comes back, or is replaced by its replica, is found
 * again by itself; meanwhile whoever asks hears at once, or after a bounded wait, that it cannot be had.
 *
 * No command is ever sent twice by itself: one whose connection was lost may have been carried out, and only who asked knows what a second time
 * would do.
 */
import { Cluster, Redis } from "ioredis";
import type { LuaScript, RedisScripts } from "../core/redis.ts";
import {
  REDIS_ANSWER_MS_MAX,
  REDIS_CONNECT_MS_MAX,
  REDIS_RECONNECT_MS_MAX,
  REDIS_SILENT_MS_MAX,
  REPLICAS_CONFIRM_MS_MAX,
} from "../limits.ts";
import { redisFailureOf, unavailable } from "./redis-errors.ts";

export interface RedisOptions {
  /** So many replicas have each change before its answer is given; otherwise the outcome is unknown. 0: nobody waits for them. */
  readonly replicasMin?: number;
}

export class RedisConnection implements RedisScripts {
  readonly #client: Redis | Cluster;
  readonly #replicasMin: number;
  #lastError: Error | null = null;
  readonly #hashes = new Map<LuaScript, string>();

  /** @param urls one `redis://` or `rediss://` URL, or those of several nodes of one cluster, separated by commas */
  constructor(urls: string, { replicasMin = 0 }: RedisOptions = {}) {
    this.#replicasMin = replicasMin;
    this.#client = urls.includes(",") ? clusterOf(urls.split(",")) : nodeOf(urls);
    this.#client.on("error", (error: Error & { readonly lastNodeError?: Error }) => {
      // Whoever asks for something meanwhile hears of it.
      this.#lastError = error.lastNodeError ?? error;
    });
  }

  /** The connection itself, for what is no script: streams, channels. Its errors are mapped with `redisFailureOf`. */
  get client(): Redis | Cluster {
    return this.#client;
  }

  get isReady(): boolean {
    return this.#client.status === "ready";
  }

  /** Waits until it can be used. @throws Failure when the first attempt fails; it goes on trying all the same */
  async open(): Promise<void> {
    try {
      await this.#client.connect();
    } catch (error) {
      // What the attempt itself fails with is only that it has come to nothing.
      throw unavailable(true, this.#lastError ?? (error as Error));
    }
  }

  /** Whether Redis may throw away what it was told to keep when its memory is full: holds among it. Of a cluster, one node is asked. */
  async mayEvict(): Promise<boolean> {
    try {
      const memory = await this.#client.info("memory");
      return /^maxmemory:[1-9]/m.test(memory) && !/^maxmemory_policy:noeviction\s*$/m.test(memory);
    } catch (error) {
      throw redisFailureOf(error);
    }
  }

  async run(script: LuaScript, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    // A cluster would keep it for later.
    if (!this.isReady) throw unavailable(true);
    try {
      return await inTime(this.#evaluate(script, keys, args));
    } catch (error) {
      throw redisFailureOf(error);
    }
  }

  close(): void {
    this.#client.disconnect();
  }

  async #evaluate(script: LuaScript, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const sha1 = this.#hashOf(script);
    try {
      return await this.#send("evalsha", sha1, keys, args, script.isUnconfirmed === true);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return await this.#send("eval", script.text, keys, args, script.isUnconfirmed === true);
    }
  }

  async #send(
    command: "eval" | "evalsha",
    script: string,
    keys: readonly string[],
    args: readonly string[],
    isUnconfirmed: boolean,
  ): Promise<unknown> {
    if (this.#replicasMin === 0 || isUnconfirmed) return await this.#client[command](script, keys.length, ...keys, ...args);
    // On one connection, and so after the script: WAIT counts the replicas that have everything this connection has written.
    const pipeline = this.#client.pipeline();
    pipeline[command](script, keys.length, ...keys, ...args);
    pipeline.wait(this.#replicasMin, REPLICAS_CONFIRM_MS_MAX);
    const [done, confirmed] = (await pipeline.exec()) ?? [];
    if (done?.[0]) throw done[0];
    if (confirmed?.[0]) throw unavailable(false, confirmed[0]);
    if (Number(confirmed?.[1]) < this.#replicasMin) throw unavailable(false);
    return done?.[1];
  }

  #hashOf(script: LuaScript): string {
    const known = this.#hashes.get(script);
    if (known !== undefined) return known;
    const hash = new Bun.CryptoHasher("sha1").update(script.text).digest("hex");
    this.#hashes.set(script, hash);
    return hash;
  }
}

/** A cluster's client keeps commands for nodes that it looks for, and bounds only the time of those that it has sent. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(unavailable(false)), REDIS_DEADLINE_MS);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
/** Behind the answer that is waited for, and behind that of replicas. */
const REDIS_DEADLINE_MS = REDIS_ANSWER_MS_MAX + 100;

const patience = (attempt: number): number => Math.min(REDIS_RECONNECT_MS_MAX, 20 * attempt);

const PER_NODE = {
  commandTimeout: REDIS_ANSWER_MS_MAX,
  connectTimeout: REDIS_CONNECT_MS_MAX,
  // A host that is gone without a word leaves connections that look open for minutes: one on which nothing comes, although something was asked, is
  // given up for a new one.
  socketTimeout: REDIS_SILENT_MS_MAX,
  autoResendUnfulfilledCommands: false,
  // One whose connection is lost is not sent again: it fails at once.
  maxRetriesPerRequest: 0,
} as const;

const nodeOf = (url: string): Redis =>
  new Redis(url, { ...PER_NODE, lazyConnect: true, enableOfflineQueue: false, retryStrategy: patience });

const clusterOf = (urls: readonly string[]): Cluster =>
  new Cluster([...urls], {
    lazyConnect: true,
    // Where it is false, whatever is asked of a node while its connection comes about fails.
    enableOfflineQueue: true,
    clusterRetryStrategy: patience,
    // 0: a command that was on its way when its node was lost fails, instead of being sent to the next one.
    retryDelayOnFailover: 0,
    slotsRefreshTimeout: REDIS_CONNECT_MS_MAX,
    slotsRefreshInterval: 1_000,
    redisOptions: { ...PER_NODE, ...credentialsOf(urls[0] ?? "") },
  });

/** Of a cluster's nodes that are found later, too. */
function credentialsOf(url: string): { username?: string; password?: string; tls?: Record<string, never> } {
  const { username, password, protocol } = new URL(url);
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(protocol === "rediss:" && { tls: {} }),
  };
}
