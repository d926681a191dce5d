/** How the stock of one SKU has gone, as the console has seen it. */
import Type from "typebox";
import type { Endpoint } from "../core/endpoint.ts";
import { SkuSchema } from "../core/ids.ts";
import { reply } from "../core/reply-schema.ts";

const Quantity = Type.Integer({ minimum: 0 });
const CurveDocument = Type.Object({
  goodsSKU: SkuSchema,
  points: Type.Array(
    Type.Object({
      at: Type.Integer({ description: "in unix ms; between two equal points nothing has changed" }),
      available: Quantity,
      held: Type.Integer({ minimum: 0, description: "frozen in carts" }),
      paymentPending: Type.Integer({ minimum: 0, description: "frozen in orders that wait for payment" }),
      sold: Quantity,
    }),
  ),
});

export const curveEndpoint = {
  name: "stockCurve",
  method: "GET",
  path: "/api/curve/{sku}",
  params: Type.Object({ sku: SkuSchema }),
  query: Type.Object({}),
  body: null,
  needsAdminKey: false,
  summary: "How the stock of one SKU has gone since the console began to look.",
  replies: {
    200: reply("The curve, from the oldest point to the newest.", CurveDocument, {
      goodsSKU: "SKU0001",
      points: [{ at: 1_795_341_602_120, available: 90, held: 8, paymentPending: 1, sold: 1 }],
    }),
  },
  problems: { 401: "Nobody is signed in.", 404: "The stock of these goods is not followed." },
} as const satisfies Endpoint;
