/** Decisions that several processes share. */
import { TABLE_LOG_ENTRIES_MAX, TABLE_ROWS_PER_LOOK } from "../../limits/tables.ts";
import { SharedTable, type SharedTableFormat, type SharedTableIo } from "../../tables/shared-table.ts";
import { Blacklist, type Decision, type DecisionKey, type Scope } from "./blacklist.ts";
import type { Decisions } from "./decisions.ts";
import { isLive } from "./networks.ts";

/** Addresses and ranges have one list, so their ids have one beginning. What has a slash in it is a range. */
const USER = "u";
const ADDRESS_OR_RANGE = "i";

const idOf = ({ scope, value }: DecisionKey): string => (scope === "user" ? USER : ADDRESS_OR_RANGE) + value;

function keyOf(id: string): DecisionKey {
  const value = id.slice(1);
  const scopeOfAddress: Scope = value.includes("/") ? "range" : "address";
  return { scope: id.startsWith(USER) ? "user" : scopeOfAddress, value };
}

function rowOf(id: string, text: string): Decision {
  const [until, note] = JSON.parse(text) as [number | null, string];
  return { ...keyOf(id), until, note };
}

const FORMAT: SharedTableFormat<Blacklist, Decision, DecisionKey> = {
  name: "decisions",
  logEntriesMax: TABLE_LOG_ENTRIES_MAX,
  rowsPerLook: TABLE_ROWS_PER_LOOK,
  idOf,
  keyOf,
  keyOfRow: ({ scope, value }) => ({ scope, value }),
  textOf: ({ until, note }) => JSON.stringify([until, note]),
  rowOf,
  endsAt: ({ until }) => until,
  emptyView: () => new Blacklist(),
};

export interface SharedDecisions extends Decisions {
  readonly table: SharedTable<Blacklist, Decision, DecisionKey>;
}

/** @throws Failure when the decisions are not in memory in time */
export async function openSharedDecisions(io: SharedTableIo): Promise<SharedDecisions> {
  const table = await SharedTable.open<Blacklist, Decision, DecisionKey>(FORMAT, io);
  return {
    table,
    list: async (scopes, after, limit, now) => {
      const first = scopes[0] === "user" ? USER : ADDRESS_OR_RANGE;
      const found: Decision[] = [];
      // The first look wants one page; what has ended and was not swept yet makes further looks.
      for (let from = first + (after ?? ""), isLast = false; !isLast && found.length < limit; ) {
        const wanted = Math.min(limit - found.length, TABLE_ROWS_PER_LOOK);
        const rows = await table.rows(from, wanted);
        const ours = rows.filter(({ id }) => id.startsWith(first));
        found.push(...ours.map(({ id, text }) => rowOf(id, text)).filter(({ until }) => isLive(until, now)));
        isLast = ours.length < wanted;
        from = rows.at(-1)?.id ?? from;
      }
      return found;
    },
    ended: (now, limit) => table.ended(now, limit),
  };
}
