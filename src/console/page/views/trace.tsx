/** The page "Trace": search in the requests of the last hours, and the way of one purchase through the steps. What is looked for stands in the address. */
import { useState } from "preact/hooks";
import { Card } from "../parts/card.tsx";
import { useRead, useTell } from "../surroundings.tsx";
import { EventList, type FoundEvent } from "./trace/event-list.tsx";
import { FIELDS, SearchForm } from "./trace/search-form.tsx";

interface FoundAnswer {
  readonly events: readonly FoundEvent[];
  readonly next: string | null;
  readonly tookMs: number;
  readonly asked: number;
  readonly answered: number;
}

const SHOWN = 50;

export function Trace({ place }: { readonly place: string }) {
  const tell = useTell();
  const asked = new URLSearchParams(place.replace(/^\?/, ""));
  const query = new URLSearchParams([...asked].filter(([name, value]) => FIELDS.some((field) => field === name) && value !== ""));
  const [before, setBefore] = useState<string | null>(null);
  const isAsking = query.size > 0;
  const page = new URLSearchParams({ ...Object.fromEntries(query), limit: String(SHOWN), ...(before !== null && { before }) });
  const found = useRead<FoundAnswer>(isAsking ? `traffic/search?${page}` : null);
  const { value, refusal } = found;
  return (
    <>
      <div class="page-head">
        <h1>{tell("trace.title")}</h1>
        <p class="quiet">{tell("trace.lead")}</p>
      </div>
      <SearchForm
        key={query.toString()}
        asked={query}
        onSearch={(next) => {
          setBefore(null);
          location.hash = `#/trace?${next}`;
        }}
      />
      <Card title={tell("trace.found")}>
        <div role="status">
          {!isAsking && <p class="empty">{tell("trace.start")}</p>}
          {found.isReading && <p class="quiet">{tell("frame.loading")}</p>}
          {refusal !== null && <p class="notice">{tell("frame.failed", { why: refusal.detail })}</p>}
          {value !== null && value.events.length === 0 && <p class="empty">{tell("trace.none")}</p>}
          {value !== null && value.events.length > 0 && (
            <p class="quiet">{tell("trace.took", { count: value.events.length, ms: Math.round(value.tookMs) })}</p>
          )}
          {value !== null && value.answered < value.asked && (
            <p class="notice">{tell("trace.partly", { answered: value.answered, asked: value.asked })}</p>
          )}
        </div>
        {value !== null && <EventList events={value.events} isOpen={value.events.length === 1} />}
        <div class="row-actions">
          {before !== null && (
            <button type="button" onClick={() => setBefore(null)}>
              {tell("trace.newest")}
            </button>
          )}
          {value?.next != null && (
            <button type="button" onClick={() => setBefore(value.next)}>
              {tell("trace.more")}
            </button>
          )}
        </div>
      </Card>
    </>
  );
}
