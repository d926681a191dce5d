/** The shipped scenarios among a crowd: who attacks is caught within a second of crossing the line, and of the people nobody is. */

import { describe, expect, test } from "bun:test";
import { asRead } from "../../test/read-events.ts";
import { type Attempt, crowd, Gate, HUMANS } from "../../test/traffic-crowd.ts";
import type { Proposal } from "../services/safe-protector/decision.ts";
import { Analysis } from "./analysis.ts";
import { DEFAULT_SCENARIOS } from "./default-scenarios.ts";
import { networkOf } from "./slice.ts";

const STARTS_AT = Date.UTC(2026, 10, 22, 12);
/** From an event to a decision that is in force: the slice, the hand-over, the commit. */
const DECIDED_AFTER_MS = 300;

interface Course {
  readonly proposals: readonly Proposal[];
  /** People who were refused by a decision. */
  readonly blockedHumans: ReadonlySet<number>;
  readonly attempts: number;
}

/** Sends everybody past the analysis, as it goes on in time: what is decided is in force a little later. */
function run(attempts: readonly Attempt[], stock = 500): Course {
  const analysis = new Analysis({ scenarios: DEFAULT_SCENARIOS, seed: 7 });
  const gate = new Gate(STARTS_AT, stock);
  const inForce = new Map<string, number>();
  const blockedHumans = new Set<number>();
  const proposals: Proposal[] = [];
  const sorted = attempts.toSorted((a, b) => a.at - b.at);
  let sliceEnds = 0;
  for (const attempt of sorted) {
    if (attempt.at >= sliceEnds) {
      for (const proposal of analysis.merge(analysis.slices())) {
        proposals.push(proposal);
        if (proposal.action !== "observe") inForce.set(`${proposal.scope} ${proposal.value}`, sliceEnds + DECIDED_AFTER_MS - 200);
      }
      sliceEnds = Math.floor(attempt.at / 200) * 200 + 200;
    }
    const { clientIp, userId, at, human } = attempt;
    const keys = [`address ${clientIp}`, `network ${networkOf(clientIp)}`, `account ${userId}`];
    const isBlocked = keys.some((key) => (inForce.get(key) ?? Number.POSITIVE_INFINITY) <= at);
    if (isBlocked && human !== null) blockedHumans.add(human);
    analysis.add(asRead([gate.answer(attempt, isBlocked)]));
  }
  proposals.push(...analysis.merge(analysis.slices()));
  return { proposals, blockedHumans, attempts: sorted.length };
}

type Bot = Pick<Attempt, "at" | "userId" | "clientIp"> & Partial<Attempt>;
const bots = (count: number, attempt: (index: number) => Bot): Attempt[] =>
  Array.from({ length: count }, (_, index) => ({ what: "buy", told: null, human: null, ...attempt(index) }));

/** Each with the key that is to be decided about, and the number of the attempt that crosses the line. */
const ATTACKS: Readonly<
  Record<string, { readonly key: string; readonly line: number; readonly scenario: string; readonly attempts: Attempt[] }>
> = {
  "a flood from one address": {
    ...{ key: "address 45.0.0.1", line: 300, scenario: "request-flood-address" },
    attempts: bots(3_000, (i) => ({ at: STARTS_AT + 20_000 + i * 10, userId: `flood${i % 10}`, clientIp: "45.0.0.1" })),
  },
  "a flood by one account": {
    ...{ key: "account flooder", line: 100, scenario: "request-flood-account" },
    attempts: bots(2_000, (i) => ({ at: STARTS_AT + 20_000 + i * 20, userId: "flooder", clientIp: "45.0.1.1" })),
  },
  "five thousand accounts from one address within a minute": {
    // The line is where 3,000 are certain: three standard errors further.
    ...{ key: "address 45.0.2.1", line: 3_700, scenario: "many-accounts-address" },
    attempts: bots(5_000, (i) => ({ at: STARTS_AT + i * 12, userId: `fake${i}`, clientIp: "45.0.2.1" })),
  },
  "one account from ever new addresses": {
    ...{ key: "account rotator", line: 14, scenario: "many-addresses-account" },
    attempts: bots(1_000, (i) => ({ at: STARTS_AT + i * 50, userId: "rotator", clientIp: `46.${i >> 8}.${i & 255}.9` })),
  },
  "hammering before the start": {
    ...{ key: "account early", line: 40, scenario: "early-hammering-account" },
    attempts: bots(300, (i) => ({ at: STARTS_AT - 18_000 + i * 120, userId: "early", clientIp: "45.0.3.1" })),
  },
  "requests that no page of ours makes": {
    ...{ key: "address 45.0.4.1", line: 60, scenario: "malformed-address" },
    attempts: bots(500, (i) => ({ at: STARTS_AT + i * 100, userId: null, clientIp: "45.0.4.1", what: "malformed" })),
  },
  "trying what is refused anyway": {
    ...{ key: "account stubborn", line: 40, scenario: "refused-account" },
    attempts: bots(150, (i) => ({ at: STARTS_AT + i * 300, userId: "stubborn", clientIp: "45.0.5.1", told: "unknown-goods" })),
  },
  "buying and giving back, again and again": {
    // The very first event of somebody new may go uncounted.
    ...{ key: "account squatter", line: 11, scenario: "stock-squatting" },
    attempts: bots(40, (i) => ({
      at: STARTS_AT + 100 + i * 2_000,
      userId: "squatter",
      clientIp: "45.0.6.1",
      told: "allowed",
      what: i % 2 === 0 ? "buy" : "release",
    })),
  },
};

const humans = crowd(11, STARTS_AT);

describe("among a crowd of 20,000, of whom 600 come from one address", () => {
  test("nobody is blocked who only wants to buy, and be it that there is nothing to be had", () => {
    const { proposals, attempts } = run(humans, 0);
    expect(attempts).toBeGreaterThan(3 * HUMANS);
    expect(proposals).toEqual([]);
  });

  test("every attack is caught within a second of crossing its line and says why, and of the people fewer than 1 in 10,000 are blocked", () => {
    const attacks = Object.values(ATTACKS);
    const { proposals, blockedHumans } = run([...humans, ...attacks.flatMap(({ attempts }) => attempts)], 2_000);
    for (const { key, line, scenario, attempts } of attacks) {
      const first = proposals.find(({ scope, value }) => `${scope} ${value}` === key);
      expect([key, first?.scenario]).toEqual([key, scenario]);
      const crossedAt = attempts[line - 1]?.at as number;
      const lateMs = (first?.evidence.at ?? Number.POSITIVE_INFINITY) + DECIDED_AFTER_MS - crossedAt;
      expect([key, lateMs < 1_000]).toEqual([key, true]);
      expect(Object.values(first?.evidence.counts ?? {}).length).toBeGreaterThan(0);
      // What never became a purchase has no trace.
      if (scenario !== "malformed-address") expect(first?.evidence.traceIds.length).toBeGreaterThan(0);
    }
    expect(blockedHumans.size / HUMANS).toBeLessThan(1 / 10_000);
  });

  test("thousands behind one address who wait their turn have nothing to fear from how many they are", () => {
    // All within ten seconds, three tries each, and nothing left to buy.
    const many = bots(7_500, (i) => ({ at: STARTS_AT + i * 1.3, userId: `behind${i % 2_500}`, clientIp: "203.0.113.250" }));
    expect(run(many, 0).proposals).toEqual([]);
  });
});
