/** The protocol over HTTP, in both of its forms: each operation under each of its addresses. */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { XMLParser } from "fast-xml-parser";
import { JSON_WANTED, one, RegistryDesk, shop, shopId, shopXml } from "../../../test/registry-desk.ts";
import { ourInstance } from "./instance.ts";

const desk = new RegistryDesk();
const { registry } = desk;
const call = desk.call.bind(desk);
const getJson = desk.getJson.bind(desk);
const getXml = desk.getXml.bind(desk);
const statusOf = desk.statusOf.bind(desk);
const registerShop = desk.registerShop.bind(desk);
afterEach(() => desk.clear());
afterAll(async () => {
  await desk.close();
  expect(desk.bugs).toEqual([]);
});

describe("the protocol", () => {
  for (const root of ["/eureka", "/eureka/v2"]) {
    for (const end of ["", "/"]) {
      test(`is spoken under ${root}/apps${end}: register, renew, read, change, cancel`, async () => {
        const created = await call("POST", `${root}/apps/SHOP${end}`, { instance: shop });
        expect([created.status, await created.text()]).toEqual([204, ""]);
        const renewed = await call("PUT", `${root}/apps/SHOP/${shopId}${end}?status=UP&lastDirtyTimestamp=${desk.now}`);
        expect([renewed.status, await renewed.text()]).toEqual([200, ""]);
        const reads = [
          "/apps",
          "/apps/shop",
          `/apps/SHOP/${shopId}`,
          `/instances/${shopId}`,
          "/apps/delta",
          "/vips/shop.internal",
          "/svips/shop-tls",
        ];
        for (const path of reads) {
          expect(JSON.stringify(await getJson(`${root}${path}${end}`))).toContain('"instanceId":"10.0.0.1:shop:8080"');
          expect(await getXml(`${root}${path}${end}`)).toContain("<instanceId>10.0.0.1:shop:8080</instanceId>");
        }
        expect(await statusOf("PUT", `${root}/apps/SHOP/${shopId}/status${end}?value=OUT_OF_SERVICE`)).toBe(200);
        expect(await getJson(one)).toMatchObject({ instance: { status: "OUT_OF_SERVICE", overriddenStatus: "OUT_OF_SERVICE" } });
        expect(await statusOf("DELETE", `${root}/apps/SHOP/${shopId}/status${end}?value=UP`)).toBe(200);
        expect(await getJson(one)).toMatchObject({ instance: { status: "UP", overriddenStatus: "UNKNOWN" } });
        expect(await statusOf("PUT", `${root}/apps/SHOP/${shopId}/metadata${end}?zone=a%20b`)).toBe(200);
        expect(await getJson(one)).toMatchObject({ instance: { metadata: { zone: "a b" } } });
        expect(await statusOf("DELETE", `${root}/apps/SHOP/${shopId}${end}`)).toBe(200);
        for (const path of ["/apps/SHOP", `/apps/SHOP/${shopId}`, `/instances/${shopId}`, "/vips/shop", "/svips/shop-tls"]) {
          expect(await statusOf("GET", `${root}${path}${end}`)).toBe(404);
        }
      });
    }
  }

  test.each([
    ["PUT", one],
    ["DELETE", one],
    ["PUT", `${one}/status?value=UP`],
    ["DELETE", `${one}/status`],
    ["PUT", `${one}/metadata?a=b`],
  ])("answers 404 without content to %s %s of an instance that nobody has registered", async (method, path) => {
    const reply = await call(method, path);
    expect([reply.status, await reply.text()]).toEqual([404, ""]);
  });

  test("asks a client that has changed to register again", async () => {
    await registerShop({ lastDirtyTimestamp: "50" });
    expect(await statusOf("PUT", `${one}?lastDirtyTimestamp=50`)).toBe(200);
    expect(await statusOf("PUT", `${one}?lastDirtyTimestamp=51`)).toBe(404);
    expect(await statusOf("PUT", `${one}?lastDirtyTimestamp=49`)).toBe(200);
    expect(await statusOf("PUT", `${one}?lastDirtyTimestamp=soon`)).toBe(200);
  });

  test("tells another registry, whose state is older, the newer one", async () => {
    await registerShop({ lastDirtyTimestamp: "50" });
    const reply = await call("PUT", `${one}?lastDirtyTimestamp=49`, undefined, {
      ...JSON_WANTED,
      "x-netflix-discovery-replication": "true",
    });
    expect([reply.status, await reply.json()]).toMatchObject([200, { instance: { lastDirtyTimestamp: "50" } }]);
  });

  test("finds instances by ids with any characters", async () => {
    const instanceId = "a/b c%?ü:1";
    await registerShop({ instanceId });
    const address = `/eureka/apps/shop/${encodeURIComponent(instanceId)}`;
    expect(await getJson(address)).toMatchObject({ instance: { instanceId } });
    expect(await statusOf("PUT", address)).toBe(200);
    expect(await statusOf("DELETE", address)).toBe(200);
  });

  test("has a delta: what was added, changed and deleted, and the hash code of the whole registry", async () => {
    await registerShop();
    await registerShop({ instanceId: "b" });
    await registerShop({ instanceId: "c" });
    await call("PUT", "/eureka/apps/SHOP/b/status?value=OUT_OF_SERVICE");
    await call("DELETE", "/eureka/apps/SHOP/c");
    const { applications } = (await getJson("/eureka/apps/delta")) as {
      applications: { apps__hashcode: string; application: { instance: { instanceId: string; actionType: string }[] }[] };
    };
    expect(applications.apps__hashcode).toBe("OUT_OF_SERVICE_1_UP_1_");
    const actions = applications.application.flatMap(({ instance }) => instance.map((it) => [it.instanceId, it.actionType]));
    expect(actions).toEqual([
      [shop.instanceId, "ADDED"],
      ["b", "MODIFIED"],
      ["c", "DELETED"],
    ]);
    desk.now += 180_000;
    expect(await getJson("/eureka/apps/delta")).toMatchObject({
      applications: { apps__hashcode: "OUT_OF_SERVICE_1_UP_1_", application: [] },
    });
  });

  test("tells its clock with the listing, so that a reader knows whose lease has lapsed", async () => {
    await registerShop({ leaseInfo: { durationInSecs: 3 } });
    const renewedAt = desk.now;
    desk.now += 3_000;
    for (const path of ["/eureka/apps", "/eureka/apps/delta", "/eureka/apps/SHOP", one, "/eureka/vips/shop"]) {
      expect(Number((await call("GET", path)).headers.get("server-now"))).toBe(renewedAt + 3_000);
    }
    const reply = await call("GET", "/eureka/apps", undefined, JSON_WANTED);
    const { applications } = (await reply.json()) as {
      applications: { application: { instance: { leaseInfo: { lastRenewalTimestamp: number; durationInSecs: number } }[] }[] };
    };
    const leaseInfo = applications.application[0]?.instance[0]?.leaseInfo;
    expect(leaseInfo).toMatchObject({ lastRenewalTimestamp: renewedAt, durationInSecs: 3 });
  });

  test("counts its hash code over the whole registry, in the order of the alphabet", async () => {
    const statuses = ["UP", "OUT_OF_SERVICE", "UP", "DOWN"] as const;
    for (const [port, status] of statuses.entries()) {
      registry.register({ ...ourInstance({ app: `app${port % 2}`, host: "h", port, now: desk.now, leaseSeconds: 3 }), status }, desk.now);
    }
    expect(await getJson("/eureka/apps")).toMatchObject({ applications: { apps__hashcode: "DOWN_1_OUT_OF_SERVICE_1_UP_2_" } });
  });
});

describe("the JSON", () => {
  test("has exactly these fields, because its mappers drop an answer with any other", async () => {
    await registerShop();
    const reply = await call("GET", "/eureka/apps", undefined, JSON_WANTED);
    expect(reply.headers.get("content-type")).toBe("application/json");
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
        registrationTimestamp: desk.now,
        lastRenewalTimestamp: desk.now,
        evictionTimestamp: 0,
        serviceUpTimestamp: desk.now,
      },
      metadata: {},
      vipAddress: "shop,shop.internal",
      secureVipAddress: "shop-tls",
      isCoordinatingDiscoveryServer: "false",
      lastUpdatedTimestamp: String(desk.now),
      lastDirtyTimestamp: String(desk.now),
      actionType: "ADDED",
    };
    expect(await reply.json()).toEqual({
      applications: { versions__delta: "1", apps__hashcode: "UP_1_", application: [{ name: "SHOP", instance: [expected] }] },
    } as never);
  });

  test("of an empty registry is an empty list", async () => {
    expect(await getJson("/eureka/apps")).toEqual({ applications: { versions__delta: "1", apps__hashcode: "", application: [] } });
  });

  test.each(["application/json", "application/vnd.netflix.eureka+json", "text/html, application/json;q=0.1", "APPLICATION/JSON"])(
    "is answered to Accept: %s",
    async (accept) => {
      const reply = await call("GET", "/eureka/apps", undefined, { accept });
      expect(reply.headers.get("content-type")).toBe("application/json");
    },
  );
});

describe("the XML", () => {
  test.each(["*/*", "application/xml", "text/html", ""])("is answered to Accept: %p", async (accept) => {
    const reply = await call("GET", "/eureka/apps", undefined, { accept });
    expect([reply.headers.get("content-type"), await reply.text()]).toEqual([
      "application/xml",
      "<applications><versions__delta>1</versions__delta><apps__hashcode/></applications>",
    ]);
  });

  test("says what the JSON says, in the words of Eureka's own converters", async () => {
    await registerShop({ metadata: { "management.port": "9000", "no name of an element": "x" } });
    expect(await getXml(one)).toBe(
      [
        "<instance><instanceId>10.0.0.1:shop:8080</instanceId><hostName>10.0.0.1</hostName><app>SHOP</app><ipAddr>10.0.0.1</ipAddr>",
        '<status>UP</status><port enabled="true">8080</port><securePort enabled="false">7002</securePort><countryId>1</countryId>',
        "<leaseInfo><renewalIntervalInSecs>30</renewalIntervalInSecs><durationInSecs>90</durationInSecs>",
        `<registrationTimestamp>${desk.now}</registrationTimestamp><lastRenewalTimestamp>${desk.now}</lastRenewalTimestamp>`,
        `<evictionTimestamp>0</evictionTimestamp><serviceUpTimestamp>${desk.now}</serviceUpTimestamp></leaseInfo>`,
        "<vipAddress>shop,shop.internal</vipAddress><secureVipAddress>shop-tls</secureVipAddress>",
        "<isCoordinatingDiscoveryServer>false</isCoordinatingDiscoveryServer>",
        `<lastUpdatedTimestamp>${desk.now}</lastUpdatedTimestamp><lastDirtyTimestamp>${desk.now}</lastDirtyTimestamp>`,
        "<actionType>ADDED</actionType><overriddenstatus>UNKNOWN</overriddenstatus>",
        '<dataCenterInfo class="com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo"><name>MyOwn</name></dataCenterInfo>',
        "<metadata><management.port>9000</management.port></metadata></instance>",
      ].join(""),
    );
  });

  test("marks an empty map, and has applications and instances one after the other", async () => {
    await registerShop();
    await registerShop({ instanceId: "b" });
    const text = await getXml("/eureka/apps");
    expect(text).toContain('<metadata class="java.util.Collections$EmptyMap"/>');
    expect(text).toStartWith(
      "<applications><versions__delta>1</versions__delta><apps__hashcode>UP_2_</apps__hashcode><application><name>SHOP</name><instance>",
    );
    expect(text.match(/<instance>/g)).toHaveLength(2);
    expect(await getXml("/eureka/apps/SHOP")).toStartWith("<application><name>SHOP</name><instance>");
  });

  test("registers the same instance as the JSON", async () => {
    await registerShop();
    const fromJson = await getJson(one);
    await call("DELETE", one);
    for (const type of ["application/xml", "text/xml; charset=utf-8", "APPLICATION/XML"]) {
      expect(await statusOf("POST", "/eureka/apps/SHOP", shopXml, { "content-type": type })).toBe(204);
      expect(await getJson(one)).toEqual(fromJson as never);
      await call("DELETE", one);
    }
  });

  test("has references to characters, and text that is none", async () => {
    const url = "&#228;&#xE4;&amp;&lt;&gt;&quot;&apos;&amp;#65;<![CDATA[&#65;<&copy;]]>&#x1F600;";
    const body = shopXml.replace("<sid>na</sid>", `<homePageUrl>${url}</homePageUrl>`);
    expect(await statusOf("POST", "/eureka/apps/SHOP", body, { "content-type": "application/xml" })).toBe(204);
    expect(await getJson(one)).toMatchObject({ instance: { homePageUrl: "ää&<>\"'&#65;&#65;<&copy;😀" } });
  });

  test("registers what it was answered: nothing is lost on the way", async () => {
    await registerShop({ homePageUrl: "http://a/?b&c=<d>\"'", metadata: { "a.b": "1 & 2", empty: "" }, leaseInfo: { durationInSecs: 3 } });
    const [text, told] = [await getXml(one), await getJson(one)];
    await call("DELETE", one);
    expect(await statusOf("POST", "/eureka/apps/SHOP", text, { "content-type": "application/xml" })).toBe(204);
    expect(await getJson(one)).toEqual(told as never);
  });

  test("of a hostile instance is still XML with one instance in it", async () => {
    const hostile = "</instance><instance>]]>&amp;<!--\u2028x";
    await registerShop({
      metadata: { key: hostile, "<x>": "1", "a b": "2", "@class": "c", __proto__x: "3" },
      vipAddress: hostile,
    });
    const { instance } = new XMLParser({ parseTagValue: false }).parse(await getXml(one)) as { instance: Record<string, unknown> };
    expect(instance).toMatchObject({ instanceId: shop.instanceId, vipAddress: hostile, metadata: { key: hostile, __proto__x: "3" } });
  });
});
