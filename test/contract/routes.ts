/** Every route of the five services, as the tables of the contract have them, for tests that say something about all of them. */

type ServiceName = "gate" | "protector" | "policy" | "inventory" | "cart";
/** What a path variable or a body field holds, and so what is a wrong value for it. */
export type Kind = "id" | "address" | "range" | "level" | "quantity" | "stock" | "limit" | "price" | "flag";

export interface RouteRow {
  readonly service: ServiceName;
  readonly name: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: Readonly<Record<string, Kind>>;
  /** Whether the list takes `after` and `limit`. */
  readonly isPaged?: true;
  /** Whether it changes goods, policies, orders or the blacklist. */
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
const needsAdminKey = true;
const isPaged = true;

export const ROUTES: readonly RouteRow[] = [
  { service: "gate", name: "buy", method: "POST", path: "/buy", body: purchase },

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

  { service: "inventory", name: "doInventoryValidation", method: "GET", path: "/validate/sid/{sid}/sku/{sku}/quantity/{qty}" },
  { service: "inventory", name: "addGoods", method: "POST", path: "/add", body: goods, needsAdminKey },
  { service: "inventory", name: "updateGoods", method: "PUT", path: "/update", body: goods, needsAdminKey },
  { service: "inventory", name: "getGoods", method: "GET", path: "/sku/{sku}" },
  { service: "inventory", name: "findAllItems", method: "GET", path: "/all", isPaged },
  { service: "inventory", name: "removeGoods", method: "DELETE", path: "/delete/sku/{sku}", needsAdminKey },

  { service: "cart", name: "doAddGoodsToCart", method: "POST", path: "/add", body: cartLine },
  { service: "cart", name: "updateGoodsInCart", method: "PUT", path: "/update", body: cartLine },
  { service: "cart", name: "findAllItemsByUserID", method: "GET", path: "/all/userid/{uid}" },
  { service: "cart", name: "getGoodsByUidSKU", method: "GET", path: "/sid/{sid}/userid/{uid}/sku/{sku}" },
  { service: "cart", name: "removeGoodsInCart", method: "DELETE", path: "/delete/userid/{uid}/sku/{sku}" },
];

export const KIND_OF_PARAM: Readonly<Record<string, Kind>> = {
  sid: "id",
  uid: "id",
  sku: "id",
  ip: "address",
  level: "level",
  qty: "quantity",
};

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
};

/** A good request of this route: its path and its body. */
export function sampleOf(route: RouteRow): { readonly path: string; readonly body?: Readonly<Record<string, string | number | boolean>> } {
  const path = fillPath(
    route.path,
    Object.fromEntries(paramsOf(route).map((name) => [name, String(SAMPLES[KIND_OF_PARAM[name] as Kind])])),
  );
  if (!route.body) return { path };
  return { path, body: Object.fromEntries(Object.entries(route.body).map(([field, kind]) => [field, SAMPLES[kind]])) };
}
