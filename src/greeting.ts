/** What `start` tells the person at the terminal once everything listens. */
import type { UnixMs } from "./core/time.ts";
import type { Sale } from "./sales/sale.ts";
import { hostListenedOn, isLoopback, type Settings } from "./settings/table.ts";

export interface ServiceAddress {
  readonly service: string;
  /** `http://127.0.0.1:8080`, without a slash at its end. */
  readonly url: string;
}

export interface Greeter {
  readonly addresses: readonly ServiceAddress[];
  /** The demo's sale that is on or to come; `null` when there is none. */
  readonly demoSale: Sale | null;
}

/** Ends with the line that begins with `ready`: scripts wait for it. */
export function greeting(settings: Settings, { addresses, demoSale }: Greeter, now: UnixMs, pid: number): string {
  const gate = addresses.find(({ service }) => service === "GateKeeper")?.url ?? null;
  const pages = addresses.find(({ service }) => service === "Console")?.url ?? null;
  return [
    ...protectedMode(settings),
    ...(gate === null ? [] : trust(settings)),
    ...table(addresses),
    "",
    ...(gate === null ? [] : [`The shop:                 ${gate}/shop`]),
    ...(pages === null ? [] : [`The operators' console:   ${pages}`]),
    `${addresses.length > 1 ? "Every port" : "It"} explains its API at /docs: ${gate ?? addresses[0]?.url}/docs`,
    "",
    ...(gate === null ? [] : [...whatToTry(settings, gate, demoSale, now), ""]),
    // One service alone keeps what it knows in Redis and Postgres; a gate has its access log there.
    `ready (process ${pid}${gate === null && addresses.length === 1 ? "" : `, data in ${settings.data}`}); Ctrl-C stops it`,
  ].join("\n");
}

const whatToTry = (settings: Settings, gate: string, demoSale: Sale | null, now: UnixMs): string[] => [
  ...purchase(settings, gate),
  ...(demoSale ? ["", ...drop(settings, gate, demoSale, now)] : []),
];

function protectedMode(settings: Settings): string[] {
  if (settings.adminKey !== null) return [];
  const listensOn = hostListenedOn(settings);
  const insteadOf = listensOn === settings.host ? "" : ` and not on ${settings.host}`;
  return [
    `protected mode: there is no admin key, so this process listens on ${listensOn} only${insteadOf}.`,
    "To serve other machines, give an admin key (DOORBUSTER_ADMIN_KEY, at least 16 characters) and a host (--host 0.0.0.0).",
    "",
  ];
}

/** Whoever has chosen to trust knows it. */
function trust({ host, adminKey, shop }: Settings): string[] {
  if (shop.isIdentityChosen || isLoopback(hostListenedOn({ host, adminKey }))) return [];
  return [
    "requests are trusted: whoever reaches this gate can buy as anybody. For shoppers give --identity jwt with a key;",
    "when only the shop's own servers reach it, say so: --identity trusted.",
    "",
  ];
}

function table(addresses: readonly ServiceAddress[]): string[] {
  const width = Math.max(...addresses.map(({ service }) => service.length));
  return addresses.map(({ service, url }) => `  ${service.padEnd(width)}  ${url}`);
}

function purchase(settings: Settings, gate: string): string[] {
  const goods = { goodsSKU: "SKU0001", goodsQuantity: 1 };
  return [
    settings.demo ? "Buy something:" : "Buy something (when there are goods SKU0001; --demo adds some to an empty store):",
    `  ${post(settings, `${gate}/buy`, { ...shopper(settings, "UID0000000001"), ...goods })}`,
  ];
}

/** From the announcement to the paid order. Each sale has a shopper of its own: the one of the last has reached the limit. */
function drop(settings: Settings, gate: string, { id, name, items, startsAt, endsAt }: Sale, now: UnixMs): string[] {
  const sku = items[0]?.sku ?? "";
  const userID = `UID-${id}`;
  const isTrusted = settings.shop.identity.kind === "trusted";
  const when =
    now < startsAt
      ? `begins at ${clockTime(startsAt)}, in ${Math.ceil((startsAt - now) / 1_000)} seconds`
      : `is on until ${clockTime(endsAt)}`;
  return [
    `The sale "${name}" of ${sku} ${when}:`,
    `  watch  curl -sS ${gate}/sales/${id}`,
    `  buy    ${post(settings, `${gate}/buy`, { ...shopper(settings, userID), goodsSKU: sku, goodsQuantity: 1 })}`,
    `  order  ${post(settings, `${gate}/orders`, isTrusted ? { userID, userLevel: 5 } : {})}`,
    "  pay    open the redirectUrl of that answer in a browser",
    `  see    curl -sS ${token(settings)}'${gate}/orders${isTrusted ? `?userID=${userID}` : ""}'`,
  ];
}

/** With tokens the request says nothing of its sender. */
const shopper = (settings: Settings, userID: string): object =>
  settings.shop.identity.kind === "trusted" ? { clientIP: "202.100.100.1", userID, userLevel: 5 } : {};

const token = (settings: Settings): string => (settings.shop.identity.kind === "trusted" ? "" : `-H "Authorization: Bearer $TOKEN" `);

const post = (settings: Settings, url: string, body: object): string =>
  `curl -sS ${url} ${token(settings)}-H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;

/** `14:03:27 UTC` */
const clockTime = (at: UnixMs): string => `${new Date(at).toISOString().slice(11, 19)} UTC`;
