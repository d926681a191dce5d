/**
 * Long lists and a crowd for the benchmarks of decisions: 1,000,000 addresses, 10,000 networks and 1,000,000 accounts, as the target names them,
 * and buyers of whom nobody is listed by address or account. Addresses lie anywhere in IPv4; most networks are /24, some wider, as on public lists.
 */
import { ipv4Mask, ipv4Text } from "../src/core/ip-address.ts";
import { openSqliteFile } from "../src/edge/sqlite-file.ts";
import type { Decision } from "../src/services/safe-protector/decision.ts";
import { DecisionStore } from "../src/services/safe-protector/decision-store.ts";
import { mixed } from "../src/services/safe-protector/hashed-rulings.ts";

export const ADDRESSES = 1_000_000;
export const NETWORKS = 10_000;
export const ACCOUNTS = 1_000_000;
const DECISIONS_PER_SAVE = 2_000;
/** Numbers from here on are not on the lists. */
export const CROWD_FIRST = 100_000_000;

/** The load generator's crowd comes from addresses that begin so: none of those is listed, nor in a listed network. */
const CROWD_OCTETS = { first: 100, last: 119 } as const;

/** `mixed` makes no two numbers one, so no two indexes have the same address or user. */
export const addressAt = (index: number): string => ipv4Text(mixed(index + 1));
/** No user of the load generator is called so. */
export const accountAt = (index: number): string => `USR${String(mixed(~index)).padStart(10, "0")}`;

/** Among a thousand: one /14, ten /16, ninety /20, and the rest /24. */
export function networkAt(index: number): string {
  const place = index % 1_000;
  const prefixBits = place === 0 ? 14 : place <= 10 ? 16 : place <= 100 ? 20 : 24;
  return `${ipv4Text(mixed(0x10000000 + index) & ipv4Mask(prefixBits))}/${prefixBits}`;
}

/** The first so many values that are not the crowd's. */
function* listed(wanted: number, valueAt: (index: number) => string): Generator<string> {
  for (let index = 0, made = 0; made < wanted; index += 1) {
    const value = valueAt(index);
    const octet = Number(value.slice(0, value.indexOf(".")));
    if (octet >= CROWD_OCTETS.first && octet <= CROWD_OCTETS.last) continue;
    made += 1;
    yield value;
  }
}

export const listedAddresses = (count = ADDRESSES): Generator<string> => listed(count, addressAt);
export const listedNetworks = (count = NETWORKS): Generator<string> => listed(count, networkAt);
export function* listedAccounts(count = ACCOUNTS): Generator<string> {
  for (let index = 0; index < count; index += 1) yield accountAt(index);
}

/** All decisions of the lists, one at a time, as an import makes them. */
export function* listedDecisions(): Generator<Decision> {
  const made = { action: "block", since: 1, until: null, scenario: null, origin: "import", note: "", offences: 0, evidence: null } as const;
  for (const value of listedAddresses()) yield { scope: "address", value, ...made };
  for (const value of listedNetworks()) yield { scope: "network", value, ...made };
  for (const value of listedAccounts()) yield { scope: "account", value, ...made };
}

/** Fills a store that the system has made with all of them. */
export function saveLists(folder: string): void {
  const { db, close } = openSqliteFile(folder, "");
  const decisions = new DecisionStore(db);
  db.run("begin immediate");
  let some: Decision[] = [];
  for (const decision of listedDecisions()) {
    if (some.push(decision) < DECISIONS_PER_SAVE) continue;
    decisions.saveMany(some);
    some = [];
  }
  decisions.saveMany(some);
  db.run("commit");
  close();
}
