/** The contract's rule 7: the admin key, and protected mode without one. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { getJson, postJson, type System, send, startSystem } from "../system.ts";
import { expectProblem } from "./problem.ts";
import { ROUTES, sampleOf } from "./routes.ts";

setDefaultTimeout(60_000);

const KEY = "a-key-that-only-operators-know";
const bearer = { authorization: `Bearer ${KEY}` };

/** An address of this machine that other machines could use; none on a machine without a network. */
const outerAddress = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === "IPv4" && !address.internal)?.address;

describe("with an admin key", () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ args: ["--admin-key", KEY, "--host", "0.0.0.0"] });
    await postJson(`${system.inventory}/add`, { goodsSKU: "sample", goodsQuantity: 50, goodsPrice: 1 }, bearer);
    await postJson(`${system.policy}/policy/add`, { goodsSKU: "sample", userLevel: 1, quantityLimit: 40 }, bearer);
    await postJson(`${system.policy}/user/add`, { goodsSKU: "sample", userID: "sample", userLevel: 1, orderQuantity: 2 }, bearer);
    await postJson(`${system.protector}/badguy/add`, { userID: "another", isBadGuy: true }, bearer);
  });
  afterAll(() => system.stop());

  async function state(): Promise<unknown[]> {
    const lists = [
      `${system.inventory}/all`,
      `${system.policy}/policy/all`,
      `${system.policy}/user/all`,
      `${system.protector}/badguy/all`,
      `${system.protector}/badip/all`,
    ];
    return Promise.all(lists.map(async (url) => (await getJson(url)).body));
  }
  const guarded = ROUTES.filter((route) => route.needsAdminKey);
  const open = ROUTES.filter((route) => !route.needsAdminKey);

  test('"calls that change goods, policies, orders or the blacklist need the admin key": without it 401, and nothing changes', async () => {
    const before = await state();
    const wrongKeys = [
      undefined,
      "",
      "Bearer",
      "Bearer ",
      `Bearer ${KEY}x`,
      `Bearer ${KEY.slice(0, -1)}`,
      `Basic ${KEY}`,
      KEY,
      `Bearer ${KEY.toUpperCase()}`,
    ];
    for (const route of guarded) {
      const { path, body } = sampleOf(route);
      for (const authorization of wrongKeys) {
        const reply = await send(route.method, system[route.service] + path, body, authorization === undefined ? {} : { authorization });
        expectProblem(reply, 401);
        expect(reply.headers.get("www-authenticate")).toMatch(/^Bearer/);
        expect(reply.text).not.toContain(KEY);
      }
    }
    expect(await state()).toEqual(before);
  });

  test("with it each of them is served", async () => {
    for (const route of guarded) {
      const { path, body } = sampleOf(route);
      const status = (await send(route.method, system[route.service] + path, body, bearer)).status;
      // A sample that an earlier call has removed is not there to be updated, nothing has the sample's id, and its cart is empty.
      const isAbsent = status === 404 && (route.method === "PUT" || route.path.includes("{id}"));
      const isServed = status === 200 || status === 201 || isAbsent || (status === 409 && route.name === "placeOrder");
      expect({ route: route.name, status, isServed }).toEqual({ route: route.name, status, isServed: true });
    }
    expect((await getJson(`${system.inventory}/all`)).body).toEqual([]);
  });

  test("buying, carts, a shopper's orders, validations, reads, the registry, health and metrics need no key", async () => {
    for (const route of open) {
      const { path, body } = sampleOf(route);
      const status = (await send(route.method, system[route.service] + path, body)).status;
      const isServed = status === 200 || status === 404 || (status === 409 && route.name === "placeOrder");
      expect({ route: route.name, status, isServed }).toEqual({ route: route.name, status, isServed: true });
    }
    for (const url of [system.gate, system.cart, system.registry]) {
      for (const path of ["/health", "/metrics"]) expect((await getJson(url + path)).status).toBe(200);
    }
    expect((await getJson(`${system.registry}/eureka/apps`)).status).toBe(200);
  });

  test.skipIf(!outerAddress)("the system listens on the address that it is told (skipped on a machine without a network)", async () => {
    const outer = system.gate.replace("127.0.0.1", outerAddress as string);
    expect((await getJson(`${outer}/health`)).body).toMatchObject({ status: "UP" });
  });
});

describe('"without a key the process only listens on loopback (protected mode), and says so at start"', () => {
  test("by default, and when it is told to listen everywhere", async () => {
    for (const args of [[], ["--host", "0.0.0.0"]]) {
      const system = await startSystem({ args });
      try {
        expect(system.stdout() + system.stderr()).toMatch(/protected mode/i);
        expect((await getJson(`${system.gate}/health`)).status).toBe(200);
        expect((await postJson(`${system.inventory}/add`, { goodsSKU: "open", goodsQuantity: 1, goodsPrice: 1 })).status).toBe(200);
        if (outerAddress) {
          for (const url of [system.gate, system.inventory, system.registry]) {
            await expect(getJson(`${url.replace("127.0.0.1", outerAddress)}/health`)).rejects.toThrow();
          }
        }
      } finally {
        await system.stop();
      }
    }
  });

  test("a page of another site, in a browser on this machine, changes nothing: neither by a form nor by a name that points here", async () => {
    const system = await startSystem();
    try {
      const add = (headers: Record<string, string>) =>
        postJson(`${system.inventory}/add`, { goodsSKU: "rebound", goodsQuantity: 1, goodsPrice: 1 }, headers);
      expect((await add({ origin: "https://evil.example" })).status).toBe(403);
      expect((await add({ origin: "null" })).status).toBe(403);
      expect((await add({ host: "evil.example:8083" })).status).toBe(403);
      expect((await getJson(`${system.inventory}/all`)).body).toEqual([]);
      // The page of this process itself, as /docs is.
      expect((await add({ origin: system.inventory })).status).toBe(200);
    } finally {
      await system.stop();
    }
  });
});

describe("where shoppers carry signed tokens", () => {
  test("nobody fills or reads a cart beside the gate: every call to the services behind it needs the key", async () => {
    const tokens = ["--identity", "jwt", "--jwt-secret", "a-secret-of-at-least-thirty-two-characters"];
    const system = await startSystem({ args: ["--admin-key", KEY, ...tokens] });
    try {
      for (const route of ROUTES.filter(({ service }) => service !== "gate")) {
        const { path, body } = sampleOf(route);
        const { status } = await send(route.method, system[route.service] + path, body);
        expect({ route: route.name, status }).toEqual({ route: route.name, status: 401 });
      }
      expect((await getJson(`${system.cart}/health`)).status).toBe(200);
    } finally {
      await system.stop();
    }
  });
});
