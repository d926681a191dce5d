import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { HttpServer } from "../../edge/http-server.ts";
import { ourInstance } from "./instance.ts";
import { routes, ServiceRegistry } from "./service.ts";

let now = 1_800_000_000_000;
const bugs: unknown[] = [];
let registry: ServiceRegistry;
let server: HttpServer;

beforeAll(() => {
  registry = new ServiceRegistry(50);
  server = new HttpServer({
    host: "127.0.0.1",
    port: 0,
    routes: routes(registry, { now: () => now, monotonicUs: () => 0 }),
    adminKey: "an-admin-key-of-ours",
    onBug: (error) => bugs.push(error),
    onReply: () => undefined,
  });
});

afterAll(async () => {
  await server.close();
  expect(bugs).toEqual([]);
});

const call = (method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}${path}`, {
    method,
    ...(body !== undefined && {
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    }),
  });

const shop = {
  instanceId: "10.0.0.1:shop:8080",
  hostName: "10.0.0.1",
  app: "Shop",
  ipAddr: "10.0.0.1",
  status: "UP",
  port: { $: 8080, "@enabled": "true" },
  vipAddress: "shop",
  dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
  sid: "na",
  countryId: 1,
};
const shopId = encodeURIComponent(shop.instanceId);

describe("the protocol", () => {
  for (const root of ["/eureka", "/eureka/v2"]) {
    for (const end of ["", "/"]) {
      test(`is spoken under ${root}/apps${end}: register, renew, read, cancel`, async () => {
        const created = await call("POST", `${root}/apps/SHOP${end}`, { instance: shop });
        expect([created.status, await created.text()]).toEqual([204, ""]);
        const renewed = await call("PUT", `${root}/apps/SHOP/${shopId}${end}?status=UP&lastDirtyTimestamp=${now}`);
        expect([renewed.status, await renewed.text()]).toEqual([200, ""]);
        const all = await (await call("GET", `${root}/apps${end}`)).json();
        expect(all).toMatchObject({
          applications: { apps__hashcode: "UP_1_", application: [{ name: "SHOP", instance: [{ app: "SHOP" }] }] },
        });
        const one = await (await call("GET", `${root}/apps/shop${end}`)).json();
        expect(one).toMatchObject({ application: { name: "SHOP", instance: [{ instanceId: shop.instanceId }] } });
        for (const path of [`/apps/SHOP/${shopId}`, `/instances/${shopId}`]) {
          expect(await (await call("GET", `${root}${path}${end}`)).json()).toMatchObject({ instance: { instanceId: shop.instanceId } });
        }
        expect((await call("DELETE", `${root}/apps/SHOP/${shopId}${end}`)).status).toBe(200);
        const gone = await call("PUT", `${root}/apps/SHOP/${shopId}${end}`);
        expect([gone.status, await gone.text()]).toEqual([404, ""]);
        for (const path of [`/apps/SHOP`, `/apps/SHOP/${shopId}`, `/instances/${shopId}`]) {
          expect((await call("GET", `${root}${path}${end}`)).status).toBe(404);
        }
      });
    }
  }

  test("has exactly these fields, because its mappers drop an answer with any other", async () => {
    await call("POST", "/eureka/apps/SHOP", { instance: shop });
    const reply = await call("GET", "/eureka/apps");
    expect(reply.headers.get("content-type")).toBe("application/json");
    const answer: unknown = await reply.json();
    const expected = {
      instanceId: "10.0.0.1:shop:8080",
      hostName: "10.0.0.1",
      app: "SHOP",
      ipAddr: "10.0.0.1",
      status: "UP",
      overriddenStatus: "UNKNOWN",
      port: { $: 8080, "@enabled": "true" },
      securePort: { $: 7002, "@enabled": "false" },
      countryId: 1,
      dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
      leaseInfo: {
        renewalIntervalInSecs: 30,
        durationInSecs: 90,
        registrationTimestamp: now,
        lastRenewalTimestamp: now,
        evictionTimestamp: 0,
        serviceUpTimestamp: now,
      },
      metadata: {},
      vipAddress: "shop",
      isCoordinatingDiscoveryServer: "false",
      lastUpdatedTimestamp: String(now),
      lastDirtyTimestamp: String(now),
      actionType: "ADDED",
    };
    expect(answer).toEqual({
      applications: { versions__delta: "1", apps__hashcode: "UP_1_", application: [{ name: "SHOP", instance: [expected] }] },
    });
    await call("DELETE", `/eureka/apps/SHOP/${shopId}`);
  });

  test("answers an empty registry with an empty list", async () => {
    expect(await (await call("GET", "/eureka/apps")).json()).toEqual({
      applications: { versions__delta: "1", apps__hashcode: "", application: [] },
    });
  });

  test("counts its hash code over the whole registry, in the order of the alphabet", async () => {
    const statuses = ["UP", "OUT_OF_SERVICE", "UP", "DOWN"] as const;
    for (const [port, status] of statuses.entries()) {
      registry.register({ ...ourInstance({ app: `app${port % 2}`, host: "h", port, now, leaseSeconds: 3 }), status }, now);
    }
    expect(await (await call("GET", "/eureka/apps")).json()).toMatchObject({
      applications: { apps__hashcode: "DOWN_1_OUT_OF_SERVICE_1_UP_2_" },
    });
    now += 3_000;
    expect(await (await call("GET", "/eureka/apps")).json()).toMatchObject({ applications: { apps__hashcode: "" } });
  });
});

describe("what does not fit", () => {
  const refused: [string, unknown, string][] = [
    ["no instance", {}, "#/instance"],
    ["no host name", { instance: { app: "SHOP" } }, "#/instance/hostName"],
    ["another application than the path", { instance: { ...shop, app: "OTHER" } }, "#/instance/app"],
    ["an unknown status", { instance: { ...shop, status: "BROKEN" } }, "#/instance/status"],
    ["control characters", { instance: { ...shop, vipAddress: "a\u0000b" } }, "#/instance/vipAddress"],
    ["an endless lease", { instance: { ...shop, leaseInfo: { durationInSecs: 1e9 } } }, "#/instance/leaseInfo/durationInSecs"],
    ["a port beyond the last", { instance: { ...shop, port: { $: 70_000, "@enabled": "true" } } }, "#/instance/port"],
    ["nested metadata", { instance: { ...shop, metadata: { a: {} } } }, "#/instance/metadata/a"],
    ["text that is no JSON", "{", "#"],
  ];
  for (const [what, body, pointer] of refused) {
    test(`${what}: refused, with the field's name, and nothing is registered`, async () => {
      const reply = await call("POST", "/eureka/apps/SHOP", body);
      expect(reply.status).toBe(400);
      expect(reply.headers.get("content-type")).toBe("application/problem+json");
      const { errors } = (await reply.json()) as { errors: { pointer: string }[] };
      expect(errors.some((error) => error.pointer.startsWith(pointer))).toBe(true);
      expect(registry.applications(now)).toEqual([]);
    });
  }

  test("one instance more than there is place for: 503, and it is told when to come again", async () => {
    for (let port = 0; port < 50; port += 1) registry.register(ourInstance({ app: "crowd", host: "h", port, now, leaseSeconds: 3 }), now);
    const reply = await call("POST", "/eureka/apps/SHOP", { instance: shop });
    expect(reply.status).toBe(503);
    expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
    now += 3_000;
    expect((await call("POST", "/eureka/apps/SHOP", { instance: shop })).status).toBe(204);
    now += 90_000;
  });

  test("a registry larger than one chunk is still one JSON document", async () => {
    const large = new ServiceRegistry();
    const instances = 1_203;
    for (let port = 0; port < instances; port += 1)
      large.register(ourInstance({ app: `app${port % 2}`, host: "h", port, now, leaseSeconds: 3 }), now);
    const route = routes(large, { now: () => now, monotonicUs: () => 0 }).find(({ endpoint }) => endpoint.path === "/eureka/apps")!;
    const { body } = await route.handle({ params: {}, query: {}, body: null, headers: { get: () => null }, peer: () => "" });
    let text = "";
    for await (const chunk of body as AsyncIterable<string>) text += chunk;
    const { applications } = JSON.parse(text) as { applications: { application: { instance: unknown[] }[] } };
    expect(applications.application.map(({ instance }) => instance.length)).toEqual([602, 601]);
  });
});
