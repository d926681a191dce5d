/**
 * Which part of the ledger a SKU or an idempotency key belongs to, and what its keys are called. All keys of a partition carry one hash tag, so a
 * cluster keeps them on one node, and every script names all the keys that it uses: while a cluster moves them, a script is refused rather than
 * shown half of them.
 */
import type { Sku } from "../../core/ids.ts";
import type { Key } from "../ledger.ts";

const KINDS = ["goods", "lines", "due", "sums", "ends", "wake", "unpaid", "names", "records", "ties", "stream", "marks", "whole"] as const;

export type KeyKind = (typeof KINDS)[number];

export class Partitions {
  readonly #prefix: string;
  readonly #keys: readonly (readonly string[])[];

  /** @param prefix one for each ledger that lives in the same Redis
   *  @param count the same for every process and for as long as the data lives: it decides where everything is */
  constructor(prefix: string, count: number) {
    this.#prefix = prefix;
    this.#keys = Array.from({ length: count }, (_, n) => KINDS.map((kind) => `${this.#tag(n)}:${kind}`));
  }

  get count(): number {
    return this.#keys.length;
  }
  get all(): readonly number[] {
    return [...this.#keys.keys()];
  }

  of(text: Sku | Key["text"]): number {
    return hashOf(text) % this.#keys.length;
  }

  keysOf(partition: number): readonly string[] {
    return this.#keys[partition] as readonly string[];
  }
  keyOf(partition: number, kind: KeyKind): string {
    return `${this.#tag(partition)}:${kind}`;
  }

  /** Beside the partition's own keys, for who looks after it as a whole. */
  careOf(partition: number, kind: "restoring"): string {
    return `${this.#tag(partition)}:${kind}`;
  }

  /** Where the key says which SKU's partition has its reply, or has it itself. */
  claimOf(keyText: string): string {
    return `${this.#tag(this.of(keyText))}:key:${keyText}`;
  }
  /** The reply that a hold has kept, beside the SKU. */
  replyOf(sku: Sku, keyText: string): string {
    return `${this.#tag(this.of(sku))}:reply:${keyText}`;
  }

  #tag(partition: number): string {
    return `{${this.#prefix}:${partition}}`;
  }
}

/** FNV-1a over UTF-16 units: the same in every process, for ever. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < text.length; n += 1) hash = Math.imul(hash ^ text.charCodeAt(n), 0x01000193);
  // The low bits of FNV are weak for short texts.
  return (hash ^ (hash >>> 15)) >>> 0;
}
