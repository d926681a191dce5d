/** Names that stand for several instances, as a headless service's does. */
import { expect, test } from "bun:test";
import { type AddressesOf, urlsBehind } from "./name-lookup.ts";

/** A name server that knows these. */
const knowing =
  (names: Readonly<Record<string, readonly string[]>>): AddressesOf =>
  async (host) => {
    const addresses = names[host];
    if (!addresses) throw new Error(`ENOTFOUND ${host}`);
    return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  };

test("a name is as many instances as it has addresses, each with the port and path of the URL", async () => {
  const lookup = knowing({ "cart.shop": ["10.0.0.2", "10.0.0.1", "fd00::1"] });
  expect(await urlsBehind(["http://cart.shop:8084"], lookup)).toEqual([
    "http://10.0.0.1:8084",
    "http://10.0.0.2:8084",
    "http://[fd00::1]:8084",
  ]);
  expect(await urlsBehind(["http://cart.shop:8084/behind/a/proxy"], knowing({ "cart.shop": ["10.0.0.1"] }))).toEqual([
    "http://10.0.0.1:8084/behind/a/proxy",
  ]);
});

test("an address, this machine, and a name that a certificate was made for stay as they are, and nobody is asked", async () => {
  const urls = ["http://127.0.0.1:8084", "http://[::1]:8084", "http://localhost:8084", "https://cart.shop:8084"];
  expect(await urlsBehind(urls, knowing({}))).toEqual(urls.toSorted());
});

test("the same instance under two names is one", async () => {
  const lookup = knowing({ a: ["10.0.0.1"], b: ["10.0.0.1", "10.0.0.2"] });
  expect(await urlsBehind(["http://a:1", "http://b:1"], lookup)).toEqual(["http://10.0.0.1:1", "http://10.0.0.2:1"]);
});

test("while a name is not known nobody can say who is there", async () => {
  expect(await urlsBehind(["http://a:1", "http://nowhere:1"], knowing({ a: ["10.0.0.1"] }))).toBeNull();
});

test("this machine's own name server answers too", async () => {
  expect(await urlsBehind(["http://127.0.0.1:1"])).toEqual(["http://127.0.0.1:1"]);
  expect(await urlsBehind(["http://no-such-name.invalid:1"])).toBeNull();
});
