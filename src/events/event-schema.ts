/** An event as the wire carries it, as a schema: one form for all types, each of which fills its part of `data`. */
import Type from "typebox";
import { SkuSchema, UserIdSchema } from "../core/ids.ts";
import { OrderDocument, PaymentDocument } from "../orders/described.ts";
import { EVENT_TYPES, type EventType } from "./event.ts";

export const EVENT_ID = "^(0|[1-9][0-9]{0,14})$";
export const EventIdText = Type.String({ pattern: EVENT_ID, description: "the id of an event, or 0" });

export const EventTypeSchema = Type.Unsafe<EventType>(
  Type.String({ pattern: `^(${EVENT_TYPES.join("|").replaceAll(".", "\\.")})$`, description: `one of ${EVENT_TYPES.join(", ")}` }),
);

export const EventDocument = Type.Object({
  id: EventIdText,
  type: EventTypeSchema,
  timestamp: Type.String({ description: "when it happened, ISO 8601" }),
  data: Type.Object({
    goodsSKU: Type.Optional(SkuSchema),
    userID: Type.Optional(UserIdSchema),
    goodsQuantity: Type.Optional(
      Type.Integer({ minimum: 0, description: "frozen for the user now; when a hold has ended, what became free" }),
    ),
    sessionID: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    expiresAt: Type.Optional(Type.Integer({ description: "the end of the hold, in unix ms" })),
    order: Type.Optional(OrderDocument),
    saleID: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    goodsSKUs: Type.Optional(Type.Array(SkuSchema)),
    orderID: Type.Optional(Type.String()),
    payment: Type.Optional(PaymentDocument),
    detail: Type.Optional(Type.String()),
  }),
});
