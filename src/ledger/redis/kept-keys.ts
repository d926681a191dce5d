/**
 * Idempotency keys. The reply of a hold is kept in the partition of its SKU, in the same step as the hold. Where that is, the key's own record says:
 * it is claimed for one SKU and fingerprint before the hold, so that the same key is never two purchases, whichever processes they come to. A reply
 * that was given without a hold is in the key's own record.
 *
 * A crash between claim and hold leaves a claim without a reply. The same request goes on from there; another one with the same key is refused.
 */
import type { Sku } from "../../core/ids.ts";
import type { RedisScripts } from "../../core/redis.ts";
import { REPLY_KEPT_IN_REDIS_MS } from "../../limits/ledger.ts";
import type { HoldCommand, KeptReply, Key, Reply } from "../ledger.ts";
import { encodeReplies } from "../reply-record.ts";
import type { Partitions } from "./partitions.ts";
import { CLAIM, REMEMBER, SETTLE, UNCLAIM } from "./scripts.ts";
import { type Answered, keptReplyOf, repeatedOr } from "./wire.ts";

/** A hold whose key is not null. */
export type KeyedHold = HoldCommand & { readonly key: Key };

/** What a key is claimed for that belongs to no SKU. */
const NO_SKU = "" as Sku;

export class KeptKeys {
  readonly #redis: RedisScripts;
  readonly #partitions: Partitions;

  constructor(redis: RedisScripts, partitions: Partitions) {
    this.#redis = redis;
    this.#partitions = partitions;
  }

  /** Claims the keys of some holds, each another one. Per hold the reply that its key brings it to without a hold, `null` where the hold may be tried. */
  async claim(holds: readonly KeyedHold[]): Promise<readonly (Reply | null | Error)[]> {
    const replies: (Reply | null | Error)[] = holds.map(() => null);
    const byPartition = Map.groupBy(holds.keys(), (n) => this.#partitions.of((holds[n] as KeyedHold).key.text));
    await Promise.all(
      [...byPartition.values()].map(async (numbers) => {
        const some = numbers.map((n) => holds[n] as KeyedHold);
        try {
          const keys = some.map(({ key }) => this.#partitions.claimOf(key.text));
          const wishes = JSON.stringify(some.map(({ sku, key }) => [sku, key.fingerprint]));
          const answer = await this.#redis.run(CLAIM, keys, [wishes, String(REPLY_KEPT_IN_REDIS_MS)]);
          const claims = JSON.parse(answer as string) as readonly Answered[];
          const found = await Promise.all(claims.map((claim, m) => this.#replyOf(claim, some[m] as KeyedHold)));
          for (const [m, n] of numbers.entries()) replies[n] = found[m] ?? null;
        } catch (error) {
          for (const n of numbers) replies[n] = error as Error;
        }
      }),
    );
    return replies;
  }

  /** Claims a key for a request that is no hold: of no SKU. `mine`: the key is this request's. `other`: it is another one's. A reply: it has one already. */
  async claimOne({ text, fingerprint }: Key): Promise<"mine" | "other" | KeptReply> {
    const wish = JSON.stringify([[NO_SKU, fingerprint]]);
    const answer = await this.#redis.run(CLAIM, [this.#partitions.claimOf(text)], [wish, String(REPLY_KEPT_IN_REDIS_MS)]);
    const [[kind, sku]] = JSON.parse(answer as string) as readonly [Answered];
    if (kind === "mine") return "mine";
    if (kind === "kept") return keptReplyOf(sku as string);
    const kept = await this.#redis.run(SETTLE, [this.#partitions.replyOf(sku as HoldCommand["sku"], text)], ["", "0"]);
    return typeof kept === "string" ? keptReplyOf(kept) : "other";
  }

  /** Gives claims up for which nothing worth keeping was told. */
  async unclaim(keys: readonly Key[]): Promise<void> {
    const byPartition = Map.groupBy(keys, ({ text }) => this.#partitions.of(text));
    const keysOf = (some: readonly Key[]) => some.map(({ text }) => this.#partitions.claimOf(text));
    await Promise.all([...byPartition.values()].map((some) => this.#redis.run(UNCLAIM, keysOf(some), [])));
  }

  recall(keys: readonly Key[]): Promise<readonly (KeptReply | null)[]> {
    return Promise.all(keys.map(({ text }) => this.#keep(text, "")));
  }

  async remember(replies: readonly KeptReply[]): Promise<readonly KeptReply[]> {
    const kept: KeptReply[] = [];
    for (const reply of replies) kept.push((await this.#keep(reply.key.text, encodeReplies([reply]))) ?? reply);
    return kept;
  }

  async #replyOf([kind, sku]: Answered, hold: KeyedHold): Promise<Reply | null> {
    if (kind === "mine") return null;
    if (kind === "kept") return repeatedOr(keptReplyOf(sku as string), hold.key.fingerprint);
    const kept = await this.#redis.run(SETTLE, [this.#partitions.replyOf(sku as HoldCommand["sku"], hold.key.text)], ["", "0"]);
    if (typeof kept === "string") return repeatedOr(keptReplyOf(kept), hold.key.fingerprint);
    // Somebody else's hold is on its way with this key; the same request at the same SKU would have been let through.
    return { kind: "refused", reason: "key-reused" };
  }

  /** @param reply is kept if the key has none; "": this is only a look */
  async #keep(keyText: string, reply: string): Promise<KeptReply | null> {
    const forMs = String(REPLY_KEPT_IN_REDIS_MS);
    const answer = (await this.#redis.run(REMEMBER, [this.#partitions.claimOf(keyText)], [reply, forMs])) as Answered;
    if (answer[0] === "free") return null;
    if (answer[0] === "kept") return keptReplyOf(answer[1] as string);
    const kept = await this.#redis.run(SETTLE, [this.#partitions.replyOf(answer[1] as HoldCommand["sku"], keyText)], [reply, forMs]);
    return typeof kept === "string" ? keptReplyOf(kept) : null;
  }
}
