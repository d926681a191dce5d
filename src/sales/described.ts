/** A sale as the wire carries it, as a schema, and what is said of each operation on PolicyController's port beside its route. */
import Type from "typebox";
import { ID_PATTERN, SkuSchema } from "../core/ids.ts";
import { Price, TierLimit } from "../core/quantity.ts";
import { listOf, reply } from "../core/reply-schema.ts";

const id = Type.String({ pattern: ID_PATTERN, description: "1-128 characters, no control characters" });
const time = Type.String({ description: "ISO 8601 with offset" });

/** Everything of a sale but its items. */
export const saleHeadFields = {
  id,
  name: Type.String(),
  startsAt: time,
  endsAt: time,
  status: Type.Enum(["scheduled", "live", "paused", "ended"]),
  frozenForSeconds: Type.Optional(Type.Number({ minimum: 0 })),
  paymentWindowSeconds: Type.Optional(Type.Number({ minimum: 0 })),
};
export const saleItemFields = { goodsSKU: SkuSchema, salePrice: Price, quantityLimit: Type.Optional(TierLimit) };

const SaleDocument = Type.Object({
  ...saleHeadFields,
  isPaused: Type.Boolean({ description: "of a scheduled sale: it will begin paused" }),
  items: Type.Array(Type.Object(saleItemFields)),
});
const RemovedSale = Type.Object({ id, status: Type.Literal("removed") });

export const salePlanExample = {
  ...{ id: "autumn-drop", name: "Autumn drop", startsAt: "2036-11-22T10:00:00+01:00", endsAt: "2036-11-22T11:00:00+01:00" },
  items: [{ goodsSKU: "SKU0003", salePrice: 45.9, quantityLimit: 1 }],
};
export const saleHeadExample = {
  ...{ id: "autumn-drop", name: "Autumn drop", startsAt: "2036-11-22T09:00:00.000Z", endsAt: "2036-11-22T10:00:00.000Z" },
  status: "scheduled",
};
const saleExample = { ...saleHeadExample, isPaused: false, items: salePlanExample.items };

const oneSale = { params: { id: salePlanExample.id } };
const unknownSale = "There is no such sale.";
const saved = { 200: reply("The sale.", SaleDocument, saleExample) };
const overlap = "Another sale has one of its SKUs during that time; `saleID` and `goodsSKU` name them.";

export const salesDescribed = {
  addSale: {
    summary: "Plans a sale: some SKUs, a start, an end, prices.",
    replies: { 201: reply("It is planned.", SaleDocument, saleExample) },
    problems: { 409: `${overlap} Or its id is taken, or there is no room for one more.` },
    example: { body: salePlanExample },
  },
  findAllSales: {
    summary: "All sales, or a page of them.",
    replies: { 200: listOf("The sales.", SaleDocument, [saleExample]) },
  },
  getSale: { summary: "One sale.", replies: saved, problems: { 404: unknownSale }, example: oneSale },
  updateSale: {
    summary: "Replaces a sale, within what has not happened yet.",
    replies: saved,
    problems: { 404: unknownSale, 409: `${overlap} Or the change would rewrite what has begun.` },
    example: { ...oneSale, body: salePlanExample },
  },
  removeSale: {
    summary: "Removes a sale that has not begun, or has ended.",
    replies: { 200: reply("It is gone.", RemovedSale, { id: salePlanExample.id, status: "removed" }) },
    problems: { 409: "It has begun and has not ended, paused or not: end it first, with an earlier `endsAt`." },
    example: oneSale,
  },
  pauseSale: {
    summary: "Pauses a sale: shoppers are told, and nothing is sold until it is resumed.",
    replies: { 200: reply("The sale.", SaleDocument, { ...saleExample, isPaused: true }) },
    problems: { 404: unknownSale, 409: "It has ended." },
    example: oneSale,
  },
  resumeSale: {
    summary: "Resumes a paused sale.",
    replies: saved,
    problems: { 404: unknownSale, 409: "It has ended." },
    example: oneSale,
  },
} as const;
