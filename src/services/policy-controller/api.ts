/** PolicyController's routes, as in the contract. */
import Type from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { SessionIdSchema, SkuSchema, UserIdSchema } from "../../core/ids.ts";
import { PageLimit } from "../../core/paging.ts";
import { PurchaseQuantity, StockQuantity, TierLimit, UserLevel } from "../../core/quantity.ts";
import { listOf, reply, throttled } from "../../core/reply-schema.ts";

const none = Type.Object({});
const Policy = Type.Object({ goodsSKU: SkuSchema, userLevel: UserLevel, quantityLimit: TierLimit });
const UserOrders = Type.Object({ userID: UserIdSchema, goodsSKU: SkuSchema, userLevel: UserLevel, orderQuantity: StockQuantity });
const skuPath = Type.Object({ sku: SkuSchema });
const userOrdersPath = Type.Object({ uid: UserIdSchema, sku: SkuSchema });

const read = { method: "GET", query: none, body: null, needsAdminKey: false } as const;
const add = { method: "POST", params: none, query: none, needsAdminKey: true } as const;
const update = { method: "PUT", params: none, query: none, needsAdminKey: true } as const;
const remove = { method: "DELETE", query: none, body: null, needsAdminKey: true } as const;

const Tiers = Type.Array(Type.Object({ userLevel: UserLevel, quantityLimit: TierLimit }));
const PolicyWithTiers = Type.Object({ ...Policy.properties, tiers: Tiers });
const RemovedPolicy = Type.Object({ goodsSKU: Type.Null(), userLevel: Type.Literal(0), quantityLimit: Type.Literal(0) });
const RemovedUserOrders = Type.Object({
  userID: Type.Null(),
  ...RemovedPolicy.properties,
  orderQuantity: Type.Literal(0),
});
const Verdict = Type.Object({
  sessionID: SessionIdSchema,
  userID: UserIdSchema,
  goodsSKU: SkuSchema,
  userLevel: UserLevel,
  orderQuantity: Type.Integer({ minimum: 1, description: "what the user would have then: ordered, frozen and asked for" }),
  isAllowed: Type.Boolean(),
  isThrottled: Type.Boolean(),
  version: Type.String(),
  quantityLimit: Type.Integer({ minimum: 0, description: "what the user may have; 0 means no limit" }),
  reason: Type.Optional(Type.String({ description: "why not: throttled, level-too-low, limit-reached, ..." })),
});

const policyExample = { goodsSKU: "SKU0001", userLevel: 5, quantityLimit: 1 };
const tiersExample = { goodsSKU: "SKU0001", userLevel: 5, quantityLimit: 2, tiers: [{ userLevel: 5, quantityLimit: 2 }] };
const userOrdersExample = { userID: "UID0000000001", goodsSKU: "SKU0001", userLevel: 5, orderQuantity: 1 };
const verdictExample = {
  ...{ sessionID: "sid00001", userID: "FS000001", goodsSKU: "QT3456", userLevel: 5, orderQuantity: 1 },
  ...{ isAllowed: true, isThrottled: false, version: "1.0", quantityLimit: 0 },
};
const throttledExample = { ...verdictExample, isAllowed: false, isThrottled: true, reason: "throttled" };
const policySku = { params: { sku: policyExample.goodsSKU } };
const userAndSku = { params: { uid: userOrdersExample.userID, sku: userOrdersExample.goodsSKU } };
const noTier = "The SKU has no tier for that level.";
const noRecord = "The user has no record for that SKU.";
const policyReply = { 200: reply("The policy.", Policy, policyExample) };
const userOrdersReply = { 200: reply("The record.", UserOrders, userOrdersExample) };

export const policyControllerApi = {
  doPolicyValidation: {
    ...read,
    name: "doPolicyValidation",
    path: "/validate/sid/{sid}/userid/{uid}/userlv/{level}/sku/{sku}/quantity/{qty}",
    params: Type.Object({ sid: SessionIdSchema, uid: UserIdSchema, level: UserLevel, sku: SkuSchema, qty: PurchaseQuantity }),
    summary: "Whether this user may buy that many of this SKU.",
    replies: {
      200: reply("The verdict.", Verdict, verdictExample),
      429: throttled(Verdict, throttledExample),
    },
    example: { params: { sid: "sid00001", uid: "FS000001", level: 5, sku: "QT3456", qty: 1 } },
  },
  addPolicy: {
    ...add,
    name: "addPolicy",
    path: "/policy/add",
    body: Policy,
    summary: "Says how many of a SKU the users from a level on may buy; replaces what was said for that level.",
    replies: policyReply,
    problems: { 409: "There is no room for one more tier." },
    example: { body: policyExample },
  },
  updatePolicy: {
    ...update,
    name: "updatePolicy",
    path: "/policy/update",
    body: Policy,
    summary: "Changes a tier that is there.",
    replies: policyReply,
    problems: { 404: noTier },
    example: { body: policyExample },
  },
  getPolicy: {
    ...read,
    name: "getPolicy",
    path: "/policy/sku/{sku}",
    params: skuPath,
    summary: "The policy of a SKU: its lowest tier, and all of them.",
    replies: { 200: reply("The policy.", PolicyWithTiers, tiersExample) },
    problems: { 404: "The SKU has no policy: it is open to everyone, without a limit." },
    example: policySku,
  },
  findAllPolicies: {
    ...read,
    name: "findAllPolicies",
    path: "/policy/all",
    params: none,
    query: Type.Object({ after: Type.Optional(SkuSchema), afterLevel: Type.Optional(UserLevel), limit: PageLimit }),
    summary: "All policies, one row per tier, or a page of them.",
    replies: { 200: listOf("The tiers, by SKU and level.", Policy, [{ goodsSKU: "SKU0001", userLevel: 3, quantityLimit: 1 }]) },
  },
  removePolicy: {
    ...remove,
    name: "removePolicy",
    path: "/policy/delete/sku/{sku}",
    params: skuPath,
    summary: "Removes all tiers of a SKU, which is then open to everyone.",
    replies: { 200: reply("It has no policy now.", RemovedPolicy, { goodsSKU: null, userLevel: 0, quantityLimit: 0 }) },
    example: policySku,
  },
  addUserOrders: {
    ...add,
    name: "addUserOrders",
    path: "/user/add",
    body: UserOrders,
    summary: "Records how many of a SKU a user has ordered; replaces what was recorded.",
    replies: userOrdersReply,
    example: { body: userOrdersExample },
  },
  updateUserOrders: {
    ...update,
    name: "updateUserOrders",
    path: "/user/update",
    body: UserOrders,
    summary: "Changes a record that is there.",
    replies: userOrdersReply,
    problems: { 404: noRecord },
    example: { body: userOrdersExample },
  },
  getUserOrders: {
    ...read,
    name: "getUserOrders",
    path: "/user/userid/{uid}/sku/{sku}",
    params: userOrdersPath,
    summary: "What a user has ordered of a SKU.",
    replies: userOrdersReply,
    problems: { 404: noRecord },
    example: userAndSku,
  },
  findAllUserOrders: {
    ...read,
    name: "findAllUserOrders",
    path: "/user/all",
    params: none,
    query: Type.Object({ after: Type.Optional(UserIdSchema), afterSku: Type.Optional(SkuSchema), limit: PageLimit }),
    summary: "All records, or a page of them.",
    replies: { 200: listOf("The records, by user and SKU.", UserOrders, [userOrdersExample]) },
  },
  removeUserOrders: {
    ...remove,
    name: "removeUserOrders",
    path: "/user/delete/userid/{uid}/sku/{sku}",
    params: userOrdersPath,
    summary: "Removes a record.",
    replies: {
      200: reply("There is none now.", RemovedUserOrders, {
        ...{ userID: null, goodsSKU: null },
        ...{ userLevel: 0, orderQuantity: 0, quantityLimit: 0 },
      }),
    },
    example: userAndSku,
  },
} satisfies Record<string, Endpoint>;
