/** The routes of sales, which PolicyController's port serves. */
import Type, { type Static } from "typebox";
import type { Endpoint } from "../core/endpoint.ts";
import { SaleIdSchema, SkuSchema } from "../core/ids.ts";
import { IsoTime } from "../core/iso-time.ts";
import { PageLimit } from "../core/paging.ts";
import { Price, TierLimit } from "../core/quantity.ts";
import { FROZEN_FOR_MS_MAX, PAYMENT_WINDOW_MS_MAX, SALE_ITEMS_MAX, SALE_NAME_CHARS_MAX } from "../limits.ts";
import { salesDescribed as described } from "./described.ts";

const none = Type.Object({});
const seconds = (maximum: number) => Type.Integer({ minimum: 1, maximum, description: `an integer from 1 to ${maximum}` });

const SalePlanBody = Type.Object({
  id: Type.Optional(SaleIdSchema),
  name: Type.String({
    pattern: `^(?!\\s*$)[^\\p{Cc}\\p{Cs}]{1,${SALE_NAME_CHARS_MAX}}$`,
    description: `1-${SALE_NAME_CHARS_MAX} characters, no control characters, not only blanks`,
  }),
  startsAt: IsoTime,
  endsAt: IsoTime,
  items: Type.Array(Type.Object({ goodsSKU: SkuSchema, salePrice: Price, quantityLimit: Type.Optional(TierLimit) }), {
    minItems: 1,
    maxItems: SALE_ITEMS_MAX,
  }),
  frozenForSeconds: Type.Optional(seconds(FROZEN_FOR_MS_MAX / 1_000)),
  paymentWindowSeconds: Type.Optional(seconds(PAYMENT_WINDOW_MS_MAX / 1_000)),
});
export type SalePlanBody = Static<typeof SalePlanBody>;

const salePath = Type.Object({ id: SaleIdSchema });
const read = { method: "GET", body: null, needsAdminKey: false } as const;
const change = { query: none, needsAdminKey: true } as const;

export const salesApi = {
  addSale: { ...change, method: "POST", ...described.addSale, name: "addSale", path: "/sales", params: none, body: SalePlanBody },
  findAllSales: {
    ...read,
    ...described.findAllSales,
    name: "findAllSales",
    path: "/sales",
    params: none,
    query: Type.Object({ after: Type.Optional(SaleIdSchema), limit: PageLimit }),
  },
  getSale: { ...read, ...described.getSale, name: "getSale", path: "/sales/{id}", params: salePath, query: none },
  updateSale: {
    ...change,
    method: "PUT",
    ...described.updateSale,
    name: "updateSale",
    path: "/sales/{id}",
    params: salePath,
    body: SalePlanBody,
  },
  removeSale: {
    ...change,
    method: "DELETE",
    ...described.removeSale,
    name: "removeSale",
    path: "/sales/{id}",
    params: salePath,
    body: null,
  },
  pauseSale: {
    ...change,
    method: "POST",
    ...described.pauseSale,
    name: "pauseSale",
    path: "/sales/{id}/pause",
    params: salePath,
    body: null,
  },
  resumeSale: {
    ...change,
    method: "POST",
    ...described.resumeSale,
    name: "resumeSale",
    path: "/sales/{id}/resume",
    params: salePath,
    body: null,
  },
} satisfies Record<string, Endpoint>;
