/** The page "Trail": every change that an operator has made. */
import { useState } from "preact/hooks";
import { Card } from "../parts/card.tsx";
import { Field } from "../parts/dialog.tsx";
import { useFormats, useRead, useTell } from "../surroundings.tsx";

interface ChangeAnswer {
  readonly id: number;
  readonly at: number;
  readonly who: string;
  readonly operator: string | null;
  readonly service: string;
  readonly operation: string;
  readonly asked: unknown;
  readonly before: unknown;
  readonly status: number | null;
  readonly after: unknown;
}
interface TrailAnswer {
  readonly changes: readonly ChangeAnswer[];
  readonly next: number | null;
}

const SHOWN = 50;
const READ_AGAIN_MS = 5_000;
const FILTERS = ["who", "operation", "service"] as const;

export function Trail() {
  const tell = useTell();
  const [filter, setFilter] = useState<Readonly<Record<string, string>>>({});
  const [before, setBefore] = useState<number | null>(null);
  const query = new URLSearchParams({ limit: String(SHOWN), ...filter, ...(before !== null && { before: String(before) }) });
  const trail = useRead<TrailAnswer>(`policy-controller/trail?${query}`, before === null ? READ_AGAIN_MS : null);
  const search = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const given = FILTERS.map((name) => [name, String(form.get(name) ?? "").trim()] as const).filter(([, value]) => value !== "");
    setFilter(Object.fromEntries(given));
    setBefore(null);
  };
  const { value, refusal } = trail;
  return (
    <>
      <div class="page-head">
        <h1>{tell("trail.title")}</h1>
        <p class="quiet">{tell("trail.lead")}</p>
      </div>
      <form class="search-bar" onSubmit={search}>
        {FILTERS.map((name) => (
          <Field key={name} name={name} type="search" label={tell(`trail.${name}`)} isOptional />
        ))}
        <button type="submit">{tell("trail.filter")}</button>
      </form>
      <Card title={tell("trail.title")}>
        {refusal !== null && <p class="notice">{tell("frame.failed", { why: refusal.detail })}</p>}
        {value?.changes.length === 0 && <p class="empty">{tell("trail.none")}</p>}
        <ol class="changes">
          {(value?.changes ?? []).map((change) => (
            <Change key={change.id} change={change} />
          ))}
        </ol>
        <div class="row-actions">
          {before !== null && (
            <button type="button" onClick={() => setBefore(null)}>
              {tell("trail.newest")}
            </button>
          )}
          {value?.next != null && (
            <button type="button" onClick={() => setBefore(value.next)}>
              {tell("trail.older")}
            </button>
          )}
        </div>
      </Card>
    </>
  );
}

function Change({ change }: { readonly change: ChangeAnswer }) {
  const tell = useTell();
  const formats = useFormats();
  const { status } = change;
  const isDone = status !== null && status < 300;
  const outcome = status === null ? tell("trail.unknown") : isDone ? tell("trail.done") : tell("trail.refused", { status });
  return (
    <li>
      <details>
        <summary>
          <time dateTime={new Date(change.at).toISOString()}>{formats.dateTime(change.at)}</time>
          <b>{change.operator ?? change.who}</b>
          <span>{change.operation}</span>
          <span class="quiet">{change.service}</span>
          <span class={`pill ${isDone ? "good" : "warm"}`}>{outcome}</span>
        </summary>
        {change.operator !== null && <p class="quiet code">{change.who}</p>}
        <div class="before-after">
          {(["asked", "before", "after"] as const).map((part) => (
            <section key={part} aria-label={tell(`trail.${part}`)}>
              <h3>{tell(`trail.${part}`)}</h3>
              <Fields value={change[part]} other={part === "after" ? change.before : undefined} />
            </section>
          ))}
        </div>
      </details>
    </li>
  );
}

/** @param other what it was before: what differs from it is marked */
function Fields({ value, other }: { readonly value: unknown; readonly other: unknown }) {
  const tell = useTell();
  if (value === null || value === undefined) return <p class="quiet">{tell("trail.nothing")}</p>;
  if (typeof value !== "object" || Array.isArray(value)) return <code>{JSON.stringify(value)}</code>;
  const before = (typeof other === "object" && other !== null ? other : {}) as Readonly<Record<string, unknown>>;
  return (
    <dl class="fields-list">
      {Object.entries(value).map(([name, field]) => {
        const text = typeof field === "string" ? field : JSON.stringify(field);
        const hasChanged = other !== undefined && JSON.stringify(before[name]) !== JSON.stringify(field);
        return (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="code">{hasChanged ? <mark>{text}</mark> : text}</dd>
          </div>
        );
      })}
    </dl>
  );
}
