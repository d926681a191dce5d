/** The page "Protection": who stands out, what was decided about them, and what scenarios see. */
import { useState } from "preact/hooks";
import { useRead, useTell } from "../surroundings.tsx";
import { DecisionForm } from "./protection/decision-form.tsx";
import { Decisions, type DecisionsAnswer, type Filter, queryOf } from "./protection/decisions.tsx";
import { Offenders } from "./protection/offenders.tsx";
import { Scenarios } from "./protection/scenarios.tsx";

const READ_AGAIN_MS = 2_000;
const NO_FILTER: Filter = { scope: "", action: "", origin: "", value: "" };

export function Protection() {
  const tell = useTell();
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [isNew, setNew] = useState(false);
  const decisions = useRead<DecisionsAnswer>(`safe-protector/decisions?${queryOf(filter)}`, READ_AGAIN_MS);
  const again = (): void => void decisions.again();
  return (
    <>
      <div class="page-head">
        <h1>{tell("protection.title")}</h1>
        <p class="quiet">{tell("protection.lead")}</p>
        <p class="actions">
          <button type="button" class="primary" onClick={() => setNew(true)}>
            {tell("protection.add")}
          </button>
        </p>
      </div>
      <Decisions {...{ decisions, filter, setFilter }} />
      <Offenders onDecided={again} />
      <Scenarios />
      {isNew && <DecisionForm onDone={again} onClose={() => setNew(false)} />}
    </>
  );
}
