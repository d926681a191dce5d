/** The events of a shared table that wait in Redis to be told, and whose turn it is to tell them. */
import type { DurationMs } from "../core/time.ts";
import type { RedisConnection } from "./redis.ts";
import { redisFailureOf } from "./redis-errors.ts";
import { LEASE, tableKey } from "./redis-table-scripts.ts";

export class RedisEvents {
  readonly #redis: RedisConnection;
  readonly #events: string;
  readonly #lease: string;

  /** @param name of the table */
  constructor(redis: RedisConnection, name: string) {
    this.#redis = redis;
    this.#events = tableKey(name, "events");
    this.#lease = tableKey(name, "lease");
  }

  /** Whether `who` alone tells events for this long. */
  async lease(who: string, forMs: DurationMs): Promise<boolean> {
    return (await this.#redis.run(LEASE, [this.#lease], [who, String(forMs)])) === 1;
  }

  /** The oldest first. */
  async events(limit: number): Promise<readonly string[]> {
    return answered(this.#redis.client.lrange(this.#events, 0, limit - 1));
  }

  /** It is told. Forgetting it twice is no mistake: every event's text is one of a kind. */
  async forget(event: string): Promise<void> {
    await answered(this.#redis.client.lrem(this.#events, 1, event));
  }
}

async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw redisFailureOf(error);
  }
}
