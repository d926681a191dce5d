/** What clients get wrong or mean ill: refused with its place, and nothing of it is registered. */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { one, RegistryDesk, shop, shopXml } from "../../../test/registry-desk.ts";
import type { Route } from "../../core/endpoint.ts";
import { ourInstance } from "./instance.ts";
import { routes } from "./routes.ts";
import { ServiceRegistry } from "./service.ts";

const desk = new RegistryDesk();
const { registry } = desk;
const call = desk.call.bind(desk);
const getJson = desk.getJson.bind(desk);
const statusOf = desk.statusOf.bind(desk);
const registerShop = desk.registerShop.bind(desk);
afterEach(() => desk.clear());
afterAll(async () => {
  await desk.close();
  expect(desk.bugs).toEqual([]);
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
      expect(registry.applications()).toEqual([]);
    });
  }

  test("one instance more than there is place for: 503, and it is told when to come again", async () => {
    for (let port = 0; port < 50; port += 1)
      registry.register(ourInstance({ app: "crowd", host: "h", port, now: desk.now, leaseSeconds: 3 }), desk.now);
    const reply = await call("POST", "/eureka/apps/SHOP", { instance: shop });
    expect(reply.status).toBe(503);
    expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
    desk.now += 3_000;
    expect(await registerShop()).toBe(204);
  });

  const refusedXml: [string, string, string][] = [
    ["no root", "", "#"],
    ["text", "instance", "#"],
    ["an element that does not end", "<instance><app>SHOP</app>", "#"],
    ["two roots", "<instance/><instance/>", "#"],
    ["another root", "<application/>", "#/instance"],
    ["an empty instance", "<instance/>", "#/instance"],
    ["an entity bomb", '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><instance><app>&b;</app></instance>', "#"],
    ["an entity of a file", '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><instance><app>&a;</app></instance>', "#"],
    ["a document type, however it is written", "<!doctype instance><instance/>", "#"],
    ["a thousand levels", `${"<a>".repeat(1_000)}${"</a>".repeat(1_000)}`, "#"],
    ["names that mean something to JavaScript", "<instance><__proto__><app>x</app></__proto__></instance>", "#"],
    ["a control character", shopXml.replace("<sid>na</sid>", "<homePageUrl>\u0001</homePageUrl>"), "#"],
    ["an element that is there twice", shopXml.replace("<sid>na</sid>", "<app>Other</app>"), "#/instance/app"],
    ["a port that is none", shopXml.replace(">8080<", ">http<"), "#/instance/port"],
    ["elements in an address", shopXml.replace(">shop-tls<", "><a/>shop-tls<"), "#/instance/secureVipAddress"],
  ];
  test.each(refusedXml)("XML with %s: refused, with the place, and nothing is registered", async (_, body, pointer) => {
    const reply = await call("POST", "/eureka/apps/SHOP", body, { "content-type": "application/xml" });
    expect([reply.status, reply.headers.get("content-type")]).toEqual([400, "application/problem+json"]);
    const { errors } = (await reply.json()) as { errors: { pointer: string }[] };
    expect(errors.filter((error) => error.pointer.startsWith(pointer))).not.toEqual([]);
    expect(registry.leases()).toEqual([]);
  });

  test("a body that is too long or of no known type is refused unread", async () => {
    const long = shopXml.replace("<sid>na</sid>", `<sid>${"x".repeat(16 * 1024)}</sid>`);
    expect(await statusOf("POST", "/eureka/apps/SHOP", long, { "content-type": "application/xml" })).toBe(413);
    for (const type of ["text/plain", "constructor", "application/x-www-form-urlencoded"]) {
      expect(await statusOf("POST", "/eureka/apps/SHOP", shopXml, { "content-type": type })).toBe(415);
    }
  });

  test.each([
    ["PUT", `${one}/status`],
    ["PUT", `${one}/status?value=up`],
    ["PUT", `${one}/status?value=`],
    ["DELETE", `${one}/status?value=GONE`],
    ["PUT", `${one}/metadata?a=%00`],
    ["PUT", `${one}/metadata?a=${"x".repeat(2_049)}`],
    ["PUT", `${one}/metadata?${Array.from({ length: 101 }, (_, index) => `k${index}=v`).join("&")}`],
    ["GET", "/eureka/apps/%00"],
    ["GET", "/eureka/vips/%zz"],
  ])("%s %.80s is a bad request, and changes nothing", async (method, path) => {
    await registerShop();
    const before = await getJson(one);
    expect(await statusOf(method, path)).toBe(400);
    expect(await getJson(one)).toEqual(before as never);
  });

  test("a registry larger than one chunk is still one JSON document", async () => {
    const large = new ServiceRegistry();
    const instances = 1_203;
    for (let port = 0; port < instances; port += 1)
      large.register(ourInstance({ app: `app${port % 2}`, host: "h", port, now: desk.now, leaseSeconds: 3 }), desk.now);
    const route = routes(large, { now: () => desk.now, monotonicUs: () => 0 }).find(({ endpoint }) => endpoint.path === "/eureka/apps");
    const asked = { params: {}, query: {}, body: null, headers: { get: () => "application/json" }, peer: () => "" };
    const { body } = await (route as Route).handle(asked);
    let text = "";
    for await (const chunk of body as AsyncIterable<string>) text += chunk;
    const { applications } = JSON.parse(text) as { applications: { application: { instance: unknown[] }[] } };
    expect(applications.application.map(({ instance }) => instance.length)).toEqual([602, 601]);
  });
});
