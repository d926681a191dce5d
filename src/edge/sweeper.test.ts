/** What keeps a sweeper going, and what ends it. */
import { expect, test } from "bun:test";
import { waitFor } from "../../test/wait.ts";
import { Failure } from "../core/failure.ts";
import { Sweeper } from "./sweeper.ts";
import { systemClock } from "./system-clock.ts";

/** Sweeps with a store that fails like this, beside one that does not. */
async function sweepsWith(failure: Error, sweptMin: number) {
  const bugs: unknown[] = [];
  let [failing, other] = [0, 0];
  const fail = async (): Promise<boolean> => {
    failing += 1;
    throw failure;
  };
  const sweep = async (): Promise<boolean> => {
    other += 1;
    return false;
  };
  const sweeper = new Sweeper([fail, sweep], systemClock, 1, (bug) => bugs.push(bug));
  await waitFor(() => failing >= sweptMin, "there were so many sweeps");
  const ticks = { failing, other };
  sweeper.stop();
  return { ...ticks, bugs };
}

test("a store with too much to do, or that is away, is asked again at the next tick, and keeps no other from its sweep", async () => {
  for (const code of ["overloaded", "store-unavailable"] as const) {
    const { failing, other, bugs } = await sweepsWith(new Failure(code, "not now", true), 3);
    expect([failing >= 3, other >= 2, bugs]).toEqual([true, true, []]);
  }
});

test("a bug ends the sweeper, and is told", async () => {
  const bug = new Error("a bug");
  expect((await sweepsWith(bug, 1)).bugs).toEqual([bug]);
});
