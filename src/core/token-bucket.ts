/**
 * The token bucket (RFC 2697's meter without colours): `ratePerSecond` tokens flow in, at most `burst` are kept, a request takes
 * one. Time is an argument, so the bucket is a plain value that any clock can drive.
 */
import type { MonotonicUs } from "./time.ts";

export interface TokenBucketSettings {
  /** Tokens per second; `null` means unlimited. */
  readonly ratePerSecond: number | null;
  /** The most tokens kept, and so the most requests answered at one instant. */
  readonly burst: number;
}

export class TokenBucket {
  readonly #ratePerUs: number;
  readonly #burst: number;
  #tokens: number;
  #at: MonotonicUs | null = null;

  constructor(readonly settings: TokenBucketSettings) {
    this.#ratePerUs = (settings.ratePerSecond ?? 0) / 1_000_000;
    this.#burst = settings.burst;
    this.#tokens = settings.burst;
  }

  /** Takes up to `wanted` tokens and tells how many there were. The first so many of a batch are served, the rest are throttled. */
  take(wanted: number, now: MonotonicUs): number {
    if (this.settings.ratePerSecond === null) return wanted;
    this.#refill(now);
    const granted = Math.min(wanted, Math.floor(this.#tokens));
    this.#tokens -= granted;
    return granted;
  }

  /** Whole seconds until a token will be there, at least 1: the value of `Retry-After`. */
  retryAfterSeconds(): number {
    if (this.#ratePerUs === 0) return 1;
    return Math.max(1, Math.ceil((1 - this.#tokens) / this.#ratePerUs / 1_000_000));
  }

  #refill(now: MonotonicUs): void {
    const elapsedUs = this.#at === null ? 0 : Math.max(0, now - this.#at);
    this.#at = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedUs * this.#ratePerUs);
  }
}
