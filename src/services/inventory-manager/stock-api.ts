/** Where all goods stand, for operators to watch. */
import Type from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { SkuSchema } from "../../core/ids.ts";
import { StockQuantity } from "../../core/quantity.ts";
import { reply } from "../../core/reply-schema.ts";
import { STOCK_PER_PAGE_MAX } from "../../limits/operators.ts";

const units = (description: string) => Type.Integer({ minimum: 0, description });

const GoodsStanding = Type.Object({
  goodsSKU: SkuSchema,
  onHand: StockQuantity,
  frozen: units("of what is on hand, in carts and unpaid orders"),
  paymentPending: units("of what is frozen, in unpaid orders"),
  sold: units("paid for"),
  available: units("of what is on hand, what is not frozen"),
});
const StockDocument = Type.Object({
  at: Type.Integer({ description: "in unix ms" }),
  goods: Type.Array(GoodsStanding, { description: "in the order of their SKUs" }),
  more: Type.Boolean({ description: "whether there are goods behind these: ask on with `after`" }),
});

const standing = { goodsSKU: "SKU0001", onHand: 990, frozen: 40, paymentPending: 15, sold: 10, available: 950 };

export const stockApi = {
  findStock: {
    name: "findStock",
    method: "GET",
    path: "/stock",
    params: Type.Object({}),
    query: Type.Object({
      after: Type.Optional(SkuSchema),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: STOCK_PER_PAGE_MAX, description: `a number from 1 to ${STOCK_PER_PAGE_MAX}` }),
      ),
    }),
    body: null,
    needsAdminKey: true,
    summary: "Where goods stand: available, frozen, in unpaid orders, sold.",
    replies: { 200: reply("A page of goods.", StockDocument, { at: 1_795_341_602_120, goods: [standing], more: false }) },
    example: { query: { limit: 100 } },
  },
} satisfies Record<string, Endpoint>;
