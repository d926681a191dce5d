/** Sales as the wire carries them: a plan on its way in, a sale on its way out. */
import type { HttpReply } from "../core/endpoint.ts";
import { formatIsoTime, parseIsoTime } from "../core/iso-time.ts";
import { centsOf, priceOf } from "../core/money.ts";
import { type FieldError, problem } from "../core/problem.ts";
import type { DurationMs, UnixMs } from "../core/time.ts";
import type { SalePlanBody } from "./api.ts";
import { type Sale, type SaleItem, type SalePlan, statusOf } from "./sale.ts";

/** The plan of a body that its endpoint has checked, or what its fields have wrong between them. */
export function planOf(body: SalePlanBody): SalePlan | { readonly refusal: HttpReply } {
  const startsAt = parseIsoTime(body.startsAt) as UnixMs;
  const endsAt = parseIsoTime(body.endsAt) as UnixMs;
  const errors: FieldError[] = [];
  if (endsAt <= startsAt) errors.push({ pointer: "#/endsAt", detail: "must be later than startsAt" });
  const seen = new Set<string>();
  for (const [index, { goodsSKU }] of body.items.entries()) {
    if (seen.has(goodsSKU)) errors.push({ pointer: `#/items/${index}/goodsSKU`, detail: `names ${goodsSKU} a second time` });
    seen.add(goodsSKU);
  }
  if (errors.length > 0) return { refusal: wrongFields(errors) };
  const items = body.items.map(
    ({ goodsSKU, salePrice, quantityLimit = null }): SaleItem => ({
      sku: goodsSKU,
      salePriceCents: centsOf(salePrice) as number,
      quantityLimit,
    }),
  );
  const { name, frozenForSeconds, paymentWindowSeconds } = body;
  return { name, startsAt, endsAt, items, frozenForMs: msOf(frozenForSeconds), paymentWindowMs: msOf(paymentWindowSeconds) };
}

export function wrongFields(errors: readonly FieldError[]): HttpReply {
  return problem(400, errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join("; "), { errors });
}

const msOf = (seconds: number | undefined): DurationMs | null => (seconds === undefined ? null : seconds * 1_000);

/** Everything of a sale but its items. */
export const saleHead = (sale: Sale, now: UnixMs) => ({
  id: sale.id,
  name: sale.name,
  startsAt: formatIsoTime(sale.startsAt),
  endsAt: formatIsoTime(sale.endsAt),
  status: statusOf(sale, now),
  ...(sale.frozenForMs !== null && { frozenForSeconds: sale.frozenForMs / 1_000 }),
  ...(sale.paymentWindowMs !== null && { paymentWindowSeconds: sale.paymentWindowMs / 1_000 }),
});

export const itemBody = ({ sku, salePriceCents, quantityLimit }: SaleItem) => ({
  goodsSKU: sku,
  salePrice: priceOf(salePriceCents),
  ...(quantityLimit !== null && { quantityLimit }),
});

/** A sale for its operator. `isPaused` tells of a scheduled sale that it will begin paused. */
export const saleBody = (sale: Sale, now: UnixMs) => ({
  ...saleHead(sale, now),
  isPaused: sale.isPaused,
  items: sale.items.map(itemBody),
});
