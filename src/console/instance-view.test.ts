import { describe, expect, test } from "bun:test";
import { listedInstances, withOwnWords } from "./instance-view.ts";

const NOW = 1_000_000;
const lease = (app: string, over: object = {}) => ({
  ...{ instanceId: `shop:${app.toLowerCase()}:1`, app, status: "UP", homePageUrl: `http://shop:1/${app}/` },
  leaseInfo: { lastRenewalTimestamp: NOW - 400, durationInSecs: 3 },
  ...over,
});
const listing = (...instances: readonly object[]) => ({ applications: { application: [{ name: "X", instance: instances }] } });

describe("what the registry lists", () => {
  test("is shown with the age of each lease", () => {
    expect(listedInstances(listing(lease("SAFEPROTECTOR")), NOW)).toMatchObject([
      {
        service: "safe-protector",
        instance: "shop:safeprotector:1",
        status: "UP",
        leaseAgeMs: 400,
        leaseMs: 3_000,
        isUp: null,
        isSilent: false,
      },
    ]);
  });

  test("may be one instance without a list, or services of others", () => {
    const one = { applications: { application: { name: "SHOP", instance: lease("BILLING", { leaseInfo: {} }) } } };
    expect(listedInstances(one, NOW)).toMatchObject([{ service: "billing", leaseAgeMs: null, leaseMs: null }]);
  });

  test("may be nothing, or nothing that we know", () => {
    for (const given of [null, undefined, {}, { applications: null }, { applications: { application: [{}] } }])
      expect(listedInstances(given, NOW)).toEqual([]);
  });
});

describe("what instances say of themselves", () => {
  const listed = listedInstances(listing(lease("SHOPPINGCART")), NOW);

  test("stands beside their lease, by their name or their address", () => {
    const named = {
      service: "shopping-cart",
      url: "http://10.0.0.1:8084",
      health: { status: "UP", instance: "shop:shoppingcart:1", uptimeSeconds: 7 },
    } as const;
    expect(withOwnWords(listed, [named])).toMatchObject([{ instance: "shop:shoppingcart:1", isUp: true, uptimeSeconds: 7 }]);
    const found = { service: "shopping-cart", url: "http://shop:1/SHOPPINGCART", health: { status: "DOWN" } } as const;
    expect(withOwnWords(listed, [found])).toMatchObject([{ isUp: false, isSilent: false }]);
  });

  test("of gates that share a port is told by their leases alone: who has answered there is not known", () => {
    const gates = listedInstances(listing(lease("GATEKEEPER", { instanceId: "g1" }), lease("GATEKEEPER", { instanceId: "g2" })), NOW);
    const word = { service: "gate-keeper", url: "http://shop:8080", health: { status: "UP" } } as const;
    expect(withOwnWords(gates, [word]).map(({ instance, isUp }) => [instance, isUp])).toEqual([
      ["g1", null],
      ["g2", null],
    ]);
  });

  test("is silence when they do not answer, and they are shown without a lease when no registry knows them", () => {
    const silent = { service: "gate-keeper", url: "http://gate:8080", health: null } as const;
    expect(withOwnWords(listed, [silent])[1]).toMatchObject({ service: "gate-keeper", leaseAgeMs: null, isUp: null, isSilent: true });
  });
});
