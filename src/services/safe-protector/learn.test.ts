/** What becomes of a proposal, row by row; and what many of them change together. */
import { describe, expect, test } from "bun:test";
import { LEARNED_DECISIONS_MAX, LEARNED_MS_MAX, LEARNED_REMEMBERED_MS, OFFENCES_MAX } from "../../limits/decisions.ts";
import { type Decision, idOf, keyOf, type Proposal, type Restriction } from "./decision.ts";
import { type About, decideProposal, decideProposals } from "./learn.ts";
import { StandingDecisions } from "./standing.ts";

const NOW = 1_000_000_000;
const MINUTE = 60_000;
const seenAt = (at: number) => ({ windowMs: 1_000, counts: { requests: 412 }, traceIds: ["a"], at });
const proposal = (more: Partial<Proposal> = {}): Proposal => ({
  ...{ scope: "address", value: "1.1.1.1", action: "throttle", durationMs: MINUTE, scenario: "flood", evidence: seenAt(NOW) },
  ...more,
});
const learned = (more: Partial<Decision> = {}): Decision => ({
  ...{ scope: "address", value: "1.1.1.1", action: "throttle", since: NOW - 10_000, until: NOW + MINUTE, scenario: "flood" },
  ...{ origin: "learned", note: "", offences: 3, evidence: seenAt(NOW - 5_000) },
  ...more,
});
const about = (more: Partial<About> = {}): About => ({ isAllowed: false, inForceBy: null, learned: null, ...more });
const inForce = (more: Partial<Decision> = {}): About => about({ inForceBy: "learned", learned: learned(more) });
const ended = (agoMs: number, more: Partial<Decision> = {}): About => about({ learned: learned({ until: NOW - agoMs, ...more }) });

/** What a proposal changes: the action, the offences, how long it stands from now on, and since when. */
const changed = (of: About, more: Partial<Proposal> = {}): readonly unknown[] | null => {
  const decision = decideProposal(of, proposal(more), NOW);
  return decision && [decision.action, decision.offences, (decision.until as number) - NOW, decision.since - NOW];
};

describe("a proposal", () => {
  const rows: readonly [string, About, Partial<Proposal>, readonly unknown[] | null][] = [
    ["about somebody new is decided as it says", about(), {}, ["throttle", 1, MINUTE, 0]],
    ["changes nothing for who is allowed", about({ isAllowed: true }), { action: "block" }, null],
    ["changes nothing for who is allowed, whatever was learned", { ...inForce(), isAllowed: true }, { action: "block" }, null],
    ["leaves an operator's decision alone", about({ inForceBy: "operator" }), { action: "block" }, null],
    ["leaves an imported decision alone", about({ inForceBy: "import" }), { action: "block" }, null],
    ["while the decision stands is one offence more, for twice as long", inForce(), {}, ["throttle", 4, 8 * MINUTE, -10_000]],
    ["is the second offence", inForce({ offences: 1 }), {}, ["throttle", 2, 2 * MINUTE, -10_000]],
    ["makes no decision shorter", inForce({ offences: 1, until: NOW + 9 * MINUTE }), {}, ["throttle", 2, 9 * MINUTE, -10_000]],
    ["stands no longer than the bound", inForce({ offences: 500 }), {}, ["throttle", 501, LEARNED_MS_MAX, -10_000]],
    ["is counted up to the bound", inForce({ offences: OFFENCES_MAX }), {}, ["throttle", OFFENCES_MAX, LEARNED_MS_MAX, -10_000]],
    ["of a window that was seen already is the same offence", inForce({ evidence: seenAt(NOW - 999) }), {}, null],
    ["of the very next window is another", inForce({ evidence: seenAt(NOW - 1_000) }), {}, ["throttle", 4, 8 * MINUTE, -10_000]],
    ["that is stronger takes the place at once", inForce({ evidence: seenAt(NOW) }), { action: "block" }, ["block", 4, 8 * MINUTE, 0]],
    ["that is weaker changes nothing", inForce({ action: "block" }), {}, null],
    ["to observe changes nothing where something is done", inForce(), { action: "observe" }, null],
    ["takes what was observed for no offence before it", inForce({ action: "observe", offences: 9 }), {}, ["throttle", 1, MINUTE, 0]],
    ["is remembered after the end", ended(1), {}, ["throttle", 4, 8 * MINUTE, 0]],
    ["is remembered to the last moment", ended(LEARNED_REMEMBERED_MS - 1), {}, ["throttle", 4, 8 * MINUTE, 0]],
    ["is forgotten then", ended(LEARNED_REMEMBERED_MS), {}, ["throttle", 1, MINUTE, 0]],
    ["that is weaker is decided after the end of the stronger", ended(1, { action: "block" }), {}, ["throttle", 4, 8 * MINUTE, 0]],
    ["that is stronger is decided after the end of the weaker", ended(1), { action: "block" }, ["block", 4, 8 * MINUTE, 0]],
    ["leaves an operator's decision alone that stands where one was learned", { ...inForce(), inForceBy: "operator" }, {}, null],
  ];
  test.each(rows)("%s", (_, of, more, wanted) => {
    expect(changed(of, more)).toEqual(wanted as never);
  });

  test("is written down with what was seen, and no more of it than there is room for", () => {
    const counts = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`c${index}`, index]));
    const evidence = { ...seenAt(NOW), counts, traceIds: Array.from({ length: 30 }, (_, index) => `t${index}`) };
    const decision = decideProposal(about(), proposal({ evidence }), NOW);
    expect(decision).toMatchObject({ scenario: "flood", origin: "learned", note: "", evidence: { windowMs: 1_000, at: NOW } });
    expect([Object.keys(decision?.evidence?.counts ?? {}).length, decision?.evidence?.traceIds.length]).toEqual([20, 10]);
  });
});

describe("many proposals", () => {
  const put = (changes: ReturnType<typeof decideProposals>) => changes.flatMap((change) => ("put" in change ? [change.put] : []));

  test("of one value fall together, and later ones see what became of earlier ones", () => {
    const standing = new StandingDecisions();
    const made = put(decideProposals(standing, [proposal(), proposal(), proposal({ action: "block" }), proposal()], NOW));
    expect(made).toMatchObject([{ action: "block", offences: 2 }]);
  });

  test("see the allow-list, also that of a network around them, and what operators have decided, as long as it stands", () => {
    const standing = new StandingDecisions();
    const by = { origin: "operator" } as const;
    standing.add({ ...by, scope: "network", value: "10.0.0.0/8", action: "allow", until: null });
    standing.add({ ...by, scope: "account", value: "U1", action: "allow", until: null });
    standing.add({ ...by, scope: "address", value: "11.0.0.1", action: "observe", until: NOW + 1 });
    standing.add({ ...by, scope: "address", value: "11.0.0.2", action: "observe", until: NOW });
    const asked = (
      [
        ["address", "10.1.1.1"],
        ["network", "10.1.0.0/16"],
        ["network", "8.0.0.0/5"],
        ["account", "U1"],
        ["address", "11.0.0.1"],
        ["address", "11.0.0.2"],
      ] as const
    ).map(([scope, value]) => proposal({ scope, value }));
    expect(put(decideProposals(standing, asked, NOW)).map(({ value }) => value)).toEqual(["8.0.0.0/5", "11.0.0.2"]);
  });

  const full = (until: (index: number) => number): StandingDecisions => {
    const standing = new StandingDecisions();
    for (let index = 0; index < LEARNED_DECISIONS_MAX; index += 1)
      standing.add(learned({ scope: "account", value: `U${index}`, until: until(index) }));
    return standing;
  };
  const about3 = (action: Restriction) => ["1.1.1.1", "1.1.1.2", "1.1.1.3"].map((value) => proposal({ value, action }));

  test("for which there is no room are not taken, and those that are known are", () => {
    const standing = full(() => NOW + 1);
    const known = proposal({ scope: "account", value: "U7" });
    expect(put(decideProposals(standing, [...about3("block"), known], NOW)).map(({ value }) => value)).toEqual(["U7"]);
  });

  test("take the room of those that have ended, who was learned first first", () => {
    const standing = full((index) => (index === 5 || index === 9 ? NOW : NOW + 1));
    const changes = decideProposals(standing, about3("block"), NOW);
    expect(changes.map((change) => ("put" in change ? change.put.value : idOf(change.remove)))).toEqual([
      "uU5",
      "uU9",
      "1.1.1.1",
      "1.1.1.2",
    ]);
    for (const change of changes) "put" in change ? standing.add(change.put) : standing.remove(change.remove);
    expect(standing.learned.size).toBe(LEARNED_DECISIONS_MAX);
    expect(standing.has(keyOf(learned({ value: "1.1.1.2" })))).toBe(true);
  });
});
