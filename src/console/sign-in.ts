/** Who may try to sign in, and whether the key that was given is the right one. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { MonotonicUs } from "../core/time.ts";
import { TokenBucket } from "../core/token-bucket.ts";
import {
  SIGN_IN_ADDRESSES_MAX,
  SIGN_IN_BURST,
  SIGN_IN_BURST_PER_ADDRESS,
  SIGN_IN_RATE,
  SIGN_IN_RATE_PER_ADDRESS,
} from "../limits/console.ts";

/** Both are hashed first, so that their comparison takes the same time whatever is given, and however long it is. */
export function isSameKey(given: string, key: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(key));
}

/** Bounds how many keys can be tried: from one address, and from all together. */
export class SignInAttempts {
  readonly #all = new TokenBucket({ ratePerSecond: SIGN_IN_RATE, burst: SIGN_IN_BURST });
  /** The address that has tried last stands last. */
  readonly #byAddress = new Map<string, TokenBucket>();

  /** @returns 0: it may be tried now; otherwise the seconds to wait */
  waitSeconds(address: string, now: MonotonicUs): number {
    const own = this.#of(address);
    // One address that tries again and again takes nothing from the others.
    if (own.take(1, now) === 0) return own.retryAfterSeconds();
    return this.#all.take(1, now) === 0 ? this.#all.retryAfterSeconds() : 0;
  }

  #of(address: string): TokenBucket {
    const bucket =
      this.#byAddress.get(address) ?? new TokenBucket({ ratePerSecond: SIGN_IN_RATE_PER_ADDRESS, burst: SIGN_IN_BURST_PER_ADDRESS });
    this.#byAddress.delete(address);
    const [quietest] = this.#byAddress.keys();
    if (this.#byAddress.size >= SIGN_IN_ADDRESSES_MAX && quietest !== undefined) this.#byAddress.delete(quietest);
    this.#byAddress.set(address, bucket);
    return bucket;
  }
}
