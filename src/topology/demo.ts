/** What `--demo` puts into an empty store, so that a newcomer can buy something at once. */
import type { Sku } from "../core/ids.ts";
import type { UnixMs } from "../core/time.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { PolicyController } from "../services/policy-controller/service.ts";

export async function stockDemo(ledger: Ledger, policies: Pick<PolicyController, "put">, now: UnixMs): Promise<void> {
  const sku = "SKU0001" as Sku;
  if ((await ledger.listGoods(null, 1, now)).length > 0) return;
  await ledger.stock([{ verb: "stock", mode: "put", sku, onHand: 500, priceCents: 9_990 }], now);
  await policies.put(sku, { userLevel: 1, quantityLimit: 1 }, "add");
  await policies.put(sku, { userLevel: 5, quantityLimit: 5 }, "add");
}
