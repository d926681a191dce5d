/** Which instance is asked next: against the words of its description, and against a simple model over random histories. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LINK_FAILURES_MAX, LINK_PAUSE_MS_MAX, LINK_PAUSE_MS_MIN } from "../limits/links.ts";
import { Balancer, type CallEnd, type CallUnderWay } from "./balancer.ts";

const [A, B, C] = ["http://a", "http://b", "http://c"] as const;
const NOW = 1_800_000_000_000;
/** Draws what is given, in turn. */
const draws = (...values: readonly number[]): (() => number) => {
  let next = 0;
  return () => {
    const value = values[next % values.length] as number;
    next += 1;
    return value;
  };
};
const low = draws(0);

function balancerOf(...urls: readonly string[]): Balancer {
  const balancer = new Balancer();
  balancer.update(urls);
  return balancer;
}

function endAt(balancer: Balancer, url: string, end: CallEnd, now: number): void {
  balancer.ended(balancer.began(url), end, now);
}

describe("an instance", () => {
  test("that is gone or silent is left alone at once, and one that fails after so many times in a row", () => {
    for (const [end, times] of [
      ["gone", 1],
      ["silent", 1],
      ["failed", LINK_FAILURES_MAX],
    ] as const) {
      const balancer = balancerOf(A);
      for (let time = 1; time <= times; time += 1) {
        expect(balancer.pick(NOW, low)).toBe(A);
        endAt(balancer, A, end, NOW);
      }
      expect(balancer.pick(NOW, low)).toBeNull();
      expect(balancer.counts(NOW)).toEqual({ known: 1, closed: 0 });
    }
  });

  test("that answers between its failures has none in a row", () => {
    const balancer = balancerOf(A);
    for (let time = 0; time < 10 * LINK_FAILURES_MAX; time += 1) {
      endAt(balancer, A, "failed", NOW);
      endAt(balancer, A, "answered", NOW);
    }
    expect(balancer.pick(NOW, low)).toBe(A);
  });

  test("is not asked before its pause is over, and the pause doubles with every trial that fails, up to the longest", () => {
    const balancer = balancerOf(A);
    endAt(balancer, A, "gone", NOW);
    let now = NOW;
    for (let pauseMs = LINK_PAUSE_MS_MIN; pauseMs < 10 * LINK_PAUSE_MS_MAX; pauseMs *= 2) {
      const waitedMs = Math.min(pauseMs, LINK_PAUSE_MS_MAX);
      expect(balancer.pick(now + waitedMs - 1, low)).toBeNull();
      now += waitedMs;
      expect(balancer.pick(now, low)).toBe(A);
      endAt(balancer, A, "gone", now);
    }
    now += LINK_PAUSE_MS_MAX;
    endAt(balancer, A, "answered", now);
    endAt(balancer, A, "gone", now);
    expect(balancer.pick(now + LINK_PAUSE_MS_MIN, low)).toBe(A);
  });

  test("has one trial at a time, and is tried although others are well", () => {
    const balancer = balancerOf(A, B);
    endAt(balancer, B, "silent", NOW);
    const later = NOW + LINK_PAUSE_MS_MIN;
    expect(balancer.pick(later, low)).toBe(B);
    const trial = balancer.began(B);
    for (let time = 0; time < 10; time += 1) expect(balancer.pick(later + 100 * time, draws(0.99))).toBe(A);
    balancer.ended(trial, "answered", later);
    expect(balancer.pick(later, draws(0.99))).toBe(B);
  });

  test("is not tried a second time because a call from before its pause ends during the trial", () => {
    const balancer = balancerOf(A);
    const [old, older] = [balancer.began(A), balancer.began(A)];
    balancer.ended(old, "silent", NOW);
    const later = NOW + LINK_PAUSE_MS_MIN;
    const trial = balancer.began(A);
    balancer.ended(older, "silent", later);
    expect(balancer.pick(later + LINK_PAUSE_MS_MAX, low)).toBeNull();
    balancer.ended(trial, "silent", later);
    // And that call has not made the pause longer than one trial makes it.
    expect(balancer.pick(later + 2 * LINK_PAUSE_MS_MIN, low)).toBe(A);
  });

  test("that leaves and comes back begins anew, whatever is still under way at the one before it", () => {
    const balancer = balancerOf(A, B);
    const before = [balancer.began(A), balancer.began(A)];
    balancer.update([B]);
    expect(balancer.pick(NOW, low)).toBe(B);
    balancer.update([A, B]);
    for (const call of before) balancer.ended(call, "silent", NOW);
    expect(balancer.counts(NOW)).toEqual({ known: 2, closed: 2 });
    // Nothing is under way at either, so that chance alone decides: a count below nothing would draw everybody to A.
    expect(balancer.pick(NOW, draws(0.99, 0))).toBe(B);
  });

  test("that stays keeps what is known of it when others come", () => {
    const balancer = balancerOf(A);
    endAt(balancer, A, "gone", NOW);
    balancer.update([A, B]);
    for (let time = 0; time < 10; time += 1) expect(balancer.pick(NOW, draws(time / 10))).toBe(B);
  });

  test("is not kept out for longer than the longest pause by a clock that is set back", () => {
    const balancer = balancerOf(A);
    endAt(balancer, A, "gone", NOW);
    expect(balancer.pick(NOW - 3_600_000, low)).toBe(A);
  });

  test("that one call has tried already is not picked for it again", () => {
    const balancer = balancerOf(A, B);
    expect(balancer.pick(NOW, low, [A])).toBe(B);
    expect(balancer.pick(NOW, low, [A, B])).toBeNull();
  });
});

describe("among several", () => {
  test("of two that are drawn the one with fewer calls under way is taken", () => {
    const balancer = balancerOf(A, B);
    balancer.began(A);
    expect(balancer.pick(NOW, draws(0, 0.99))).toBe(B);
    expect(balancer.pick(NOW, draws(0.99, 0))).toBe(B);
  });

  test("calls spread so evenly that the busiest has hardly more than its share", () => {
    const urls = Array.from({ length: 10 }, (_, index) => `http://${index}`);
    const balancer = balancerOf(...urls);
    let seed = 7;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const calls = new Map<string, number>();
    for (let call = 0; call < 1_000; call += 1) {
      const url = balancer.pick(NOW, random) as string;
      balancer.began(url);
      calls.set(url, (calls.get(url) ?? 0) + 1);
    }
    expect([...calls.keys()].toSorted()).toEqual(urls);
    // One draw alone would leave the busiest well above its hundred.
    expect(Math.max(...calls.values())).toBeLessThanOrEqual(105);
  });
});

/** What the description says of one instance, in the plainest way. */
class Model {
  open: { until: number; trial: CallUnderWay | null } | null = null;
  failures = 0;
  pauses = 0;

  mayBeAsked(now: number): boolean {
    if (this.open === null) return true;
    return this.open.trial === null && (now >= this.open.until || this.open.until - now > LINK_PAUSE_MS_MAX);
  }
  ended(call: CallUnderWay, end: CallEnd, now: number): void {
    const wasTrial = this.open?.trial === call;
    if (end === "answered") {
      [this.open, this.failures, this.pauses] = [null, 0, 0];
      return;
    }
    this.failures += 1;
    const opens = this.open === null ? end !== "failed" || this.failures >= LINK_FAILURES_MAX : wasTrial;
    if (!opens) return;
    this.open = { until: now + Math.min(LINK_PAUSE_MS_MIN * 2 ** this.pauses, LINK_PAUSE_MS_MAX), trial: null };
    this.pauses += 1;
  }
}

test("whatever happens, whoever may be asked is asked, and nobody else", () => {
  const happening = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("call" as const), random: fc.double({ min: 0, max: 0.999, noNaN: true }) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("end" as const),
        which: fc.nat(),
        end: fc.constantFrom<CallEnd>("answered", "failed", "silent", "gone"),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: -500, max: 1_500 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("urls" as const), urls: fc.subarray([A, B, C]) }) },
  );
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 80 }), (history) => {
      const balancer = balancerOf(A, B, C);
      let models = new Map<string, Model>([A, B, C].map((url) => [url, new Model()]));
      const underWay: { call: CallUnderWay; model: Model }[] = [];
      let now = NOW;
      for (const step of history) {
        if (step.kind === "wait") now += step.ms;
        if (step.kind === "urls") {
          models = new Map(step.urls.map((url) => [url, models.get(url) ?? new Model()]));
          balancer.update(step.urls);
        }
        if (step.kind === "end" && underWay.length > 0) {
          const [{ call, model }] = underWay.splice(step.which % underWay.length, 1) as [(typeof underWay)[number]];
          balancer.ended(call, step.end, now);
          model.ended(call, step.end, now);
        }
        const free = [...models].filter(([, model]) => model.mayBeAsked(now)).map(([url]) => url);
        expect(balancer.counts(now)).toEqual({ known: models.size, closed: free.length });
        if (step.kind !== "call") continue;
        const url = balancer.pick(now, () => step.random);
        if (url === null) {
          expect(free).toEqual([]);
          continue;
        }
        expect(free).toContain(url);
        const model = models.get(url) as Model;
        const call = balancer.began(url);
        if (model.open !== null) model.open.trial = call;
        underWay.push({ call, model });
      }
    }),
    { numRuns: 500 },
  );
});
