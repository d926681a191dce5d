/** The page "Report": a drop on one page, to print, and as JSON and CSV. Which span of time stands in the address. */

import type { SaleAnswer } from "../answers.ts";
import { now } from "../browser/clock.ts";
import { Card } from "../parts/card.tsx";
import { Field } from "../parts/dialog.tsx";
import { useFormats, useRead, useTell } from "../surroundings.tsx";
import { isoOfLocal, localOf } from "../times.ts";
import { DropReport, type ReportAnswer } from "./report/drop-report.tsx";

const SALES_OFFERED = 200;

export function Report({ place }: { readonly place: string }) {
  const tell = useTell();
  const formats = useFormats();
  const asked = new URLSearchParams(place.replace(/^\?/, ""));
  const [from, until] = [Number(asked.get("from") ?? 0), Number(asked.get("until") ?? 0)];
  const isAsked = from > 0 && until > from;
  const sales = useRead<readonly SaleAnswer[]>(`policy-controller/sales?limit=${SALES_OFFERED}`);
  const path = `report?from=${from}&until=${until}`;
  const report = useRead<ReportAnswer>(isAsked ? path : null);
  const begun = (sales.value ?? []).filter(({ status }) => status !== "scheduled");
  const open = (begin: number, end: number): void => {
    location.hash = `#/report?from=${begin}&until=${end}`;
  };
  const openSpan = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    open(Date.parse(isoOfLocal(String(form.get("from")))), Date.parse(isoOfLocal(String(form.get("until")))));
  };
  return (
    <>
      <div class="page-head">
        <h1>{tell("report.title")}</h1>
        <p class="quiet no-print">{tell("report.lead")}</p>
        {report.value !== null && (
          <p class="actions no-print">
            <a class="button" href={`api/${path}&format=json`} download="doorbuster-report.json">
              {tell("report.json")}
            </a>
            <a class="button" href={`api/${path}&format=csv`} download="doorbuster-report.csv">
              {tell("report.csv")}
            </a>
            <button type="button" onClick={() => print()}>
              {tell("report.print")}
            </button>
          </p>
        )}
      </div>
      <div class="no-print choose">
        <Card title={tell("report.choose")}>
          <ul class="row-actions">
            {begun
              .toSorted((one, other) => Date.parse(other.startsAt) - Date.parse(one.startsAt))
              .map((sale) => (
                <li key={sale.id}>
                  <button type="button" class="small" onClick={() => open(Date.parse(sale.startsAt), endOf(sale))}>
                    {sale.name} <span class="quiet">{formats.dateTime(Date.parse(sale.startsAt))}</span>
                  </button>
                </li>
              ))}
          </ul>
          <form class="search-bar span-form" onSubmit={openSpan} key={path} aria-label={tell("report.ownSpan")}>
            <Field name="from" type="datetime-local" step={1} label={tell("report.from")} value={isAsked ? localOf(from) : ""} />
            <Field name="until" type="datetime-local" step={1} label={tell("report.until")} value={isAsked ? localOf(until) : ""} />
            <button type="submit" class="primary">
              {tell("report.make")}
            </button>
          </form>
        </Card>
      </div>
      <div role="status">
        {report.isReading && <p class="quiet">{tell("frame.loading")}</p>}
        {report.refusal !== null && <p class="notice">{tell("frame.failed", { why: report.refusal.detail })}</p>}
      </div>
      {report.value !== null && <DropReport report={report.value} />}
    </>
  );
}

/** A sale that is on is reported up to now. */
const endOf = ({ endsAt, status }: SaleAnswer): number => (status === "ended" ? Date.parse(endsAt) : Math.min(Date.parse(endsAt), now()));
