/** Pages of decisions, whatever they are looked for by. */
import type { UnixMs } from "../../core/time.ts";
import { DECISIONS_LOOKED_AT_PER_PAGE, DECISIONS_PER_READ } from "../../limits/decisions.ts";
import {
  canonicalValue,
  type Decision,
  type DecisionAction,
  type DecisionKey,
  type DecisionOrigin,
  type DecisionScope,
  idOf,
  isLive,
  keyOf,
  LISTS,
  type ListName,
  SCOPES,
} from "./decision.ts";
import type { Decisions } from "./decisions.ts";

export interface DecisionFilter {
  readonly scope?: DecisionScope;
  readonly action?: DecisionAction;
  readonly origin?: DecisionOrigin;
  readonly scenario?: string;
  /** In any form. */
  readonly value?: string;
}

export interface DecisionPage {
  readonly decisions: readonly Decision[];
  /** Where the next page begins; `null`: this is the last one. */
  readonly next: string | null;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const matches = ({ scope, action, origin, scenario }: DecisionFilter, decision: Decision, now: UnixMs): boolean =>
  isLive(decision.until, now) &&
  (scope === undefined || decision.scope === scope) &&
  (action === undefined || decision.action === action) &&
  (origin === undefined || decision.origin === origin) &&
  (scenario === undefined || decision.scenario === scenario);

/** The lists that can have something of what is looked for. */
function listsOf({ scope, action }: DecisionFilter): readonly ListName[] {
  const scopes: readonly ListName[] = scope === undefined ? LISTS : scope === "account" ? ["u", "v"] : ["i", "j"];
  if (action === undefined) return scopes;
  return scopes.filter((list) => (action === "allow") === (list === "j" || list === "v"));
}

/** Up to `limit` decisions in force that match, from behind the id `after`. A page can be short, and have a next one all the same. */
export function decisionPage(
  decisions: Decisions,
  filter: DecisionFilter,
  after: string,
  limit: number,
  now: UnixMs,
): DecisionPage | Promise<DecisionPage> {
  if (filter.value !== undefined) return pageOfValue(decisions, filter, filter.value, now);
  // Of those that were learned everything is in memory, and there are not many.
  if (filter.origin === "learned" || filter.scenario !== undefined) return pageOfLearned(decisions, filter, after, limit, now);
  return pageOfRows(decisions, filter, after, limit, now);
}

async function pageOfValue(decisions: Decisions, filter: DecisionFilter, value: string, now: UnixMs): Promise<DecisionPage> {
  const scopes = filter.scope === undefined ? SCOPES : [filter.scope];
  const keys = scopes.flatMap((scope): DecisionKey[] => {
    const canonical = canonicalValue(scope, value);
    return canonical === null ? [] : [false, true].map((isAllow) => ({ scope, value: canonical, isAllow }));
  });
  // Memory knows what there is: of six questions one or two go to the store.
  const found = await Promise.all(keys.filter((key) => decisions.table.view.has(key)).map((key) => decisions.find(key)));
  return { decisions: found.filter((decision) => decision !== null && matches(filter, decision, now)) as Decision[], next: null };
}

function pageOfLearned(decisions: Decisions, filter: DecisionFilter, after: string, limit: number, now: UnixMs): DecisionPage {
  const found = [...decisions.table.view.learned]
    .filter(([id, decision]) => id > after && matches(filter, decision, now))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, limit + 1);
  const next = found.length > limit ? (found[limit - 1]?.[0] ?? null) : null;
  return { decisions: found.slice(0, limit).map(([, decision]) => decision), next };
}

async function pageOfRows(decisions: Decisions, filter: DecisionFilter, after: string, limit: number, now: UnixMs): Promise<DecisionPage> {
  const found: Decision[] = [];
  const lists = listsOf(filter).filter((list) => list >= after.slice(0, 1));
  let looked = 0;
  for (const list of lists) {
    for (let from = after.startsWith(list) ? after.slice(1) : ""; ; ) {
      const rows = await decisions.rows(list, from, DECISIONS_PER_READ);
      for (const row of rows) {
        if (!matches(filter, row, now)) continue;
        found.push(row);
        if (found.length === limit) return { decisions: found, next: idOf(keyOf(row)) };
      }
      if (rows.length < DECISIONS_PER_READ) break;
      from = rows.at(-1)?.value ?? from;
      looked += rows.length;
      if (looked >= DECISIONS_LOOKED_AT_PER_PAGE) return { decisions: found, next: list + from };
      await nextTurn();
    }
  }
  return { decisions: found, next: null };
}

/** The blocked of one list, as the seeds' routes show them: pages of exactly `limit`, as long as there are so many. */
export async function blockedRows(decisions: Decisions, list: ListName, after: string, limit: number, now: UnixMs): Promise<Decision[]> {
  const found: Decision[] = [];
  for (let from = after; found.length < limit; ) {
    const wanted = found.length === 0 ? limit : DECISIONS_PER_READ;
    const rows = await decisions.rows(list, from, wanted);
    found.push(...rows.filter(({ action, until }) => action === "block" && isLive(until, now)));
    if (rows.length < wanted) break;
    from = rows.at(-1)?.value ?? from;
  }
  return found.slice(0, limit);
}
