/** What a receiver is sent next: order within a lane, patience with a receiver that fails, and a crash at any moment. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { UnixMs } from "../core/time.ts";
import { WEBHOOK_GIVE_UP_MS, WEBHOOK_LANES, WEBHOOK_RETRY_MS_MAX, WEBHOOK_RETRY_MS_MIN, WEBHOOK_WINDOW_EVENTS } from "../limits.ts";
import { DeliveryQueue, type Failing, lanesOf } from "./delivery-queue.ts";

const A = 0b001;
const B = 0b010;
const NOW = 1_000_000;
const type = "goods.sold-out";
const queueOf = (lanes: readonly (number | null)[], random = 0, failing: Failing | null = null): DeliveryQueue => {
  const queue = new DeliveryQueue(0, failing, () => random);
  queue.offer(lanes.map((each, index) => ({ id: index + 1, type, lanes: each })));
  return queue;
};
/** Everything that can be sent now. */
function startAll(queue: DeliveryQueue, now: UnixMs): number[] {
  const started: number[] = [];
  for (let id = queue.start(now); id !== null; id = queue.start(now)) started.push(id);
  return started;
}

describe("events in one lane", () => {
  test("go one after the other: the next waits for the answer to the one before", () => {
    const queue = queueOf([A, A]);
    expect([startAll(queue, NOW), startAll(queue, NOW)]).toEqual([[1], []]);
    queue.delivered(1);
    expect(startAll(queue, NOW)).toEqual([2]);
  });

  test("wait for one that failed, however often", () => {
    const queue = queueOf([A, A]);
    for (let tries = 0; tries < 5; tries += 1) {
      expect(startAll(queue, NOW)).toEqual([1]);
      expect(queue.failed(1, NOW)).toBe("try again");
    }
    expect(startAll(queue, NOW)).toEqual([1]);
    queue.delivered(1);
    expect(startAll(queue, NOW)).toEqual([2]);
  });

  test("do not wait for those in another", () => {
    expect(startAll(queueOf([A, B, A]), NOW)).toEqual([1, 2]);
  });
});

describe("an event in several lanes", () => {
  test("waits for all that came before it in each, and holds up all that come behind it in any", () => {
    const queue = queueOf([A, B, A | B, A, B]);
    expect(startAll(queue, NOW)).toEqual([1, 2]);
    queue.delivered(1);
    expect(startAll(queue, NOW)).toEqual([]);
    queue.delivered(2);
    expect(startAll(queue, NOW)).toEqual([3]);
    expect(startAll(queue, NOW)).toEqual([]);
    queue.delivered(3);
    expect(startAll(queue, NOW)).toEqual([4, 5]);
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
    startAll(queue, NOW);
    queue.delivered(2);
    startAll(queue, NOW);
    queue.delivered(3);
    expect(queue.position).toBe(0);
    queue.delivered(1);
    expect(queue.position).toBe(3);
  });

  test("passes over what its receiver does not want, and such events are never sent", () => {
    const queue = queueOf([null, A, null]);
    expect([queue.position, startAll(queue, NOW)]).toEqual([1, [2]]);
    queue.delivered(2);
    expect([queue.position, startAll(queue, NOW)]).toEqual([3, []]);
  });
});

describe("an event that its receiver does not want any more", () => {
  const queue = (): DeliveryQueue => {
    const made = new DeliveryQueue(0, null, () => 0);
    const types = ["order.paid", "goods.sold-out", "order.paid", "goods.sold-out"] as const;
    made.offer(types.map((each, index) => ({ id: index + 1, type: each, lanes: index === 1 ? A | B : A })));
    return made;
  };
  const sold = (each: string): boolean => each === "goods.sold-out";
  const paid = (each: string): boolean => each === "order.paid";

  test("is passed over while it waits, in all of its lanes", () => {
    const narrowed = queue();
    narrowed.wantsOnly(paid);
    expect(startAll(narrowed, NOW)).toEqual([1]);
    narrowed.delivered(1);
    expect([narrowed.position, startAll(narrowed, NOW)]).toEqual([2, [3]]);
    narrowed.delivered(3);
    expect(narrowed.position).toBe(4);
  });

  test("is not sent again when it is under way and fails, and holds up nothing", () => {
    const narrowed = queue();
    startAll(narrowed, NOW);
    narrowed.wantsOnly(sold);
    expect(narrowed.failed(1, NOW)).toBe("passed over");
    expect([narrowed.position, narrowed.failing, startAll(narrowed, NOW)]).toEqual([1, null, [2]]);
  });

  test("is sent again when it was wanted again before its answer came", () => {
    const changed = queue();
    startAll(changed, NOW);
    changed.wantsOnly(sold);
    changed.wantsOnly(paid);
    expect(changed.failed(1, NOW)).toBe("try again");
    expect(startAll(changed, NOW)).toEqual([1]);
  });
});

describe("a failed try", () => {
  test("comes after those that have not been tried: it does not keep them from their first", () => {
    const queue = queueOf([A, B]);
    expect(queue.start(NOW)).toBe(1);
    queue.failed(1, NOW);
    expect([queue.start(NOW), queue.start(NOW)]).toEqual([2, 1]);
  });

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
        startAll(queue, now);
        queue.failed(1, now);
        // A wait may be as long as a further one is allowed to be, and no longer.
        now += Math.floor(random * Math.min(WEBHOOK_RETRY_MS_MAX, WEBHOOK_RETRY_MS_MIN * 2 ** tries));
      }
      startAll(queue, now);
      queue.failed(1, now);
      const wait = Math.floor(random * bound);
      if (wait > 0) expect(startAll(queue, now + wait - 1)).toEqual([]);
      expect(startAll(queue, now + wait)).toEqual([1]);
    }
  });

  test("is the last a day after the first", () => {
    const queue = queueOf([A]);
    startAll(queue, NOW);
    queue.failed(1, NOW);
    startAll(queue, NOW);
    expect(queue.failed(1, NOW + WEBHOOK_GIVE_UP_MS - 1)).toBe("try again");
    startAll(queue, NOW + WEBHOOK_GIVE_UP_MS);
    expect(queue.failed(1, NOW + WEBHOOK_GIVE_UP_MS)).toBe("give up");
  });

  test("is the last a day after the first also when the process was restarted in between", () => {
    const before = queueOf([B, A]);
    startAll(before, NOW);
    before.delivered(1);
    before.failed(2, NOW);
    const { position, failing } = before;
    expect([position, failing]).toEqual([1, { eventId: 2, since: NOW }]);
    const queue = new DeliveryQueue(position, failing, () => 0);
    expect(queue.failing).toEqual(failing);
    queue.offer([{ id: 2, type, lanes: A }]);
    expect(queue.failing).toEqual(failing);
    startAll(queue, NOW + WEBHOOK_GIVE_UP_MS);
    expect(queue.failed(2, NOW + WEBHOOK_GIVE_UP_MS)).toBe("give up");
  });

  test("is not waited for when the clock has been put back by more than any wait", () => {
    const queue = queueOf([A], 0.5);
    startAll(queue, NOW + 10 * WEBHOOK_RETRY_MS_MAX);
    queue.failed(1, NOW + 10 * WEBHOOK_RETRY_MS_MAX);
    expect(startAll(queue, NOW)).toEqual([1]);
  });
});

describe("the window", () => {
  test("has room for so many events, and for none while every lane has work", () => {
    const queue = queueOf(Array.from({ length: 10 }, () => A));
    expect(queue.room).toBe(WEBHOOK_WINDOW_EVENTS - 10);
    queue.offer([{ id: 11, type, lanes: 2 ** WEBHOOK_LANES - 1 }]);
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
          if (queue.room >= 3) queue.offer(next.map((lanes, index) => ({ id: base + index, type, lanes: lanes === 0 ? null : lanes })));
        };
        let count = 0;
        for (const { pick, what } of stream) {
          if (queue.position === lanesOfEvents.length) break;
          // After a while everything goes well, so that every run comes to its end.
          count += 1;
          const step = count > 300 ? "yes" : what;
          read();
          underWay.push(...startAll(queue, now));
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
