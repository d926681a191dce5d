/** What a receiver is sent next: order within a lane, patience with a receiver that fails, and a crash at any moment. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { UnixMs } from "../core/time.ts";
import { WEBHOOK_GIVE_UP_MS, WEBHOOK_LANES, WEBHOOK_RETRY_MS_MAX, WEBHOOK_RETRY_MS_MIN, WEBHOOK_WINDOW_EVENTS } from "../limits.ts";
import { DeliveryQueue, type Failing, lanesOf } from "./delivery-queue.ts";

const A = 0b001;
const B = 0b010;
const NOW = 1_000_000;
const queueOf = (lanes: readonly (number | null)[], random = 0, failing: Failing | null = null): DeliveryQueue => {
  const queue = new DeliveryQueue(0, failing, () => random);
  queue.offer(lanes.map((each, index) => ({ id: index + 1, lanes: each })));
  return queue;
};

describe("events in one lane", () => {
  test("go one after the other: the next waits for the answer to the one before", () => {
    const queue = queueOf([A, A]);
    expect([queue.start(NOW), queue.start(NOW)]).toEqual([[1], []]);
    queue.delivered(1);
    expect(queue.start(NOW)).toEqual([2]);
  });

  test("wait for one that failed, however often", () => {
    const queue = queueOf([A, A]);
    for (let tries = 0; tries < 5; tries += 1) {
      expect(queue.start(NOW)).toEqual([1]);
      expect(queue.failed(1, NOW)).toBe("try again");
    }
    expect(queue.start(NOW)).toEqual([1]);
    queue.delivered(1);
    expect(queue.start(NOW)).toEqual([2]);
  });

  test("do not wait for those in another", () => {
    expect(queueOf([A, B, A]).start(NOW)).toEqual([1, 2]);
  });
});

describe("an event in several lanes", () => {
  test("waits for all that came before it in each, and holds up all that come behind it in any", () => {
    const queue = queueOf([A, B, A | B, A, B]);
    expect(queue.start(NOW)).toEqual([1, 2]);
    queue.delivered(1);
    expect(queue.start(NOW)).toEqual([]);
    queue.delivered(2);
    expect(queue.start(NOW)).toEqual([3]);
    expect(queue.start(NOW)).toEqual([]);
    queue.delivered(3);
    expect(queue.start(NOW)).toEqual([4, 5]);
  });
});

describe("the lanes of an event", () => {
  test("are the same for the same name, and those of all its names together", () => {
    expect(lanesOf(["SKU0001"])).toBe(lanesOf(["SKU0001"]));
    expect(lanesOf(["SKU0001", "SKU0002"])).toBe(lanesOf(["SKU0001"]) | lanesOf(["SKU0002"]));
    expect(lanesOf([""])).toBeGreaterThan(0);
  });
});

describe("the position", () => {
  test("is behind the first event that is not delivered, whatever was delivered further on", () => {
    const queue = queueOf([A, B, B]);
    queue.start(NOW);
    queue.delivered(2);
    queue.start(NOW);
    queue.delivered(3);
    expect(queue.position).toBe(0);
    queue.delivered(1);
    expect(queue.position).toBe(3);
  });

  test("passes over what its receiver does not want, and such events are never sent", () => {
    const queue = queueOf([null, A, null]);
    expect([queue.position, queue.start(NOW)]).toEqual([1, [2]]);
    queue.delivered(2);
    expect([queue.position, queue.start(NOW)]).toEqual([3, []]);
  });
});

describe("a failed try", () => {
  test.each([
    [0, WEBHOOK_RETRY_MS_MIN],
    [1, 2 * WEBHOOK_RETRY_MS_MIN],
    [5, 32 * WEBHOOK_RETRY_MS_MIN],
    [30, WEBHOOK_RETRY_MS_MAX],
  ])("after %i others is followed by the next within %i ms, anywhere in that time", (triesBefore, bound) => {
    for (const random of [0, 0.5, 0.999]) {
      const queue = queueOf([A], random);
      let now: UnixMs = NOW;
      for (let tries = 0; tries < triesBefore; tries += 1) {
        queue.start(now);
        queue.failed(1, now);
        // A wait may be as long as a further one is allowed to be, and no longer.
        now += Math.floor(random * Math.min(WEBHOOK_RETRY_MS_MAX, WEBHOOK_RETRY_MS_MIN * 2 ** tries));
      }
      queue.start(now);
      queue.failed(1, now);
      const wait = Math.floor(random * bound);
      if (wait > 0) expect(queue.start(now + wait - 1)).toEqual([]);
      expect(queue.start(now + wait)).toEqual([1]);
    }
  });

  test("is the last a day after the first", () => {
    const queue = queueOf([A]);
    queue.start(NOW);
    queue.failed(1, NOW);
    queue.start(NOW);
    expect(queue.failed(1, NOW + WEBHOOK_GIVE_UP_MS - 1)).toBe("try again");
    queue.start(NOW + WEBHOOK_GIVE_UP_MS);
    expect(queue.failed(1, NOW + WEBHOOK_GIVE_UP_MS)).toBe("give up");
  });

  test("is the last a day after the first also when the process was restarted in between", () => {
    const before = queueOf([B, A]);
    before.start(NOW);
    before.delivered(1);
    before.failed(2, NOW);
    const { position, failing } = before;
    expect([position, failing]).toEqual([1, { eventId: 2, since: NOW }]);
    const queue = new DeliveryQueue(position, failing, () => 0);
    expect(queue.failing).toEqual(failing);
    queue.offer([{ id: 2, lanes: A }]);
    expect(queue.failing).toEqual(failing);
    queue.start(NOW + WEBHOOK_GIVE_UP_MS);
    expect(queue.failed(2, NOW + WEBHOOK_GIVE_UP_MS)).toBe("give up");
  });

  test("is not waited for when the clock has been put back by more than any wait", () => {
    const queue = queueOf([A], 0.5);
    queue.start(NOW + 10 * WEBHOOK_RETRY_MS_MAX);
    queue.failed(1, NOW + 10 * WEBHOOK_RETRY_MS_MAX);
    expect(queue.start(NOW)).toEqual([1]);
  });
});

describe("the window", () => {
  test("has room for so many events, and for none while every lane has work", () => {
    const queue = queueOf(Array.from({ length: 10 }, () => A));
    expect(queue.room).toBe(WEBHOOK_WINDOW_EVENTS - 10);
    queue.offer([{ id: 11, lanes: 2 ** WEBHOOK_LANES - 1 }]);
    expect(queue.room).toBe(0);
  });
});

describe("any interleaving of answers, failures and crashes", () => {
  const events = fc.array(fc.integer({ min: 0, max: 0b1111 }), { minLength: 1, maxLength: 40 });
  const steps = fc.infiniteStream(fc.record({ pick: fc.nat(100), what: fc.constantFrom("yes", "yes", "no", "wait", "crash", "save") }));

  test("delivers every wanted event at least once, and in order in each lane", () => {
    fc.assert(
      fc.property(events, steps, fc.double({ min: 0, max: 0.99, noNaN: true }), (lanesOfEvents, stream, random) => {
        let saved: { position: number; failing: Failing | null } = { position: 0, failing: null };
        let now = NOW;
        let queue = new DeliveryQueue(0, null, () => random);
        let underWay: number[] = [];
        /** When each was delivered for the first time. */
        const firstAt = new Map<number, number>();
        const read = (): void => {
          const next = lanesOfEvents.slice(queue.readUpTo, queue.readUpTo + 3);
          const base = queue.readUpTo + 1;
          if (queue.room >= 3) queue.offer(next.map((lanes, index) => ({ id: base + index, lanes: lanes === 0 ? null : lanes })));
        };
        let count = 0;
        for (const { pick, what } of stream) {
          if (queue.position === lanesOfEvents.length) break;
          // After a while everything goes well, so that every run comes to its end.
          count += 1;
          const step = count > 300 ? "yes" : what;
          read();
          underWay.push(...queue.start(now));
          const id = underWay[pick % Math.max(1, underWay.length)];
          if (step === "crash") {
            queue = new DeliveryQueue(saved.position, saved.failing, () => random);
            underWay = [];
          } else if (step === "save") saved = { position: queue.position, failing: queue.failing };
          else if (step === "wait" || id === undefined) now += WEBHOOK_RETRY_MS_MIN;
          else {
            underWay = underWay.filter((other) => other !== id);
            if (step === "no") expect(queue.failed(id, now)).toBe("try again");
            else {
              queue.delivered(id);
              if (!firstAt.has(id)) firstAt.set(id, firstAt.size);
            }
          }
          // Whatever is saved must not lie behind something that was not delivered.
          for (let event = 1; event <= queue.position; event += 1) expect(lanesOfEvents[event - 1] === 0 || firstAt.has(event)).toBe(true);
        }
        const wanted = lanesOfEvents.flatMap((lanes, index) => (lanes === 0 ? [] : [{ id: index + 1, lanes }]));
        expect([...firstAt.keys()].sort((a, b) => a - b)).toEqual(wanted.map(({ id }) => id));
        for (let lane = 1; lane <= 0b1000; lane <<= 1) {
          const order = wanted.filter(({ lanes }) => (lanes & lane) !== 0).map(({ id }) => firstAt.get(id) as number);
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        }
      }),
      { numRuns: 200 },
    );
  });
});
