/**
 * One suite for every store: `ledgerSuite("sqlite", openSqlite)`. It knows a store by the `Ledger` contract alone. The checks are plain functions
 * that throw, so that the same ones can be run against deliberate mutants, which must not get through.
 */
import { describe, test } from "bun:test";
import { crashChecks } from "./suite/crash-checks.ts";
import { eventChecks } from "./suite/event-checks.ts";
import { holdChecks } from "./suite/hold-checks.ts";
import { checkModel, type ModelSettings } from "./suite/model-check.ts";
import { orderChecks } from "./suite/order-checks.ts";
import { placeChecks } from "./suite/place-checks.ts";
import { raceChecks } from "./suite/race-checks.ts";
import { recordChecks } from "./suite/record-checks.ts";
import { type Check, type OpenLedger, Shop } from "./suite/shop.ts";
import { timeChecks } from "./suite/time-checks.ts";
import { windowChecks } from "./suite/window-checks.ts";

export const CHECKS: readonly Check[] = [
  ...holdChecks,
  ...windowChecks,
  ...timeChecks,
  ...placeChecks,
  ...orderChecks,
  ...raceChecks,
  ...recordChecks,
  ...eventChecks,
  ...crashChecks,
];

/** Far more than any machine needs: one fsync per call, and shrinking when something is found. */
const HISTORY_MS_MAX = 1_000;

/** Runs one check against a fresh store. @throws when the store does not pass */
export async function runCheck(check: Check, open: OpenLedger): Promise<void> {
  const opened = await open();
  try {
    await check.run(new Shop(opened));
  } finally {
    await opened.close();
  }
}

/** @param canReopen whether `open` gives `reopen`; the checks of crashes are skipped for a store that keeps nothing */
export function ledgerSuite(name: string, open: OpenLedger, settings: ModelSettings & { readonly canReopen: boolean }): void {
  describe(`ledger, ${name}`, () => {
    for (const check of CHECKS) {
      if (check.needsReopen && !settings.canReopen) test.skip(`${check.sentence} (this store keeps nothing beyond its process)`, () => {});
      else test(check.sentence, () => runCheck(check, open));
    }
    const model = `${settings.runs} random histories, seed ${settings.seed}: every reply is the oracle's`;
    test(model, () => checkModel(open, settings), settings.runs * HISTORY_MS_MAX);
  });
}
