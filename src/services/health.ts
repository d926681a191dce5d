/** `GET /health` and `GET /metrics`, the same on every port. */
import Type from "typebox";
import { type Endpoint, on, type Route } from "../core/endpoint.ts";
import { reply, text } from "../core/reply-schema.ts";

const none = Type.Object({});
const read = { method: "GET", params: none, query: none, body: null, needsAdminKey: false } as const;
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const HealthReply = Type.Object({
  status: Type.Enum(["UP", "DOWN"]),
  instance: Type.Optional(Type.String({ description: "which instance answers, as the registry names it; not told on the public door" })),
  pid: Type.Optional(Type.Integer({ description: "the process; not told on the public door" })),
  uptimeSeconds: Type.Optional(Type.Integer({ minimum: 0 })),
  tables: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String(),
        isCurrent: Type.Boolean({ description: "false: what others have changed may be missing here" }),
        ageMs: Type.Integer({ minimum: 0, description: "how long ago it was certain that nothing is missing" }),
        position: Type.Integer({ minimum: 0, description: "changes of the table that this process knows" }),
      }),
      { description: "the copies of shared tables that this process answers from; not told on the public door" },
    ),
  ),
});
const healthEndpoint = {
  ...read,
  name: "health",
  path: "/health",
  summary: "Whether this service answers.",
  replies: {
    200: reply("It does.", HealthReply, { status: "UP" }),
    503: reply("It is stopping, or has stopped selling because its store failed.", HealthReply, { status: "DOWN" }),
  },
} satisfies Endpoint;
const metricsEndpoint = {
  ...read,
  name: "metrics",
  path: "/metrics",
  summary: "The figures of this service, for Prometheus.",
  replies: { 200: text("Prometheus text.", METRICS_TYPE) },
} satisfies Endpoint;

export interface Health {
  readonly isUp: boolean;
  /** What the operators' ports add; empty on the public door. */
  readonly details: Readonly<Record<string, unknown>>;
}

export function healthRoutes(health: () => Health, metricsText: () => Promise<string>): Route[] {
  return [
    on(healthEndpoint, () => {
      const { isUp, details } = health();
      return { status: isUp ? 200 : 503, body: JSON.stringify({ status: isUp ? "UP" : "DOWN", ...details }) };
    }),
    on(metricsEndpoint, async () => ({
      status: 200,
      body: await metricsText(),
      headers: { "content-type": METRICS_TYPE },
    })),
  ];
}
