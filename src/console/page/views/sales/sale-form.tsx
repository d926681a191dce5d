/** The form of a sale, new or there already. */
import { useId, useState } from "preact/hooks";
import type { SaleAnswer } from "../../answers.ts";
import { useChange } from "../../parts/change.tsx";
import { Dialog, Field } from "../../parts/dialog.tsx";
import { useRead, useTell } from "../../surroundings.tsx";
import { isoOfLocal, localOf } from "../../times.ts";

interface SaleFormProps {
  /** `null`: a new one. */
  readonly sale: SaleAnswer | null;
  readonly onSaved: () => void;
  readonly onClose: () => void;
}

interface ItemRow {
  readonly key: number;
  readonly sku: string;
  readonly price: string;
  readonly limit: string;
}

export function SaleForm({ sale, onSaved, onClose }: SaleFormProps) {
  const tell = useTell();
  const change = useChange();
  const listId = useId();
  const goods = useRead<readonly { readonly goodsSKU: string }[]>("inventory-manager/all?limit=500");
  const [rows, setRows] = useState<readonly ItemRow[]>(rowsOf(sale));
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const save = async (form: FormData): Promise<string | null> => {
    const name = textOf(form, "name");
    const id = textOf(form, "id");
    const plan = {
      ...(sale === null && id !== "" && { id }),
      name,
      startsAt: isoOf(textOf(form, "startsAt"), sale?.startsAt),
      endsAt: isoOf(textOf(form, "endsAt"), sale?.endsAt),
      items: rows.map(({ key }) => itemOf(form, key)),
      ...optionalNumber(form, "frozenForSeconds"),
      ...optionalNumber(form, "paymentWindowSeconds"),
    };
    const path = sale === null ? "policy-controller/sales" : `policy-controller/sales/${encodeURIComponent(sale.id)}`;
    const fault = await change(sale === null ? "POST" : "PUT", path, plan, tell("sales.saved", { name }));
    if (fault === null) onSaved();
    return fault;
  };
  const add = (): void => setRows([...rows, { key: Math.max(0, ...rows.map(({ key }) => key)) + 1, sku: "", price: "", limit: "" }]);
  const title = sale === null ? tell("sales.new") : tell("sales.editTitle", { name: sale.name });
  return (
    <Dialog title={title} submitText={tell("frame.save")} onSubmit={save} onClose={onClose}>
      <Field name="name" label={tell("sales.name")} value={sale?.name ?? ""} />
      {sale === null && <Field name="id" label={tell("sales.id")} isOptional />}
      <div class="fields">
        <Field name="startsAt" type="datetime-local" step={1} label={tell("sales.startsAt")} value={fieldOf(sale?.startsAt)} />
        <Field name="endsAt" type="datetime-local" step={1} label={tell("sales.endsAt")} value={fieldOf(sale?.endsAt)} />
      </div>
      <p class="quiet">{tell("sales.localTime", { zone })}</p>
      <fieldset class="box">
        <legend>{tell("sales.items")}</legend>
        <datalist id={listId}>
          {(goods.value ?? []).map(({ goodsSKU }) => (
            <option key={goodsSKU} value={goodsSKU} />
          ))}
        </datalist>
        {rows.map(({ key, sku, price, limit }) => (
          <div class="fields" key={key}>
            <Field name={`sku${key}`} label={tell("sales.sku")} value={sku} list={listId} />
            <Field name={`price${key}`} type="number" min={0} step={0.01} label={tell("sales.price")} value={price} />
            <Field {...{ name: `limit${key}`, type: "number", min: 1, step: 1, label: tell("sales.limit"), value: limit }} isOptional />
            {rows.length > 1 && (
              <button type="button" class="small" onClick={() => setRows(rows.filter((row) => row.key !== key))}>
                {tell("sales.removeItem")}
              </button>
            )}
          </div>
        ))}
        <p class="beside">
          <button type="button" class="small" onClick={add}>
            {tell("sales.addItem")}
          </button>
          <small class="quiet">{tell("sales.limitHint")}</small>
        </p>
      </fieldset>
      <div class="fields">
        <Field
          {...{
            name: "frozenForSeconds",
            type: "number",
            min: 1,
            step: 1,
            label: tell("sales.frozenFor"),
            value: sale?.frozenForSeconds ?? "",
          }}
          isOptional
        />
        <Field
          {...{ name: "paymentWindowSeconds", type: "number", min: 1, step: 1, label: tell("sales.paymentWindow") }}
          value={sale?.paymentWindowSeconds ?? ""}
          isOptional
        />
      </div>
    </Dialog>
  );
}

function rowsOf(sale: SaleAnswer | null): readonly ItemRow[] {
  if (sale === null) return [{ key: 0, sku: "", price: "", limit: "" }];
  return sale.items.map(({ goodsSKU, salePrice, quantityLimit }, key) => ({
    ...{ key, sku: goodsSKU, price: String(salePrice), limit: String(quantityLimit ?? "") },
  }));
}

const textOf = (form: FormData, name: string): string => String(form.get(name) ?? "").trim();

function itemOf(form: FormData, key: number) {
  const limit = textOf(form, `limit${key}`);
  return {
    goodsSKU: textOf(form, `sku${key}`),
    salePrice: Number(textOf(form, `price${key}`)),
    ...(limit !== "" && { quantityLimit: Number(limit) }),
  };
}

function optionalNumber(form: FormData, name: string): Readonly<Record<string, number>> {
  const text = textOf(form, name);
  return text === "" ? {} : { [name]: Number(text) };
}

const fieldOf = (iso: string | undefined): string => (iso === undefined ? "" : localOf(Date.parse(iso)));

/** A time that was not touched stays what it was, to the millisecond: the start of a sale that has begun cannot change. */
const isoOf = (local: string, before: string | undefined): string =>
  before !== undefined && Date.parse(fieldOf(before)) === Date.parse(local) ? before : isoOfLocal(local);
