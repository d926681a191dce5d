/** PolicyController as the gates reach it over a link. */
import Type from "typebox";
import { SessionIdSchema, SkuSchema, UserIdSchema } from "../../core/ids.ts";
import { PurchaseQuantity, UserLevel } from "../../core/quantity.ts";
import { LINK_DEADLINE_MS } from "../../limits/links.ts";
import { linkMethod, linkRoute } from "../../links/method.ts";
import type { PolicyCheck, PolicyController, PolicyVerdict } from "./service.ts";

export const validatePolicies = linkMethod<PolicyCheck, PolicyVerdict>({
  name: "validate",
  summary: "what sales, tiers and limits say of each of these purchases.",
  item: Type.Object({
    sessionId: SessionIdSchema,
    userId: UserIdSchema,
    userLevel: UserLevel,
    sku: SkuSchema,
    quantity: PurchaseQuantity,
  }),
  wire: ({ sessionId, userId, userLevel, sku, quantity }) => ({ sessionId, userId, userLevel, sku, quantity }),
  isRepeatable: true,
  deadlineMs: LINK_DEADLINE_MS,
});

export const policyControllerLinkRoutes = (controller: PolicyController) => [
  linkRoute(validatePolicies, (checks) => controller.validate(checks)),
];
