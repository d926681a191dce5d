/** Decisions on disk: in order, each as it was saved, and all of it still there after a restart. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ACTIONS, type Decision, type DecisionScope, idOf, keyOf, LISTS, type ListName, listOf } from "./decision.ts";
import { DECISIONS_FROM_BLACKLIST, DECISIONS_SCHEMA, DecisionStore } from "./decision-store.ts";

function storeWith(decisions: readonly Decision[]): DecisionStore {
  const db = new Database(":memory:");
  db.run(DECISIONS_SCHEMA);
  const store = new DecisionStore(db);
  for (const decision of decisions) store.save(decision);
  return store;
}

/** All pages of `limit` rows, one after the other. */
function pagesOf(store: DecisionStore, list: ListName, limit: number): (readonly Decision[])[] {
  const pages: (readonly Decision[])[] = [];
  for (let after = ""; ; after = pages.at(-1)?.at(-1)?.value ?? "") {
    const page = store.rows(list, after, limit);
    if (page.length === 0) return pages;
    pages.push(page);
  }
}

const operators = { since: 1, scenario: null, origin: "operator", note: "", offences: 0, evidence: null } as const;
const standing = (scope: DecisionScope, value: string): Decision => ({ ...operators, scope, value, action: "block", until: null });
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const evidence = { windowMs: 1_000, counts: { requests: 412 }, traceIds: ["a", "b"], at: 7 };
const said = fc.oneof(
  fc.record({ origin: fc.constantFrom("operator", "import"), action: fc.constantFrom(...ACTIONS), note: fc.string({ maxLength: 5 }) }),
  fc.record({
    ...{ origin: fc.constant("learned"), action: fc.constantFrom("block", "throttle", "observe"), offences: fc.nat() },
    ...{ scenario: fc.string({ minLength: 1 }), evidence: fc.constant(evidence) },
  }),
);
const decision: fc.Arbitrary<Decision> = fc
  .tuple(fc.constantFrom<DecisionScope[]>("account", "address", "network"), fc.oneof(fc.constant(null), fc.nat()), said)
  .chain(([scope, until, rest]) => {
    // Beyond U+FFFF the order of UTF-16 units is not that of bytes; addresses and networks are ASCII.
    const value =
      scope === "account"
        ? fc.string({ unit: fc.constantFrom("a", "Z", "é", "\uffee", "🛒", "0"), minLength: 1, maxLength: 3 })
        : fc.ipV4().map((text) => (scope === "network" ? `${text}/32` : text));
    return value.map((value) => ({ ...operators, ...rest, scope, value, until }) as Decision);
  });

describe("a list of decisions", () => {
  test("shows in its pages every decision of it once, as it was saved last, in the order of bytes", () => {
    fc.assert(
      fc.property(fc.array(decision, { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), (made, limit) => {
        const store = storeWith(made);
        const latest = [...new Map(made.map((each) => [idOf(keyOf(each)), each])).values()];
        for (const list of LISTS) {
          const wanted = latest.filter((each) => listOf(keyOf(each)) === list).sort((a, b) => byBytes(a.value, b.value));
          const pages = pagesOf(store, list, limit);
          expect(pages.flat()).toEqual(wanted);
          expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true);
        }
        for (const each of latest) expect(store.find(keyOf(each))).toEqual(each);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test("goes on behind a value that is not there any more", () => {
    const store = storeWith([standing("account", "a"), standing("account", "c")]);
    store.remove(keyOf(standing("account", "a")));
    expect(store.rows("u", "a", 10)).toEqual([standing("account", "c")]);
    expect(store.rows("u", "c", 10)).toEqual([]);
  });

  test("goes on behind an address among the networks, and behind a network among the addresses", () => {
    const store = storeWith([standing("address", "10.0.0.0"), standing("network", "10.0.0.0/8"), standing("address", "11.0.0.0")]);
    expect(pagesOf(store, "i", 1).map(([only]) => only?.value)).toEqual(["10.0.0.0", "10.0.0.0/8", "11.0.0.0"]);
  });
});

describe("a saved decision", () => {
  test("takes the place of the one of its scope and value, and of no other: an allow stands beside", () => {
    const store = storeWith([standing("account", "10.0.0.1"), standing("address", "10.0.0.1")]);
    store.save({ ...standing("address", "10.0.0.1"), action: "allow" });
    store.save({ ...standing("address", "10.0.0.1"), action: "throttle", until: 7, note: "again" });
    expect([...store.all()].map(({ scope, action, until }) => [scope, action, until])).toEqual([
      ["address", "throttle", 7],
      ["address", "allow", null],
      ["account", "block", null],
    ]);
    store.remove({ scope: "address", value: "10.0.0.1", isAllow: false });
    expect([...store.all()].map(({ scope, action }) => `${action} ${scope}`)).toEqual(["allow address", "block account"]);
  });

  test("is among the forgotten from its end on, a learned one a day later; those that ended first come first", () => {
    const ending = (value: string, until: number): Decision => ({ ...standing("account", value), until });
    const store = storeWith([standing("account", "stays"), ending("late", 30), ending("early", 10), ending("later", 20)]);
    store.save({ ...ending("learned", 10), origin: "learned", scenario: "flood", offences: 1 });
    const forgotten = (now: number, limit: number) => store.forgotten(now, limit).map(({ value }) => value);
    expect(forgotten(9, 10)).toEqual([]);
    expect(forgotten(20, 10)).toEqual(["early", "later"]);
    expect(forgotten(100, 2)).toEqual(["early", "later"]);
    expect(forgotten(24 * 3_600_000 + 10, 10)).toEqual(["early", "later", "late", "learned"]);
  });
});

test("a blacklist of before is a list of decisions to block, of operators, and ends when it did", () => {
  const db = new Database(":memory:");
  db.run(`
    create table decisions (scope text not null, value text not null, until_ms integer, note text not null, primary key (scope, value)) strict, without rowid;
    create index decisions_ending on decisions (until_ms) where until_ms is not null;
    insert into decisions values ('user', 'U1', null, 'caught by hand'), ('address', '::1', 70, ''), ('range', '10.0.0.0/8', null, '')`);
  db.run(`begin; ${DECISIONS_FROM_BLACKLIST} commit`);
  const store = new DecisionStore(db);
  const before = (scope: DecisionScope, value: string): Decision => ({ ...standing(scope, value), since: 0 });
  expect(store.rows("u", "", 10)).toEqual([{ ...before("account", "U1"), note: "caught by hand" }]);
  expect(store.rows("i", "", 10)).toEqual([before("network", "10.0.0.0/8"), { ...before("address", "::1"), until: 70 }]);
  expect(store.forgotten(70, 10).map(({ value }) => value)).toEqual(["::1"]);
});
