/** Who may have how many of a SKU: its tiers. */
import { ChangeButton, useChange } from "../../parts/change.tsx";
import { Dialog, Field } from "../../parts/dialog.tsx";
import { useRead, useTell } from "../../surroundings.tsx";

interface PolicyRow {
  readonly goodsSKU: string;
  readonly userLevel: number;
  readonly quantityLimit: number;
}

/** The tiers of one SKU stand in a row in the list: a few from just before it are enough. A SKU without any is no mistake, and so is not asked for by
 *  itself, which would be answered with 404. */
const useTiers = (sku: string) => {
  const list = useRead<readonly PolicyRow[]>("policy-controller/policy/all?limit=10000");
  return { ...list, tiers: list.value?.filter(({ goodsSKU }) => goodsSKU === sku) ?? null };
};

export function Tiers({ sku, onClose }: { readonly sku: string; readonly onClose: () => void }) {
  const tell = useTell();
  const change = useChange();
  const { tiers, again } = useTiers(sku);
  const save = async (form: FormData): Promise<string | null> => {
    const tier = { goodsSKU: sku, userLevel: Number(form.get("userLevel")), quantityLimit: Number(form.get("quantityLimit")) };
    const fault = await change("POST", "policy-controller/policy/add", tier, tell("goods.tierSaved", { sku }));
    if (fault === null) await again();
    return fault;
  };
  return (
    <Dialog title={tell("goods.limitsOf", { sku })} submitText={tell("goods.tierAdd")} onSubmit={save} onClose={onClose}>
      {tiers === null && <p class="quiet">{tell("frame.loading")}</p>}
      {tiers?.length === 0 && <p>{tell("goods.limitsOpen")}</p>}
      <ul class="tiers">
        {(tiers ?? []).map(({ userLevel, quantityLimit }) => (
          <li key={userLevel} class="pill">
            {tell("goods.tier", { level: userLevel, limit: quantityLimit })}
          </li>
        ))}
      </ul>
      <div class="fields">
        <Field name="userLevel" type="number" min={0} step={1} label={tell("goods.tierLevel")} />
        <Field name="quantityLimit" type="number" min={1} step={1} label={tell("goods.tierLimit")} />
      </div>
      {tiers !== null && tiers.length > 0 && (
        <p>
          <ChangeButton
            {...{ label: tell("goods.tiersRemove"), of: sku, method: "DELETE", onDone: () => void again() }}
            path={`policy-controller/policy/delete/sku/${encodeURIComponent(sku)}`}
            done={tell("goods.tiersRemoved", { sku })}
            question={tell("goods.tiersRemoveAsk", { sku })}
            isDangerous
          />
        </p>
      )}
    </Dialog>
  );
}
