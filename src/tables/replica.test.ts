/** A copy that follows a log, against a store in a few lines that changes, forgets its log, and comes back in older states. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isSame, Replica, type RowFormat, type Standing } from "./replica.ts";
import type { View } from "./table.ts";
import type { LogEntry, Look, Position } from "./table-log.ts";

interface Row {
  readonly id: string;
  readonly text: string;
}

class Rows implements View<Row, string> {
  readonly texts = new Map<string, string>();
  add({ id, text }: Row): void {
    this.texts.set(id, text);
  }
  remove(id: string): void {
    this.texts.delete(id);
  }
}

const FORMAT: RowFormat<Rows, Row, string> = {
  idOf: (id) => id,
  keyOf: (id) => id,
  keyOfRow: ({ id }) => id,
  textOf: ({ text }) => text,
  rowOf: (id, text) => ({ id, text }),
  endsAt: () => null,
  emptyView: () => new Rows(),
};

interface State {
  readonly head: Position;
  readonly rows: ReadonlyMap<string, string>;
  readonly log: readonly LogEntry[];
}

class Store {
  #states: State[] = [{ head: { number: 0, mark: "" }, rows: new Map(), log: [] }];
  #marks = 0;

  get state(): State {
    return this.#states.at(-1) as State;
  }

  change(id: string, text: string | null): void {
    const { head, rows, log } = this.state;
    this.#marks += 1;
    const position = { number: head.number + 1, mark: `m${this.#marks}` };
    const next = new Map(rows);
    if (text === null) next.delete(id);
    else next.set(id, text);
    this.#states.push({ head: position, rows: next, log: [...log, { position, markBefore: head.mark, changes: [{ id, text }] }] });
  }

  forgetLog(kept: number): void {
    const { log, ...state } = this.state;
    this.#states.push({ ...state, log: log.slice(Math.max(0, log.length - kept)) });
  }

  goBack(states: number): void {
    this.#states = this.#states.slice(0, Math.max(1, this.#states.length - states));
  }

  /** @param limit entries of one look */
  look(behind: Position, limit: number): Look {
    const { head, log } = this.state;
    return { head, entries: log.filter(({ position }) => position.number > behind.number).slice(0, limit), rows: [] };
  }
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constant("change" as const), fc.constantFrom("a", "b", "c"), fc.option(fc.constantFrom("1", "2", "3"))),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant("forget" as const), fc.nat({ max: 3 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("back" as const), fc.integer({ min: 1, max: 4 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("write" as const), fc.constantFrom("a", "b", "c")) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("ask" as const)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant("hear" as const)) },
);

describe("a copy", () => {
  test("that calls itself current is what the store was when it was asked, and it comes to know, whatever becomes of store, log and answers", () => {
    let gaps = 0;
    let currents = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, limit) => {
        const store = new Store();
        let replica = new Replica(FORMAT, store.state.head);
        // Asked for, and on its way.
        let answers: { readonly asked: Position; readonly look: Look; readonly rows: ReadonlyMap<string, string> }[] = [];
        for (const [what, ...details] of steps) {
          if (what === "change") store.change(details[0] as string, details[1] as string | null);
          if (what === "forget") store.forgetLog(details[0] as number);
          if (what === "back") store.goBack(details[0] as number);
          if (what === "write" && isSame(replica.at, store.state.head)) {
            store.change(details[0] as string, "own");
            expect(replica.apply(store.look(replica.at, 1).entries)).toBe(true);
          }
          if (what === "ask") answers.push({ asked: replica.at, look: store.look(replica.at, limit), rows: store.state.rows });
          const answer = what === "hear" ? answers.shift() : undefined;
          if (!answer) continue;
          const standing = replica.take(answer.look, answer.asked);
          if (standing === "current") {
            currents += 1;
            expect([...replica.view.texts].sort()).toEqual([...answer.rows].sort());
          }
          if (standing !== "gap") continue;
          gaps += 1;
          replica = new Replica(FORMAT, store.state.head);
          replica.addRows([...store.state.rows].map(([id, text]) => ({ id, text })));
          answers = [];
        }
        // Now the store stands still.
        let standing: Standing = "behind";
        for (let looks = 0; standing === "behind" && looks <= steps.length; looks += 1)
          standing = replica.take(store.look(replica.at, limit), replica.at);
        expect(standing).not.toBe("behind");
        if (standing === "current") expect([...replica.view.texts].sort()).toEqual([...store.state.rows].sort());
      }),
      { numRuns: 2_000, seed: 1 },
    );
    // Else nothing was tested.
    expect([gaps > 300, currents > 1_000]).toEqual([true, true]);
  });

  test("comes to be current when the store stands still, without reading rows again, as long as the log reaches back to it", () => {
    const store = new Store();
    const replica = new Replica(FORMAT, store.state.head);
    for (let number = 1; number <= 10; number += 1) store.change("a", String(number));
    const standings = [1, 2, 3, 4].map(() => replica.take(store.look(replica.at, 3), replica.at));
    expect([standings, replica.view.texts.get("a")]).toEqual([["behind", "behind", "behind", "current"], "10"]);
    expect(replica.take(store.look(replica.at, 3), replica.at)).toBe("current");
  });

  test("does at once what it has written itself, and passes over it when it comes by in the log", () => {
    const store = new Store();
    const replica = new Replica(FORMAT, store.state.head);
    const asked = replica.at;
    const early = store.look(asked, 3);
    store.change("a", "1");
    const late = store.look(asked, 3);
    expect(replica.apply(late.entries)).toBe(true);
    // Two looks that were asked for before.
    expect([replica.take(early, asked), replica.take(late, asked), replica.view.texts.get("a")]).toEqual(["behind", "current", "1"]);
  });
});
