/** The embedded ledger's memory of idempotency keys: where each kept reply stands in the journal, and the replies of the turn under way. */
import type { UnixMs } from "../../core/time.ts";
import type { KeptReply } from "../ledger.ts";
import type { Journal } from "./journal.ts";
import { ReplyIndex } from "./reply-index.ts";

export class KeptReplies {
  readonly #journal: Journal;
  readonly #index: ReplyIndex;
  /** Replies of this turn, by key: they are not in the journal yet. */
  readonly #ofThisTurn = new Map<string, KeptReply>();
  #turn = 1;
  #now: UnixMs = 0;
  /** When the oldest reply that is left was kept, at the latest; `null` until somebody has looked. */
  #nextOutdatedAt: UnixMs = 0;

  constructor(journal: Journal, repliesMax: number) {
    this.#journal = journal;
    this.#index = new ReplyIndex(repliesMax);
  }

  restore(turn: number, hashes: Uint32Array): void {
    for (let position = 0; position < hashes.length; position += 1) this.#index.add(hashes[position] as number, { turn, position });
    this.#turn = turn + 1;
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

  hasRoom(keyText: string): boolean {
    return this.#index.hasRoom(this.#journal.hashOf(keyText));
  }

  add(reply: KeptReply): KeptReply {
    this.#ofThisTurn.set(reply.key.text, reply);
    return reply;
  }

  /** Hands the turn's replies to the journal, all in one record. */
  save(): void {
    if (this.#ofThisTurn.size === 0) return;
    const replies = [...this.#ofThisTurn.values()];
    const hashes = Uint32Array.from(replies, (reply) => this.#journal.hashOf(reply.key.text));
    this.#journal.saveReplies(this.#turn, this.#now, hashes, replies);
    hashes.forEach((hash, position) => {
      this.#index.add(hash, { turn: this.#turn, position });
    });
    this.#turn += 1;
    this.#ofThisTurn.clear();
  }

  hasOutdated(before: UnixMs): boolean {
    return before > this.#nextOutdatedAt;
  }

  /** Removes up to `turnsMax` turns' replies kept before `before`; returns how many. */
  removeOutdated(before: UnixMs, turnsMax: number): number {
    const { oldestTurn, removed } = this.#journal.removeSomeReplies(before, turnsMax);
    this.#index.forgetBefore(oldestTurn);
    // Nothing else can be outdated before the clock has moved on a little; a minute keeps the question rare.
    if (removed < turnsMax) this.#nextOutdatedAt = before + 60_000;
    return removed;
  }
}
