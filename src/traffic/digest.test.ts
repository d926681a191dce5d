/** Several analyses that tell each other digests, against one that sees everything. */

import { describe, expect, test } from "bun:test";
import { asRead } from "../../test/read-events.ts";
import { chanceOf } from "../../test/traffic-crowd.ts";
import { Analysis } from "./analysis.ts";
import { DEFAULT_SCENARIOS } from "./default-scenarios.ts";
import { type Doors, decodeDigest, encodeDigest } from "./digest.ts";
import { Door } from "./door.ts";
import type { TrafficEvent } from "./event.ts";

const AT = Date.UTC(2026, 10, 22, 12);
const analysis = () => new Analysis({ scenarios: DEFAULT_SCENARIOS, seed: 3 });
const doors = (): Doors => ({ address: new Door(), network: new Door(), account: new Door() });
const event = (at: number, userId: string, clientIp: string, reason: string | null): TrafficEvent => ({
  ...{ at, instance: "g", traceId: `trace-${userId}-${at}`, clientIp, userId, sku: "SKU0001", quantity: 1, reason, totalUs: 700 },
  ...{ steps: [{ step: reason === null ? "cart" : "inventory", outcome: reason ?? "allowed", us: 3 }], request: null, status: null },
});

/** Two workers have half of the traffic each; both merge what both tell. */
function spread(events: readonly TrafficEvent[]) {
  const workers = [analysis(), analysis()].map((own) => ({ own, doors: doors() }));
  const found: ReturnType<Analysis["merge"]>[] = [[], []];
  for (let from = 0; from < events.length; from += 50) {
    for (const [index, one] of events.slice(from, from + 50).entries()) workers[index % 2]?.own.add(asRead([one]));
    const digests = workers.flatMap(({ own, doors }) => own.slices().map((slice) => encodeDigest(slice, doors)));
    workers.forEach(({ own }, index) => void found[index]?.push(...own.merge(digests.map(decodeDigest))));
  }
  return { workers: workers.map(({ own }) => own), found };
}

describe("what several analyses tell each other", () => {
  const chance = chanceOf(5);
  const crowd = Array.from({ length: 3_000 }, (_, i) =>
    event(
      AT + i,
      `user-${Math.floor(chance() * 1_000)}`,
      `192.0.${Math.floor(chance() * 4)}.${Math.floor(chance() * 250)}`,
      i % 7 === 0 ? null : "sold-out",
    ),
  );

  test("gives each of them the whole picture: the same as if one had seen everything", () => {
    const one = analysis();
    one.add(asRead(crowd));
    one.merge(one.slices());
    one.advance(AT + 10_000);
    const { workers } = spread(crowd);
    for (const worker of workers) {
      worker.advance(AT + 10_000);
      const [, , minute] = worker.windows();
      const [, , expected] = one.windows();
      expect(minute?.requests).toBe(3_000);
      // Who is heaviest is an estimate, of each in its own bounds (`sketches.test.ts`); all else is the same.
      expect({ ...minute, heaviest: null, latencyUs: null }).toEqual({ ...expected, heaviest: null, latencyUs: null } as never);
      expect(Math.abs((minute?.latencyUs.p99 ?? 0) / 700 - 1)).toBeLessThan(0.01);
      expect(minute?.heaviest.networks.map(({ value }) => value).toSorted()).toEqual([0, 1, 2, 3].map((third) => `192.0.${third}.0/24`));
    }
  });

  test("makes one attacker of one who is spread over all of them, with what was seen of them everywhere", () => {
    const attack = Array.from({ length: 130 }, (_, i) => event(AT + i * 20, "spread", "203.0.113.9", "sold-out"));
    const events = [...crowd, ...attack].toSorted((a, b) => a.at - b.at);
    const { found } = spread(events);
    for (const proposals of found) {
      expect(proposals.map(({ scope, value, scenario }) => [scope, value, scenario])).toEqual([
        ["account", "spread", "request-flood-account"],
      ]);
      // Neither of the two has seen a hundred alone.
      const { requests = 0 } = proposals[0]?.evidence.counts ?? {};
      expect(requests).toBeGreaterThanOrEqual(100);
    }
  });
});
