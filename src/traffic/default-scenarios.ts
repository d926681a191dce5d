/**
 * The scenarios that are in force unless the configuration brings its own. Each number is reasoned in ADR 26; the test beside the analysis sends
 * a crowd of 20,000 past them, with 600 people behind one address, and expects that nobody of it is blocked.
 *
 * A household, an office and a carrier's address are many people, so an address is never judged by how much comes from it alone. What people
 * behind one address have in common is that they are many accounts, each with a few tries; a program is few accounts with many requests, or a new
 * account with nearly every request.
 */
import type { Scenario } from "./scenario.ts";

const MINUTES = 60;

export const DEFAULT_SCENARIOS: readonly Scenario[] = [
  {
    name: "request-flood-account",
    group: "account",
    windowSeconds: 10,
    when: [{ signal: "requests", atLeast: 100 }],
    action: "block",
    durationSeconds: 10 * MINUTES,
  },
  {
    name: "request-flood-address",
    group: "address",
    windowSeconds: 10,
    when: [
      { signal: "requests", atLeast: 300 },
      { signal: "accounts", of: "requests", atMost: 0.05 },
    ],
    action: "block",
    durationSeconds: 10 * MINUTES,
  },
  {
    name: "request-flood-network",
    group: "network",
    windowSeconds: 10,
    when: [
      { signal: "requests", atLeast: 2_000 },
      { signal: "accounts", of: "requests", atMost: 0.02 },
    ],
    action: "throttle",
    durationSeconds: 5 * MINUTES,
  },
  {
    name: "many-accounts-address",
    group: "address",
    windowSeconds: 60,
    when: [
      { signal: "accounts", atLeast: 3_000 },
      { signal: "accounts", of: "requests", atLeast: 0.7 },
    ],
    action: "block",
    durationSeconds: 10 * MINUTES,
  },
  {
    name: "many-accounts-network",
    group: "network",
    windowSeconds: 60,
    when: [
      { signal: "accounts", atLeast: 3_000 },
      { signal: "accounts", of: "requests", atLeast: 0.6 },
      { signal: "held", of: "requests", atMost: 0.05 },
    ],
    action: "throttle",
    durationSeconds: 5 * MINUTES,
  },
  {
    name: "many-addresses-account",
    group: "account",
    windowSeconds: 60,
    when: [{ signal: "addresses", atLeast: 12 }],
    action: "block",
    durationSeconds: 30 * MINUTES,
  },
  {
    name: "early-hammering-account",
    group: "account",
    windowSeconds: 10,
    when: [{ signal: "early", atLeast: 40 }],
    action: "block",
    durationSeconds: 5 * MINUTES,
  },
  {
    name: "early-hammering-address",
    group: "address",
    windowSeconds: 10,
    when: [
      { signal: "early", atLeast: 150 },
      { signal: "accounts", of: "requests", atMost: 0.05 },
    ],
    action: "block",
    durationSeconds: 5 * MINUTES,
  },
  {
    name: "malformed-address",
    group: "address",
    windowSeconds: 60,
    when: [
      { signal: "malformed", atLeast: 60 },
      { signal: "malformed", of: "requests", atLeast: 0.8 },
    ],
    action: "block",
    durationSeconds: 10 * MINUTES,
  },
  {
    name: "refused-account",
    group: "account",
    windowSeconds: 60,
    when: [
      { signal: "refused", atLeast: 40 },
      { signal: "refused", of: "requests", atLeast: 0.9 },
    ],
    action: "block",
    durationSeconds: 5 * MINUTES,
  },
  {
    name: "refused-address",
    group: "address",
    windowSeconds: 60,
    when: [
      { signal: "refused", atLeast: 300 },
      { signal: "refused", of: "requests", atLeast: 0.9 },
      { signal: "accounts", of: "requests", atMost: 0.05 },
    ],
    action: "block",
    durationSeconds: 10 * MINUTES,
  },
  {
    name: "stock-squatting",
    group: "account",
    windowSeconds: 600,
    when: [
      { signal: "released", atLeast: 5 },
      // To give back what one does not have is no squatting.
      { signal: "held", atLeast: 5 },
      { signal: "released", of: "held", atLeast: 0.6 },
    ],
    action: "block",
    durationSeconds: 60 * MINUTES,
  },
];
