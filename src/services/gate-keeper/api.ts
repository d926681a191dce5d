/** GateKeeper's route, as in the contract. */
import Type, { type Static } from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { SessionIdSchema, SkuSchema, UserIdSchema } from "../../core/ids.ts";
import { PurchaseQuantity, UserLevel } from "../../core/quantity.ts";
import { IpAddressText } from "../safe-protector/api.ts";

const none = Type.Object({});

const BuyBody = Type.Object({
  // The gate makes the trace id, whatever the client sent.
  sessionID: Type.Optional(SessionIdSchema),
  clientIP: IpAddressText,
  userID: UserIdSchema,
  userLevel: UserLevel,
  goodsSKU: SkuSchema,
  goodsQuantity: PurchaseQuantity,
});
export type BuyBody = Static<typeof BuyBody>;

export const gateKeeperApi = {
  buy: { name: "buy", method: "POST", path: "/buy", params: none, query: none, body: BuyBody, needsAdminKey: false },
} satisfies Record<string, Endpoint>;
