/** Follows addresses, networks and accounts, and says who does what a scenario describes. */
import { FOLLOWED_KEYS_MAX, PROPOSALS_PER_SLICE_MAX } from "../limits/traffic.ts";
import type { Proposal } from "../services/safe-protector/decision.ts";
import { CELLS_EACH } from "./cells-each.ts";
import { Door } from "./door.ts";
import { KeyTracker } from "./key-tracker.ts";
import { KIND_COUNT } from "./kinds.ts";
import { isPrivate } from "./private-address.ts";
import { countsOf, Lookout, type Scenario } from "./scenario.ts";
import { comesAgain, networkOf, type Slice } from "./slice.ts";
import { GROUPS, type Group } from "./summary.ts";

interface Followed {
  readonly group: Group;
  readonly lookouts: readonly Lookout[];
  readonly door: Door;
  readonly tracker: KeyTracker;
}

export class Offenders {
  readonly #followed: readonly Followed[];

  constructor(scenarios: readonly Scenario[]) {
    this.#followed = GROUPS.flatMap((group) => {
      const own = scenarios.filter((scenario) => scenario.group === group);
      if (own.length === 0) return [];
      const windows = [...new Set(own.map(({ windowSeconds }) => windowSeconds))];
      const asksForOthers = own.some(({ when }) => JSON.stringify(when).includes(group === "account" ? '"addresses"' : '"accounts"'));
      const tracker = new KeyTracker(FOLLOWED_KEYS_MAX, windows, asksForOthers ? CELLS_EACH[group] : 0, own.length);
      return [{ group, lookouts: own.map((scenario) => new Lookout(scenario)), door: new Door(), tracker }];
    });
  }

  /** Of all cells; the same from the first event to the last. */
  get bytes(): number {
    return this.#followed.reduce((sum, { tracker, door }) => sum + tracker.bytes + door.bytes, 0);
  }

  /** Adds what happened, and says who has crossed a line by it. */
  take(slice: Slice): Proposal[] {
    const found = this.#followed.flatMap((followed) => this.#takeGroup(followed, slice));
    // Where one address alone has done it, its neighbours have not.
    const alone = new Set(found.flatMap(({ scope, value }) => (scope === "address" ? [networkOf(value)] : [])));
    return found.filter(({ scope, value }) => scope !== "network" || !alone.has(value)).slice(0, PROPOSALS_PER_SLICE_MAX);
  }

  #takeGroup({ group, lookouts, door, tracker }: Followed, slice: Slice): Proposal[] {
    const keys = slice.groups[group];
    const { counts, hashes } = keys;
    const { second } = slice;
    tracker.reserve(keys.size, second);
    const slots = new Int32Array(keys.size);
    for (let index = 0; index < slots.length; index += 1) {
      slots[index] = NOT_FOLLOWED;
      const from = index * KIND_COUNT;
      if (!slice.isSifted && !door.lets(hashes[index] as number, second) && !comesAgain(counts, from)) continue;
      const slot = tracker.slotOf(keys.textOf(index));
      slots[index] = slot;
      tracker.add(slot, second, counts, from);
    }
    const marks = slice.marks[group];
    for (let mark = 0; mark < marks.length; mark += 1) {
      const slot = slots[marks.keys[mark] as number] as number;
      if (slot !== NOT_FOLLOWED) tracker.mark(slot, marks.hashes[mark] as number, second);
    }
    const found: Proposal[] = [];
    for (let index = 0; index < slots.length; index += 1) {
      const slot = slots[index] as number;
      if (slot === NOT_FOLLOWED) continue;
      for (let number = 0; number < lookouts.length; number += 1) {
        const lookout = lookouts[number] as Lookout;
        if (!lookout.sees(tracker, slot)) continue;
        const { action, name, durationSeconds, windowSeconds } = lookout.scenario;
        if (!tracker.isNews(slot, number, second, windowSeconds)) continue;
        if (group !== "account" && isPrivate(tracker.keyOf(slot))) continue;
        const evidence = {
          windowMs: windowSeconds * 1_000,
          counts: countsOf(lookout.scenario, tracker, slot),
          traceIds: slice.tracesOf(group, index),
          at: slice.at,
        };
        found.push({ scope: group, value: tracker.keyOf(slot), action, durationMs: durationSeconds * 1_000, scenario: name, evidence });
      }
    }
    return found;
  }
}

const NOT_FOLLOWED = -1;
