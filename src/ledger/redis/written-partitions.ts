/** Which partitions this process has written to: there is something of its own to tell in their streams. */
import type { LuaScript, RedisScripts } from "../../core/redis.ts";
import type { Partitions } from "./partitions.ts";
import { SWEEP } from "./scripts.ts";
import { readSwept } from "./wire.ts";

export class WrittenPartitions implements RedisScripts {
  readonly #redis: RedisScripts;
  readonly #partitionOf: ReadonlyMap<string, number>;
  #written = new Set<number>();

  constructor(redis: RedisScripts, partitions: Partitions) {
    this.#redis = redis;
    this.#partitionOf = new Map(partitions.all.map((partition) => [partitions.keyOf(partition, "goods"), partition]));
  }

  /** Runs the script, and notes its partition once it has run, or may have: who looked before would find nothing. */
  async run(script: LuaScript, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    let hasToldNothing = script.isUnconfirmed === true;
    try {
      const answer = await this.#redis.run(script, keys, args);
      // Sweeps come again and again, nearly always in vain, and a look for what they have told is a transaction.
      if (script === SWEEP) hasToldNothing = readSwept(answer).reply[2] === 0;
      return answer;
    } finally {
      const partition = hasToldNothing ? undefined : this.#partitionOf.get(keys[0] ?? "");
      if (partition !== undefined) this.#written.add(partition);
    }
  }

  add(partition: number): void {
    this.#written.add(partition);
  }

  /** Those that nobody has taken yet. */
  taken(): readonly number[] {
    const taken = [...this.#written];
    this.#written = new Set();
    return taken;
  }
}
