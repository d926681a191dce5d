/**
 * The streams that analyses of one traffic share (`core/traffic-stream.ts`): a worker reads its part of the access records, tells a digest of it, and
 * only then acknowledges what it has read. What a worker that died had read and not told is claimed by the others, so nothing is lost with it; what
 * it had told and not acknowledged is counted twice.
 */
import { Cluster, Redis } from "ioredis";
import { ACCESS_STREAM_FIELD, ACCESS_STREAM_KEYS } from "../core/access-stream.ts";
import { DIGEST_FIELD, DIGEST_STREAM_KEY, TRAFFIC_GROUP } from "../core/traffic-stream.ts";
import { DIGESTS_MAX, DIGESTS_PER_READ, TRAFFIC_CLAIM_MS, TRAFFIC_ENTRIES_PER_READ, TRAFFIC_WINDOW_MS_MAX } from "../limits/traffic.ts";
import { REDIS_ANSWER_MS_MAX, REDIS_CONNECT_MS_MAX, REDIS_RECONNECT_MS_MAX } from "../limits.ts";
import { redisFailureOf, unavailable } from "./redis-errors.ts";

export interface AccessEntry {
  readonly key: string;
  readonly id: string;
  readonly records: Uint8Array;
}
type RawEntry = readonly [id: Buffer, fields: readonly Buffer[] | null];

export class TrafficStreams {
  readonly #redis: Redis | Cluster;
  readonly #consumer: string;
  #hasGroups = false;
  /** The last digest that was read. An id begins with its time: who is new reads what the longest window still holds. */
  #lastDigest: string;

  /** Connects by itself, and again whenever it has to. @param consumer this worker's name among all of its kind */
  constructor(urls: readonly string[], consumer: string) {
    this.#redis = connected(urls);
    this.#consumer = consumer;
    this.#lastDigest = `${Date.now() - TRAFFIC_WINDOW_MS_MAX}-0`;
    // A connection that fails is made anew; whoever asks meanwhile hears it from the question.
    this.#redis.on("error", () => undefined);
  }

  get isReady(): boolean {
    return this.#redis.status === "ready";
  }

  /** Entries that nobody has read yet, and those that somebody has read and not acknowledged for long. Rejects with a `Failure` while Redis is
   *  away, as the others do. */
  read(isClaiming: boolean): Promise<readonly AccessEntry[]> {
    return tried(this.#read(isClaiming));
  }

  acknowledge(entries: readonly Pick<AccessEntry, "key" | "id">[]): Promise<unknown> {
    const ids = Map.groupBy(entries, ({ key }) => key);
    return tried(Promise.all([...ids].map(([key, own]) => this.#redis.xack(key, TRAFFIC_GROUP, ...own.map(({ id }) => id)))));
  }

  tell(digest: Uint8Array): Promise<unknown> {
    return tried(this.#redis.xadd(DIGEST_STREAM_KEY, "MAXLEN", "~", DIGESTS_MAX, "*", DIGEST_FIELD, Buffer.from(digest)));
  }

  /** What all have told since the last look, in the order in which they did. */
  async digests(): Promise<readonly Uint8Array[]> {
    const reply = await tried(this.#redis.xreadBuffer("COUNT", DIGESTS_PER_READ, "STREAMS", DIGEST_STREAM_KEY, this.#lastDigest));
    const [stream] = (reply ?? []) as [Buffer, RawEntry[]][];
    const entries = stream?.[1] ?? [];
    this.#lastDigest = entries.at(-1)?.[0].toString() ?? this.#lastDigest;
    return entries.flatMap(([, fields]) => fields?.[1] ?? []);
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #read(isClaiming: boolean): Promise<readonly AccessEntry[]> {
    if (!this.#hasGroups) await this.#makeGroups();
    const read = ACCESS_STREAM_KEYS.map(async (key) => {
      const claimed = isClaiming ? await this.#claim(key) : [];
      const reply = await this.#redis.xreadgroupBuffer(
        "GROUP",
        TRAFFIC_GROUP,
        this.#consumer,
        "COUNT",
        TRAFFIC_ENTRIES_PER_READ,
        "STREAMS",
        key,
        ">",
      );
      const [stream] = (reply ?? []) as [Buffer, RawEntry[]][];
      return [...claimed, ...entriesOf(key, stream?.[1] ?? [])];
    });
    try {
      return (await Promise.all(read)).flat();
    } catch (error) {
      // A Redis that came back empty has no groups either.
      if (!(error instanceof Error && error.message.startsWith("NOGROUP"))) throw error;
      this.#hasGroups = false;
      throw unavailable(true, error);
    }
  }

  async #makeGroups(): Promise<void> {
    const made = ACCESS_STREAM_KEYS.map((key) =>
      this.#redis.xgroup("CREATE", key, TRAFFIC_GROUP, "0", "MKSTREAM").catch((error: Error) => {
        if (!error.message.startsWith("BUSYGROUP")) throw error;
      }),
    );
    await Promise.all(made);
    this.#hasGroups = true;
  }

  async #claim(key: string): Promise<AccessEntry[]> {
    const { redis, consumer } = { redis: this.#redis, consumer: this.#consumer };
    const reply = await redis.xautoclaim(key, TRAFFIC_GROUP, consumer, TRAFFIC_CLAIM_MS, "0-0", "COUNT", TRAFFIC_ENTRIES_PER_READ);
    const [, entries] = reply as [string, (readonly [id: string, fields: readonly string[] | null])[]];
    const inBytes = entries.map(([id, fields]) => [Buffer.from(id), fields?.map((field) => Buffer.from(field)) ?? null] as const);
    return entriesOf(key, inBytes);
  }
}

async function tried<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw redisFailureOf(error);
  }
}

/** An entry that the stream has dropped meanwhile has no fields. */
const entriesOf = (key: string, raw: readonly RawEntry[]): AccessEntry[] =>
  raw.flatMap(([id, fields]) => {
    const at = fields?.findIndex((field) => field.toString() === ACCESS_STREAM_FIELD) ?? -1;
    const records = fields?.[at + 1];
    return at < 0 || records === undefined ? [] : [{ key, id: id.toString(), records }];
  });

function connected(urls: readonly string[]): Redis | Cluster {
  const patience = (attempt: number): number => Math.min(REDIS_RECONNECT_MS_MAX, 20 * attempt);
  const node = {
    connectTimeout: REDIS_CONNECT_MS_MAX,
    commandTimeout: REDIS_ANSWER_MS_MAX,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  } as const;
  const [first = "", ...others] = urls;
  if (others.length === 0) return new Redis(first, { ...node, enableOfflineQueue: false, retryStrategy: patience });
  const { username, password, protocol } = new URL(first);
  const credentials = {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(protocol === "rediss:" && { tls: {} }),
  };
  return new Cluster([...urls], {
    enableOfflineQueue: true,
    clusterRetryStrategy: patience,
    retryDelayOnFailover: 0,
    slotsRefreshTimeout: REDIS_CONNECT_MS_MAX,
    redisOptions: { ...node, ...credentials },
  });
}
