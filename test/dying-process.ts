/**
 * A process that dies between two of the messages that it sends: up to a moment all go through, from then on none does, to Redis or to Postgres, and an
 * open transaction ends as one whose connection is lost. What a process does in the hour of its death, undoing what it has begun for instance, is lost with
 * the rest.
 */
import { Failure } from "../src/core/failure.ts";
import type { RedisScripts } from "../src/core/redis.ts";
import type { SqlDatabase } from "../src/core/sql.ts";

export interface DyingProcess {
  readonly redis: RedisScripts;
  readonly postgres: SqlDatabase;
  /** From now on so many messages to Redis and commits of Postgres go through.
   *  @param isHeard whether the message at which it dies arrives; nobody hears what comes of it */
  dieAfter(messages: number, isHeard: boolean): void;
  isDead(): boolean;
}

export function dyingProcess(stores: { readonly redis: RedisScripts; readonly postgres: SqlDatabase }): DyingProcess {
  let left = Number.POSITIVE_INFINITY;
  let isLastHeard = false;
  let isDead = false;
  const dead = (): Failure => new Failure("store-unavailable", "the process is dead", false);
  /** Whether one more message goes out, and whether its answer comes in. */
  const sending = (): { readonly isSent: boolean } => {
    if (isDead) return { isSent: false };
    if (left === 0) {
      isDead = true;
      return { isSent: isLastHeard };
    }
    left -= 1;
    return { isSent: true };
  };
  return {
    dieAfter: (messages, isHeard) => {
      left = messages;
      isLastHeard = isHeard;
    },
    isDead: () => isDead,
    redis: {
      run: async (script, keys, args) => {
        const { isSent } = sending();
        const answer = isSent ? await stores.redis.run(script, keys, args) : null;
        if (isDead) throw dead();
        return answer;
      },
    },
    postgres: {
      read: (text, ...parameters) => (isDead ? Promise.reject(dead()) : stores.postgres.read(text, ...parameters)),
      transaction: async (work, options) => {
        if (isDead) throw dead();
        const result = await stores.postgres.transaction(async (tx) => {
          const done = await work(tx);
          if (isDead || !sending().isSent) throw dead();
          return done;
        }, options);
        if (isDead) throw dead();
        return result;
      },
    },
  };
}
