/** What a process of ours asks of registries, over HTTP and of real ones. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { RegistryDesk } from "../../../test/registry-desk.ts";
import { callRegistry } from "../../edge/registry-call.ts";
import { RegistryClient } from "./client.ts";
import { type Instance, ourInstance } from "./instance.ts";

const LEASE_SECONDS = 3;
let desks: readonly [RegistryDesk, RegistryDesk];
beforeEach(() => {
  desks = [new RegistryDesk(), new RegistryDesk()];
  // `Date` is written by the server itself.
  for (const desk of desks) desk.now = Date.now();
});
afterEach(async () => {
  for (const desk of desks) {
    await desk.close();
    expect(desk.bugs).toEqual([]);
  }
});

const clientOf = (...urls: readonly string[]): RegistryClient => new RegistryClient(urls, callRegistry, null);
const cart = (port: number, host = "127.0.0.1"): Instance =>
  ourInstance({ app: "ShoppingCart", host, port, now: Date.now(), leaseSeconds: LEASE_SECONDS });

describe("a process and its registry", () => {
  test("what is registered is found, by its host and port, and what is cancelled is not", async () => {
    const client = clientOf(desks[0].url);
    expect(await client.instancesOf("ShoppingCart")).toEqual([]);
    await client.register(cart(8084));
    await client.register(cart(8184));
    await client.register(cart(8084, "::1"));
    expect(await client.instancesOf("ShoppingCart")).toEqual(["http://127.0.0.1:8084", "http://127.0.0.1:8184", "http://[::1]:8084"]);
    expect(await client.instancesOf("SafeProtector")).toEqual([]);
    await client.cancel(cart(8184));
    expect(await client.instancesOf("ShoppingCart")).toEqual(["http://127.0.0.1:8084", "http://[::1]:8084"]);
  });

  test("where there is an admin key, only what was registered with it is believed", async () => {
    const strangers: (string | number)[] = [];
    const onStrangers = (app: string, count: number): void => void strangers.push(app, count);
    const ours = new RegistryClient([desks[0].url], callRegistry, "the key of the operators", onStrangers);
    const theirs = new RegistryClient([desks[0].url], callRegistry, "another key");
    await ours.register(cart(8084));
    await theirs.register(cart(6666));
    await clientOf(desks[0].url).register(cart(7777));
    expect(await ours.instancesOf("ShoppingCart")).toEqual(["http://127.0.0.1:8084"]);
    expect(strangers).toEqual(["ShoppingCart", 2]);
    // Nor is it proof for another service, or for another address.
    const stolen = { ...cart(8084), app: "SAFEPROTECTOR" };
    await theirs.register(stolen);
    expect(await ours.instancesOf("SafeProtector")).toEqual([]);
  });

  test("whatever somebody has registered as proof, those with the right one are found", async () => {
    const ours = new RegistryClient([desks[0].url], callRegistry, "the key of the operators");
    await ours.register(cart(8084));
    const path = `${desks[0].url}/eureka/v2/apps/SHOPPINGCART`;
    const listed = await (await fetch(path, { headers: { accept: "application/json" } })).json();
    const [honest] = (listed as { application: { instance: { metadata: Record<string, string> }[] } }).application.instance;
    const [name, proof] = Object.entries(honest?.metadata ?? {})[0] as [string, string];
    for (const [index, forged] of ["", "x", "é".repeat(proof.length), "\ufffd".repeat(proof.length), `${proof}é`].entries()) {
      const instance = { ...honest, instanceId: `forged-${index}`, metadata: { [name]: forged } };
      const headers = { "content-type": "application/json" };
      const registered = await fetch(path, { method: "POST", headers, body: JSON.stringify({ instance }).replaceAll("\ufffd", "\\ufffd") });
      expect(registered.status).toBe(204);
    }
    expect(await ours.instancesOf("ShoppingCart")).toEqual(["http://127.0.0.1:8084"]);
  });

  test("a registry that has forgotten an instance gets it again with its renewal", async () => {
    const client = clientOf(desks[0].url);
    await client.register(cart(8084));
    desks[0].clear();
    desks[0].now = Date.now();
    expect(await client.instancesOf("ShoppingCart")).toEqual([]);
    await client.renew(cart(8084));
    expect(await client.instancesOf("ShoppingCart")).toEqual(["http://127.0.0.1:8084"]);
  });

  test("a lease that is over does not count, although the registry still lists it", async () => {
    const client = clientOf(desks[0].url);
    desks[0].now = Date.now() - (LEASE_SECONDS + 60) * 1_000;
    await client.register(cart(8084));
    desks[0].now = Date.now();
    await client.register(cart(8184));
    expect(desks[0].registry.leases()).toHaveLength(2);
    expect(await client.instancesOf("ShoppingCart")).toEqual(["http://127.0.0.1:8184"]);
    await client.renew(cart(8084));
    expect(await client.instancesOf("ShoppingCart")).toEqual(["http://127.0.0.1:8084", "http://127.0.0.1:8184"]);
  });

  test("an instance that is down, and one whose address is none, are not chosen", async () => {
    const client = clientOf(desks[0].url);
    await client.register({ ...cart(8084), status: "DOWN" });
    for (const hostName of ["evil/path", "user@evil", "a b", "", ":::", "999.999.999.999"])
      await client.register({ ...cart(8184), instanceId: `x${hostName}x`, hostName });
    await client.register({ ...cart(8284), port: { number: 65_536, enabled: true } });
    await client.register(cart(8384));
    expect(await client.instancesOf("ShoppingCart")).toEqual(["http://127.0.0.1:8384"]);
  });

  test("a base address may end in the protocol's own path", async () => {
    for (const path of ["/", "/eureka", "/eureka/", "/eureka/v2"]) {
      const client = clientOf(desks[0].url + path);
      await client.register(cart(8084));
      expect(await client.instancesOf("ShoppingCart")).toEqual(["http://127.0.0.1:8084"]);
      await client.cancel(cart(8084));
    }
  });
});

describe("of several registries", () => {
  test("the next is asked when one is away, and nobody rejects when all are", async () => {
    const [first, second] = desks;
    const client = clientOf(first.url, second.url);
    await client.register(cart(8084));
    expect([first.registry.leases().length, second.registry.leases().length]).toEqual([1, 0]);
    await first.close();
    // The second has not heard of it and says so: it is registered there.
    await client.renew(cart(8084));
    expect(await client.instancesOf("ShoppingCart")).toEqual(["http://127.0.0.1:8084"]);
    await second.close();
    expect(await client.instancesOf("ShoppingCart")).toBeNull();
    await client.renew(cart(8084));
    await client.cancel(cart(8084));
  });

  test("one that answers nonsense has said nothing", async () => {
    const stranger = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("<html>") });
    try {
      expect(await clientOf(`http://127.0.0.1:${stranger.port}`).instancesOf("ShoppingCart")).toBeNull();
    } finally {
      await stranger.stop(true);
    }
  });
});
