/** What PolicyController asks of a store: the policies in memory, and their list in order. */
import type { Answer } from "../../core/answer.ts";
import type { Table } from "../../tables/table.ts";
import type { Policies, PolicyRow, TierKey } from "./tiers.ts";

export interface PolicyTable {
  readonly table: Table<Policies, PolicyRow, TierKey>;
  /** Up to `limit` tiers ordered by SKU and level, from behind the given one. */
  list(after: TierKey | null, limit: number): Answer<readonly PolicyRow[]>;
}
