/**
 * Most of a crowd does one thing and goes. Whoever is seen for the first time leaves a mark at the door and is not followed; from the second time on
 * they are (the doorkeeper of TinyLFU: Einziger, Friedman and Manes 2017). So a single event may go uncounted, and nobody is counted for others:
 * two whose marks fall together are followed a little sooner.
 */

/** Enough for some million in a generation: a full door lets everybody through, which only costs time. */
const BITS = 1 << 22;
/** A mark stays for one to two of these. */
const GENERATION_SECONDS = 60;

export class Door {
  #marks = new Uint32Array(BITS / 32);
  #older = new Uint32Array(BITS / 32);
  #generation = 0;

  get bytes(): number {
    return this.#marks.byteLength + this.#older.byteLength;
  }

  /** Whether somebody with this hash was here before; leaves the mark. */
  lets(hash: number, second: number): boolean {
    const generation = Math.floor(second / GENERATION_SECONDS);
    if (generation > this.#generation) this.#turn(generation);
    const word = (hash >>> 5) & (BITS / 32 - 1);
    const bit = 1 << (hash & 31);
    const isKnown = (((this.#marks[word] as number) | (this.#older[word] as number)) & bit) !== 0;
    this.#marks[word] = (this.#marks[word] as number) | bit;
    return isKnown;
  }

  #turn(generation: number): void {
    const isNext = generation === this.#generation + 1;
    [this.#marks, this.#older] = [this.#older, this.#marks];
    this.#marks.fill(0);
    if (!isNext) this.#older.fill(0);
    this.#generation = generation;
  }
}
