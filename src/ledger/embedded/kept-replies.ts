/** The embedded ledger's memory of idempotency keys: where each kept reply stands in the journal, and the replies of the turn under way. */
import type { UnixMs } from "../../core/time.ts";
import { KEPT_REFUSALS_SHARE, REPLIES_PER_ROW } from "../../limits.ts";
import type { KeptReply } from "../ledger.ts";
import type { Journal } from "./journal.ts";
import { ReplyIndex } from "./reply-index.ts";

export class KeptReplies {
  readonly #journal: Journal;
  readonly #index: ReplyIndex;
  /** Replies of this turn, by key: they are not in the journal yet. */
  readonly #ofThisTurn = new Map<string, KeptReply>();
  #row = 1;
  #now: UnixMs = 0;
  /** No reply that is left was kept before this. */
  #nextOutdatedAt: UnixMs = 0;

  constructor(journal: Journal, repliesMax: number) {
    this.#journal = journal;
    this.#index = new ReplyIndex(repliesMax);
  }

  restore(row: number, hashes: Uint32Array): void {
    for (let position = 0; position < hashes.length; position += 1) this.#index.add(hashes[position] as number, { row, position });
    this.#row = row + 1;
  }

  /** Tells the time at which the next replies are kept. */
  seen(now: UnixMs): void {
    if (now > this.#now) this.#now = now;
  }

  find(keyText: string): KeptReply | null {
    const fresh = this.#ofThisTurn.get(keyText);
    if (fresh) return fresh;
    return this.#index.find(this.#journal.hashOf(keyText), (location) => {
      const reply = this.#journal.readReply(location);
      return reply?.key.text === keyText ? reply : null;
    });
  }

  /** Whether one more reply can be kept; for a refusal a part of the room is out of reach. */
  hasRoom(keyText: string, isRefusal: boolean): boolean {
    return this.#index.hasRoom(this.#journal.hashOf(keyText), isRefusal ? KEPT_REFUSALS_SHARE : 1);
  }

  add(reply: KeptReply): KeptReply {
    this.#ofThisTurn.set(reply.key.text, reply);
    return reply;
  }

  /** Hands the turn's replies to the journal, in rows of a few. */
  save(): void {
    if (this.#ofThisTurn.size === 0) return;
    const all = [...this.#ofThisTurn.values()];
    for (let from = 0; from < all.length; from += REPLIES_PER_ROW) this.#saveRow(all.slice(from, from + REPLIES_PER_ROW));
    this.#ofThisTurn.clear();
  }

  #saveRow(replies: readonly KeptReply[]): void {
    const hashes = Uint32Array.from(replies, (reply) => this.#journal.hashOf(reply.key.text));
    this.#journal.saveReplies(this.#row, this.#now, hashes, replies);
    for (let position = 0; position < hashes.length; position += 1)
      this.#index.add(hashes[position] as number, { row: this.#row, position });
    this.#row += 1;
  }

  hasOutdated(before: UnixMs): boolean {
    return before > this.#nextOutdatedAt;
  }

  /** Removes up to `rowsMax` rows of replies kept before `before`; returns how many. */
  removeOutdated(before: UnixMs, rowsMax: number): number {
    const { oldestRow, removed } = this.#journal.removeSomeReplies(before, rowsMax);
    this.#index.forgetBefore(oldestRow);
    // Nothing else can be outdated before the clock has moved on a little; a minute keeps the question rare.
    if (removed < rowsMax) this.#nextOutdatedAt = before + 60_000;
    return removed;
  }
}
