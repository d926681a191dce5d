/**
 * What each of many keys did in the last 10, 60 and 600 seconds, in fixed memory. Whoever is new is counted from the moment that they come in:
 * what is kept of a key are only events of its own, so a count is never too large, and nobody answers for what others did before.
 *
 * When there is no room, the half goes that did least in the longest window. Whoever has done more than `events of that window / (keysMax / 2)`
 * is never among them: there are not so many who did as much (the pigeonhole of Space-Saving).
 *
 * A window is ten parts, and its oldest part leaves as a whole: it is never longer than its name says, and up to a tenth shorter.
 */
import { KIND, KIND_COUNT } from "./kinds.ts";
import { StampedCells } from "./stamped-cells.ts";
import { ownText } from "./text-hash.ts";

const PARTS = 10;
/** Events that are rare and mean much keep a key in longer. */
const WORTH: readonly number[] = Array.from({ length: KIND_COUNT }, (_, kind) =>
  kind === KIND.released ? 64 : kind === KIND.malformed || kind === KIND.early || kind === KIND.refused ? 4 : 1,
);

class Ring {
  readonly partSeconds: number;
  /** Slot, then part, then kind. */
  readonly #parts: Uint32Array;
  readonly #sums: Uint32Array;
  /** The newest part of each slot, counted from the beginning of time. */
  readonly #newest: Float64Array;

  constructor(keysMax: number, seconds: number) {
    this.partSeconds = seconds / PARTS;
    this.#parts = new Uint32Array(keysMax * PARTS * KIND_COUNT);
    this.#sums = new Uint32Array(keysMax * KIND_COUNT);
    this.#newest = new Float64Array(keysMax);
  }

  get bytes(): number {
    return this.#parts.byteLength + this.#sums.byteLength + this.#newest.byteLength;
  }

  forget(slot: number): void {
    this.#parts.fill(0, slot * PARTS * KIND_COUNT, (slot + 1) * PARTS * KIND_COUNT);
    this.#sums.fill(0, slot * KIND_COUNT, (slot + 1) * KIND_COUNT);
    this.#newest[slot] = 0;
  }

  add(slot: number, second: number, counts: Uint32Array, from: number): void {
    const part = Math.floor(second / this.partSeconds);
    const newest = this.#newest[slot] as number;
    if (part > newest) this.advance(slot, part);
    // What comes so late is out of the window.
    else if (part <= newest - PARTS) return;
    const sums = slot * KIND_COUNT;
    const at = (slot * PARTS + (part % PARTS)) * KIND_COUNT;
    for (let kind = 0; kind < KIND_COUNT; kind += 1) {
      const count = counts[from + kind] as number;
      if (count === 0) continue;
      this.#parts[at + kind] = (this.#parts[at + kind] as number) + count;
      this.#sums[sums + kind] = (this.#sums[sums + kind] as number) + count;
    }
  }

  /** Lets what is older than the window go. */
  advance(slot: number, part: number): void {
    const newest = this.#newest[slot] as number;
    if (part <= newest) return;
    this.#newest[slot] = part;
    // Nothing has been counted yet.
    if (newest === 0) return;
    if (part >= newest + PARTS) {
      this.forget(slot);
      this.#newest[slot] = part;
      return;
    }
    const sums = slot * KIND_COUNT;
    for (let gone = newest + 1; gone <= part; gone += 1) {
      const at = (slot * PARTS + (gone % PARTS)) * KIND_COUNT;
      for (let kind = 0; kind < KIND_COUNT; kind += 1) {
        const count = this.#parts[at + kind] as number;
        if (count === 0) continue;
        this.#sums[sums + kind] = (this.#sums[sums + kind] as number) - count;
        this.#parts[at + kind] = 0;
      }
    }
  }

  sum(slot: number, kind: number): number {
    return this.#sums[slot * KIND_COUNT + kind] as number;
  }

  /** The first second of the window. */
  since(slot: number): number {
    return ((this.#newest[slot] as number) - PARTS + 1) * this.partSeconds;
  }

  worth(slot: number): number {
    let worth = 0;
    for (let kind = 0; kind < KIND_COUNT; kind += 1) worth += (WORTH[kind] as number) * this.sum(slot, kind);
    return worth;
  }
}

export class KeyTracker {
  readonly #keysMax: number;
  readonly #slots = new Map<string, number>();
  readonly #texts: string[] = [];
  readonly #free: number[] = [];
  readonly #rings: ReadonlyMap<number, Ring>;
  readonly #longest: Ring;
  readonly #cells: StampedCells | null;
  /** When each slot may offend again, by scenario. */
  readonly #quietUntil: Float64Array;
  readonly #scenarios: number;

  /** @param windows in seconds, each divisible by ten
   *  @param cellsEach for those who come with a key; 0: nobody asks for them */
  constructor(keysMax: number, windows: readonly number[], cellsEach: number, scenarios: number) {
    this.#keysMax = keysMax;
    this.#rings = new Map(windows.map((seconds) => [seconds, new Ring(keysMax, seconds)]));
    this.#longest = this.#rings.get(Math.max(...windows)) as Ring;
    this.#cells = cellsEach === 0 ? null : new StampedCells(keysMax, cellsEach);
    this.#scenarios = scenarios;
    this.#quietUntil = new Float64Array(keysMax * scenarios);
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Of all cells. The keys' own texts come on top, at most `keysMax` of them. */
  get bytes(): number {
    const rings = [...this.#rings.values()].reduce((sum, ring) => sum + ring.bytes, 0);
    return rings + (this.#cells?.bytes ?? 0) + this.#quietUntil.byteLength;
  }

  /** Makes room for so many new keys. Slots that were told before may be others' afterwards. */
  reserve(keys: number, second: number): void {
    if (this.#slots.size + keys <= this.#keysMax) return;
    const part = Math.floor(second / this.#longest.partSeconds);
    const worths = new Float64Array(this.#keysMax);
    for (const slot of this.#slots.values()) {
      this.#longest.advance(slot, part);
      worths[slot] = 1 + this.#longest.worth(slot);
    }
    const enough = worths.toSorted()[Math.ceil(this.#keysMax / 2)] as number;
    let asGood = Math.floor(this.#keysMax / 2) - worths.reduce((sum, worth) => sum + (worth > enough ? 1 : 0), 0);
    for (const [key, slot] of this.#slots) {
      const worth = worths[slot] as number;
      if (worth > enough) continue;
      if (worth === enough && asGood > 0) asGood -= 1;
      else this.#forget(key, slot);
    }
  }

  #forget(key: string, slot: number): void {
    this.#slots.delete(key);
    for (const ring of this.#rings.values()) ring.forget(slot);
    this.#cells?.forget(slot);
    this.#quietUntil.fill(0, slot * this.#scenarios, (slot + 1) * this.#scenarios);
    this.#free.push(slot);
  }

  /** The slot of a key, for which there is room. */
  slotOf(key: string): number {
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    const slot = this.#free.pop() ?? this.#texts.length;
    const own = ownText(key);
    this.#slots.set(own, slot);
    this.#texts[slot] = own;
    return slot;
  }

  keyOf(slot: number): string {
    return this.#texts[slot] as string;
  }

  /** @param from where the key's counts by kind begin */
  add(slot: number, second: number, counts: Uint32Array, from: number): void {
    for (const ring of this.#rings.values()) ring.add(slot, second, counts, from);
  }

  mark(slot: number, hash: number, second: number): void {
    this.#cells?.mark(slot, hash, second);
  }

  /** Of some kinds together, in a window. */
  sum(slot: number, windowSeconds: number, kinds: readonly number[]): number {
    const ring = this.#rings.get(windowSeconds) as Ring;
    let sum = 0;
    for (let i = 0; i < kinds.length; i += 1) sum += ring.sum(slot, kinds[i] as number);
    return sum;
  }

  /** How many others came with the key in a window: surely not fewer, and surely not more. */
  othersMin(slot: number, windowSeconds: number): number {
    return this.#cells?.distinctMin(slot, (this.#rings.get(windowSeconds) as Ring).since(slot)) ?? 0;
  }
  othersMax(slot: number, windowSeconds: number): number {
    return this.#cells?.distinctMax(slot, (this.#rings.get(windowSeconds) as Ring).since(slot)) ?? Number.POSITIVE_INFINITY;
  }

  /** Whether this offence is not the one that was told a moment ago. Not asked again until then. */
  isNews(slot: number, scenario: number, second: number, quietSeconds: number): boolean {
    const at = slot * this.#scenarios + scenario;
    if (second < (this.#quietUntil[at] as number)) return false;
    this.#quietUntil[at] = second + quietSeconds;
    return true;
  }
}
