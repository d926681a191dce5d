/** Where policies survive: one row per tier. */
import type { Database } from "bun:sqlite";
import { EmbeddedTable, type RowStore, type Turns } from "../../tables/embedded-table.ts";
import type { PolicyTable } from "./policy-table.ts";
import { Policies, type PolicyRow, type TierKey } from "./tiers.ts";

export const POLICIES_SCHEMA = `
-- One row per tier: users of this level and above may have so many of the SKU.
create table policies (sku text not null, user_level integer not null, quantity_limit integer not null, primary key (sku, user_level)) strict, without rowid;
`;

/** The policies of the embedded store, read into memory. */
export function embeddedPolicies(db: Database, turns: Turns): PolicyTable {
  const rows = new PolicyStore(db);
  const view = new Policies();
  for (const row of rows.all()) view.add(row);
  return {
    table: new EmbeddedTable({ rows, turns, view, emit: () => undefined }),
    list: (after, limit) => rows.list(after, limit),
  };
}

export class PolicyStore implements RowStore<PolicyRow, TierKey> {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Within a turn. */
  save({ sku, userLevel, quantityLimit }: PolicyRow): void {
    this.#db.query("insert or replace into policies values (?, ?, ?)").run(sku, userLevel, quantityLimit);
  }

  /** Within a turn. */
  remove({ sku, userLevel }: TierKey): void {
    this.#db.query("delete from policies where sku = ? and user_level = ?").run(sku, userLevel);
  }

  *all(): Iterable<PolicyRow> {
    yield* this.#db.query<PolicyRow, []>("select sku, user_level as userLevel, quantity_limit as quantityLimit from policies").iterate();
  }

  /** Up to `limit` tiers ordered by SKU and level, from behind the given one. */
  list(after: TierKey | null, limit: number): readonly PolicyRow[] {
    return this.#db
      .query<PolicyRow, [string, number, number]>(
        "select sku, user_level as userLevel, quantity_limit as quantityLimit from policies where (sku, user_level) > (?, ?) order by sku, user_level limit ?",
      )
      .all(after?.sku ?? "", after?.userLevel ?? -1, limit);
  }
}
