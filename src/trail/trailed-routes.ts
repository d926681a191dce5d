/**
 * Routes whose changes go into the audit trail. What a thing was before is asked of the route that shows it, just before the change: somebody
 * else's change at the same moment may lie between the two.
 */
import Type from "typebox";
import type { Endpoint, HttpReply, RequestInput, Route } from "../core/endpoint.ts";
import { Failure } from "../core/failure.ts";
import { operatorHeader, readOperator } from "./operator-name.ts";
import type { OperatorTrail } from "./operator-trail.ts";

type Input = RequestInput<never, never, never>;
type Values = Readonly<Record<string, unknown>>;

/** Which route shows what an operation changes, and what that is asked with. `null`: there is nothing before. */
interface Shown {
  readonly by: string;
  readonly params?: Values;
  readonly query?: Values;
}
/** What names a thing, in a path or a body. */
interface Names {
  readonly id?: unknown;
  readonly uid?: unknown;
  readonly sku?: unknown;
  readonly ip?: unknown;
  readonly userID?: unknown;
  readonly goodsSKU?: unknown;
  readonly clientIP?: unknown;
  readonly scope?: unknown;
  readonly value?: unknown;
}
type Subject = (params: Names, body: Names) => Shown | null;

const badGuy: Subject = (params, body) => ({ by: "getBadGuy", params: { uid: params.uid ?? body.userID } });
const badIp: Subject = (params, body) => {
  const ip = params.ip ?? body.clientIP;
  // A range is shown by no route.
  return typeof ip === "string" && !ip.includes("/") ? { by: "getBadIP", params: { ip } } : null;
};
const decision: Subject = (params, body) => ({
  by: "findDecisions",
  query: { scope: params.scope ?? body.scope, value: params.value ?? body.value },
});
const goods: Subject = (params, body) => ({ by: "getGoods", params: { sku: params.sku ?? body.goodsSKU } });
const policy: Subject = (params, body) => ({ by: "getPolicy", params: { sku: params.sku ?? body.goodsSKU } });
const userOrders: Subject = (params, body) => ({
  by: "getUserOrders",
  params: { uid: params.uid ?? body.userID, sku: params.sku ?? body.goodsSKU },
});
const sale: Subject = (params) => ({ by: "getSale", params: { id: params.id } });
const newSale: Subject = (_, body) => (body.id === undefined ? null : { by: "getSale", params: { id: body.id } });
const webhook: Subject = (params) => ({ by: "getWebhook", params: { id: params.id } });
const refund: Subject = (params) => ({ by: "findRefunds", query: { after: Number(params.id) - 1, limit: 1 } });
const nothing: Subject = () => null;

/** The operators' changes, by the names of their endpoints. Orders that the shop's own servers place or cancel are not among them: of those events tell. */
export const TRAILED: ReadonlyMap<string, Subject> = new Map([
  ...(["addBadGuy", "removeBadGuy"] as const).map((name) => [name, badGuy] as const),
  ...(["addBadIP", "removeBadIP"] as const).map((name) => [name, badIp] as const),
  ["importDecisions", nothing],
  ...(["addDecision", "removeDecision"] as const).map((name) => [name, decision] as const),
  ...(["addGoods", "updateGoods", "removeGoods"] as const).map((name) => [name, goods] as const),
  ...(["addPolicy", "updatePolicy", "removePolicy"] as const).map((name) => [name, policy] as const),
  ...(["addUserOrders", "updateUserOrders", "removeUserOrders"] as const).map((name) => [name, userOrders] as const),
  ...(["updateSale", "removeSale", "pauseSale", "resumeSale"] as const).map((name) => [name, sale] as const),
  ["addSale", newSale],
  ["addWebhook", nothing],
  ...(["updateWebhook", "removeWebhook"] as const).map((name) => [name, webhook] as const),
  ...(["markRefundDone", "tryRefundAgain"] as const).map((name) => [name, refund] as const),
]);

/** What both do, a person and the shop's own servers: in the trail when somebody says who they are, as the console does. */
export const TRAILED_IF_NAMED: ReadonlyMap<string, Subject> = new Map([
  ["cancelOrder", (params) => ({ by: "getOrder", params: { id: params.id } })],
]);

/** @param service as its port is named */
export function trailedRoutes(service: string, routes: readonly Route[], trail: OperatorTrail): Route[] {
  return routes.map((route) => {
    const { name } = route.endpoint;
    const always = TRAILED.get(name);
    const subject = always ?? TRAILED_IF_NAMED.get(name);
    if (!subject) return route;
    const handle = async (input: Input): Promise<HttpReply> => {
      const { params, query, body } = input as { readonly params: Values; readonly query: Values; readonly body: Values | string | null };
      // A list that is imported is no part of the trail: how long it was is.
      const sent = typeof body === "string" ? { chars: body.length } : body;
      const named = readOperator(input.headers);
      if ("refusal" in named) return named.refusal;
      if (named.operator === null && !always) return route.handle(input);
      const before = await shown(routes, subject(params, sent ?? {}), input);
      const asked = { ...params, ...query, ...sent };
      const id = await trail.begin({ who: input.peer(), ...named, service, operation: name, asked, before });
      try {
        const reply = await route.handle(input);
        await trail.end(id, reply.status, contentOf(reply));
        return reply;
      } catch (error) {
        // Known to have come to nothing; one whose outcome is unknown stays without an end.
        if (error instanceof Failure && error.outcomeKnown) await trail.end(id, 503, error.message);
        throw error;
      }
    };
    return { endpoint: withOperator(route.endpoint), handle: handle as Route["handle"] };
  });
}

const withOperator = (endpoint: Endpoint): Endpoint => ({
  ...endpoint,
  headers: Type.Object({ ...endpoint.headers?.properties, ...operatorHeader }),
});

async function shown(routes: readonly Route[], subject: Shown | null, { headers, peer }: Input): Promise<unknown> {
  const route = subject && routes.find(({ endpoint }) => endpoint.name === subject.by);
  if (!route) return null;
  const reply = await route.handle({ params: subject.params ?? {}, query: subject.query ?? {}, body: null, headers, peer });
  return reply.status === 200 ? contentOf(reply) : null;
}

const contentOf = ({ body }: HttpReply): unknown => (typeof body === "string" && body !== "" ? (JSON.parse(body) as unknown) : null);
