import { describe, expect, test } from "bun:test";
import { type Instance, instanceFrom, ourInstance } from "./instance.ts";
import { ServiceRegistry } from "./service.ts";

const NOW = 1_800_000_000_000;

const instance = (id: string, extra: Partial<Instance> = {}): Instance => ({
  ...ourInstance({ app: "shop", host: "10.0.0.1", port: 8080, now: NOW, leaseSeconds: 3 }),
  instanceId: id,
  ...extra,
});

const ids = (registry: ServiceRegistry, now: number) =>
  registry.applications(now).flatMap(({ leases }) => leases.map((lease) => lease.instance.instanceId));

describe("a lease", () => {
  test("holds until its duration has passed since the last renewal, and not one millisecond longer", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    expect(ids(registry, NOW + 2_999)).toEqual(["a"]);
    expect(registry.renew("SHOP", "a", NOW + 2_999)).toBe("renewed");
    expect(registry.application("SHOP", NOW + 5_998)?.leases).toHaveLength(1);
    expect(registry.application("SHOP", NOW + 5_999)).toBeNull();
    expect(registry.find("SHOP", "a", NOW + 5_999)).toBeNull();
  });

  test("that has ended is not renewed: its owner has to register again", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    expect(registry.renew("SHOP", "a", NOW + 3_000)).toBe("unknown");
    expect(registry.register(instance("a"), NOW + 3_000)).toBe("registered");
    expect(registry.renew("SHOP", "a", NOW + 5_999)).toBe("renewed");
  });

  test("of a client that has changed since is not renewed either", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a", { dirtyAt: 50 }), NOW);
    expect(registry.renew("SHOP", "a", NOW, 50)).toBe("renewed");
    expect(registry.renew("SHOP", "a", NOW, 51)).toBe("unknown");
  });

  test("ends at once when it is cancelled, and then is unknown", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    registry.register(instance("b"), NOW);
    expect(registry.cancel("SHOP", "a", NOW)).toBe("cancelled");
    expect(ids(registry, NOW)).toEqual(["b"]);
    expect(registry.cancel("SHOP", "a", NOW)).toBe("unknown");
    expect(registry.renew("SHOP", "a", NOW)).toBe("unknown");
  });
});

describe("registering", () => {
  test("again replaces what was known and is still one instance, up since the first time", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a", { status: "STARTING" }), NOW);
    expect(registry.find("SHOP", "a", NOW)?.upSince).toBe(0);
    registry.register(instance("a", { status: "UP" }), NOW + 1);
    registry.register(instance("a", { hostName: "new" }), NOW + 2);
    expect(ids(registry, NOW + 2)).toEqual(["a"]);
    expect(registry.find("SHOP", "a", NOW + 2)).toMatchObject({ upSince: NOW + 1, registeredAt: NOW + 2, instance: { hostName: "new" } });
  });

  test("late, after a newer registration, renews the lease but does not bring the old data back", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a", { hostName: "new", dirtyAt: 20 }), NOW);
    registry.register(instance("a", { hostName: "old", dirtyAt: 10 }), NOW + 2_000);
    expect(registry.find("SHOP", "a", NOW + 4_000)?.instance.hostName).toBe("new");
  });

  test("finds an application by any spelling of its name", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    expect(registry.application("sHoP", NOW)?.name).toBe("SHOP");
    expect(registry.find("shop", "a", NOW)).not.toBeNull();
    expect(registry.findAnywhere("a", NOW)?.instance.app).toBe("SHOP");
    expect(registry.findAnywhere("b", NOW)).toBeNull();
  });

  test("stops at the bound, goes on when a lease has ended, and always takes those it knows", () => {
    const registry = new ServiceRegistry(2);
    registry.register(instance("a"), NOW);
    registry.register(instance("b", { app: "OTHER" }), NOW + 1);
    expect(registry.register(instance("c"), NOW + 2)).toBe("full");
    expect(registry.register(instance("b", { app: "OTHER" }), NOW + 2)).toBe("registered");
    expect(registry.register(instance("c"), NOW + 3_000)).toBe("registered");
    expect(ids(registry, NOW + 3_000)).toEqual(["b", "c"]);
    expect(registry.register(instance("d"), NOW + 3_000)).toBe("full");
    registry.cancel("SHOP", "c", NOW + 3_000);
    expect(registry.register(instance("d"), NOW + 3_000)).toBe("registered");
  });

  test("leaves nothing behind when all have gone", () => {
    const registry = new ServiceRegistry();
    for (let i = 0; i < 100; i += 1) registry.register(instance(`i${i}`, { app: `APP${i % 7}` }), NOW);
    expect(registry.applications(NOW)).toHaveLength(7);
    expect(registry.applications(NOW + 3_000)).toEqual([]);
  });
});

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
