/** What decisions have brought about in this process: refusals by what has caused them, and what observed decisions would have refused. */
import { CAUSES_COUNTED_MAX, OBSERVED_COUNTED_MAX } from "../../limits/decisions.ts";
import { type DecisionScope, idOf } from "./decision.ts";

/** What an observed decision would have blocked, and how many of those bought later; `null`: not known. */
export type ObservedCounts = (scope: DecisionScope, value: string) => { readonly seen: number; readonly bought: number } | null;

const OTHER_CAUSES = "other";

export class Refusals {
  readonly #byCause = new Map<string, number>();
  readonly #seen = new Map<string, number>();
  #countsOf: ObservedCounts = () => null;

  /** @param cause a scenario, or who has decided */
  count(cause: string): void {
    const counted = this.#byCause.has(cause) || this.#byCause.size < CAUSES_COUNTED_MAX ? cause : OTHER_CAUSES;
    this.#byCause.set(counted, (this.#byCause.get(counted) ?? 0) + 1);
  }

  /** A decision that is only observed would have refused somebody. */
  observe(scope: DecisionScope, value: string): void {
    const id = idOf({ scope, value, isAllow: false });
    const seen = this.#seen.get(id) ?? 0;
    if (seen > 0 || this.#seen.size < OBSERVED_COUNTED_MAX) this.#seen.set(id, seen + 1);
  }

  countObservedBy(counts: ObservedCounts): void {
    this.#countsOf = counts;
  }

  observedOf(scope: DecisionScope, value: string): { readonly seen: number; readonly bought: number } {
    return this.#countsOf(scope, value) ?? { seen: this.#seen.get(idOf({ scope, value, isAllow: false })) ?? 0, bought: 0 };
  }

  /** Refusals by the scenario that has learned their decision, or by who has made it. */
  get byCause(): ReadonlyMap<string, number> {
    return this.#byCause;
  }
}
