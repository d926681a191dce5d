/** Who is throttled has a token bucket for each decision about them: a few of their requests pass, in every process that checks them. */
import type { MonotonicUs } from "../../core/time.ts";
import { TokenBucket } from "../../core/token-bucket.ts";
import { THROTTLED_BUCKETS_MAX, THROTTLED_TO } from "../../limits/decisions.ts";
import { idOf } from "./decision.ts";
import type { Against } from "./standing.ts";

export class ThrottledBuckets {
  /** By the decision's id, those that were made first at the front. */
  readonly #buckets = new Map<string, TokenBucket>();

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token for each of the decisions; the first that has none refuses. `null`: none does. */
  refusal(throttled: readonly Against[], now: MonotonicUs): { readonly by: Against; readonly retryAfterSeconds: number } | null {
    for (const against of throttled) {
      const bucket = this.#bucketOf(against);
      if (bucket.take(1, now) === 0) return { by: against, retryAfterSeconds: bucket.retryAfterSeconds() };
    }
    return null;
  }

  #bucketOf({ scope, value }: Against): TokenBucket {
    const id = idOf({ scope, value, isAllow: false });
    const known = this.#buckets.get(id);
    if (known) return known;
    const first = this.#buckets.keys().next();
    if (this.#buckets.size >= THROTTLED_BUCKETS_MAX && !first.done) this.#buckets.delete(first.value);
    const bucket = new TokenBucket(THROTTLED_TO[scope]);
    this.#buckets.set(id, bucket);
    return bucket;
  }
}
