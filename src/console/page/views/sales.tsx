/** The page "Sales and goods": what is sold when, at which price, and to whom; and how to change that. */
import { useState } from "preact/hooks";
import type { SaleAnswer } from "../answers.ts";
import { Card } from "../parts/card.tsx";
import { useRead, useTell } from "../surroundings.tsx";
import { GoodsList } from "./sales/goods.tsx";
import { SaleCard } from "./sales/sale-card.tsx";
import { SaleForm } from "./sales/sale-form.tsx";

const READ_AGAIN_MS = 5_000;
const SALES_SHOWN = 200;

export function Sales() {
  const tell = useTell();
  const sales = useRead<readonly SaleAnswer[]>(`policy-controller/sales?limit=${SALES_SHOWN}`, READ_AGAIN_MS);
  const [isNew, setNew] = useState(false);
  // What is on or to come stands first.
  const sorted = (sales.value ?? []).toSorted(
    (one, other) => RANK[one.status] - RANK[other.status] || Date.parse(one.startsAt) - Date.parse(other.startsAt),
  );
  const make = (
    <button type="button" class="primary" onClick={() => setNew(true)}>
      {tell("sales.new")}
    </button>
  );
  return (
    <>
      <div class="page-head">
        <h1>{tell("sales.title")}</h1>
        <p class="quiet">{tell("sales.lead")}</p>
      </div>
      <Card title={tell("sales.sales")} beside={make}>
        {sales.refusal !== null && <p class="notice">{tell("frame.failed", { why: sales.refusal.detail })}</p>}
        {sales.value?.length === 0 && <p class="empty">{tell("sales.none")}</p>}
        <ul class="sale-list">
          {sorted.map((sale) => (
            <li key={sale.id}>
              <SaleCard sale={sale} onChanged={() => void sales.again()} />
            </li>
          ))}
        </ul>
      </Card>
      <GoodsList />
      {isNew && <SaleForm sale={null} onSaved={() => void sales.again()} onClose={() => setNew(false)} />}
    </>
  );
}

const RANK = { live: 0, paused: 1, scheduled: 2, ended: 3 } as const;
