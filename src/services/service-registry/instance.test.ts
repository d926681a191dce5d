import { describe, expect, test } from "bun:test";
import { instanceFrom, ourInstance } from "./instance.ts";

const NOW = 1_800_000_000_000;

describe("what a registration leaves out", () => {
  const least = { hostName: "h1", app: "shop" };

  test("gets the protocol's defaults", () => {
    expect(instanceFrom(least, NOW)).toMatchObject({
      instanceId: "h1",
      app: "SHOP",
      status: "UP",
      renewalSeconds: 30,
      leaseSeconds: 90,
      port: { number: 7001, enabled: true },
      securePort: { number: 7002, enabled: false },
      dataCenter: { name: "MyOwn" },
      dirtyAt: NOW,
    });
  });

  test("is the same as null, and a lease of no seconds is the default one", () => {
    expect(instanceFrom({ ...least, instanceId: null, status: null, leaseInfo: { durationInSecs: 0 }, metadata: null }, NOW)).toEqual(
      instanceFrom(least, NOW),
    );
  });

  test("is read in every spelling that clients have", () => {
    expect(instanceFrom({ ...least, port: "80" }, NOW).port).toEqual({ number: 80, enabled: true });
    expect(instanceFrom({ ...least, overriddenstatus: "DOWN" }, NOW).override).toBe("DOWN");
    expect(instanceFrom({ ...least, overriddenStatus: "UNKNOWN" }, NOW).override).toBeNull();
    expect(instanceFrom({ ...least, leaseInfo: { durationInSecs: "10", renewalIntervalInSecs: "-1" } }, NOW)).toMatchObject({
      leaseSeconds: 10,
      renewalSeconds: 30,
    });
    expect(instanceFrom({ ...least, port: 80 }, NOW).port).toEqual({ number: 80, enabled: true });
    expect(instanceFrom({ ...least, port: { $: "80", "@enabled": "false" } }, NOW).port).toEqual({ number: 80, enabled: false });
    expect(instanceFrom({ ...least, securePort: { $: 443, "@enabled": true } }, NOW).securePort).toEqual({ number: 443, enabled: true });
    expect(instanceFrom({ ...least, lastDirtyTimestamp: "123" }, NOW).dirtyAt).toBe(123);
    expect(
      instanceFrom({ ...least, metadata: { "@class": "java.util.Collections$EmptyMap", zone: "a", weight: 5 } }, NOW).metadata,
    ).toEqual({ zone: "a", weight: "5" });
    const amazon = { "@class": "com.netflix.appinfo.AmazonInfo", name: "Amazon", metadata: { "instance-id": "i-1" } };
    expect(instanceFrom({ ...least, dataCenterInfo: amazon }, NOW)).toMatchObject({
      instanceId: "i-1",
      dataCenter: { metadata: { "instance-id": "i-1" } },
    });
  });
});

test("a service of ours registers with where it is asked for its health", () => {
  expect(ourInstance({ app: "gate-keeper", host: "::1", port: 8080, now: NOW, leaseSeconds: 3 })).toMatchObject({
    app: "GATE-KEEPER",
    status: "UP",
    homePageUrl: "http://[::1]:8080/",
    healthCheckUrl: "http://[::1]:8080/health",
    vipAddress: "gate-keeper",
    renewalSeconds: 1,
    leaseSeconds: 3,
  });
});
