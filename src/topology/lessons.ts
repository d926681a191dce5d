/** Proposals on their way to SafeProtector, whose store may be away for a while: then they are made again. */
import { Failure } from "../core/failure.ts";
import { UNLEARNED_MAX } from "../limits/traffic.ts";
import type { Proposal } from "../services/safe-protector/decision.ts";

export class Lessons {
  readonly #learn: (proposals: readonly Proposal[]) => Promise<void>;
  readonly #onBug: (error: unknown) => void;
  #ungiven: readonly Proposal[] = [];

  constructor(learn: (proposals: readonly Proposal[]) => Promise<void>, onBug: (error: unknown) => void) {
    this.#learn = learn;
    this.#onBug = onBug;
  }

  give(proposals: readonly Proposal[]): void {
    this.#learn(proposals).catch((error: unknown) => {
      if (!(error instanceof Failure)) return this.#onBug(error);
      // Of many who offend meanwhile the latest count: who goes on will be among them.
      this.#ungiven = [...this.#ungiven, ...proposals].slice(-UNLEARNED_MAX);
    });
  }

  /** To be called now and then. */
  again(): void {
    if (this.#ungiven.length === 0) return;
    const proposals = this.#ungiven;
    this.#ungiven = [];
    this.give(proposals);
  }
}
