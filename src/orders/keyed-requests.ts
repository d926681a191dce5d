/**
 * Idempotency for every shopper's POST but the purchase, whose replies the ledger keeps in the step that decides: the same key and request get the
 * first reply again, another request with the key is refused with 422, and while the first is in flight with 409.
 *
 * Where several processes take requests, a key is claimed for one request before that is done: another one that comes elsewhere at the same time is
 * refused, and does nothing.
 *
 * A crash can come between the work and the keeping of its reply. So whatever the work creates takes its id from the key: done again, it
 * finds what it made the first time.
 */
import type { HttpReply } from "../core/endpoint.ts";
import { invalidKey, keyInFlight, keyReused, ownKey, parseIdempotencyKey } from "../core/idempotency-key.ts";
import { problem } from "../core/problem.ts";
import type { Clock } from "../core/time.ts";
import type { KeptReply, Key, Ledger } from "../ledger/ledger.ts";
import { KEYED_REQUESTS_IN_FLIGHT_MAX } from "../limits.ts";

/** Makes a key one request's, for all processes. */
export interface KeyClaims {
  /** `mine`: it may be done; the same request may be told so elsewhere, too. `other`: the key is another request's. A reply: it has been given meanwhile. */
  claim(key: Key): Promise<"mine" | "other" | KeptReply>;
  /** What was claimed was not decided: the key is free for any request, once nobody claims it. */
  unclaim(keys: readonly Key[]): Promise<void>;
}

export interface KeyedRequestsParts {
  readonly replies: Pick<Ledger, "recall" | "remember">;
  /** Shared with the gate's purchases: a key is one key whatever it is used for. */
  readonly keysInFlight: Set<string>;
  /** `null`: all requests come to this process, and `keysInFlight` says enough. */
  readonly claims: KeyClaims | null;
  /** An id that nothing has yet: letters and digits. */
  readonly newId: () => string;
  readonly clock: Clock;
}

export interface KeyedRequest {
  /** The `Idempotency-Key`, quoted or bare; `null` when there is none. */
  readonly header: string | null;
  /** Who asks: the same key of somebody else makes another id. */
  readonly owner: string;
  /** Whether that is proven, and the key the owner's alone (`Identity.isProven`). */
  readonly isOwned: boolean;
  /** Everything in the request that matters, without control characters. */
  readonly request: readonly (string | number)[];
}

/** Replies that decide something, refusals too, as the contract has it for purchases. What says "not now" leaves the key free. */
const DECIDED: ReadonlySet<number> = new Set([200, 201, 404, 409]);

export class KeyedRequests {
  readonly #parts: KeyedRequestsParts;

  constructor(parts: KeyedRequestsParts) {
    this.#parts = parts;
  }

  /** @param work gets the id for what it creates */
  async once({ header, owner, isOwned, request }: KeyedRequest, work: (id: string) => Promise<HttpReply>): Promise<HttpReply> {
    const { replies, claims, keysInFlight, newId, clock } = this.#parts;
    if (header === null) return work(newId());
    const bare = parseIdempotencyKey(header);
    if (bare === null) return invalidKey();
    const text = isOwned ? ownKey(owner, bare) : bare;
    if (keysInFlight.has(text)) return keyInFlight();
    if (keysInFlight.size >= KEYED_REQUESTS_IN_FLIGHT_MAX)
      return problem(503, "too many requests are on their way; try again in a second with the same key", {
        headers: { "retry-after": "1" },
      });
    keysInFlight.add(text);
    try {
      const key: Key = { text, fingerprint: request.join("\n") };
      const [known] = await replies.recall([key], clock.now());
      if (known) return again(known, key);
      const claim = (await claims?.claim(key)) ?? "mine";
      if (claim === "other") return keyReused();
      if (claim !== "mine") return again(claim, key);
      const reply = await work(idFrom(owner, bare));
      if (!DECIDED.has(reply.status) || typeof reply.body !== "string") {
        // What could not be answered may have happened: its key stays its own.
        if (reply.status < 500) await claims?.unclaim([key]);
        return reply;
      }
      const [kept] = await replies.remember([{ key, kind: "response", status: reply.status, body: reply.body }], clock.now());
      return kept ? again(kept, key) : reply;
    } finally {
      keysInFlight.delete(text);
    }
  }
}

function again(kept: KeptReply, key: Key): HttpReply {
  if (kept.kind !== "response" || kept.key.fingerprint !== key.fingerprint) return keyReused();
  const { status, body } = kept;
  return status < 400 ? { status, body } : { status, body, headers: { "content-type": "application/problem+json" } };
}

/** 96 bits of a digest: nobody finds two keys with one id. */
const idFrom = (owner: string, key: string): string => Bun.CryptoHasher.hash("sha256", ownKey(owner, key), "hex").slice(0, 24);
