/**
 * For each of many keys, how many different others came with it in the last while: a timestamp vector (Kim and O'Hallaron, "Counting network
 * flows in real time", 2003), which is linear counting (Whang, Vander-Zanden and Taylor 1990) over a window that slides. Each other falls into
 * one cell of its key, and the cell keeps the second in which that last happened. `n` others leave `cells * exp(-n / cells)` cells empty.
 *
 * What decides about people is never the estimate but a bound: `distinctMin` and `distinctMax` are three standard errors away from it.
 */

/** A stamp is a second, modulo this, plus one: 0 stands for never. */
const STAMPS = 250;
/** The longest window in seconds. Cells that are older are emptied before their stamp could be taken for a younger one. */
export const STAMPED_SECONDS_MAX = 100;

export class StampedCells {
  readonly #cellsEach: number;
  readonly #stamps: Uint8Array;
  /** For each key, when its old cells were emptied, and when one was marked last. */
  readonly #sweptAt: Float64Array;
  readonly #markedAt: Float64Array;

  /** @param cellsEach a power of two */
  constructor(keys: number, cellsEach: number) {
    this.#cellsEach = cellsEach;
    this.#stamps = new Uint8Array(keys * cellsEach);
    this.#sweptAt = new Float64Array(keys);
    this.#markedAt = new Float64Array(keys);
  }

  get bytes(): number {
    return this.#stamps.byteLength + this.#sweptAt.byteLength + this.#markedAt.byteLength;
  }

  /** @param second on a clock that the caller chooses; one that lies before the last by more than the window is left out
   *  @param hash of the other, of which the low bits count */
  mark(key: number, hash: number, second: number): void {
    this.#sweep(key, second);
    const last = this.#markedAt[key] as number;
    if (second < last - STAMPED_SECONDS_MAX) return;
    if (second > last) this.#markedAt[key] = second;
    const at = key * this.#cellsEach + (hash & (this.#cellsEach - 1));
    const stamp = this.#stamps[at] as number;
    // What comes late must not make a cell older.
    if (stamp === 0 || second >= this.#secondOf(stamp, Math.max(second, last))) this.#stamps[at] = (second % STAMPS) + 1;
  }

  forget(key: number): void {
    this.#stamps.fill(0, key * this.#cellsEach, (key + 1) * this.#cellsEach);
    this.#sweptAt[key] = 0;
    this.#markedAt[key] = 0;
  }

  /** @param since the first second that counts, at most `STAMPED_SECONDS_MAX` before the last one that was marked */
  distinctMin(key: number, since: number): number {
    const touched = this.#touched(key, since);
    const estimate = this.#estimate(touched);
    // Each cell that was touched stands for one at least.
    return Math.max(touched, Math.floor(estimate - 3 * this.#standardError(estimate)));
  }

  distinctMax(key: number, since: number): number {
    const touched = this.#touched(key, since);
    if (touched === this.#cellsEach) return Number.POSITIVE_INFINITY;
    const estimate = this.#estimate(touched);
    return Math.ceil(estimate + 3 * this.#standardError(estimate));
  }

  #touched(key: number, since: number): number {
    const last = this.#markedAt[key] as number;
    const stamps = this.#stamps;
    const end = (key + 1) * this.#cellsEach;
    let touched = 0;
    for (let at = key * this.#cellsEach; at < end; at += 1) {
      const stamp = stamps[at] as number;
      if (stamp !== 0 && this.#secondOf(stamp, last) >= since) touched += 1;
    }
    return touched;
  }

  /** With all cells touched there may be any number; then as many as leave half a cell empty. */
  #estimate(touched: number): number {
    return -this.#cellsEach * Math.log(Math.max(0.5, this.#cellsEach - touched) / this.#cellsEach);
  }

  /** Whang et al., theorem 1: for `t` others per cell, `sqrt(cells * (exp(t) - t - 1))`. */
  #standardError(estimate: number): number {
    const load = estimate / this.#cellsEach;
    return Math.sqrt(this.#cellsEach * (Math.exp(load) - load - 1));
  }

  /** The youngest second with this stamp that is not after `last`. */
  #secondOf(stamp: number, last: number): number {
    return last - (((((last % STAMPS) - (stamp - 1)) % STAMPS) + STAMPS) % STAMPS);
  }

  /** Every so often, so that every stamp is younger than `STAMPS` seconds. */
  #sweep(key: number, second: number): void {
    const swept = this.#sweptAt[key] as number;
    if (second < swept + STAMPED_SECONDS_MAX) return;
    this.#sweptAt[key] = second;
    if (swept === 0) return;
    const last = this.#markedAt[key] as number;
    const start = key * this.#cellsEach;
    for (let at = start; at < start + this.#cellsEach; at += 1) {
      const stamp = this.#stamps[at] as number;
      if (stamp !== 0 && this.#secondOf(stamp, last) < second - STAMPED_SECONDS_MAX) this.#stamps[at] = 0;
    }
  }
}
