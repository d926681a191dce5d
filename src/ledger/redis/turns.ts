/**
 * Work in turns: what was asked for while a turn was under way goes together in the next one, in the order in which it was asked for. So the
 * busier the store, the larger the turns and the fewer the calls. A turn that takes longer than `patienceMs` no longer holds up the next: then the
 * order between the two is lost, which is promised to nobody, and one slow shard does not stop the others.
 */
import { Failure } from "../../core/failure.ts";
import type { DurationMs } from "../../core/time.ts";

export type After = (delay: DurationMs, run: () => void) => void;

export class Turns<Item> {
  readonly #run: (items: readonly Item[]) => Promise<void>;
  readonly #after: After;
  readonly #patienceMs: DurationMs;
  readonly #waitingMax: number;
  #waiting: Item[] = [];
  #underWay = 0;
  #isHeldUp = false;

  /** @param run never rejects: what becomes of an item is told to whoever waits for that */
  constructor(run: (items: readonly Item[]) => Promise<void>, after: After, patienceMs: DurationMs, waitingMax: number) {
    this.#run = run;
    this.#after = after;
    this.#patienceMs = patienceMs;
    this.#waitingMax = waitingMax;
  }

  /** @throws Failure when too much waits already */
  add(items: readonly Item[]): void {
    if (this.#waiting.length + this.#underWay >= this.#waitingMax)
      throw new Failure("overloaded", "too many changes wait for the store; try again in a second", true);
    const isFirst = this.#waiting.length === 0;
    for (const item of items) this.#waiting.push(item);
    // Whatever else is asked for in this turn of the event loop goes along.
    if (isFirst && !this.#isHeldUp) queueMicrotask(() => this.#next());
  }

  #next(): void {
    if (this.#isHeldUp || this.#waiting.length === 0) return;
    const items = this.#waiting;
    this.#waiting = [];
    this.#isHeldUp = true;
    this.#underWay += items.length;
    let isLate = false;
    const goOn = (): void => {
      if (isLate) return;
      isLate = true;
      this.#isHeldUp = false;
      this.#next();
    };
    if (Number.isFinite(this.#patienceMs)) this.#after(this.#patienceMs, goOn);
    void this.#run(items).finally(() => {
      this.#underWay -= items.length;
      goOn();
    });
  }
}
