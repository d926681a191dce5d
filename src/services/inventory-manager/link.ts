/** InventoryManager as the gates reach it over a link. */
import Type from "typebox";
import { SessionIdSchema, SkuSchema } from "../../core/ids.ts";
import { PurchaseQuantity } from "../../core/quantity.ts";
import { LINK_DEADLINE_MS } from "../../limits/links.ts";
import { linkMethod, linkRoute } from "../../links/method.ts";
import type { InventoryCheck, InventoryManager, InventoryVerdict } from "./service.ts";

export const validateInventory = linkMethod<InventoryCheck, InventoryVerdict>({
  name: "validate",
  summary: "whether there is enough for each of these purchases.",
  item: Type.Object({ sessionId: SessionIdSchema, sku: SkuSchema, quantity: PurchaseQuantity }),
  wire: ({ sessionId, sku, quantity }) => ({ sessionId, sku, quantity }),
  isRepeatable: true,
  deadlineMs: LINK_DEADLINE_MS,
});

export const inventoryManagerLinkRoutes = (inventory: InventoryManager) => [
  linkRoute(validateInventory, (checks) => inventory.validate(checks)),
];
