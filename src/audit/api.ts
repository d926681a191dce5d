/** The route of the running audit, which ShoppingCart's port serves. */
import Type from "typebox";
import { type Endpoint, json, on, type Route } from "../core/endpoint.ts";
import { reply } from "../core/reply-schema.ts";
import type { ContinuousAudit } from "./continuous-audit.ts";

const orNull = (schema: Parameters<typeof Type.Union>[0][number], description: string) =>
  Type.Union([schema, Type.Null()], { description });
const AuditDocument = Type.Object({
  state: Type.Enum(["holding", "broken", "unknown"]),
  checkedAt: orNull(Type.Integer(), "when the last look began, in unix ms; null: there was none yet"),
  tookMs: orNull(Type.Number({ minimum: 0 }), "how long it took"),
  checks: Type.Array(
    Type.Object({
      promise: Type.String({ description: "the invariant, as a sentence" }),
      looked: orNull(Type.Integer({ minimum: 0 }), "how much was looked at"),
      breaches: Type.Array(Type.String(), { description: "what breaks it; empty: it holds" }),
      hasMore: Type.Boolean({ description: "whether there are more breaches than are told" }),
    }),
  ),
  notes: Type.Array(Type.String(), { description: "what was not compared, and why" }),
  why: orNull(Type.String(), "why it could not be computed the last time"),
});
const promise = "sold and on hand are what was stocked";

export const auditApi = {
  currentAudit: {
    name: "currentAudit",
    method: "GET",
    path: "/audit",
    params: Type.Object({}),
    query: Type.Object({}),
    body: null,
    needsAdminKey: true,
    summary: "Whether every invariant holds, recomputed from the stores alone, again and again while somebody asks.",
    replies: {
      200: reply("What the last look has found.", AuditDocument, {
        ...{ state: "holding", checkedAt: 1_795_341_602_120, tookMs: 12.5 },
        checks: [{ promise, looked: 20, breaches: [], hasMore: false }],
        ...{ notes: [], why: null },
      }),
    },
  },
} satisfies Record<string, Endpoint>;

export const auditRoutes = (audit: ContinuousAudit): Route[] => [on(auditApi.currentAudit, () => json(audit.ask()))];
