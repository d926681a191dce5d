/** PolicyController's routes, as in the contract. */
import Type from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { SessionIdSchema, SkuSchema, UserIdSchema } from "../../core/ids.ts";
import { PageLimit } from "../../core/paging.ts";
import { PurchaseQuantity, StockQuantity, TierLimit, UserLevel } from "../../core/quantity.ts";

const none = Type.Object({});
const Policy = Type.Object({ goodsSKU: SkuSchema, userLevel: UserLevel, quantityLimit: TierLimit });
const UserOrders = Type.Object({ userID: UserIdSchema, goodsSKU: SkuSchema, userLevel: UserLevel, orderQuantity: StockQuantity });
const skuPath = Type.Object({ sku: SkuSchema });
const userOrdersPath = Type.Object({ uid: UserIdSchema, sku: SkuSchema });

const read = { method: "GET", query: none, body: null, needsAdminKey: false } as const;
const add = { method: "POST", params: none, query: none, needsAdminKey: true } as const;
const update = { method: "PUT", params: none, query: none, needsAdminKey: true } as const;
const remove = { method: "DELETE", query: none, body: null, needsAdminKey: true } as const;

export const policyControllerApi = {
  doPolicyValidation: {
    ...read,
    name: "doPolicyValidation",
    path: "/validate/sid/{sid}/userid/{uid}/userlv/{level}/sku/{sku}/quantity/{qty}",
    params: Type.Object({ sid: SessionIdSchema, uid: UserIdSchema, level: UserLevel, sku: SkuSchema, qty: PurchaseQuantity }),
  },
  addPolicy: { ...add, name: "addPolicy", path: "/policy/add", body: Policy },
  updatePolicy: { ...update, name: "updatePolicy", path: "/policy/update", body: Policy },
  getPolicy: { ...read, name: "getPolicy", path: "/policy/sku/{sku}", params: skuPath },
  findAllPolicies: {
    ...read,
    name: "findAllPolicies",
    path: "/policy/all",
    params: none,
    query: Type.Object({ after: Type.Optional(SkuSchema), afterLevel: Type.Optional(UserLevel), limit: PageLimit }),
  },
  removePolicy: { ...remove, name: "removePolicy", path: "/policy/delete/sku/{sku}", params: skuPath },
  addUserOrders: { ...add, name: "addUserOrders", path: "/user/add", body: UserOrders },
  updateUserOrders: { ...update, name: "updateUserOrders", path: "/user/update", body: UserOrders },
  getUserOrders: { ...read, name: "getUserOrders", path: "/user/userid/{uid}/sku/{sku}", params: userOrdersPath },
  findAllUserOrders: {
    ...read,
    name: "findAllUserOrders",
    path: "/user/all",
    params: none,
    query: Type.Object({ after: Type.Optional(UserIdSchema), afterSku: Type.Optional(SkuSchema), limit: PageLimit }),
  },
  removeUserOrders: { ...remove, name: "removeUserOrders", path: "/user/delete/userid/{uid}/sku/{sku}", params: userOrdersPath },
} satisfies Record<string, Endpoint>;
