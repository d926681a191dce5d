/** InventoryManager's routes, as in the contract. */
import Type from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { SessionIdSchema, SkuSchema } from "../../core/ids.ts";
import { PageLimit } from "../../core/paging.ts";
import { Price, PurchaseQuantity, StockQuantity } from "../../core/quantity.ts";

const none = Type.Object({});
const GoodsBody = Type.Object({ goodsSKU: SkuSchema, goodsQuantity: StockQuantity, goodsPrice: Price });
const skuPath = Type.Object({ sku: SkuSchema });
const read = { method: "GET", query: none, body: null, needsAdminKey: false } as const;

export const inventoryManagerApi = {
  doInventoryValidation: {
    ...read,
    name: "doInventoryValidation",
    path: "/validate/sid/{sid}/sku/{sku}/quantity/{qty}",
    params: Type.Object({ sid: SessionIdSchema, sku: SkuSchema, qty: PurchaseQuantity }),
  },
  addGoods: { name: "addGoods", method: "POST", path: "/add", params: none, query: none, body: GoodsBody, needsAdminKey: true },
  updateGoods: { name: "updateGoods", method: "PUT", path: "/update", params: none, query: none, body: GoodsBody, needsAdminKey: true },
  getGoods: { ...read, name: "getGoods", path: "/sku/{sku}", params: skuPath },
  findAllItems: {
    ...read,
    name: "findAllItems",
    path: "/all",
    params: none,
    query: Type.Object({ after: Type.Optional(SkuSchema), limit: PageLimit }),
  },
  removeGoods: {
    name: "removeGoods",
    method: "DELETE",
    path: "/delete/sku/{sku}",
    params: skuPath,
    query: none,
    body: null,
    needsAdminKey: true,
  },
} satisfies Record<string, Endpoint>;
