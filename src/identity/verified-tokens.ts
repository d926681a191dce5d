/**
 * Tokens whose signature has been checked, so that a shopper's second request costs a look-up. Two generations: what is found in the old one
 * moves to the young one; when the young one has half of the room, it becomes the old one, and the old one is forgotten as a whole. So what
 * was used lately stays, forgetting costs nothing per token, and the bounds hold at every moment.
 *
 * Only what was verified is ever kept: nobody can fill it with tokens that nobody has signed.
 */
import type { UserId } from "../core/ids.ts";
import type { UnixMs } from "../core/time.ts";
import { VERIFIED_TOKENS_CHARS_MAX, VERIFIED_TOKENS_MAX } from "../limits.ts";

export interface VerifiedToken {
  readonly userId: UserId;
  readonly userLevel: number;
  /** Not good any more from then on. */
  readonly endsAt: UnixMs;
  /** Of the keys it was verified with. */
  readonly generation: number;
}

export class VerifiedTokens {
  #young = new Map<string, VerifiedToken>();
  #old = new Map<string, VerifiedToken>();
  #youngChars = 0;

  /** How many it holds; what has moved to the young generation counts in both. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  find(text: string): VerifiedToken | undefined {
    const found = this.#young.get(text);
    if (found !== undefined) return found;
    const old = this.#old.get(text);
    if (old !== undefined) this.keep(text, old);
    return old;
  }

  keep(text: string, token: VerifiedToken): void {
    if (!this.#young.has(text)) {
      const isFull = this.#young.size >= VERIFIED_TOKENS_MAX / 2 || this.#youngChars + text.length > VERIFIED_TOKENS_CHARS_MAX / 2;
      if (isFull) {
        this.#old = this.#young;
        this.#young = new Map();
        this.#youngChars = 0;
      }
      this.#youngChars += text.length;
    }
    this.#young.set(text, token);
  }
}
