/** Policies that several processes share. */
import type { Sku } from "../../core/ids.ts";
import { TABLE_LOG_ENTRIES_MAX, TABLE_ROWS_PER_LOOK } from "../../limits/tables.ts";
import { USER_LEVEL_MAX } from "../../limits.ts";
import { SharedTable, type SharedTableFormat, type SharedTableIo } from "../../tables/shared-table.ts";
import type { PolicyTable } from "./policy-table.ts";
import { Policies, type PolicyRow, type TierKey } from "./tiers.ts";

/** Stands between a SKU and a level: below every character that a SKU may have, so that the order of SKUs stays. */
const SEPARATOR = "\u0002";
const LEVEL_DIGITS = String(USER_LEVEL_MAX).length;

const idOf = ({ sku, userLevel }: TierKey): string => sku + SEPARATOR + String(userLevel).padStart(LEVEL_DIGITS, "0");

function keyOf(id: string): TierKey {
  const [sku, level] = id.split(SEPARATOR) as [Sku, string];
  return { sku, userLevel: Number(level) };
}

const rowOf = (id: string, text: string): PolicyRow => ({ ...keyOf(id), quantityLimit: Number(text) });

const FORMAT: SharedTableFormat<Policies, PolicyRow, TierKey> = {
  name: "policies",
  logEntriesMax: TABLE_LOG_ENTRIES_MAX,
  rowsPerLook: TABLE_ROWS_PER_LOOK,
  idOf,
  keyOf,
  keyOfRow: ({ sku, userLevel }) => ({ sku, userLevel }),
  textOf: ({ quantityLimit }) => String(quantityLimit),
  rowOf,
  endsAt: () => null,
  emptyView: () => new Policies(),
};

export interface SharedPolicies extends PolicyTable {
  readonly table: SharedTable<Policies, PolicyRow, TierKey>;
}

/** @throws Failure when the policies are not in memory in time */
export async function openSharedPolicies(io: SharedTableIo): Promise<SharedPolicies> {
  const table = await SharedTable.open<Policies, PolicyRow, TierKey>(FORMAT, io);
  return {
    table,
    list: async (after, limit) => (await table.rows(after && idOf(after), limit)).map(({ id, text }) => rowOf(id, text)),
  };
}
