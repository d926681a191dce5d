/** Decisions on disk: lists in pages and in order, what has ended left out of them, and all of it still there after a restart. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Decision, Scope } from "./blacklist.ts";
import { DECISIONS_SCHEMA, DecisionStore } from "./decision-store.ts";
import type { ListedScopes } from "./decisions.ts";

function storeWith(decisions: readonly Decision[]): DecisionStore {
  const db = new Database(":memory:");
  db.run(DECISIONS_SCHEMA);
  const store = new DecisionStore(db);
  for (const decision of decisions) store.save(decision);
  return store;
}

/** All pages of `limit` rows, one after the other. */
function pagesOf(store: DecisionStore, scopes: ListedScopes, limit: number, now: number): (readonly Decision[])[] {
  const pages: (readonly Decision[])[] = [];
  for (let after: string | null = null; ; after = pages.at(-1)?.at(-1)?.value ?? null) {
    const page = store.list(scopes, after, limit, now);
    if (page.length === 0) return pages;
    pages.push(page);
  }
}

const standing = (scope: Scope, value: string): Decision => ({ scope, value, until: null, note: "" });
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const decision: fc.Arbitrary<Decision> = fc.record({
  scope: fc.constantFrom("user", "address", "range"),
  // Beyond U+FFFF the order of UTF-16 units is not that of bytes; addresses and ranges are ASCII.
  value: fc.constant(""),
  until: fc.oneof(fc.constant(null), fc.integer({ min: 98, max: 102 })),
  note: fc.string({ maxLength: 5 }),
});
const decisions = fc.array(
  decision.chain((made) => {
    const value =
      made.scope === "user"
        ? fc.string({ unit: fc.constantFrom("a", "Z", "é", "\uffee", "🛒", "0"), minLength: 1, maxLength: 3 })
        : fc.ipV4().map((text) => (made.scope === "range" ? `${text}/32` : text));
    return value.map((value) => ({ ...made, value }));
  }),
  { maxLength: 40 },
);

describe("a list of decisions", () => {
  test("shows in its pages every decision that is in force once, in the order of bytes, and nothing that has ended", () => {
    fc.assert(
      fc.property(decisions, fc.integer({ min: 1, max: 7 }), (made, limit) => {
        const store = storeWith(made);
        const latest = new Map(made.map((each) => [`${each.scope} ${each.value}`, each]));
        for (const scopes of [["user"], ["address", "range"]] satisfies ListedScopes[]) {
          const wanted = [...latest.values()]
            .filter(({ scope, until }) => scopes.some((one) => one === scope) && (until === null || until > 100))
            .sort((a, b) => byBytes(a.value, b.value));
          const pages = pagesOf(store, scopes, limit, 100);
          expect(pages.flat()).toEqual(wanted);
          expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test("goes on behind a value that is not there any more", () => {
    const store = storeWith([standing("user", "a"), standing("user", "c")]);
    store.remove({ scope: "user", value: "a" });
    expect(store.list(["user"], "a", 10, 0)).toEqual([standing("user", "c")]);
    expect(store.list(["user"], "c", 10, 0)).toEqual([]);
  });

  test("goes on behind an address among the ranges, and behind a range among the addresses", () => {
    const store = storeWith([standing("address", "10.0.0.0"), standing("range", "10.0.0.0/8"), standing("address", "11.0.0.0")]);
    expect(pagesOf(store, ["address", "range"], 1, 0).map(([only]) => only?.value)).toEqual(["10.0.0.0", "10.0.0.0/8", "11.0.0.0"]);
  });
});

describe("a saved decision", () => {
  test("takes the place of the one of its scope and value, and of no other", () => {
    const store = storeWith([standing("user", "10.0.0.1"), standing("address", "10.0.0.1")]);
    store.save({ scope: "user", value: "10.0.0.1", until: 7, note: "again" });
    expect([...store.all()]).toEqual([
      { scope: "address", value: "10.0.0.1", until: null },
      { scope: "user", value: "10.0.0.1", until: 7 },
    ]);
    store.remove({ scope: "address", value: "10.0.0.1" });
    expect([...store.all()].map(({ scope }) => scope)).toEqual(["user"]);
  });

  test("is among the ended from its end on, those that ended first coming first, and never without an end", () => {
    const ending = (value: string, until: number): Decision => ({ ...standing("user", value), until });
    const store = storeWith([standing("user", "stays"), ending("late", 30), ending("early", 10), ending("later", 20)]);
    expect(store.ended(9, 10)).toEqual([]);
    expect(store.ended(20, 10).map(({ value }) => value)).toEqual(["early", "later"]);
    expect(store.ended(100, 2).map(({ value }) => value)).toEqual(["early", "later"]);
  });
});
