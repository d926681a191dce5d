/** Decisions that several processes share. */
import { TABLE_LOG_ENTRIES_MAX, TABLE_ROWS_PER_LOOK } from "../../limits/tables.ts";
import { SharedTable, type SharedTableFormat, type SharedTableIo } from "../../tables/shared-table.ts";
import { type Decision, type DecisionKey, idOf, keyOf, keyOfId } from "./decision.ts";
import type { Decisions } from "./decisions.ts";
import { forgottenAt } from "./learn.ts";
import { StandingDecisions } from "./standing.ts";

type Written = readonly [
  ...[until: Decision["until"], note: string, action: Decision["action"], origin: Decision["origin"], since: number],
  ...[scenario?: string | null, offences?: number, evidence?: Decision["evidence"]],
];
/** As rows were written before there was more than the blacklist of operators. */
type WrittenFirst = readonly [until: Decision["until"], note: string];

function textOf({ until, note, action, origin, since, scenario, offences, evidence }: Decision): string {
  const written: Written = [until, note, action, origin, since, ...(origin === "learned" ? [scenario, offences, evidence] : [])] as never;
  return JSON.stringify(written);
}

type Said = Omit<Decision, "scope" | "value">;

function saidIn(text: string): Said {
  const [until, note, action = "block", origin = "operator", since = 0, scenario = null, offences = 0, evidence = null] = JSON.parse(
    text,
  ) as Written | WrittenFirst;
  return { action, since, until, scenario, origin, note, offences, evidence };
}

/** The rows of an import differ in nothing but their values, so that what the last text said is mostly what the next one says. */
function rowReader(): (id: string, text: string) => Decision {
  let last: { readonly text: string; readonly said: Said } | null = null;
  return (id, text) => {
    if (last?.text !== text) last = { text, said: saidIn(text) };
    const { scope, value } = keyOfId(id);
    return { scope, value, ...last.said };
  };
}

const formatBy = (rowOf: (id: string, text: string) => Decision): SharedTableFormat<StandingDecisions, Decision, DecisionKey> => ({
  name: "decisions",
  logEntriesMax: TABLE_LOG_ENTRIES_MAX,
  rowsPerLook: TABLE_ROWS_PER_LOOK,
  idOf,
  keyOf: keyOfId,
  keyOfRow: keyOf,
  textOf,
  rowOf,
  endsAt: forgottenAt,
  emptyView: () => new StandingDecisions(),
});

export interface SharedDecisions extends Decisions {
  readonly table: SharedTable<StandingDecisions, Decision, DecisionKey>;
}

/** @throws Failure when the decisions are not in memory in time */
export async function openSharedDecisions(io: SharedTableIo): Promise<SharedDecisions> {
  const rowOf = rowReader();
  const table = await SharedTable.open<StandingDecisions, Decision, DecisionKey>(formatBy(rowOf), io);
  return {
    table,
    rows: async (list, after, limit) => {
      // What stands behind a list is of another one, whose ids begin otherwise.
      const rows = await table.rows(list + after, limit);
      return rows.filter(({ id }) => id.startsWith(list)).map(({ id, text }) => rowOf(id, text));
    },
    find: async (key) => {
      const found = await table.row(idOf(key));
      return found === null ? null : rowOf(found.id, found.text);
    },
    forgotten: (now, limit) => table.ended(now, limit),
  };
}
