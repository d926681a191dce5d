/** Evictions and self-preservation: the figures of Eureka, then what must hold whatever happens. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { EVICTION_PERIOD_MS, LAPSED_KEPT_MS, REGISTRY_DELTA_MS } from "../../limits/registry.ts";
import { type Instance, type Lease, lapsesAt, ourInstance } from "./instance.ts";
import { preservationOf, RenewalRate } from "./preservation.ts";
import { hashcodeOf } from "./protocol-form.ts";
import { ServiceRegistry } from "./service.ts";

const NOW = 1_800_000_000_000;

/** A client with Eureka's defaults: renewed every 30 s, gone after 90. */
const client = (id: string, extra: Partial<Instance> = {}): Instance => ({
  ...ourInstance({ app: "shop", host: "h", port: 1, now: NOW, leaseSeconds: 90 }),
  instanceId: id,
  ...extra,
});
const idsOf = (registry: ServiceRegistry): string[] => registry.leases().map(({ instance }) => instance.instanceId);

/** A registry of `count` clients that have renewed twice in the last minute, but for the first `silent` of them, whose leases have lapsed. */
function registryWith(count: number, silent: number): { readonly registry: ServiceRegistry; readonly now: number } {
  const registry = new ServiceRegistry();
  const ids = Array.from({ length: count }, (_, index) => `i${index}`);
  for (const id of ids) registry.register(client(id), NOW);
  for (const at of [30_000, 60_000, 90_000]) for (const id of ids.slice(silent)) registry.renew("SHOP", id, NOW + at);
  return { registry, now: NOW + 90_000 };
}

describe("the threshold", () => {
  test.each([
    [1, 1],
    [2, 3],
    [5, 8],
    [10, 17],
    [100, 170],
  ])("of %i instances is %i renewals a minute: 85 percent of two for each", (instances, threshold) => {
    expect(preservationOf(instances, 0).threshold).toBe(threshold);
    expect(preservationOf(instances, threshold).isOn).toBe(true);
    expect(preservationOf(instances, threshold + 1).isOn).toBe(false);
  });

  test("of an empty registry protects nobody", () => expect(preservationOf(0, 0).isOn).toBe(false));
});

describe("the renewals of the last minute", () => {
  test("are those of the last sixty seconds", () => {
    const rate = new RenewalRate();
    rate.add(30, NOW);
    rate.add(30, NOW + 30_000);
    expect([rate.lastMinute(NOW + 30_000), rate.lastMinute(NOW + 59_999), rate.lastMinute(NOW + 60_000)]).toEqual([2, 2, 1]);
    expect(rate.lastMinute(NOW + 3_600_000)).toBe(0);
  });

  test("count an instance that renews every second as much as one that renews every thirty", () => {
    const rate = new RenewalRate();
    for (let second = 0; second < 60; second += 1) rate.add(1, NOW + second * 1_000);
    expect(rate.lastMinute(NOW + 59_999)).toBeCloseTo(2);
  });

  test("stay when the clock runs backwards a little, and are none after a leap: nobody is evicted for it", () => {
    const rate = new RenewalRate();
    rate.add(30, NOW);
    rate.add(30, NOW - 10_000);
    expect(rate.lastMinute(NOW - 10_000)).toBe(2);
    expect(rate.lastMinute(NOW - 600_000)).toBe(0);
    rate.add(30, NOW - 600_000);
    expect(rate.lastMinute(NOW - 540_001)).toBe(1);
    expect(rate.lastMinute(NOW - 540_000)).toBe(0);
  });
});

describe("a run of evictions", () => {
  test("takes those that have lapsed while enough of the others renew", () => {
    const { registry, now } = registryWith(10, 1);
    expect(registry.evict(now)).toBe(1);
    expect(idsOf(registry)).not.toContain("i0");
    expect(registry.find("SHOP", "i0")).toBeNull();
    expect(registry.recentChanges(now).applications[0]?.leases.find(({ instance }) => instance.instanceId === "i0")?.lastChange).toBe(
      "DELETED",
    );
  });

  test("takes nobody when too few renew: the registry is cut off rather than they are dead", () => {
    const { registry, now } = registryWith(10, 2);
    expect(registry.preservation(now)).toMatchObject({ threshold: 17, renewalsLastMinute: 16, isOn: true });
    expect(registry.evict(now)).toBe(0);
    expect(idsOf(registry)).toHaveLength(10);
  });

  test("takes 15 percent of the registry at most, those that lapsed first, and waits before the next", () => {
    const { registry, now } = registryWith(100, 14);
    for (let late = 0; late < 20; late += 1) {
      const id = `late${late}`;
      registry.register(client(id, { leaseSeconds: 1 }), now - 2_000);
    }
    // Those that are left renew often enough for all.
    for (let index = 14; index < 100; index += 1) registry.renew("SHOP", `i${index}`, now);
    expect(registry.evict(now)).toBe(18);
    expect(idsOf(registry).filter((id) => id.startsWith("late"))).toEqual(["late18", "late19"]);
    expect(idsOf(registry)).toHaveLength(102);
    expect(registry.evict(now + EVICTION_PERIOD_MS - 1)).toBe(0);
    expect(registry.evict(now + EVICTION_PERIOD_MS)).toBeGreaterThan(0);
  });

  test("takes in self-preservation only who has been silent for a day", () => {
    const { registry, now } = registryWith(10, 10);
    expect(registry.evict(now + LAPSED_KEPT_MS - 1)).toBe(0);
    expect(registry.evict(now + LAPSED_KEPT_MS + EVICTION_PERIOD_MS)).toBe(2);
  });

  test("of leases of three seconds spares those who are cut off: no more than one run comes before the minute's renewals tell", () => {
    const registry = new ServiceRegistry();
    const ids = Array.from({ length: 20 }, (_, index) => `i${index}`);
    for (const id of ids) registry.register(client(id, { leaseSeconds: 3, renewalSeconds: 1 }), NOW);
    for (let second = 0; second < 60; second += 1) for (const id of ids) registry.renew("SHOP", id, NOW + second * 1_000);
    const silentFrom = NOW + 60_000;
    let evicted = 0;
    for (let ms = 0; ms < 600_000; ms += 250) evicted += registry.evict(silentFrom + ms);
    expect(evicted).toBeLessThanOrEqual(3);
  });
});

const least = { id: fc.nat(11), lease: fc.constant(0), status: fc.constant("UP") };
const register = { ...least, lease: fc.constantFrom(3, 30, 90), status: fc.constantFrom("UP", "DOWN", "STARTING") };
const step = fc.oneof(
  fc.record({ kind: fc.constant("register"), ...register }),
  fc.record({ kind: fc.constant("renew"), ...least }),
  fc.record({ kind: fc.constant("renew-others"), ...least }),
  fc.record({ kind: fc.constant("cancel"), ...least }),
  fc.record({ kind: fc.constant("status"), ...least, status: fc.constantFrom("UP", "OUT_OF_SERVICE") }),
  fc.record({ kind: fc.constant("evict"), ...least }),
);
const history = fc.array(fc.tuple(fc.nat(20_000), step), { maxLength: 150 });
const RUNS = 300;
const SEED = 20_261_122;

type Step = { readonly kind: string; readonly id: number; readonly lease: number; readonly status: string };

function apply(registry: ServiceRegistry, { kind, id, lease, status }: Step, now: number): void {
  const name = `i${id}`;
  const told = status as Instance["status"];
  if (kind === "register") registry.register(client(name, { leaseSeconds: lease, status: told, dirtyAt: now }), now);
  else if (kind === "renew") registry.renew("SHOP", name, now);
  else if (kind === "renew-others") for (const other of idsOf(registry).filter((one) => one !== name)) registry.renew("SHOP", other, now);
  else if (kind === "cancel") registry.cancel("SHOP", name, now);
  else if (kind === "status") registry.setStatus("SHOP", name, told, now, { dirtyAt: null, from: "client" });
}

describe("whatever clients do", () => {
  test("an eviction takes only who has lapsed, only while enough renew, and never more than its share", () => {
    let evictions = 0;
    fc.assert(
      fc.property(history, (steps) => {
        const registry = new ServiceRegistry();
        let now = NOW;
        for (const [passed, what] of steps) {
          now += passed;
          apply(registry, what, now);
          if (what.kind !== "evict") continue;
          const before = registry.leases();
          const { isOn } = registry.preservation(now);
          const count = registry.evict(now);
          const left = new Set(idsOf(registry));
          const gone = before.filter(({ instance }) => !left.has(instance.instanceId));
          expect(gone).toHaveLength(count);
          expect(gone.filter((lease) => lapsesAt(lease) > now)).toEqual([]);
          expect(count).toBeLessThanOrEqual(before.length - Math.floor(before.length * 0.85));
          if (isOn) expect(gone.filter((lease) => lapsesAt(lease) > now - LAPSED_KEPT_MS)).toEqual([]);
          evictions += count;
        }
      }),
      { numRuns: RUNS, seed: SEED },
    );
    // Histories in which nobody is evicted would show nothing.
    expect(evictions).toBeGreaterThan(0);
  });

  test("a client that follows the delta knows what one knows that reads everything, and the hash code tells it so", () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: REGISTRY_DELTA_MS - 1 }), (steps, everyMs) => {
        const registry = new ServiceRegistry();
        const known = new Map<string, Lease>();
        let now = NOW;
        let askedAt = NOW;
        const ask = (at: number): void => {
          for (const lease of registry.recentChanges(at).applications.flatMap(({ leases }) => leases)) {
            if (lease.lastChange === "DELETED") known.delete(lease.instance.instanceId);
            else known.set(lease.instance.instanceId, lease);
          }
          askedAt = at;
        };
        for (const [passed, what] of steps) {
          while (askedAt + everyMs <= now + passed) ask(askedAt + everyMs);
          now += passed;
          if (what.kind === "evict") registry.evict(now);
          else apply(registry, what, now);
        }
        ask(now);
        expect([...known.keys()].toSorted()).toEqual(idsOf(registry).toSorted());
        expect(hashcodeOf(known.values())).toBe(hashcodeOf(registry.leases()));
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });
});
