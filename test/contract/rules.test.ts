/** The contract's rules for all services: ids and paths, problems, health and metrics, and each service's own throttle. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { deleteJson, getJson, postJson, putJson, type System, send, startSystem } from "../system.ts";
import { waitFor } from "../wait.ts";
import { expectMatch, expectProblem } from "./problem.ts";
import { methodsAt, ROUTES, type RouteRow, sampleOf } from "./routes.ts";

setDefaultTimeout(60_000);

const BODY_BYTES_MAX = 16 * 1024;
const PORTS = ["gate", "protector", "policy", "inventory", "cart", "registry"] as const;

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

const stock = (goodsSKU: string) => postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity: 5, goodsPrice: 1 });
const goodsAt = (pathSegment: string) => getJson(`${system.inventory}/sku/${pathSegment}`);
const routesWithBody = ROUTES.filter((route) => route.body !== undefined);

describe('rule 1: "path variables are percent-decoded"', () => {
  const rows = [
    ["a%2Fb", "a/b"],
    ["%E5%95%86%E5%93%81%E4%B8%80", "商品一"],
    ["a%20b", "a b"],
    ["a+b", "a+b"],
    ["100%25", "100%"],
    ["a%252Fb", "a%2Fb"],
    ["%F0%9F%9B%92", "🛒"],
    ["a%3Fb%23c", "a?b#c"],
    ["%2e%2e%2fx", "../x"],
    ["a%22b%5Cc", 'a"b\\c'],
    ["__proto__", "__proto__"],
  ] as const;
  test.each(rows)("%s stands for %s", async (segment, sku) => {
    expectProblem(await goodsAt(segment), 404);
    await stock(sku);
    expect((await goodsAt(segment)).body).toMatchObject({ goodsSKU: sku, goodsQuantity: 5 });
    const user = await getJson(`${system.cart}/sid/${segment}/userid/${segment}/sku/${segment}`);
    expect(user.body).toMatchObject({ sessionID: sku, userID: sku, goodsSKU: sku });
    expect((await deleteJson(`${system.inventory}/delete/sku/${segment}`)).status).toBe(200);
    expectProblem(await goodsAt(segment), 404);
  });

  test("malformed percent-encoding is a bad request", async () => {
    for (const segment of ["%zz", "%", "%2", "%E5%95", "%FF", "%C0%AF", "%ED%A0%80", "a%"])
      expectProblem(await goodsAt(segment), 400, ["#/path/sku"]);
  });

  test('"an id is 1-128 characters, none of them a control character"', async () => {
    for (const good of ["x".repeat(128), encodeURIComponent("品".repeat(128)), encodeURIComponent("🛒".repeat(128))])
      expectProblem(await goodsAt(good), 404);
    for (const bad of ["x".repeat(129), encodeURIComponent("🛒".repeat(129)), "%00", "a%0Ab", "%7F", "%C2%85"])
      expectProblem(await goodsAt(bad), 400, ["#/path/sku"]);
    const bodies = ["", "x".repeat(129), "a\nb", "\u007f", "\u009f"];
    for (const sku of bodies) expectProblem(await stock(sku), 400, ["#/goodsSKU"]);
    const loneSurrogate = '{"goodsSKU":"\\ud800","goodsQuantity":5,"goodsPrice":1}';
    expectProblem(await postJson(`${system.inventory}/add`, loneSurrogate), 400, ["#/goodsSKU"]);
  });

  test("text comes back as it was sent, as JSON in UTF-8", async () => {
    const sku = 'é 商品 🛒 "\\ </script>\u2028';
    expect((await stock(sku)).body).toMatchObject({ goodsSKU: sku });
    const reply = await goodsAt(encodeURIComponent(sku));
    expect(reply.body).toMatchObject({ goodsSKU: sku });
    expect(reply.headers.get("content-type")).toMatch(/^application\/json/);
  });
});

describe("rule 3: bad requests", () => {
  test("an unknown path is a 404 problem on every port", async () => {
    for (const port of PORTS) {
      // The registry's page is at its root, as Eureka's is.
      const root = port === "registry" ? [] : ["/"];
      for (const path of [...root, "/nowhere", "/sku/a/b", "/%2Fhealth"]) expectProblem(await getJson(`${system[port]}${path}`), 404);
    }
    expectProblem(await postJson(`${system.gate}/nowhere`, { a: 1 }), 404);
    expectProblem(await getJson(`${system.gate}/sku/SKU0001`), 404);
  });

  test("no service answers another one's paths", async () => {
    const stranger = { gate: "inventory", protector: "gate", policy: "cart", inventory: "policy", cart: "protector" } as const;
    const answersThere = (route: RouteRow) =>
      ROUTES.some((other) => other.service === stranger[route.service] && other.path === route.path);
    for (const route of ROUTES.filter((route) => !answersThere(route))) {
      const { path, body } = sampleOf(route);
      expectProblem(await send(route.method, system[stranger[route.service]] + path, body), 404);
    }
  });

  test('"405 with Allow" for every route and every method that it has not', async () => {
    for (const route of ROUTES) {
      const { path } = sampleOf(route);
      for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"].filter((method) => !methodsAt(route).includes(method))) {
        const reply = await send(method, system[route.service] + path);
        expectProblem(reply, 405);
        expect(reply.headers.get("allow")?.split(/\s*,\s*/)).toContain(route.method);
      }
      if (methodsAt(route).includes("GET")) continue;
      const head = await send("HEAD", system[route.service] + path);
      expect({ status: head.status, allow: head.headers.get("allow")?.split(", ") }).toEqual({ status: 405, allow: methodsAt(route) });
    }
    for (const port of PORTS) {
      for (const path of ["/health", "/metrics"]) {
        const reply = await postJson(system[port] + path, {});
        expectProblem(reply, 405);
        expect(reply.headers.get("allow")).toBe("GET, HEAD");
      }
    }
  });

  test("HEAD is answered like GET, without the body, as a probe asks it", async () => {
    for (const port of PORTS) {
      for (const path of ["/health", "/openapi.json", "/sales/no-such-sale", "/nowhere"]) {
        const [head, get] = [await send("HEAD", system[port] + path), await getJson(system[port] + path)];
        const said = ({ status, headers }: typeof get) => ({ status, type: headers.get("content-type") });
        expect({ port, path, ...said(head), text: head.text }).toEqual({ port, path, ...said(get), text: "" });
      }
    }
    const get = ROUTES.filter(({ method }) => method === "GET");
    for (const route of get) expect((await send("HEAD", system[route.service] + sampleOf(route).path)).status).not.toBe(405);
  });

  test("HEAD of a stream of events ends at once", async () => {
    const head = await send("HEAD", `${system.cart}/events`, undefined, { accept: "text/event-stream" });
    expect([head.status, head.headers.get("content-type"), head.text]).toEqual([200, "text/event-stream", ""]);
  });

  test('"413 over 16 KiB", and 16 KiB are read', async () => {
    for (const route of routesWithBody) {
      const { path, body } = sampleOf(route);
      const padded = (bytes: number) => JSON.stringify(body).padEnd(bytes, " ");
      expectProblem(await send(route.method, system[route.service] + path, padded(BODY_BYTES_MAX + 1)), 413);
      expect((await send(route.method, system[route.service] + path, padded(BODY_BYTES_MAX))).status).not.toBe(413);
    }
  });

  test("415 for every body that is not called JSON, and for one that is not called anything", async () => {
    for (const route of routesWithBody) {
      const { path, body } = sampleOf(route);
      for (const contentType of ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json", "application/jsonp"]) {
        expectProblem(await send(route.method, system[route.service] + path, body, { "content-type": contentType }), 415);
      }
      const unnamed = await fetch(system[route.service] + path, {
        method: route.method,
        body: new TextEncoder().encode(JSON.stringify(body)),
      });
      expect({ status: unnamed.status, contentType: unnamed.headers.get("content-type") }).toEqual({
        status: 415,
        contentType: "application/problem+json",
      });
    }
    for (const contentType of ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.shop+json"]) {
      const goods = { goodsSKU: "typed", goodsQuantity: 5, goodsPrice: 1 };
      expect((await putJson(`${system.inventory}/add`, goods, { "content-type": contentType })).status).toBe(405);
      expect((await postJson(`${system.inventory}/add`, goods, { "content-type": contentType })).status).toBe(200);
    }
  });

  test("an unreadable body is 400 and points at the whole of it", async () => {
    const bytes = new TextEncoder().encode('{"goodsSKU":"x","goodsQuantity":1,"goodsPrice":1}').with(14, 0xff);
    for (const route of routesWithBody) {
      const { path } = sampleOf(route);
      for (const text of ["", "{", "{]", "undefined", "{'a':1}", '{"a":1}}', "[", "\u0000", bytes]) {
        expectProblem(await send(route.method, system[route.service] + path, text), 400, ["#"]);
      }
      for (const text of ["[]", "null", "5", '"x"', "true"])
        expectProblem(await send(route.method, system[route.service] + path, text), 400);
    }
  });
});

describe("rule 4: health and metrics", () => {
  test('GET /health -> {"status":"UP"} on every port; operators\' ports add pid and uptimeSeconds', async () => {
    for (const port of PORTS) {
      const reply = await getJson(`${system[port]}/health`);
      expect(reply.status).toBe(200);
      expect(reply.body).toMatchObject({ status: "UP" });
      if (port !== "gate") {
        expectMatch(reply.body, { uptimeSeconds: expect.any(Number) });
        expect(system.pids()).toContain((reply.body as { pid: number }).pid);
      } else for (const inside of ["pid", "uptimeSeconds"]) expect(reply.body).not.toHaveProperty(inside);
    }
    const uptime = async () => ((await getJson(`${system.cart}/health`)).body as { uptimeSeconds: number }).uptimeSeconds;
    const first = await uptime();
    expect(first).toBeGreaterThanOrEqual(0);
    await waitFor(async () => (await uptime()) > first, "uptimeSeconds grows");
  });

  test("GET /metrics -> Prometheus text on every port", async () => {
    const sample = /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]\w*="(\\.|[^"\\\n])*",?)*\})? ([+-]?(\d+(\.\d+)?(e[+-]?\d+)?|Inf)|NaN)( \d+)?$/i;
    for (const port of PORTS) {
      const reply = await getJson(`${system[port]}/metrics`);
      expect(reply.status).toBe(200);
      expect(reply.headers.get("content-type")).toMatch(/^text\/plain|^application\/openmetrics-text/);
      const samples = reply.text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
      expect(samples.length).toBeGreaterThan(0);
      expect(samples.filter((line) => !sample.test(line))).toEqual([]);
    }
  });
});

describe('rule 6: "each service has its own token-bucket throttle (rate and burst configurable, off = unlimited)"', () => {
  const BURST = 3;
  const services = ["gate-keeper", "safe-protector", "policy-controller", "inventory-manager", "shopping-cart"];
  const line = { sessionID: "s", userID: "u", goodsSKU: "throttled", goodsQuantity: 1, totalQuantity: 0, quantityLimit: 0 };
  const documented = {
    protector: { sessionID: "s", userID: "u", clientIP: "1.2.3.4" },
    policy: { sessionID: "s", userID: "u", goodsSKU: "throttled", userLevel: 5 },
    inventory: { sessionID: "s", goodsSKU: "throttled", goodsQuantity: 1 },
    cart: { sessionID: "s", userID: "u", goodsSKU: "throttled", goodsQuantity: 1 },
  };
  const ask = (at: System) => ({
    protector: () => getJson(`${at.protector}/validate/sid/s/userid/u/clientip/1.2.3.4`),
    policy: () => getJson(`${at.policy}/validate/sid/s/userid/u/userlv/5/sku/throttled/quantity/1`),
    inventory: () => getJson(`${at.inventory}/validate/sid/s/sku/throttled/quantity/1`),
    cart: () => postJson(`${at.cart}/add`, line),
  });

  test('"and says so with isThrottled": the documented body, 429, Retry-After', async () => {
    const throttled = await startSystem({
      args: services.flatMap((service) => [`--${service}-rate`, "0.000001", `--${service}-burst`, String(BURST)]),
    });
    try {
      for (const [service, once] of Object.entries(ask(throttled))) {
        const replies = [];
        for (let asked = 0; asked < BURST + 2; asked += 1) replies.push(await once());
        expect(replies.map((reply) => reply.status)).toEqual([200, 200, 200, 429, 429]);
        for (const reply of replies.slice(0, BURST)) expect(reply.body).toMatchObject({ isThrottled: false });
        for (const reply of replies.slice(BURST)) {
          expect(reply.body).toMatchObject({
            ...documented[service as keyof typeof documented],
            isAllowed: false,
            isThrottled: true,
            version: "1.0",
          });
          expect(reply.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
        }
      }
      expect((await getJson(`${throttled.cart}/health`)).status).toBe(200);
    } finally {
      await throttled.stop();
    }
  });

  test('"off = unlimited"', async () => {
    for (const once of Object.values(ask(system))) {
      const replies = await Promise.all(Array.from({ length: 200 }, once));
      expect(new Set(replies.map((reply) => reply.status))).toEqual(new Set([200]));
    }
  });
});
