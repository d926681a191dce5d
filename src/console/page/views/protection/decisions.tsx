/** The decisions in force: about whom, what, why, until when; each can be changed with one click. */
import { Card } from "../../parts/card.tsx";
import { Field, Select } from "../../parts/dialog.tsx";
import { type Read, useFormats, useNow, useTell } from "../../surroundings.tsx";
import { wordOf } from "../../texts/texts.ts";
import { ACTIONS, type Action, DecideButtons, type Scope } from "./decide-buttons.tsx";
import { SCOPES } from "./decision-form.tsx";

export interface DecisionAnswer {
  readonly scope: Scope;
  readonly value: string;
  readonly action: Action;
  readonly since: number;
  readonly until: number | null;
  readonly scenario: string | null;
  readonly origin: string;
  readonly note: string | null;
  readonly offences: number;
  readonly evidence: EvidenceAnswer | null;
  readonly seen: number;
  readonly bought: number;
}
interface EvidenceAnswer {
  readonly windowMs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly traceIds: readonly string[];
  readonly at: number;
}
export interface DecisionsAnswer {
  readonly decisions: readonly DecisionAnswer[];
  readonly next: string | null;
}

export interface Filter {
  readonly scope: string;
  readonly action: string;
  readonly origin: string;
  readonly value: string;
}
const ORIGINS = ["learned", "operator", "import"] as const;
const SHOWN = 100;

export function queryOf(filter: Filter): string {
  const query = new URLSearchParams({ limit: String(SHOWN) });
  for (const [name, value] of Object.entries(filter)) if (value !== "") query.set(name, value);
  return query.toString();
}

interface DecisionsProps {
  readonly decisions: Read<DecisionsAnswer>;
  readonly filter: Filter;
  readonly setFilter: (filter: Filter) => void;
}

export function Decisions({ decisions, filter, setFilter }: DecisionsProps) {
  const tell = useTell();
  const list = decisions.value?.decisions ?? null;
  const options = (group: string, words: readonly string[]) => [
    { value: "", label: tell("protection.any") },
    ...words.map((word) => ({ value: word, label: wordOf(tell, group, word) })),
  ];
  const again = (): void => void decisions.again();
  const search = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setFilter({ ...filter, value: String(form.get("value") ?? "").trim() });
  };
  return (
    <Card title={tell("protection.decisions")}>
      <form class="search-bar" onSubmit={search}>
        <Select
          {...{ name: "scope", label: tell("protection.scope"), options: options("scope", SCOPES) }}
          onChange={(scope) => setFilter({ ...filter, scope })}
        />
        <Select
          {...{ name: "action", label: tell("protection.action"), options: options("action", ACTIONS) }}
          onChange={(action) => setFilter({ ...filter, action })}
        />
        <Select
          {...{ name: "origin", label: tell("protection.origin"), options: options("origin", ORIGINS) }}
          onChange={(origin) => setFilter({ ...filter, origin })}
        />
        <Field name="value" type="search" label={tell("protection.value")} isOptional />
        <button type="submit">{tell("protection.filter")}</button>
      </form>
      {decisions.refusal !== null && <p class="notice">{tell("frame.failed", { why: decisions.refusal.detail })}</p>}
      {list?.length === 0 && <p class="empty">{tell("protection.none")}</p>}
      {list !== null && list.length > 0 && (
        <table class="stacking">
          <thead>
            <tr>
              <th scope="col">{tell("protection.whom")}</th>
              <th scope="col">{tell("protection.what")}</th>
              <th scope="col">{tell("protection.why")}</th>
              <th scope="col">{tell("protection.until")}</th>
              <th scope="col">{tell("goods.actions")}</th>
            </tr>
          </thead>
          <tbody>
            {list.map((decision) => (
              <Row key={`${decision.scope} ${decision.value} ${decision.action}`} decision={decision} onDecided={again} />
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

const COLOURS: Readonly<Record<Action, string>> = { block: "bad", throttle: "warm", observe: "", allow: "good" };

function Row({ decision, onDecided }: { readonly decision: DecisionAnswer; readonly onDecided: () => void }) {
  const tell = useTell();
  const formats = useFormats();
  const now = useNow(1_000);
  const { scope, value, action, scenario, note, since, until, evidence } = decision;
  return (
    <tr>
      <th scope="row">
        <span class="code">{value}</span> <small class="quiet">{wordOf(tell, "scope", scope)}</small>
      </th>
      <td data-name={tell("protection.what")}>
        <span class={`pill ${COLOURS[action]}`}>{wordOf(tell, "action", action)}</span>
      </td>
      <td data-name={tell("protection.why")}>
        <div>
          {scenario !== null && <b>{scenario}</b>} <span class="quiet">{wordOf(tell, "origin", decision.origin)}</span>
          {note !== null && note !== "" && <p>{note}</p>}
          <p class="quiet">
            {tell("protection.since", { time: formats.dateTime(since) })}
            {decision.offences > 1 && ` · ${tell("protection.offences", { count: decision.offences })}`}
          </p>
          {action === "observe" && <p>{tell("protection.wouldHave", { seen: decision.seen, bought: decision.bought })}</p>}
          {evidence !== null && <Evidence evidence={evidence} />}
        </div>
      </td>
      <td data-name={tell("protection.until")}>
        {until === null ? tell("protection.untilRemoved") : tell("protection.left", { span: formats.span(until - now) })}
      </td>
      <td data-name={tell("goods.actions")}>
        <DecideButtons {...{ scope, value, standing: action, onDecided }} />
      </td>
    </tr>
  );
}

function Evidence({ evidence }: { readonly evidence: EvidenceAnswer }) {
  const tell = useTell();
  const formats = useFormats();
  return (
    <details>
      <summary>{tell("protection.evidence")}</summary>
      <p class="quiet">{tell("protection.evidenceIn", { span: formats.span(evidence.windowMs), time: formats.time(evidence.at) })}</p>
      <ul class="evidence">
        {Object.entries(evidence.counts).map(([name, count]) => (
          <li key={name}>
            {name} <b>{formats.count(count)}</b>
          </li>
        ))}
      </ul>
      {evidence.traceIds.length > 0 && (
        <p>
          {tell("protection.look")}:{" "}
          {evidence.traceIds.map((id) => (
            <a class="code" key={id} href={`#/trace?traceId=${encodeURIComponent(id)}`}>
              {id.slice(0, 8)}
            </a>
          ))}
        </p>
      )}
    </details>
  );
}
