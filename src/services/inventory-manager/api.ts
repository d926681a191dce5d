/** InventoryManager's routes, as in the contract. */
import Type from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { SessionIdSchema, SkuSchema } from "../../core/ids.ts";
import { PageLimit } from "../../core/paging.ts";
import { Price, PurchaseQuantity, StockQuantity } from "../../core/quantity.ts";
import { listOf, reply, throttled } from "../../core/reply-schema.ts";

const none = Type.Object({});
const GoodsBody = Type.Object({ goodsSKU: SkuSchema, goodsQuantity: StockQuantity, goodsPrice: Price });
const skuPath = Type.Object({ sku: SkuSchema });
const read = { method: "GET", query: none, body: null, needsAdminKey: false } as const;

const Goods = Type.Object({
  goodsSKU: SkuSchema,
  goodsQuantity: StockQuantity,
  goodsPrice: Price,
  frozenQuantity: StockQuantity,
  availableQuantity: StockQuantity,
});
const RemovedGoods = Type.Object({ goodsSKU: Type.Null(), goodsQuantity: Type.Literal(0), goodsPrice: Type.Literal(0) });
const Verdict = Type.Object({
  sessionID: SessionIdSchema,
  goodsSKU: SkuSchema,
  goodsQuantity: PurchaseQuantity,
  totalQuantity: StockQuantity,
  isAllowed: Type.Boolean(),
  isThrottled: Type.Boolean(),
  version: Type.String(),
  reason: Type.Optional(Type.Enum(["throttled", "unknown-goods", "sold-out"])),
});

const goodsExample = { goodsSKU: "SKU0001", goodsQuantity: 990_000, goodsPrice: 45.9, frozenQuantity: 1, availableQuantity: 989_999 };
const addedExample = { goodsSKU: "SKU0003", goodsQuantity: 5, goodsPrice: 99.9, frozenQuantity: 0, availableQuantity: 5 };
const verdictExample = {
  ...{ sessionID: "sid00001", goodsSKU: "SKU0001", goodsQuantity: 1, totalQuantity: 1_000_000 },
  ...{ isAllowed: true, isThrottled: false, version: "1.0" },
};
const throttledExample = { ...verdictExample, totalQuantity: 0, isAllowed: false, isThrottled: true, reason: "throttled" };
const bodyExample = { goodsSKU: "SKU0003", goodsQuantity: 5, goodsPrice: 99.9 };
const stocking = { params: none, query: none, body: GoodsBody, needsAdminKey: true, example: { body: bodyExample } } as const;
const unknownGoods = "There are no such goods.";
const belowFrozen = "More than that is frozen in carts or unpaid orders; `goodsQuantityMin` is the smallest value possible now.";

export const inventoryManagerApi = {
  doInventoryValidation: {
    ...read,
    name: "doInventoryValidation",
    path: "/validate/sid/{sid}/sku/{sku}/quantity/{qty}",
    params: Type.Object({ sid: SessionIdSchema, sku: SkuSchema, qty: PurchaseQuantity }),
    summary: "Whether that many are left for a purchase.",
    replies: {
      200: reply("The verdict.", Verdict, verdictExample),
      429: throttled(Verdict, throttledExample),
    },
    example: { params: { sid: "sid00001", sku: "SKU0001", qty: 1 } },
  },
  addGoods: {
    ...stocking,
    name: "addGoods",
    method: "POST",
    path: "/add",
    summary: "Adds goods, or sets quantity and price of goods that are there.",
    replies: { 200: reply("The goods.", Goods, addedExample) },
    problems: { 409: `${belowFrozen} Or there is no room for one more SKU.` },
  },
  updateGoods: {
    ...stocking,
    name: "updateGoods",
    method: "PUT",
    path: "/update",
    summary: "Sets quantity and price of goods that are there.",
    replies: { 200: reply("The goods.", Goods, addedExample) },
    problems: { 404: unknownGoods, 409: belowFrozen },
  },
  getGoods: {
    ...read,
    name: "getGoods",
    path: "/sku/{sku}",
    params: skuPath,
    summary: "The goods of one SKU.",
    replies: { 200: reply("The goods.", Goods, goodsExample) },
    problems: { 404: unknownGoods },
    example: { params: { sku: "SKU0001" } },
  },
  findAllItems: {
    ...read,
    name: "findAllItems",
    path: "/all",
    params: none,
    query: Type.Object({ after: Type.Optional(SkuSchema), limit: PageLimit }),
    summary: "All goods, or a page of them.",
    replies: { 200: listOf("The goods in the order of their SKUs.", Goods, [goodsExample]) },
  },
  removeGoods: {
    name: "removeGoods",
    method: "DELETE",
    path: "/delete/sku/{sku}",
    params: skuPath,
    query: none,
    body: null,
    needsAdminKey: true,
    summary: "Removes goods.",
    replies: { 200: reply("They are gone.", RemovedGoods, { goodsSKU: null, goodsQuantity: 0, goodsPrice: 0 }) },
    problems: { 404: unknownGoods, 409: "Some are frozen in carts or unpaid orders." },
    example: { params: { sku: "SKU0003" } },
  },
} satisfies Record<string, Endpoint>;
