/** What SafeProtector asks of a store: the decisions in memory, and pages of what is too long to stand there with its notes. */
import type { Answer } from "../../core/answer.ts";
import type { UnixMs } from "../../core/time.ts";
import type { Table } from "../../tables/table.ts";
import type { Decision, DecisionKey, ListName } from "./decision.ts";
import type { StandingDecisions } from "./standing.ts";

export interface Decisions {
  readonly table: Table<StandingDecisions, Decision, DecisionKey>;
  /** Up to `limit` decisions of a list from behind a value, in the order of its bytes; what has ended and was not removed yet is among them. */
  rows(list: ListName, after: string, limit: number): Answer<readonly Decision[]>;
  find(key: DecisionKey): Answer<Decision | null>;
  /** Up to `limit` decisions that are of no use any more. */
  forgotten(now: UnixMs, limit: number): Answer<readonly DecisionKey[]>;
}
