/**
 * Rulings by text: user ids, and IPv6 addresses. Two texts can have one hash, and nobody may be blocked for having somebody else's: the
 * bytes of each text stand in memory too, one behind the other, and are compared before an entry counts. What was removed leaves a gap there,
 * which goes when half of a piece is gaps.
 */
import { EMPTY, HashedRulings, mixed, type Shard, shardNumberOf } from "./hashed-rulings.ts";
import type { Ruling } from "./ruling.ts";

/** The texts of one shard: of each its length in two bytes, then its UTF-8. */
interface Texts {
  bytes: Uint8Array;
  used: number;
  gaps: number;
}

const BYTES_FIRST = 256;
const GROWTH = 1.25;
const LENGTH_BYTES = 2;
const UTF8_BYTES_PER_UNIT_MAX = 3;
const encoder = new TextEncoder();

export function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mixed(hash);
}

export class TextRulings {
  readonly #table = new HashedRulings(true);
  /** By the number of the shard. */
  readonly #texts: readonly Texts[] = this.#table.shards.map(() => ({ bytes: new Uint8Array(BYTES_FIRST), used: 0, gaps: 0 }));

  get size(): number {
    return this.#table.size;
  }

  /** Bytes that are set aside for texts. */
  get textBytes(): number {
    return this.#texts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** Puts in the place of each of the first of some `textHash`es whether a text of it may be there: 0 is yes. */
  sift(hashes: Int32Array, count: number): void {
    this.#table.sift(hashes, count);
  }

  get(text: string): Ruling | undefined {
    const hash = textHash(text);
    return this.#table.mayHave(hash) ? this.#listed(hash, text) : undefined;
  }

  /** Of a text that may be there. */
  #listed(hash: number, text: string): Ruling | undefined {
    const shard = this.#table.shardOf(hash);
    const slot = this.#slotOf(shard, hash, text);
    return slot < 0 ? undefined : shard.rulings[slot];
  }

  /** @returns what stood there before */
  set(text: string, ruling: Ruling): Ruling | undefined {
    const hash = textHash(text);
    const shard = this.#table.shardOf(hash);
    const slot = this.#slotOf(shard, hash, text);
    const before = slot < 0 ? undefined : shard.rulings[slot];
    if (slot < 0) this.#table.add(hash, ruling, append(this.#textsOf(hash), text));
    else shard.rulings[slot] = ruling;
    return before;
  }

  /** @returns what stood there */
  delete(text: string): Ruling | undefined {
    const hash = textHash(text);
    const shard = this.#table.shardOf(hash);
    const slot = this.#slotOf(shard, hash, text);
    if (slot < 0) return undefined;
    const before = shard.rulings[slot];
    const texts = this.#textsOf(hash);
    texts.gaps += LENGTH_BYTES + lengthAt(texts.bytes, shard.places[slot] as number);
    this.#table.removeAt(shard, slot);
    if (texts.gaps > texts.used / 2) closeGaps(shard, texts);
    return before;
  }

  #textsOf(hash: number): Texts {
    return this.#texts[shardNumberOf(hash)] as Texts;
  }

  #slotOf(shard: Shard, hash: number, text: string): number {
    const { bytes } = this.#textsOf(hash);
    let slot = this.#table.find(shard, hash);
    while (slot >= 0 && !isAt(bytes, shard.places[slot] as number, text)) slot = this.#table.find(shard, hash, slot);
    return slot;
  }
}

const lengthAt = (bytes: Uint8Array, place: number): number => ((bytes[place] as number) << 8) | (bytes[place + 1] as number);

function isAt(bytes: Uint8Array, place: number, text: string): boolean {
  const length = lengthAt(bytes, place);
  const start = place + LENGTH_BYTES;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 127) return Buffer.from(text).equals(bytes.subarray(start, start + length));
    if (i >= length || bytes[start + i] !== code) return false;
  }
  return length === text.length;
}

/** @returns where it stands */
function append(texts: Texts, text: string): number {
  const needed = texts.used + LENGTH_BYTES + text.length * UTF8_BYTES_PER_UNIT_MAX;
  if (needed > texts.bytes.length) {
    const grown = new Uint8Array(Math.max(needed, Math.ceil(texts.bytes.length * GROWTH)));
    grown.set(texts.bytes);
    texts.bytes = grown;
  }
  const place = texts.used;
  const written = write(texts.bytes, place + LENGTH_BYTES, text);
  texts.bytes[place] = written >> 8;
  texts.bytes[place + 1] = written & 255;
  texts.used = place + LENGTH_BYTES + written;
  return place;
}

/** @returns how many bytes it has taken */
function write(bytes: Uint8Array, start: number, text: string): number {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 127) return encoder.encodeInto(text, bytes.subarray(start)).written;
    bytes[start + i] = code;
  }
  return text.length;
}

function closeGaps({ rulings, places }: Shard, texts: Texts): void {
  const { bytes } = texts;
  const kept = new Uint8Array(Math.max(BYTES_FIRST, texts.used - texts.gaps));
  let used = 0;
  for (let slot = 0; slot < rulings.length; slot += 1) {
    if (rulings[slot] === EMPTY) continue;
    const place = places[slot] as number;
    const end = place + LENGTH_BYTES + lengthAt(bytes, place);
    kept.set(bytes.subarray(place, end), used);
    places[slot] = used;
    used += end - place;
  }
  Object.assign(texts, { bytes: kept, used, gaps: 0 });
}
