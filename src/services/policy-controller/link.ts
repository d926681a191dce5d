/** PolicyController as the gates reach it over a link. */
import Type, { type Static } from "typebox";
import { type SessionId, SessionIdSchema, type Sku, SkuSchema, type UserId, UserIdSchema } from "../../core/ids.ts";
import { PurchaseQuantity, UserLevel } from "../../core/quantity.ts";
import { LINK_DEADLINE_MS } from "../../limits/links.ts";
import { linkMethod, linkRoute } from "../../links/method.ts";
import type { PolicyCheck, PolicyController, PolicyVerdict } from "./service.ts";

const Row = Type.Tuple([SessionIdSchema, UserIdSchema, UserLevel, SkuSchema, PurchaseQuantity]);
/** `null`: allowed. */
type VerdictRow = readonly [reason: PolicyVerdict["reason"], orderQuantity: number, quantityLimit: number, sale: PolicyVerdict["sale"]];
const REASONS: ReadonlySet<unknown> = new Set<PolicyVerdict["reason"]>([
  ...([null, "throttled", "ended", "not-started", "paused", "level-too-low", "limit-reached"] as const),
]);

export const validatePolicies = linkMethod<PolicyCheck, PolicyVerdict>({
  name: "validate",
  summary: "what sales, tiers and limits say of each of these purchases.",
  item: Row,
  wire: ({ sessionId, userId, userLevel, sku, quantity }): Static<typeof Row> => [sessionId, userId, userLevel, sku, quantity],
  read: (crossed) => {
    const [sessionId, userId, userLevel, sku, quantity] = crossed as readonly [SessionId, UserId, number, Sku, number];
    return { sessionId, userId, userLevel, sku, quantity };
  },
  wireReply: ({ reason, orderQuantity, quantityLimit, sale }): VerdictRow => [reason, orderQuantity, quantityLimit, sale],
  readReply: (crossed) => {
    const [reason, orderQuantity, quantityLimit, sale] = crossed as VerdictRow;
    if (!REASONS.has(reason)) throw new TypeError("there is no such reason");
    return { allowed: reason === null, reason, orderQuantity, quantityLimit, sale };
  },
  isRepeatable: true,
  deadlineMs: LINK_DEADLINE_MS,
  isCollected: true,
});

export const policyControllerLinkRoutes = (controller: PolicyController) => [
  linkRoute(validatePolicies, (checks) => controller.validate(checks)),
];
