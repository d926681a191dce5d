/** The analysis as a whole: windows that hop, and memory that does not grow. */

import { describe, expect, test } from "bun:test";
import { asRead } from "../../test/read-events.ts";
import { FOLLOWED_KEYS_MAX, HEAVY_KEYS_KEPT } from "../limits/traffic.ts";
import { Analysis } from "./analysis.ts";
import { DEFAULT_SCENARIOS } from "./default-scenarios.ts";
import { DISTINCT_STANDARD_ERROR } from "./distinct-count.ts";
import type { TrafficEvent } from "./event.ts";
import { WINDOWS } from "./windows.ts";

const AT = Date.UTC(2026, 10, 22, 12);
const STEPS = [{ step: "inventory", outcome: "sold-out", us: 3 }];
const event = (at: number, userId: string, clientIp: string): TrafficEvent => ({
  ...{ at, instance: "g", traceId: "t", clientIp, userId, sku: "SKU0001", quantity: 1, reason: "sold-out", totalUs: 700, steps: STEPS },
  ...{ request: null, status: null },
});
const analysis = () => new Analysis({ scenarios: DEFAULT_SCENARIOS, seed: 3 });

describe("the windows", () => {
  test("hold what happened in their time, and let it go a part at a time", () => {
    const watched = analysis();
    const requestsAt: number[][] = [];
    // One event a second for twenty minutes.
    for (let second = 0; second < 1_200; second += 1) {
      watched.add(asRead([event(AT + second * 1_000 + 500, `u${second}`, "192.0.2.1")]));
      watched.merge(watched.slices());
      watched.advance(AT + (second + 1) * 1_000);
      if (second < 1_150 && second % 97 !== 0) continue;
      const windows = watched.windows();
      requestsAt.push(windows.map(({ requests }) => requests));
      for (const { seconds, coveredSeconds, requests } of windows) {
        expect(requests).toBe(coveredSeconds);
        expect(coveredSeconds).toBeLessThanOrEqual(seconds);
        if (second > 600) expect(coveredSeconds).toBeGreaterThanOrEqual((5 / 6) * seconds);
      }
    }
    expect(requestsAt.at(-1)).toHaveLength(WINDOWS.length);
  });

  test("are a point for each second that is over, each once, also when nothing happens", () => {
    const watched = analysis();
    watched.add(asRead([event(AT, "u1", "192.0.2.1"), event(AT + 2_100, "u2", "192.0.2.1")]));
    watched.merge(watched.slices());
    const points = [...watched.advance(AT + 3_000), ...watched.advance(AT + 3_500), ...watched.advance(AT + 4_000)];
    expect(points.map(({ at, requests }) => [at - AT, requests])).toEqual([
      [0, 1],
      [2_000, 1],
      [3_000, 0],
    ]);
  });
});

describe("the memory", () => {
  test("is that of the cells, and stays below 64 MB whoever comes", () => {
    const watched = analysis();
    const before = watched.bytes;
    const people = 200_000;
    const visit = (person: number): TrafficEvent[] => {
      // Twice each, so that everybody is worth following.
      const who = event(AT + Math.floor(person / 40), `user-${person}`, `${1 + (person >> 16)}.${(person >> 8) & 255}.${person & 255}.7`);
      return [who, who];
    };
    for (let first = 0; first < people; first += 400) {
      watched.add(asRead(Array.from({ length: 400 }, (_, n) => visit(first + n)).flat()));
      if (first % 4_000 === 0) watched.merge(watched.slices());
    }
    watched.merge(watched.slices());
    watched.advance(AT + 10_000);
    expect(watched.bytes).toBe(before);
    const [, tenSeconds] = watched.windows();
    expect(tenSeconds?.requests).toBe(2 * people);
    expect(Math.abs((tenSeconds?.distinct.addresses ?? 0) / people - 1)).toBeLessThan(4 * DISTINCT_STANDARD_ERROR);
    // Texts come on top of the cells: of those who are followed, and of the heaviest in each span. None is longer than an id.
    const spans = 1 + 11 + 7 + 11 + 4 * 2;
    const textBytesMax = 128 * 2 + 64;
    const texts = 3 * FOLLOWED_KEYS_MAX + 4 * 2 * HEAVY_KEYS_KEPT * spans;
    expect(watched.bytes + texts * textBytesMax).toBeLessThan(64 * 1024 * 1024);
  });
});
