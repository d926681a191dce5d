/** One sale: what it sells, when, and what can be done with it. */

import { useState } from "preact/hooks";
import type { SaleAnswer } from "../../answers.ts";
import { ChangeButton } from "../../parts/change.tsx";
import { useFormats, useNow, useTell } from "../../surroundings.tsx";
import { SaleForm } from "./sale-form.tsx";

const COLOURS = { scheduled: "", live: "good", paused: "warm", ended: "" } as const;

export function SaleCard({ sale, onChanged }: { readonly sale: SaleAnswer; readonly onChanged: () => void }) {
  const tell = useTell();
  const formats = useFormats();
  const now = useNow(1_000);
  const [isEdited, setEdited] = useState(false);
  const { id, name, status } = sale;
  const [startsAt, endsAt] = [Date.parse(sale.startsAt), Date.parse(sale.endsAt)];
  const path = `policy-controller/sales/${encodeURIComponent(id)}`;
  const common = { of: name, onDone: onChanged };
  return (
    <article class="sale" aria-label={name}>
      <header>
        <h3>{name}</h3>
        <span class={`pill ${COLOURS[status]}`}>{tell(`saleStatus.${status}`)}</span>
        {status === "scheduled" && <span class="quiet">{tell("sales.beginsIn", { span: formats.span(startsAt - now) })}</span>}
        {(status === "live" || status === "paused") && (
          <span class="quiet">{tell("sales.endsIn", { span: formats.span(endsAt - now) })}</span>
        )}
      </header>
      <p class="quiet">
        <time dateTime={sale.startsAt}>{formats.dateTime(startsAt)}</time> – <time dateTime={sale.endsAt}>{formats.dateTime(endsAt)}</time>
        <span class="code"> {id}</span>
      </p>
      <ul class="sale-items">
        {sale.items.map(({ goodsSKU, salePrice, quantityLimit }) => (
          <li key={goodsSKU}>
            <b>{goodsSKU}</b> {formats.money(salePrice)}
            {quantityLimit !== undefined && (
              <span class="quiet">
                {" "}
                · {tell("sales.limit")} {quantityLimit}
              </span>
            )}
          </li>
        ))}
      </ul>
      <div class="row-actions">
        {!sale.isPaused && status !== "ended" && (
          <ChangeButton
            {...common}
            {...{ label: tell("sales.pause"), method: "POST", path: `${path}/pause`, done: tell("sales.paused", { name }) }}
            question={tell("sales.pauseAsk", { name })}
            isDangerous
          />
        )}
        {sale.isPaused && status !== "ended" && (
          <ChangeButton
            {...common}
            {...{ label: tell("sales.resume"), method: "POST", path: `${path}/resume`, done: tell("sales.resumed", { name }) }}
            question={tell("sales.resumeAsk", { name })}
          />
        )}
        {status !== "ended" && (
          <button type="button" class="small" onClick={() => setEdited(true)}>
            {tell("sales.edit")}
            <span class="unseen"> {name}</span>
          </button>
        )}
        {(status === "scheduled" || status === "ended") && (
          <ChangeButton
            {...common}
            {...{ label: tell("sales.remove"), method: "DELETE", path, done: tell("sales.removed", { name }) }}
            question={tell("sales.removeAsk", { name })}
            isDangerous
          />
        )}
      </div>
      {isEdited && <SaleForm sale={sale} onSaved={onChanged} onClose={() => setEdited(false)} />}
    </article>
  );
}
