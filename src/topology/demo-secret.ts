/** The secret that signs the demo's pay pages, which any of many processes may show: the first one to ask has made it. */
import type { RedisConnection } from "../edge/redis.ts";
import { redisFailureOf } from "../edge/redis-errors.ts";

const KEY = "doorbuster:demo-pay-secret";

/** @param proposed what it is from now on, when there is none yet */
export async function demoSecretIn(redis: RedisConnection, proposed: string): Promise<string> {
  try {
    await redis.client.set(KEY, proposed, "NX");
    return (await redis.client.get(KEY)) ?? proposed;
  } catch (error) {
    throw redisFailureOf(error);
  }
}
