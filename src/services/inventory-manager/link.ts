/** InventoryManager as the gates reach it over a link. */
import Type, { type Static } from "typebox";
import { type SessionId, SessionIdSchema, type Sku, SkuSchema } from "../../core/ids.ts";
import { PurchaseQuantity } from "../../core/quantity.ts";
import { LINK_DEADLINE_MS } from "../../limits/links.ts";
import { linkMethod, linkRoute } from "../../links/method.ts";
import type { InventoryCheck, InventoryManager, InventoryVerdict } from "./service.ts";

const Row = Type.Tuple([SessionIdSchema, SkuSchema, PurchaseQuantity]);
/** `null`: allowed. */
type VerdictRow = readonly [reason: InventoryVerdict["reason"], totalQuantity: number];
const REASONS: ReadonlySet<unknown> = new Set<InventoryVerdict["reason"]>([null, "throttled", "unknown-goods", "sold-out"]);

export const validateInventory = linkMethod<InventoryCheck, InventoryVerdict>({
  name: "validate",
  summary: "whether there is enough for each of these purchases.",
  item: Row,
  wire: ({ sessionId, sku, quantity }): Static<typeof Row> => [sessionId, sku, quantity],
  read: (crossed) => {
    const [sessionId, sku, quantity] = crossed as readonly [SessionId, Sku, number];
    return { sessionId, sku, quantity };
  },
  wireReply: ({ reason, totalQuantity }): VerdictRow => [reason, totalQuantity],
  readReply: (crossed) => {
    const [reason, totalQuantity] = crossed as VerdictRow;
    if (!REASONS.has(reason)) throw new TypeError("there is no such reason");
    return { allowed: reason === null, reason, totalQuantity };
  },
  isRepeatable: true,
  deadlineMs: LINK_DEADLINE_MS,
  isCollected: true,
});

export const inventoryManagerLinkRoutes = (inventory: InventoryManager) => [
  linkRoute(validateInventory, (checks) => inventory.validate(checks)),
];
