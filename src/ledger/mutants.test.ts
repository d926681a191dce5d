/**
 * Is the suite good enough? Each mutant is the real decision with one deliberate mistake (`suite/hold-mutants.ts`, `suite/order-mutants.ts`), or an
 * ear for events that mishears. The written checks and the random histories must each catch every one of them, on their own. A mutant that gets
 * through is a defect of the suite.
 */
import { describe, expect, test } from "bun:test";
import { decide } from "./decide.ts";
import { decideOrder } from "./decide-order.ts";
import { lineWith } from "./decision.ts";
import { EmbeddedLedger, type EmbeddedLedgerOptions } from "./embedded/embedded-ledger.ts";
import { MemoryJournal } from "./embedded/memory-journal.ts";
import type { LedgerEvent, Line } from "./ledger.ts";
import { CHECKS, runCheck } from "./ledger-suite.ts";
import { holdMutants } from "./suite/hold-mutants.ts";
import { checkModel } from "./suite/model-check.ts";
import { orderMutants } from "./suite/order-mutants.ts";
import type { OpenLedger } from "./suite/shop.ts";

const SEED = 20_261_122;
const HISTORIES = 1_500;
const MUTANT_MS_MAX = 60_000;

interface Mutant {
  readonly decisions?: Pick<EmbeddedLedgerOptions, "decide" | "decideOrder">;
  /** How often an event is heard. */
  readonly hears?: (event: LedgerEvent) => number;
}

const EVENTS: readonly LedgerEvent["type"][] = [
  "hold.created",
  "hold.changed",
  "hold.released",
  "hold.expired",
  "goods.sold-out",
  "order.placed",
  "order.paid",
  "order.cancelled",
  "order.expired",
  "order.refund-due",
];

const mutants: Readonly<Record<string, Mutant>> = {
  ...Object.fromEntries(Object.entries(holdMutants).map(([mistake, mutant]) => [mistake, { decisions: { decide: mutant } }])),
  ...Object.fromEntries(Object.entries(orderMutants).map(([mistake, mutant]) => [mistake, { decisions: { decideOrder: mutant } }])),
  ...Object.fromEntries(
    EVENTS.flatMap((type) => [
      [`never tells ${type}`, { hears: (event: LedgerEvent) => (event.type === type ? 0 : 1) }],
      [`tells ${type} twice`, { hears: (event: LedgerEvent) => (event.type === type ? 2 : 1) }],
    ]),
  ),
};

const openWith =
  ({ decisions = {}, hears = () => 1 }: Mutant): OpenLedger =>
  async () => {
    const events: LedgerEvent[] = [];
    const emit = (event: LedgerEvent) => {
      for (let times = hears(event); times > 0; times -= 1) events.push(event);
    };
    const ledger = new EmbeddedLedger(new MemoryJournal(), { ...decisions, emit });
    return { ledger, sweep: (now) => ledger.sweep(now), events: () => events, close: async () => {} };
  };

/** Whether `run` found something wrong. */
const catches = (run: () => Promise<void>): Promise<boolean> =>
  run().then(
    () => false,
    () => true,
  );

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

async function isCaughtByChecks(mutant: Mutant): Promise<boolean> {
  for (const check of CHECKS) {
    if (!check.needsReopen && (await catches(() => runCheck(check, openWith(mutant))))) return true;
  }
  return false;
}

describe("a ledger that", () => {
  for (const [mistake, mutant] of Object.entries(mutants)) {
    test(
      `${mistake} is caught by a written check and by a random history`,
      async () => {
        expect(await isCaughtByChecks(mutant)).toBe(true);
        expect(await catches(() => checkModel(openWith(mutant), { runs: HISTORIES, seed: SEED, isQuick: true }))).toBe(true);
      },
      MUTANT_MS_MAX,
    );
  }

  test(
    "decides as it should, and writes into nothing that it is shown, is caught by neither",
    async () => {
      // The line that a store shows may be its own record, which it will change; the copy here may not be written into.
      const copyOf = (line: Line): Line => lineWith(line, line.held, line.heldUntil, line.pending);
      const onFrozen: Mutant = {
        decisions: {
          decide: (view, command, now) => decide(deepFreeze({ ...view, line: copyOf(view.line) }), deepFreeze(command), now),
          decideOrder: (view, command, now) => {
            const parts = view.parts.map(({ goods, line }) => ({ goods, line: copyOf(line) }));
            return decideOrder(deepFreeze({ ...view, parts }), deepFreeze(command), now);
          },
        },
      };
      expect(await isCaughtByChecks(onFrozen)).toBe(false);
      expect(await catches(() => checkModel(openWith(onFrozen), { runs: HISTORIES, seed: SEED, isQuick: true }))).toBe(false);
    },
    MUTANT_MS_MAX,
  );
});
