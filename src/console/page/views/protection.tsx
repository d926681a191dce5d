/** The page "Protection": who stands out, what was decided about them, and what scenarios see. */
import { useState } from "preact/hooks";
import { useRead, useTell } from "../surroundings.tsx";
import { DecisionForm } from "./protection/decision-form.tsx";
import { Decisions, type DecisionsAnswer, type Filter, queryOf } from "./protection/decisions.tsx";
import { type Imported, ImportForm } from "./protection/import-form.tsx";
import { ImportedList } from "./protection/imported-list.tsx";
import { Offenders } from "./protection/offenders.tsx";
import { Scenarios } from "./protection/scenarios.tsx";

const READ_AGAIN_MS = 2_000;
const NO_FILTER: Filter = { scope: "", action: "", origin: "", value: "" };

export function Protection() {
  const tell = useTell();
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [isNew, setNew] = useState(false);
  const [isImporting, setImporting] = useState(false);
  const [imported, setImported] = useState<Imported | null>(null);
  const decisions = useRead<DecisionsAnswer>(`safe-protector/decisions?${queryOf(filter)}`, READ_AGAIN_MS);
  const again = (): void => void decisions.again();
  return (
    <>
      <div class="page-head">
        <h1>{tell("protection.title")}</h1>
        <p class="quiet">{tell("protection.lead")}</p>
        <p class="actions">
          <button type="button" onClick={() => setImporting(true)}>
            {tell("protection.import")}
          </button>
          <button type="button" class="primary" onClick={() => setNew(true)}>
            {tell("protection.add")}
          </button>
        </p>
      </div>
      <div role="status">{imported !== null && <ImportedList imported={imported} onClose={() => setImported(null)} />}</div>
      <Decisions {...{ decisions, filter, setFilter }} />
      <Offenders onDecided={again} />
      <Scenarios />
      {isImporting && (
        <ImportForm
          onDone={(done) => {
            setImported(done);
            again();
          }}
          onClose={() => setImporting(false)}
        />
      )}
      {isNew && <DecisionForm onDone={again} onClose={() => setNew(false)} />}
    </>
  );
}
