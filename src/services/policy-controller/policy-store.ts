/** Where policies survive: one row per tier. */
import type { Database } from "bun:sqlite";
import type { Sku } from "../../core/ids.ts";
import type { Tier } from "./tiers.ts";

export const POLICIES_SCHEMA = `
-- One row per tier: users of this level and above may have so many of the SKU.
create table policies (sku text not null, user_level integer not null, quantity_limit integer not null, primary key (sku, user_level)) strict, without rowid;
`;

export class PolicyStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Within a turn. */
  save(sku: Sku, tier: Tier): void {
    this.#db.query("insert or replace into policies values (?, ?, ?)").run(sku, tier.userLevel, tier.quantityLimit);
  }

  /** Within a turn. */
  remove(sku: Sku): void {
    this.#db.query("delete from policies where sku = ?").run(sku);
  }

  *all(): Iterable<{ sku: Sku } & Tier> {
    yield* this.#db
      .query<{ sku: Sku } & Tier, []>("select sku, user_level as userLevel, quantity_limit as quantityLimit from policies")
      .iterate();
  }

  /** Up to `limit` tiers ordered by SKU and level, from behind the given one. */
  list(after: { readonly sku: Sku; readonly userLevel: number } | null, limit: number): ({ sku: Sku } & Tier)[] {
    return this.#db
      .query<{ sku: Sku } & Tier, [string, number, number]>(
        "select sku, user_level as userLevel, quantity_limit as quantityLimit from policies where (sku, user_level) > (?, ?) order by sku, user_level limit ?",
      )
      .all(after?.sku ?? "", after?.userLevel ?? -1, limit);
  }
}
