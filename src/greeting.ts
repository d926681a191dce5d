/** What `start` tells the person at the terminal once everything listens. */
import { hostListenedOn, type Settings } from "./settings/table.ts";

export interface ServiceAddress {
  readonly service: string;
  /** `http://127.0.0.1:8080`, without a slash at its end. */
  readonly url: string;
}

/** Ends with the line that begins with `ready`: scripts wait for it. */
export function greeting(settings: Settings, addresses: readonly ServiceAddress[], pid: number): string {
  return [
    ...protectedMode(settings),
    ...table(addresses),
    "",
    ...purchase(settings, addresses),
    "",
    `ready (process ${pid}, data in ${settings.data}); Ctrl-C stops it`,
  ].join("\n");
}

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

function table(addresses: readonly ServiceAddress[]): string[] {
  const width = Math.max(...addresses.map(({ service }) => service.length));
  return addresses.map(({ service, url }) => `  ${service.padEnd(width)}  ${url}`);
}

function purchase(settings: Settings, addresses: readonly ServiceAddress[]): string[] {
  const gate = addresses.find(({ service }) => service === "GateKeeper")?.url ?? "";
  const body = { clientIP: "202.100.100.1", userID: "UID0000000001", userLevel: 5, goodsSKU: "SKU0001", goodsQuantity: 1 };
  return [
    settings.demo ? "Buy something:" : "Buy something (when there are goods SKU0001; --demo adds some to an empty store):",
    `  curl -sS ${gate}/buy -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`,
  ];
}
