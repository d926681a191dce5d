import { describe, expect, test } from "bun:test";
import { asRead } from "../../test/read-events.ts";
import type { TrafficEvent } from "./event.ts";
import { ObservedTraffic } from "./observed.ts";

const purchase = (userId: string, clientIp: string, reason: string | null): TrafficEvent => ({
  ...{ at: 1, instance: "g", traceId: "t", clientIp, userId, sku: "S", quantity: 1, reason, totalUs: 1, request: null, status: null },
  steps: [{ step: reason === null ? "cart" : "inventory", outcome: reason ?? "allowed", us: 1 }],
});

describe("what is only observed", () => {
  test("is counted: whose purchases it would have stopped, and which of those were followed by a success", () => {
    const observed = new ObservedTraffic();
    observed.watch([
      { scope: "address", value: "192.0.2.1" },
      { scope: "account", value: "u1" },
      { scope: "network", value: "192.0.2.0/24" },
      { scope: "network", value: "10.0.0.0/8" },
    ]);
    observed.take(
      asRead([
        purchase("u1", "192.0.2.1", "sold-out"),
        purchase("u2", "192.0.2.1", "sold-out"),
        purchase("u1", "192.0.2.9", null),
        purchase("u3", "10.9.9.9", "sold-out"),
        purchase("u4", "203.0.113.1", null),
        { ...purchase("u1", "192.0.2.1", "malformed"), request: "POST /buy", status: 400 },
      ]),
    );
    expect(observed.counts()).toEqual([
      { scope: "address", value: "192.0.2.1", seen: 2, bought: 0 },
      { scope: "account", value: "u1", seen: 2, bought: 2 },
      { scope: "network", value: "192.0.2.0/24", seen: 3, bought: 2 },
      { scope: "network", value: "10.0.0.0/8", seen: 1, bought: 0 },
    ]);
  });

  test("keeps its counts while it stands, and is forgotten with its decision", () => {
    const observed = new ObservedTraffic();
    const key = { scope: "account", value: "u1" } as const;
    observed.watch([key]);
    observed.take(asRead([purchase("u1", "192.0.2.1", null)]));
    observed.watch([key, { scope: "account", value: "u2" }]);
    expect(observed.counts()[0]).toMatchObject({ seen: 1, bought: 1 });
    observed.watch([]);
    observed.watch([key]);
    expect(observed.counts()[0]).toMatchObject({ seen: 0, bought: 0 });
  });
});
