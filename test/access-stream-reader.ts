/** A consumer of the access streams, as the analysis of the traffic will be one: a group of them shares the entries, and inherits from the dead. */
import { Cluster, Redis } from "ioredis";
import { ACCESS_STREAM_FIELD, ACCESS_STREAM_KEYS, recordsOf } from "../src/core/access-stream.ts";

export interface ReadEntry {
  readonly key: string;
  readonly id: string;
  readonly text: string;
  readonly records: readonly string[];
}

type RawEntry = readonly [id: string, fields: readonly string[]];
const PER_READ = 50;

export class AccessStreamReader {
  readonly #redis: Redis | Cluster;
  readonly #group: string;
  readonly #consumer: string;

  private constructor(redis: Redis | Cluster, group: string, consumer: string) {
    this.#redis = redis;
    this.#group = group;
    this.#consumer = consumer;
  }

  /** The group begins with what is in the streams already. */
  static async open(urls: string, group: string, consumer: string): Promise<AccessStreamReader> {
    const redis = urls.includes(",") ? new Cluster(urls.split(",")) : new Redis(urls);
    redis.on("error", () => undefined);
    for (const key of ACCESS_STREAM_KEYS) {
      await redis.xgroup("CREATE", key, group, "0", "MKSTREAM").catch((error: Error) => {
        if (!error.message.startsWith("BUSYGROUP")) throw error;
      });
    }
    return new AccessStreamReader(redis, group, consumer);
  }

  /** What nobody of the group has read yet, up to a bound for each stream. */
  async read(): Promise<readonly ReadEntry[]> {
    const read = ACCESS_STREAM_KEYS.map(async (key) => {
      const reply = await this.#redis.xreadgroup("GROUP", this.#group, this.#consumer, "COUNT", PER_READ, "STREAMS", key, ">");
      const [stream] = (reply ?? []) as [string, RawEntry[]][];
      return entriesOf(key, stream?.[1] ?? []);
    });
    return (await Promise.all(read)).flat();
  }

  /** All that there is at the moment, read and acknowledged. */
  async readAll(): Promise<readonly ReadEntry[]> {
    const all: ReadEntry[] = [];
    for (let entries = await this.read(); entries.length > 0; entries = await this.read()) {
      all.push(...entries);
      await this.acknowledge(entries);
    }
    return all;
  }

  async acknowledge(entries: readonly ReadEntry[]): Promise<void> {
    await Promise.all(entries.map(({ key, id }) => this.#redis.xack(key, this.#group, id)));
  }

  /** Takes over what others of the group have read and not acknowledged for so long. */
  async claim(idleMsMin: number): Promise<readonly ReadEntry[]> {
    const claimed = ACCESS_STREAM_KEYS.map(async (key) => {
      const reply = await this.#redis.xautoclaim(key, this.#group, this.#consumer, idleMsMin, "0-0", "COUNT", PER_READ);
      return entriesOf(key, (reply as [string, RawEntry[]])[1]);
    });
    return (await Promise.all(claimed)).flat();
  }

  /** Entries that were read and not acknowledged. */
  async pending(): Promise<number> {
    const counts = await Promise.all(ACCESS_STREAM_KEYS.map((key) => this.#redis.xpending(key, this.#group)));
    return counts.reduce<number>((sum, reply) => sum + Number((reply as unknown[])[0]), 0);
  }

  /** Entries in each stream. */
  async lengths(): Promise<readonly number[]> {
    return Promise.all(ACCESS_STREAM_KEYS.map((key) => this.#redis.xlen(key)));
  }

  /** As a process that dies: what it has read stays unacknowledged. */
  close(): void {
    this.#redis.disconnect();
  }
}

const entriesOf = (key: string, raw: readonly RawEntry[]): ReadEntry[] =>
  raw.map(([id, fields]) => {
    const text = fields[fields.indexOf(ACCESS_STREAM_FIELD) + 1] ?? "";
    return { key, id, text, records: recordsOf(text) };
  });
