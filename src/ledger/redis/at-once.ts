/** Some pieces of work at a time, the others in the order in which they came. */
import { Failure } from "../../core/failure.ts";

export class AtOnce {
  readonly #underWayMax: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => Promise<void>)[] = [];
  #underWay = 0;

  constructor(underWayMax: number, waitingMax: number) {
    this.#underWayMax = underWayMax;
    this.#waitingMax = waitingMax;
  }

  /** @param work never rejects: what becomes of it is told to whoever waits for that
   *  @throws Failure when too much waits already */
  add(work: () => Promise<void>): void {
    if (this.#waiting.length >= this.#waitingMax)
      throw new Failure("overloaded", "too many orders wait for the store; try again in a second", true);
    this.#waiting.push(work);
    this.#next();
  }

  #next(): void {
    while (this.#underWay < this.#underWayMax) {
      const work = this.#waiting.shift();
      if (!work) return;
      this.#underWay += 1;
      void work().finally(() => {
        this.#underWay -= 1;
        this.#next();
      });
    }
  }
}
