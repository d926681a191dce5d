/** `GET /health` and `GET /metrics`, the same on every port. */
import Type from "typebox";
import { type Endpoint, on, type Route } from "../core/endpoint.ts";

const none = Type.Object({});
const read = { method: "GET", params: none, query: none, body: null, needsAdminKey: false } as const;
const healthEndpoint = { ...read, name: "health", path: "/health" } satisfies Endpoint;
const metricsEndpoint = { ...read, name: "metrics", path: "/metrics" } satisfies Endpoint;

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
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    })),
  ];
}
