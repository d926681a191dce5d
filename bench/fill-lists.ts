/**
 * Fills a store with policies for its goods and with a long blacklist, through the services' own tables. Half of the blacklist are users, nearly
 * half are addresses, and one in a hundred is a range: with ranges every look-up of an address has more to do.
 *
 * Usage: `bun bench/fill-lists.ts DATA_DIR SKUS BLACKLIST_ENTRIES|lists`. The folder holds a store that the system has made; `lists` are those of
 * `lists.ts`.
 */
import type { Database } from "bun:sqlite";
import { openSqliteFile } from "../src/edge/sqlite-file.ts";
import { PolicyStore } from "../src/services/policy-controller/policy-store.ts";
import type { Decision } from "../src/services/safe-protector/decision.ts";
import { DecisionStore } from "../src/services/safe-protector/decision-store.ts";
import { skuAt } from "./fill-store.ts";
import { saveLists } from "./lists.ts";

/** None of these addresses and users is one that the load generator uses. */
export function decisionAt(index: number): Decision {
  const made = { since: 1, until: null, note: "seen by the benchmark", scenario: null, offences: 0, evidence: null } as const;
  const entry = { ...made, action: "block", origin: "import" } as const;
  const low = `${(index >> 8) & 255}.${index & 255}`;
  if (index % 100 === 0) {
    const number = index / 100;
    const isWide = number % 100 === 0;
    const value = isWide ? `11.${Math.floor(number / 100)}.0.0/16` : `10.${number >> 8}.${number & 255}.0/24`;
    return { ...entry, scope: "network", value };
  }
  if (index % 2 === 0) return { ...entry, scope: "account", value: `BAD${String(index).padStart(10, "0")}` };
  return { ...entry, scope: "address", value: `100.${64 + (index >> 16)}.${low}` };
}

function fillPolicies(db: Database, skus: number): void {
  const policies = new PolicyStore(db);
  for (let index = 1; index <= skus; index += 1) {
    policies.save({ sku: skuAt(index), userLevel: 1, quantityLimit: 1 });
    policies.save({ sku: skuAt(index), userLevel: 5, quantityLimit: 5 });
  }
}

function fillBlacklist(db: Database, entries: number): void {
  const decisions = new DecisionStore(db);
  for (let index = 0; index < entries; index += 1) decisions.save(decisionAt(index));
}

if (import.meta.main) {
  const [dataDir, ...numbers] = process.argv.slice(2) as [string, ...string[]];
  const [skus, entries] = numbers.map(Number) as [number, number];
  const hasLists = numbers[1] === "lists";
  if (hasLists) saveLists(dataDir);
  const { db, close } = openSqliteFile(dataDir, "");
  db.run("begin immediate");
  fillPolicies(db, skus);
  if (!hasLists) fillBlacklist(db, entries);
  db.run("commit");
  const count = (table: string) => (db.query(`select count(*) as n from ${table}`).get() as { n: number }).n;
  const filled = { tiers: count("policies"), blacklistEntries: count("decisions") };
  close();
  console.log(JSON.stringify(filled));
}
