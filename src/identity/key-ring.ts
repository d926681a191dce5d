/**
 * The keys that count now, read again as they age, so that a new key is known soon and a key that was taken away is believed no longer than
 * `VERIFIED_TOKEN_MS_MAX`. Every reading counts from the moment it was asked for. Readings are never closer together than
 * `KEYS_REREAD_MS_MIN`, however many tokens name keys that nobody knows, and who comes while one is under way waits for that one.
 *
 * What cannot be read leaves the last keys in force until they are too old; from then on nobody can say whether a token is good: a failure.
 */
import { Failure } from "../core/failure.ts";
import type { Clock, MonotonicUs } from "../core/time.ts";
import { KEYS_FRESH_MS, KEYS_REREAD_MS_MIN, VERIFIED_TOKEN_MS_MAX } from "../limits.ts";
import type { TokenKeys } from "./keys.ts";

export interface KeyRingParts {
  readonly read: () => Promise<TokenKeys>;
  readonly clock: Clock;
  /** Hears, in one line, when the keys cannot be read any more, and when they can be again. Of the first reading, `open` tells. */
  readonly report: (message: string) => void;
}

/** Keys with the number of their change: what was verified with other keys has another number. */
export interface NumberedKeys extends TokenKeys {
  readonly generation: number;
}

export class KeyRing {
  readonly #parts: KeyRingParts;
  #keys: NumberedKeys | null = null;
  #readAtUs: MonotonicUs = Number.NEGATIVE_INFINITY;
  #triedAtUs: MonotonicUs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | null = null;
  #lastFault: unknown = null;

  constructor(parts: KeyRingParts) {
    this.#parts = parts;
  }

  /** Whether a token that was verified with these keys is still covered by them. Begins a reading when it is time for one. */
  stillCovers(generation: number): boolean {
    const ageMs = this.#ageMs();
    if (ageMs > KEYS_FRESH_MS) void this.#reread();
    return generation === this.#keys?.generation && ageMs < VERIFIED_TOKEN_MS_MAX;
  }

  /** The keys to check a token with. Rejects with `Failure` when they are too old and cannot be read. */
  async current(): Promise<NumberedKeys> {
    const ageMs = this.#ageMs();
    if (ageMs >= VERIFIED_TOKEN_MS_MAX) await this.#reread();
    else if (ageMs > KEYS_FRESH_MS) void this.#reread();
    if (this.#keys === null || this.#ageMs() >= VERIFIED_TOKEN_MS_MAX) throw this.#unavailable();
    return this.#keys;
  }

  /** The keys once more, for a token whose key these are without. Rejects with `Failure` when the last reading has failed: the key may be there. */
  async afterUnknownKey(): Promise<NumberedKeys> {
    await this.#reread();
    if (this.#lastFault !== null) throw this.#unavailable();
    return this.current();
  }

  /** The first reading. Rejects with what was wrong, for whoever must not start without keys. */
  async open(): Promise<void> {
    await this.#reread();
    if (this.#lastFault !== null) throw this.#lastFault;
  }

  #ageMs(): number {
    return (this.#parts.clock.monotonicUs() - this.#readAtUs) / 1_000;
  }

  #reread(): Promise<void> {
    if (this.#reading !== null) return this.#reading;
    const askedAtUs = this.#parts.clock.monotonicUs();
    if ((askedAtUs - this.#triedAtUs) / 1_000 < KEYS_REREAD_MS_MIN) return Promise.resolve();
    this.#triedAtUs = askedAtUs;
    this.#reading = this.#readNow(askedAtUs).finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readNow(askedAtUs: MonotonicUs): Promise<void> {
    try {
      const keys = await this.#parts.read();
      const { generation, fingerprint } = this.#keys ?? { generation: 0, fingerprint: null };
      if (keys.fingerprint !== fingerprint) this.#keys = { ...keys, generation: generation + 1 };
      this.#readAtUs = askedAtUs;
      if (this.#lastFault !== null) this.#parts.report("the keys for signed tokens can be read again");
      this.#lastFault = null;
    } catch (fault) {
      if (this.#lastFault === null && this.#keys !== null)
        this.#parts.report(`the keys for signed tokens cannot be read: ${messageOf(fault)}`);
      this.#lastFault = fault;
    }
  }

  #unavailable(): Failure {
    const message = "the keys for signed tokens cannot be read at the moment; try again with the same token";
    return new Failure("keys-unavailable", message, true, this.#lastFault);
  }
}

const messageOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));
