/** What somebody reads who has started one process, or all. */
import { expect, test } from "bun:test";
import { greeting, type ServiceAddress } from "./greeting.ts";
import { readSettings } from "./settings/read.ts";

const [GATE, CART]: readonly ServiceAddress[] = [
  { service: "GateKeeper", url: "http://127.0.0.1:8080" },
  { service: "ShoppingCart", url: "http://127.0.0.1:8084" },
] as const;

function told(...addresses: readonly (ServiceAddress | undefined)[]): string {
  const read = readSettings({ flags: { data: "/var/lib/shop" }, environment: {}, configFileText: null });
  if ("error" in read) throw new Error(read.error);
  return greeting(read.settings, { addresses: addresses.map((address) => address as ServiceAddress), demoSale: null }, 0, 7);
}

test("who starts a service without a gate is told where that is, and nothing of purchases", () => {
  const text = told(CART);
  expect(text).toContain("It explains its API at /docs: http://127.0.0.1:8084/docs\n");
  expect(text).not.toMatch(/\/buy|\/var\/lib\/shop/);
  expect(text.split("\n").at(-1)).toBe("ready (process 7); Ctrl-C stops it");
});

test("who starts a gate, alone or with all others, can buy at it with the line that is printed", () => {
  for (const addresses of [[GATE], [GATE, CART]]) {
    const text = told(...addresses);
    expect(text).toContain("at /docs: http://127.0.0.1:8080/docs\n");
    expect(text).toContain("curl -sS http://127.0.0.1:8080/buy ");
    expect(text).toMatch(/The shop: +http:\/\/127\.0\.0\.1:8080\/shop$/m);
    expect(text.split("\n").at(-1)).toBe("ready (process 7, data in /var/lib/shop); Ctrl-C stops it");
  }
});
