/** What a step does when nobody can answer for it: closed says so (503), open lets everybody pass. It is the operator's choice, per step. */
import type { Answer } from "../core/answer.ts";
import { Failure } from "../core/failure.ts";

export type WhenDown = "open" | "closed";

/** @param passed what an item hears where the step is open */
export function openWhenDown<Item, Verdict>(
  whenDown: WhenDown,
  validate: (items: readonly Item[]) => Answer<readonly Verdict[]>,
  passed: (item: Item) => Verdict,
): (items: readonly Item[]) => Answer<readonly Verdict[]> {
  if (whenDown === "closed") return validate;
  return async (items) => {
    try {
      return await validate(items);
    } catch (error) {
      if (error instanceof Failure) return items.map(passed);
      throw error;
    }
  };
}
