/** The goods: what there is of each, at which price, and who may have how many. */
import { useState } from "preact/hooks";
import { Card } from "../../parts/card.tsx";
import { ChangeButton, useChange } from "../../parts/change.tsx";
import { Dialog, Field } from "../../parts/dialog.tsx";
import { useAsk, useFormats, useRead, useTell } from "../../surroundings.tsx";
import { Tiers } from "./tiers.tsx";

interface GoodsAnswer {
  readonly goodsSKU: string;
  readonly goodsQuantity: number;
  readonly goodsPrice: number;
  readonly frozenQuantity: number;
  readonly availableQuantity: number;
}

type Edited = { readonly what: "restock" | "price" | "tiers"; readonly goods: GoodsAnswer } | { readonly what: "new" };

const READ_AGAIN_MS = 5_000;
const GOODS_SHOWN = 200;

export function GoodsList() {
  const tell = useTell();
  const formats = useFormats();
  const goods = useRead<readonly GoodsAnswer[]>(`inventory-manager/all?limit=${GOODS_SHOWN}`, READ_AGAIN_MS);
  const [edited, setEdited] = useState<Edited | null>(null);
  const again = (): void => void goods.again();
  const close = (): void => setEdited(null);
  const make = (
    <button type="button" onClick={() => setEdited({ what: "new" })}>
      {tell("goods.new")}
    </button>
  );
  return (
    <Card title={tell("goods.goods")} beside={make}>
      {goods.refusal !== null && <p class="notice">{tell("frame.failed", { why: goods.refusal.detail })}</p>}
      {goods.value?.length === 0 && <p class="empty">{tell("goods.none")}</p>}
      {goods.value !== null && goods.value.length > 0 && (
        <table class="stacking">
          <thead>
            <tr>
              <th scope="col">{tell("sales.sku")}</th>
              <th scope="col" class="number">
                {tell("sales.price")}
              </th>
              <th scope="col" class="number">
                {tell("goods.onHand")}
              </th>
              <th scope="col" class="number">
                {tell("goods.frozen")}
              </th>
              <th scope="col" class="number">
                {tell("now.available")}
              </th>
              <th scope="col">{tell("goods.actions")}</th>
            </tr>
          </thead>
          <tbody>
            {goods.value.map((one) => (
              <tr key={one.goodsSKU}>
                <th scope="row">{one.goodsSKU}</th>
                <td class="number" data-name={tell("sales.price")}>
                  {formats.money(one.goodsPrice)}
                </td>
                <td class="number" data-name={tell("goods.onHand")}>
                  {formats.count(one.goodsQuantity)}
                </td>
                <td class="number" data-name={tell("goods.frozen")}>
                  {formats.count(one.frozenQuantity)}
                </td>
                <td class="number" data-name={tell("now.available")}>
                  {formats.count(one.availableQuantity)}
                </td>
                <td data-name={tell("goods.actions")}>
                  <div class="row-actions">
                    {(["restock", "price", "tiers"] as const).map((what) => (
                      <button type="button" class="small" key={what} onClick={() => setEdited({ what, goods: one })}>
                        {tell(ACTION_TEXTS[what])}
                        <span class="unseen"> {one.goodsSKU}</span>
                      </button>
                    ))}
                    <ChangeButton
                      {...{ label: tell("goods.remove"), of: one.goodsSKU, method: "DELETE", onDone: again }}
                      path={`inventory-manager/delete/sku/${encodeURIComponent(one.goodsSKU)}`}
                      done={tell("goods.removed", { sku: one.goodsSKU })}
                      question={tell("goods.removeAsk", { sku: one.goodsSKU })}
                      isDangerous
                    />
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {edited?.what === "new" && <NewGoods onDone={again} onClose={close} />}
      {edited?.what === "restock" && <Restock goods={edited.goods} onDone={again} onClose={close} />}
      {edited?.what === "price" && <PriceForm goods={edited.goods} onDone={again} onClose={close} />}
      {edited?.what === "tiers" && <Tiers sku={edited.goods.goodsSKU} onClose={close} />}
    </Card>
  );
}

const ACTION_TEXTS = { restock: "goods.restock", price: "goods.edit", tiers: "goods.limits" } as const;

interface FormProps {
  readonly onDone: () => void;
  readonly onClose: () => void;
}

function NewGoods({ onDone, onClose }: FormProps) {
  const tell = useTell();
  const change = useChange();
  const save = async (form: FormData): Promise<string | null> => {
    const sku = String(form.get("goodsSKU")).trim();
    const goods = { goodsSKU: sku, goodsQuantity: Number(form.get("goodsQuantity")), goodsPrice: Number(form.get("goodsPrice")) };
    const fault = await change("POST", "inventory-manager/add", goods, tell("goods.saved", { sku }));
    if (fault === null) onDone();
    return fault;
  };
  return (
    <Dialog title={tell("goods.new")} submitText={tell("frame.save")} onSubmit={save} onClose={onClose}>
      <Field name="goodsSKU" label={tell("sales.sku")} />
      <div class="fields">
        <Field name="goodsQuantity" type="number" min={0} step={1} label={tell("goods.quantity")} />
        <Field name="goodsPrice" type="number" min={0} step={0.01} label={tell("sales.price")} />
      </div>
    </Dialog>
  );
}

interface OneGoodsProps extends FormProps {
  readonly goods: GoodsAnswer;
}

/** Quantities are set and not added: what is on hand is read again just before, because sales go on. */
function useSetGoods(sku: string): (next: (now: GoodsAnswer) => GoodsAnswer, done: (now: GoodsAnswer) => string) => Promise<string | null> {
  const ask = useAsk();
  const tell = useTell();
  const change = useChange();
  return async (next, done) => {
    const read = await ask<GoodsAnswer>("GET", `inventory-manager/sku/${encodeURIComponent(sku)}`);
    if (read.kind !== "answered") return tell("frame.failed", { why: read.kind === "refused" ? read.detail : "" });
    const { goodsSKU, goodsQuantity, goodsPrice } = next(read.value);
    const goods = { goodsSKU, goodsQuantity, goodsPrice };
    return change("PUT", "inventory-manager/update", goods, done(next(read.value)));
  };
}

function Restock({ goods, onDone, onClose }: OneGoodsProps) {
  const tell = useTell();
  const formats = useFormats();
  const sku = goods.goodsSKU;
  const setGoods = useSetGoods(sku);
  const save = async (form: FormData): Promise<string | null> => {
    const by = Number(form.get("by"));
    const fault = await setGoods(
      (now) => ({ ...now, goodsQuantity: now.goodsQuantity + by }),
      ({ goodsQuantity }) => tell("goods.restocked", { sku, onHand: formats.count(goodsQuantity) }),
    );
    if (fault === null) onDone();
    return fault;
  };
  const hint = tell("goods.restockHint", { onHand: formats.count(goods.goodsQuantity) });
  return (
    <Dialog title={tell("goods.restockTitle", { sku })} submitText={tell("goods.restock")} onSubmit={save} onClose={onClose}>
      <Field name="by" type="number" step={1} label={tell("goods.restockBy")} hint={hint} />
    </Dialog>
  );
}

function PriceForm({ goods, onDone, onClose }: OneGoodsProps) {
  const tell = useTell();
  const sku = goods.goodsSKU;
  const setGoods = useSetGoods(sku);
  const save = async (form: FormData): Promise<string | null> => {
    const price = Number(form.get("price"));
    const fault = await setGoods(
      (now) => ({ ...now, goodsPrice: price }),
      () => tell("goods.saved", { sku }),
    );
    if (fault === null) onDone();
    return fault;
  };
  return (
    <Dialog title={tell("goods.editTitle", { sku })} submitText={tell("frame.save")} onSubmit={save} onClose={onClose}>
      <Field name="price" type="number" min={0} step={0.01} label={tell("sales.price")} value={goods.goodsPrice} />
    </Dialog>
  );
}
