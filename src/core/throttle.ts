/** A service's own throttle: its token bucket driven by the process's clock, and the reply that says so. */
import type { HttpReply } from "./endpoint.ts";
import type { Clock } from "./time.ts";
import { TokenBucket, type TokenBucketSettings } from "./token-bucket.ts";

export class Throttle {
  readonly #bucket: TokenBucket;
  readonly #clock: Clock;

  constructor(settings: TokenBucketSettings, clock: Clock) {
    this.#bucket = new TokenBucket(settings);
    this.#clock = clock;
  }

  /** How many of `wanted` requests are served now: the first so many of a batch. */
  admit(wanted: number): number {
    return this.#bucket.settings.ratePerSecond === null ? wanted : this.#bucket.take(wanted, this.#clock.monotonicUs());
  }

  retryAfterSeconds(): number {
    return this.#bucket.retryAfterSeconds();
  }

  /** 429 with `Retry-After` and the documented body, which says `isThrottled`. */
  reply(body: object): HttpReply {
    return { status: 429, body: JSON.stringify(body), headers: { "retry-after": String(this.retryAfterSeconds()) } };
  }
}
