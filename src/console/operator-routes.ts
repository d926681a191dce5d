/**
 * What operators can ask of the services through the console: a fixed list. Each entry is the service's own endpoint, so that what it takes is checked
 * here by the same schema, and nothing else can be asked.
 */
import type { TObject, TSchema } from "typebox";
import { auditApi } from "../audit/api.ts";
import type { Endpoint, HttpReply, RequestInput, Route } from "../core/endpoint.ts";
import { ordersApi } from "../orders/api.ts";
import { refundsApi } from "../payment/api.ts";
import { salesApi } from "../sales/api.ts";
import { inventoryManagerApi } from "../services/inventory-manager/api.ts";
import { stockApi } from "../services/inventory-manager/stock-api.ts";
import { policyControllerApi } from "../services/policy-controller/api.ts";
import { decisionApi } from "../services/safe-protector/decision-api.ts";
import { trafficApi } from "../traffic/api.ts";
import { trailApi } from "../trail/api.ts";
import type { ConsoleService, OperatorCall } from "./services.ts";

const { addGoods, updateGoods, getGoods, findAllItems, removeGoods } = inventoryManagerApi;
const { addPolicy, updatePolicy, getPolicy, findAllPolicies, removePolicy, getUserOrders } = policyControllerApi;
const { findOrders, getOrder, cancelOrder } = ordersApi;

export const OPERATOR_ENDPOINTS: Readonly<Partial<Record<ConsoleService, readonly Endpoint[]>>> = {
  "safe-protector": [...Object.values(decisionApi), ...Object.values(trafficApi)],
  "policy-controller": [
    ...[addPolicy, updatePolicy, getPolicy, findAllPolicies, removePolicy, getUserOrders],
    ...[...Object.values(salesApi), ...Object.values(trailApi)],
  ],
  "inventory-manager": [addGoods, updateGoods, getGoods, findAllItems, removeGoods, ...Object.values(stockApi)],
  "shopping-cart": [findOrders, getOrder, cancelOrder, ...Object.values(refundsApi), ...Object.values(auditApi)],
};

type AskedOf = (service: ConsoleService, call: OperatorCall, headers: { get(name: string): string | null }) => Promise<HttpReply>;

/** @param ask hands the call to the service, if who asks may */
export function operatorRoutes(ask: AskedOf): Route[] {
  return (Object.keys(OPERATOR_ENDPOINTS) as ConsoleService[]).flatMap((service) =>
    (OPERATOR_ENDPOINTS[service] ?? []).map((endpoint) => ({
      endpoint: throughConsole(service, endpoint),
      handle: (input) => ask(service, callOf(endpoint, input), input.headers),
    })),
  );
}

/** The session is asked for instead of the key, and what the service says of itself is not said again. */
const throughConsole = (service: ConsoleService, endpoint: Endpoint): Endpoint => ({
  ...endpoint,
  name: `${endpoint.name}Of${service.replaceAll(/(^|-)(.)/g, (_, __, letter: string) => letter.toUpperCase())}`,
  path: `/api/${service}${endpoint.path}`,
  needsAdminKey: false,
});

function callOf(endpoint: Endpoint, { params, query, body }: RequestInput<TObject, TObject, TSchema>): OperatorCall {
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String((params as Readonly<Record<string, unknown>>)[name])),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query as Readonly<Record<string, unknown>>)) search.set(name, String(value));
  const whole = search.size > 0 ? `${path}?${search}` : path;
  const call = { method: endpoint.method, path: whole };
  if (endpoint.body === null) return call;
  return endpoint.isBodyRaw ? { ...call, body: body as string, contentType: "text/plain" } : { ...call, body: JSON.stringify(body) };
}
