/** What SafeProtector asks of a store: the blacklist in memory, and lists of what is too long to stand there with its notes. */
import type { Answer } from "../../core/answer.ts";
import type { UnixMs } from "../../core/time.ts";
import type { Table } from "../../tables/table.ts";
import type { Blacklist, Decision, DecisionKey } from "./blacklist.ts";

/** The lists of addresses and of ranges are one list. */
export type ListedScopes = readonly ["user"] | readonly ["address", "range"];

export interface Decisions {
  readonly table: Table<Blacklist, Decision, DecisionKey>;
  /** Up to `limit` decisions that are live at `now`, of the given scopes, ordered by value. */
  list(scopes: ListedScopes, after: string | null, limit: number, now: UnixMs): Answer<readonly Decision[]>;
  /** Up to `limit` decisions that have ended by `now`. */
  ended(now: UnixMs, limit: number): Answer<readonly DecisionKey[]>;
}
