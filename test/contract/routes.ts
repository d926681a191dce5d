/** Every route of the five services, as the tables of the contract have them, for tests that say something about all of them. Only the demo's pay
 *  page is left out: it is served with `--demo`, answers people, and is tested beside its code. */

type ServiceName = "gate" | "protector" | "policy" | "inventory" | "cart";
/** What a path variable or a body field holds, and so what is a wrong value for it. */
export type Kind =
  | ("id" | "address" | "range" | "level" | "quantity" | "stock" | "limit" | "price" | "flag")
  | ("title" | "time" | "laterTime" | "url" | "count" | "webhook" | "provider" | "scope");

export interface RouteRow {
  readonly service: ServiceName;
  readonly name: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  /** What a path variable holds when it is not what `KIND_OF_PARAM` says. */
  readonly params?: Readonly<Record<string, Kind>>;
  /** What its query must say. */
  readonly query?: Readonly<Record<string, Kind>>;
  readonly body?: Readonly<Record<string, Kind>>;
  /** The fields of a good body that are no single value, as they are. */
  readonly nested?: Readonly<Record<string, unknown>>;
  /** Whether the list takes `after` and `limit`. */
  readonly isPaged?: true;
  /** Whether it changes goods, policies, sales, orders or the blacklist, or tells an operator who buys what. */
  readonly needsAdminKey?: true;
}

const purchase = {
  sessionID: "id",
  clientIP: "address",
  userID: "id",
  userLevel: "level",
  goodsSKU: "id",
  goodsQuantity: "quantity",
} as const;
const cartLine = { sessionID: "id", userID: "id", goodsSKU: "id", goodsQuantity: "quantity", quantityLimit: "stock" } as const;
const goods = { goodsSKU: "id", goodsQuantity: "stock", goodsPrice: "price" } as const;
const policy = { goodsSKU: "id", userLevel: "level", quantityLimit: "limit" } as const;
const order = { userID: "id", goodsSKU: "id", userLevel: "level", orderQuantity: "stock" } as const;
const ofUser = { userID: "id" } as const;
const sale = {
  body: { name: "title", startsAt: "time", endsAt: "laterTime" },
  nested: { items: [{ goodsSKU: "sample of a sale", salePrice: 1 }] },
} as const;
const ofWebhook = { id: "webhook" } as const;
const ofRefund = { id: "count" } as const;
const needsAdminKey = true;
const isPaged = true;

export const ROUTES: readonly RouteRow[] = [
  { service: "gate", name: "buy", method: "POST", path: "/buy", body: purchase },
  { service: "gate", name: "sales", method: "GET", path: "/sales" },
  { service: "gate", name: "sale", method: "GET", path: "/sales/{id}" },
  { service: "gate", name: "cart", method: "GET", path: "/cart", query: ofUser },
  { service: "gate", name: "removeFromCart", method: "DELETE", path: "/cart/{sku}", query: ofUser },
  { service: "gate", name: "placeOrder", method: "POST", path: "/orders", body: ofUser },
  { service: "gate", name: "orders", method: "GET", path: "/orders", query: ofUser, isPaged },
  { service: "gate", name: "order", method: "GET", path: "/orders/{id}", query: ofUser },
  { service: "gate", name: "cancelOrder", method: "POST", path: "/orders/{id}/cancel", body: ofUser },
  { service: "gate", name: "startPayment", method: "POST", path: "/orders/{id}/payment", body: ofUser },
  // Its body is the provider's own text, which is no JSON of ours.
  { service: "gate", name: "notifyPayment", method: "POST", path: "/payments/{provider}" },

  { service: "protector", name: "doSafeValidation", method: "GET", path: "/validate/sid/{sid}/userid/{uid}/clientip/{ip}" },
  { service: "protector", name: "addBadGuy", method: "POST", path: "/badguy/add", body: { userID: "id", isBadGuy: "flag" }, needsAdminKey },
  {
    service: "protector",
    name: "addBadIP",
    method: "POST",
    path: "/badip/add",
    body: { clientIP: "range", isBadIP: "flag" },
    needsAdminKey,
  },
  { service: "protector", name: "findAllBadGuys", method: "GET", path: "/badguy/all", isPaged },
  { service: "protector", name: "findAllBadIPs", method: "GET", path: "/badip/all", isPaged },
  { service: "protector", name: "getBadGuy", method: "GET", path: "/badguy/userid/{uid}" },
  { service: "protector", name: "getBadIP", method: "GET", path: "/badip/clientip/{ip}" },
  { service: "protector", name: "removeBadGuy", method: "DELETE", path: "/delete/userid/{uid}", needsAdminKey },
  { service: "protector", name: "removeBadGuy", method: "DELETE", path: "/badguy/delete/userid/{uid}", needsAdminKey },
  { service: "protector", name: "removeBadIP", method: "DELETE", path: "/delete/clientip/{ip}", needsAdminKey },
  { service: "protector", name: "removeBadIP", method: "DELETE", path: "/badip/delete/clientip/{ip}", needsAdminKey },

  { service: "protector", name: "findDecisions", method: "GET", path: "/decisions", needsAdminKey },
  {
    service: "protector",
    name: "addDecision",
    method: "POST",
    path: "/decisions",
    body: { value: "id" },
    nested: { scope: "account", action: "observe" },
    needsAdminKey,
  },
  // Its body is a text with a line for each.
  { service: "protector", name: "importDecisions", method: "POST", path: "/decisions/import", needsAdminKey },
  {
    service: "protector",
    name: "removeDecision",
    method: "DELETE",
    path: "/decisions/scope/{scope}/value/{value}",
    params: { scope: "scope", value: "id" },
    needsAdminKey,
  },

  {
    service: "policy",
    name: "doPolicyValidation",
    method: "GET",
    path: "/validate/sid/{sid}/userid/{uid}/userlv/{level}/sku/{sku}/quantity/{qty}",
  },
  { service: "policy", name: "addPolicy", method: "POST", path: "/policy/add", body: policy, needsAdminKey },
  { service: "policy", name: "updatePolicy", method: "PUT", path: "/policy/update", body: policy, needsAdminKey },
  { service: "policy", name: "getPolicy", method: "GET", path: "/policy/sku/{sku}" },
  { service: "policy", name: "findAllPolicies", method: "GET", path: "/policy/all", isPaged },
  { service: "policy", name: "removePolicy", method: "DELETE", path: "/policy/delete/sku/{sku}", needsAdminKey },
  { service: "policy", name: "addUserOrders", method: "POST", path: "/user/add", body: order, needsAdminKey },
  { service: "policy", name: "updateUserOrders", method: "PUT", path: "/user/update", body: order, needsAdminKey },
  { service: "policy", name: "getUserOrders", method: "GET", path: "/user/userid/{uid}/sku/{sku}" },
  { service: "policy", name: "findAllUserOrders", method: "GET", path: "/user/all", isPaged },
  { service: "policy", name: "removeUserOrders", method: "DELETE", path: "/user/delete/userid/{uid}/sku/{sku}", needsAdminKey },
  { service: "policy", name: "addSale", method: "POST", path: "/sales", ...sale, needsAdminKey },
  { service: "policy", name: "findAllSales", method: "GET", path: "/sales", isPaged },
  { service: "policy", name: "getSale", method: "GET", path: "/sales/{id}" },
  { service: "policy", name: "updateSale", method: "PUT", path: "/sales/{id}", ...sale, needsAdminKey },
  { service: "policy", name: "removeSale", method: "DELETE", path: "/sales/{id}", needsAdminKey },
  { service: "policy", name: "pauseSale", method: "POST", path: "/sales/{id}/pause", needsAdminKey },
  { service: "policy", name: "resumeSale", method: "POST", path: "/sales/{id}/resume", needsAdminKey },
  { service: "policy", name: "findChanges", method: "GET", path: "/trail", needsAdminKey },

  { service: "inventory", name: "doInventoryValidation", method: "GET", path: "/validate/sid/{sid}/sku/{sku}/quantity/{qty}" },
  { service: "inventory", name: "addGoods", method: "POST", path: "/add", body: goods, needsAdminKey },
  { service: "inventory", name: "updateGoods", method: "PUT", path: "/update", body: goods, needsAdminKey },
  { service: "inventory", name: "getGoods", method: "GET", path: "/sku/{sku}" },
  { service: "inventory", name: "findAllItems", method: "GET", path: "/all", isPaged },
  { service: "inventory", name: "findStock", method: "GET", path: "/stock", isPaged, needsAdminKey },
  { service: "inventory", name: "removeGoods", method: "DELETE", path: "/delete/sku/{sku}", needsAdminKey },

  { service: "cart", name: "doAddGoodsToCart", method: "POST", path: "/add", body: cartLine },
  { service: "cart", name: "updateGoodsInCart", method: "PUT", path: "/update", body: cartLine },
  { service: "cart", name: "findAllItemsByUserID", method: "GET", path: "/all/userid/{uid}" },
  { service: "cart", name: "getGoodsByUidSKU", method: "GET", path: "/sid/{sid}/userid/{uid}/sku/{sku}" },
  { service: "cart", name: "removeGoodsInCart", method: "DELETE", path: "/delete/userid/{uid}/sku/{sku}" },
  { service: "cart", name: "placeOrder", method: "POST", path: "/orders", body: ofUser, needsAdminKey },
  { service: "cart", name: "findOrders", method: "GET", path: "/orders", isPaged, needsAdminKey },
  { service: "cart", name: "getOrder", method: "GET", path: "/orders/{id}", needsAdminKey },
  { service: "cart", name: "cancelOrder", method: "POST", path: "/orders/{id}/cancel", body: {}, needsAdminKey },
  { service: "cart", name: "findRefunds", method: "GET", path: "/refunds", isPaged, needsAdminKey },
  { service: "cart", name: "markRefundDone", method: "POST", path: "/refunds/{id}/done", params: ofRefund, needsAdminKey },
  { service: "cart", name: "tryRefundAgain", method: "POST", path: "/refunds/{id}/try-again", params: ofRefund, needsAdminKey },
  { service: "cart", name: "findEvents", method: "GET", path: "/events", isPaged, needsAdminKey },
  { service: "cart", name: "addWebhook", method: "POST", path: "/webhooks", body: { url: "url" }, needsAdminKey },
  { service: "cart", name: "findAllWebhooks", method: "GET", path: "/webhooks", needsAdminKey },
  { service: "cart", name: "getWebhook", method: "GET", path: "/webhooks/{id}", params: ofWebhook, needsAdminKey },
  { service: "cart", name: "updateWebhook", method: "PUT", path: "/webhooks/{id}", params: ofWebhook, body: { url: "url" }, needsAdminKey },
  { service: "cart", name: "removeWebhook", method: "DELETE", path: "/webhooks/{id}", params: ofWebhook, needsAdminKey },
];

const KIND_OF_PARAM: Readonly<Record<string, Kind>> = {
  id: "id",
  sid: "id",
  uid: "id",
  sku: "id",
  ip: "address",
  level: "level",
  qty: "quantity",
  provider: "provider",
};

/** What this variable of its path holds. */
export const kindOfParam = ({ params }: RouteRow, name: string): Kind => (params?.[name] ?? KIND_OF_PARAM[name]) as Kind;

/** The methods that its address answers: its own, and those of the other routes at the same address. */
export const methodsAt = ({ service, path }: RouteRow): string[] =>
  ROUTES.filter((other) => other.service === service && other.path === path).map(({ method }) => method);

/** The names of a path's variables, in order. */
export const paramsOf = (route: RouteRow): string[] => Array.from(route.path.matchAll(/\{(\w+)\}/g), (match) => match[1] as string);

/** @param values what stands for each variable, not yet percent-encoded */
export const fillPath = (path: string, values: Readonly<Record<string, string>>): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] as string));

/** A good value of each kind. */
export const SAMPLES: Readonly<Record<Kind, string | number | boolean>> = {
  id: "sample",
  address: "192.0.2.77",
  range: "192.0.2.64/26",
  level: 5,
  quantity: 1,
  stock: 7,
  limit: 2,
  price: 99.9,
  flag: true,
  title: "A sample",
  time: "2036-11-22T10:00:00+01:00",
  laterTime: "2036-11-22T11:00:00+01:00",
  // Nobody listens there.
  url: "http://127.0.0.1:9/sample",
  count: 1,
  webhook: "wh_0123456789abcdef",
  provider: "sample",
  scope: "account",
};

/** A good request of this route: its path, with its query, and its body. */
export function sampleOf(route: RouteRow): { readonly path: string; readonly body?: Readonly<Record<string, unknown>> } {
  const values = Object.fromEntries(paramsOf(route).map((name) => [name, String(SAMPLES[kindOfParam(route, name)])]));
  const query = new URLSearchParams(
    Object.fromEntries(Object.entries(route.query ?? {}).map(([name, kind]) => [name, String(SAMPLES[kind])])),
  );
  const path = fillPath(route.path, values) + (route.query ? `?${query}` : "");
  if (!route.body) return { path };
  return {
    path,
    body: { ...Object.fromEntries(Object.entries(route.body).map(([field, kind]) => [field, SAMPLES[kind]])), ...route.nested },
  };
}
