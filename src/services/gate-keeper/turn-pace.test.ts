/** When a turn may begin: at once on an idle gate, together with all who wait on a busy one, and never behind one that hangs. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TURN_WAIT_MS_MAX, TURNS_UNDER_WAY_MAX } from "../../limits.ts";
import { TurnPace, type TurnUnderWay } from "./turn-pace.ts";

const WAIT_US = 1_000 * TURN_WAIT_MS_MAX;
const begin = (pace: TurnPace, count: number, atUs = 0): TurnUnderWay[] => Array.from({ length: count }, () => pace.began(atUs));

describe("a turn", () => {
  test("begins at once while there is room", () => {
    const pace = new TurnPace();
    for (let turn = 0; turn < TURNS_UNDER_WAY_MAX; turn += 1) {
      expect(pace.waitUs(0)).toBe(0);
      pace.began(0);
    }
    expect(pace.waitUs(0)).toBeGreaterThan(0);
  });

  test("begins as soon as one under way has ended", () => {
    const pace = new TurnPace();
    const [first] = begin(pace, TURNS_UNDER_WAY_MAX) as [TurnUnderWay];
    expect(pace.waitUs(5)).toBe(WAIT_US - 5);
    pace.ended(first);
    expect(pace.waitUs(5)).toBe(0);
  });

  test("waits no longer than its bound for those under way", () => {
    const pace = new TurnPace();
    begin(pace, TURNS_UNDER_WAY_MAX);
    expect(pace.waitUs(WAIT_US - 1)).toBe(1);
    expect(pace.waitUs(WAIT_US)).toBe(0);
  });

  test("that hangs holds up the others once, and not each of those that come after", () => {
    const pace = new TurnPace();
    begin(pace, TURNS_UNDER_WAY_MAX);
    for (let turn = 1; turn <= 1_000; turn += 1) {
      expect(pace.waitUs(WAIT_US + turn)).toBe(0);
      pace.ended(pace.began(WAIT_US + turn));
    }
  });
});

test("whatever hangs and whatever ends, nobody waits longer than the bound, and not at all while there is room", () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 * WAIT_US }), fc.integer({ min: 0, max: 5 })), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (history) => {
      const pace = new TurnPace();
      const underWay: TurnUnderWay[] = [];
      let nowUs = 0;
      for (const [passedUs, end] of history) {
        nowUs += passedUs;
        const [ended] = underWay.splice(end, 1);
        if (ended) pace.ended(ended);
        const waitUs = pace.waitUs(nowUs);
        expect(waitUs).toBeLessThanOrEqual(WAIT_US);
        if (underWay.length < TURNS_UNDER_WAY_MAX) expect(waitUs).toBe(0);
        // Who has waited for so long may go.
        nowUs += waitUs;
        expect(pace.waitUs(nowUs)).toBe(0);
        underWay.push(pace.began(nowUs));
      }
    }),
  );
});
