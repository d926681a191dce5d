/** ShoppingCart's routes, as in the contract. None needs the admin key: explicit release is always possible. */
import Type from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { SessionIdSchema, SkuSchema, UserIdSchema } from "../../core/ids.ts";
import { PurchaseQuantity, StockQuantity } from "../../core/quantity.ts";

const none = Type.Object({});
const CartBody = Type.Object({
  sessionID: SessionIdSchema,
  userID: UserIdSchema,
  goodsSKU: SkuSchema,
  goodsQuantity: PurchaseQuantity,
  // Accepted and ignored: the ledger's own figure decides.
  totalQuantity: Type.Optional(StockQuantity),
  quantityLimit: Type.Optional(StockQuantity),
});
const userPath = Type.Object({ uid: UserIdSchema });
const read = { method: "GET", query: none, body: null, needsAdminKey: false } as const;

export const shoppingCartApi = {
  doAddGoodsToCart: {
    name: "doAddGoodsToCart",
    method: "POST",
    path: "/add",
    params: none,
    query: none,
    body: CartBody,
    needsAdminKey: false,
  },
  updateGoodsInCart: {
    name: "updateGoodsInCart",
    method: "PUT",
    path: "/update",
    params: none,
    query: none,
    body: CartBody,
    needsAdminKey: false,
  },
  findAllItemsByUserID: { ...read, name: "findAllItemsByUserID", path: "/all/userid/{uid}", params: userPath },
  getGoodsByUidSKU: {
    ...read,
    name: "getGoodsByUidSKU",
    path: "/sid/{sid}/userid/{uid}/sku/{sku}",
    params: Type.Object({ sid: SessionIdSchema, uid: UserIdSchema, sku: SkuSchema }),
  },
  removeGoodsInCart: {
    name: "removeGoodsInCart",
    method: "DELETE",
    path: "/delete/userid/{uid}/sku/{sku}",
    params: Type.Object({ uid: UserIdSchema, sku: SkuSchema }),
    query: none,
    body: null,
    needsAdminKey: false,
  },
} satisfies Record<string, Endpoint>;
