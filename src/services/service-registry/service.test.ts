import { describe, expect, test } from "bun:test";
import { METADATA_CHARS_MAX, METADATA_ENTRIES_MAX } from "../../limits/registry.ts";
import { type Instance, type Lease, lapsesAt, ourInstance } from "./instance.ts";
import { ServiceRegistry } from "./service.ts";

const NOW = 1_800_000_000_000;

const instance = (id: string, extra: Partial<Instance> = {}): Instance => ({
  ...ourInstance({ app: "shop", host: "10.0.0.1", port: 8080, now: NOW, leaseSeconds: 3 }),
  instanceId: id,
  ...extra,
});

const ids = (registry: ServiceRegistry) =>
  registry.applications().flatMap(({ leases }) => leases.map((lease) => lease.instance.instanceId));
const statusOf = (registry: ServiceRegistry, id: string) => registry.find("SHOP", id)?.instance.status;
const byClient = { dirtyAt: null, from: "client" } as const;

describe("a lease", () => {
  test("lapses when its duration has passed since the last renewal, and says so by its times", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    expect(registry.renew("SHOP", "a", NOW + 2_999)).toBe("renewed");
    expect(lapsesAt(registry.find("SHOP", "a") as Lease)).toBe(NOW + 5_999);
    expect(ids(registry)).toEqual(["a"]);
  });

  test("that has lapsed is renewed as long as its instance was not evicted", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    expect(registry.renew("SHOP", "a", NOW + 60_000)).toBe("renewed");
    expect(registry.find("SHOP", "a")?.renewedAt).toBe(NOW + 60_000);
  });

  test("of a client that has changed since is not renewed: it has to register again", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a", { dirtyAt: 50 }), NOW);
    expect(registry.renew("SHOP", "a", NOW, 50)).toBe("renewed");
    expect(registry.renew("SHOP", "a", NOW, 51)).toBe("unknown");
    expect(registry.renew("SHOP", "a", NOW, 49)).toBe("newer");
  });

  test("ends at once when it is cancelled, and then is unknown", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    registry.register(instance("b"), NOW);
    expect(registry.cancel("SHOP", "a", NOW)).toBe("cancelled");
    expect(ids(registry)).toEqual(["b"]);
    expect(registry.cancel("SHOP", "a", NOW)).toBe("unknown");
    expect(registry.renew("SHOP", "a", NOW)).toBe("unknown");
  });
});

describe("registering", () => {
  test("again replaces what was known and is still one instance, up since the first time", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a", { status: "STARTING" }), NOW);
    expect(registry.find("SHOP", "a")?.upSince).toBe(0);
    registry.register(instance("a", { status: "UP" }), NOW + 1);
    registry.register(instance("a", { hostName: "new" }), NOW + 2);
    expect(ids(registry)).toEqual(["a"]);
    expect(registry.find("SHOP", "a")).toMatchObject({ upSince: NOW + 1, registeredAt: NOW + 2, instance: { hostName: "new" } });
  });

  test("late, after a newer registration, renews the lease but does not bring the old data back", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a", { hostName: "new", dirtyAt: 20 }), NOW);
    registry.register(instance("a", { hostName: "old", dirtyAt: 10 }), NOW + 2_000);
    expect(registry.find("SHOP", "a")).toMatchObject({ renewedAt: NOW + 2_000, instance: { hostName: "new" } });
  });

  test("finds an application by any spelling of its name", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    expect(registry.application("sHoP")?.name).toBe("SHOP");
    expect(registry.find("shop", "a")).not.toBeNull();
    expect(registry.findAnywhere("a")?.instance.app).toBe("SHOP");
    expect(registry.findAnywhere("b")).toBeNull();
    expect(registry.application("other")).toBeNull();
  });

  test("stops at the bound, takes the place of those that have lapsed, and always takes those it knows", () => {
    const registry = new ServiceRegistry(2);
    registry.register(instance("a"), NOW);
    registry.register(instance("b", { app: "OTHER" }), NOW + 1);
    expect(registry.register(instance("c"), NOW + 2)).toBe("full");
    expect(registry.register(instance("b", { app: "OTHER" }), NOW + 2)).toBe("registered");
    expect(registry.register(instance("c"), NOW + 3_000)).toBe("registered");
    expect(ids(registry)).toEqual(["b", "c"]);
    expect(registry.register(instance("d"), NOW + 3_000)).toBe("full");
    registry.cancel("SHOP", "c", NOW + 3_000);
    expect(registry.register(instance("d"), NOW + 3_000)).toBe("registered");
  });
});

describe("an operator's status", () => {
  test("stands over what the instance says, until it is taken back", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    expect(registry.setStatus("SHOP", "a", "OUT_OF_SERVICE", NOW, byClient)).toBe("set");
    registry.register(instance("a", { dirtyAt: NOW + 1 }), NOW + 1);
    expect([statusOf(registry, "a"), registry.renew("SHOP", "a", NOW + 2)]).toEqual(["OUT_OF_SERVICE", "renewed"]);
    expect(registry.clearStatus("SHOP", "a", "UP", NOW + 3, byClient)).toBe("cleared");
    expect([statusOf(registry, "a"), registry.renew("SHOP", "a", NOW + 4)]).toEqual(["UP", "renewed"]);
  });

  test("taken back without another makes the instance register again, and say it itself", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    registry.setStatus("SHOP", "a", "OUT_OF_SERVICE", NOW, byClient);
    registry.clearStatus("SHOP", "a", "UNKNOWN", NOW, byClient);
    expect(registry.renew("SHOP", "a", NOW)).toBe("unknown");
    registry.register(instance("a"), NOW);
    expect([statusOf(registry, "a"), registry.renew("SHOP", "a", NOW)]).toEqual(["UP", "renewed"]);
  });

  test("does not call an instance up that says it is down or starting", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    registry.setStatus("SHOP", "a", "OUT_OF_SERVICE", NOW, byClient);
    for (const status of ["DOWN", "STARTING"] as const) {
      registry.register(instance("a", { status }), NOW);
      expect(statusOf(registry, "a")).toBe(status);
    }
    registry.register(instance("a"), NOW);
    expect(statusOf(registry, "a")).toBe("OUT_OF_SERVICE");
  });

  test("is forgotten with the instance, and nobody has one whom nobody knows", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    registry.setStatus("SHOP", "a", "OUT_OF_SERVICE", NOW, byClient);
    registry.cancel("SHOP", "a", NOW);
    registry.register(instance("a"), NOW);
    expect(statusOf(registry, "a")).toBe("UP");
    expect(registry.setStatus("SHOP", "b", "DOWN", NOW, byClient)).toBe("unknown");
    expect(registry.clearStatus("SHOP", "b", "UP", NOW, byClient)).toBe("unknown");
  });

  test("comes with a registration that another registry hands over", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a", { override: "OUT_OF_SERVICE" }), NOW, "peer");
    expect(statusOf(registry, "a")).toBe("OUT_OF_SERVICE");
  });
});

describe("metadata", () => {
  test("is added to, entry by entry", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a", { metadata: { zone: "a", weight: "1" } }), NOW);
    expect(registry.addMetadata("SHOP", "a", { weight: "2", rack: "7" }, NOW)).toBe("added");
    expect(registry.find("SHOP", "a")?.instance.metadata).toEqual({ zone: "a", weight: "2", rack: "7" });
    expect(registry.addMetadata("SHOP", "b", {}, NOW)).toBe("unknown");
  });

  test("has a bound, in entries and in characters, and beyond it nothing changes", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    const entries = (count: number, chars: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`entry-${index}`, "x".repeat(chars)]));
    expect(registry.addMetadata("SHOP", "a", entries(METADATA_ENTRIES_MAX, 1), NOW)).toBe("added");
    expect(registry.addMetadata("SHOP", "a", { another: "1" }, NOW)).toBe("too-much");
    expect(registry.addMetadata("SHOP", "a", entries(METADATA_ENTRIES_MAX, METADATA_CHARS_MAX / METADATA_ENTRIES_MAX), NOW)).toBe(
      "too-much",
    );
    expect(registry.find("SHOP", "a")?.instance.metadata).toEqual(entries(METADATA_ENTRIES_MAX, 1));
  });
});

describe("the delta", () => {
  const changes = (registry: ServiceRegistry, now: number) =>
    registry
      .recentChanges(now)
      .applications.flatMap(({ leases }) => leases.map(({ instance: { instanceId }, lastChange }) => [instanceId, lastChange]));

  test("has the last change of each instance, the deleted ones too, and no renewals", () => {
    const registry = new ServiceRegistry();
    for (const id of ["a", "b", "c"]) registry.register(instance(id), NOW);
    registry.renew("SHOP", "a", NOW + 1);
    registry.setStatus("SHOP", "b", "DOWN", NOW + 2, byClient);
    registry.cancel("SHOP", "c", NOW + 3);
    expect(changes(registry, NOW + 4)).toEqual([
      ["a", "ADDED"],
      ["b", "MODIFIED"],
      ["c", "DELETED"],
    ]);
  });

  test("keeps a change for three minutes", () => {
    const registry = new ServiceRegistry();
    registry.register(instance("a"), NOW);
    registry.register(instance("b"), NOW + 1_000);
    expect(changes(registry, NOW + 179_999)).toHaveLength(2);
    expect(changes(registry, NOW + 180_000)).toEqual([["b", "ADDED"]]);
    expect(changes(registry, NOW + 181_000)).toEqual([]);
  });

  test("has a version that grows with every change", () => {
    const registry = new ServiceRegistry();
    const before = registry.recentChanges(NOW).version;
    registry.register(instance("a"), NOW);
    expect(registry.recentChanges(NOW).version).toBeGreaterThan(before);
  });
});

describe("what is passed on", () => {
  test("is what clients do, and nothing that another registry has told", () => {
    const registry = new ServiceRegistry();
    const told: string[] = [];
    registry.follow(({ instanceId, what }) => told.push(`${instanceId} ${what}`));
    const byPeer = { dirtyAt: null, from: "peer" } as const;
    registry.register(instance("a"), NOW);
    registry.renew("SHOP", "a", NOW);
    registry.setStatus("SHOP", "a", "DOWN", NOW, byClient);
    registry.clearStatus("SHOP", "a", "UP", NOW, byClient);
    registry.addMetadata("SHOP", "a", { zone: "a" }, NOW);
    registry.cancel("SHOP", "a", NOW);
    const all = ["a registered", "a renewed", "a status-changed", "a status-changed", "a registered", "a cancelled"];
    expect(told).toEqual(all);
    registry.register(instance("b"), NOW, "peer");
    registry.renew("SHOP", "b", NOW, null, "peer");
    registry.setStatus("SHOP", "b", "DOWN", NOW, byPeer);
    registry.clearStatus("SHOP", "b", "UP", NOW, byPeer);
    registry.cancel("SHOP", "b", NOW, "peer");
    registry.cancel("SHOP", "nobody", NOW);
    expect(told).toEqual(all);
  });
});
