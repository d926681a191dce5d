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

  /** A good one, but for its document type. */
  const withType = (subset: string, sid: string): string =>
    shopXml.replace("<instance>", `<!DOCTYPE instance ${subset}><instance>`).replace("<sid>na</sid>", `<homePageUrl>${sid}</homePageUrl>`);

  const refusedXml: [string, string, string][] = [
    ["no root", "", "#"],
    ["text", "instance", "#"],
    ["an element that does not end", shopXml.replace("</instance>", ""), "#"],
    ["two roots", "<instance/><instance/>", "#"],
    ["another root", "<application/>", "#/instance"],
    ["an empty instance", "<instance/>", "#/instance"],
    ["an entity bomb", withType('[<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]', "&b;"), "#"],
    ["an entity of a file", withType('[<!ENTITY a SYSTEM "file:///etc/hostname">]', "&a;"), "#"],
    ["a document type that says nothing", withType("", "na"), "#"],
    ["a document type in small letters", withType("", "na").replace("DOCTYPE", "doctype"), "#"],
    ["more levels than an instance has", shopXml.replace("<sid>na</sid>", `${"<a>".repeat(50)}${"</a>".repeat(50)}`), "#"],
    ["a thousand levels", `${"<a>".repeat(1_000)}${"</a>".repeat(1_000)}`, "#"],
    ["names that mean something to JavaScript", "<instance><__proto__><app>x</app></__proto__></instance>", "#"],
    ...["&#0;", "&#1;", "&#xD800;", "&#xFFFE;", "&#1114112;", "&#x;", "&#;", "&copy;", "&constructor;"].map(
      (reference): [string, string, string] => [
        `the reference ${reference}`,
        shopXml.replace("<sid>na</sid>", `<homePageUrl>a${reference}b</homePageUrl>`),
        "#",
      ],
    ),
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

  test("what another registry gets wrong is refused by itself, and the rest is done", async () => {
    await registerShop();
    const about = { appName: "SHOP", id: shop.instanceId };
    const replicationList = [
      { action: "Register", ...about },
      { action: "Register", ...about, id: "other", instanceInfo: shop },
      { action: "Register", ...about, appName: "OTHER", instanceInfo: shop },
      { action: "StatusUpdate", ...about },
      { action: "Heartbeat", ...about, id: "nobody" },
      { action: "Cancel", ...about, id: "nobody" },
      { action: "StatusUpdate", ...about, id: "nobody", status: "UP" },
      { action: "DeleteStatusOverride", ...about, id: "nobody" },
      { action: "Heartbeat", ...about, lastDirtyTimestamp: "99999999999999" },
      { action: "StatusUpdate", ...about, status: "DOWN" },
    ];
    const reply = await call("POST", "/eureka/peerreplication/batch/", { replicationList });
    const { responseList } = (await reply.json()) as { responseList: { statusCode: number }[] };
    expect(responseList.map(({ statusCode }) => statusCode)).toEqual([400, 400, 400, 400, 404, 404, 404, 404, 404, 200]);
    expect(registry.leases().map(({ instance: { instanceId, status } }) => [instanceId, status])).toEqual([[shop.instanceId, "DOWN"]]);
  });

  test.each([
    ["no list", {}],
    ["an unknown action", { replicationList: [{ action: "Explode", appName: "SHOP", id: "x" }] }],
    ["an instance that is none", { replicationList: [{ action: "Register", appName: "SHOP", id: "x", instanceInfo: { app: 1 } }] }],
    ["more than a message holds", { replicationList: Array.from({ length: 251 }, () => ({ action: "Cancel", appName: "SHOP", id: "x" })) }],
  ])("a message of another registry with %s is refused whole", async (_, body) => {
    expect(await statusOf("POST", "/eureka/peerreplication/batch/", body)).toBe(400);
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
