/** The near end of a link over real far ends: what it sends, how a call ends, and when it may ask again. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Granted, grantAgain, grantNamed, grantOnce, ITEMS_MAX, LinkFarm, type Way, type Wish } from "../../test/link-farm.ts";
import { Failure } from "../core/failure.ts";
import { LINK_ATTEMPTS_MAX, LINK_FAILURES_MAX, LINK_ITEMS_MAX, LINK_ITEMS_WAITING_MAX, LINK_PAUSE_MS_MIN } from "../limits/links.ts";
import { TURN_PURCHASES_MAX } from "../limits.ts";

const [A, B, C] = ["http://a", "http://b", "http://c"] as const;
const wishes = (...ids: readonly string[]): Wish[] => ids.map((id) => ({ id, secret: "stays here" }));
const failed = async (asked: Promise<unknown>): Promise<Failure> => {
  const end = await asked.then(
    () => null,
    (error: unknown) => error,
  );
  expect(end).toBeInstanceOf(Failure);
  return end as Failure;
};

describe("the calls of one turn", () => {
  test("go in one request, and each caller gets the answers to its own, in their order", async () => {
    const farm = new LinkFarm([A]);
    const grant = farm.link.method(grantOnce);
    const asked = [grant(wishes("1", "2")), grant(wishes("3")), grant([]), grant(wishes("4", "5"))];
    expect(farm.arrived).toEqual([]);
    farm.endTurn();
    const answers = await Promise.all(asked);
    expect(answers.map((list) => list.map(({ id }) => id))).toEqual([["1", "2"], ["3"], [], ["4", "5"]]);
    expect(farm.arrived).toEqual([{ url: A, ids: ["1", "2", "3", "4", "5"] }]);
    expect(farm.deadlines).toEqual([grantOnce.deadlineMs]);
    expect(farm.link.counts).toEqual({ requests: 1, items: 5, retries: 0, failures: 0 });
  });

  test("of two methods, and of two turns, are different requests", async () => {
    const farm = new LinkFarm([A]);
    const [once, again] = [farm.link.method(grantOnce), farm.link.method(grantAgain)];
    const first = [once(wishes("1")), again(wishes("2"))];
    farm.endTurn();
    const second = once(wishes("3"));
    farm.endTurn();
    await Promise.all([...first, second]);
    expect(farm.arrived.map(({ ids }) => ids)).toEqual([["1"], ["2"], ["3"]]);
  });

  test("fill as many requests as they need, none over its bound, and no call is divided", async () => {
    const calls = fc.array(fc.integer({ min: 1, max: ITEMS_MAX }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(calls, async (sizes) => {
        const farm = new LinkFarm([A]);
        const grant = farm.link.method(grantOnce);
        const asked = sizes.map((size, call) => Array.from({ length: size }, (_, index) => `${call}.${index}`));
        const answers = asked.map((ids) => grant(wishes(...ids)));
        farm.endTurn();
        expect((await Promise.all(answers)).map((list) => list.map(({ id }) => id))).toEqual(asked);
        for (const { ids } of farm.arrived) expect(ids.length).toBeLessThanOrEqual(ITEMS_MAX);
        const requestsOf = asked.map((ids) => farm.arrived.filter((request) => ids.some((id) => request.ids.includes(id))).length);
        expect(requestsOf).toEqual(asked.map(() => 1));
        expect(farm.arrived.flatMap(({ ids }) => ids)).toEqual(asked.flat());
      }),
      { numRuns: 50 },
    );
  });

  test("find room for a whole turn of the gate in one request", () => {
    expect(LINK_ITEMS_MAX).toBeGreaterThanOrEqual(TURN_PURCHASES_MAX);
  });

  test("beyond what may wait fail at once, with nothing sent; when the others have ended there is room again", async () => {
    const farm = new LinkFarm([A]);
    const grant = farm.link.method(grantOnce);
    const full = Array.from({ length: LINK_ITEMS_WAITING_MAX / ITEMS_MAX }, (_, call) =>
      grant(wishes(...Array.from({ length: ITEMS_MAX }, (_none, index) => `${call}.${index}`))),
    );
    expect(await failed(grant(wishes("late")))).toMatchObject({ code: "overloaded", outcomeKnown: true });
    farm.ways.set(A, "refused");
    farm.endTurn();
    await Promise.allSettled(full);
    expect(farm.arrived).toEqual([]);
    farm.ways.set(A, "open");
    farm.now += LINK_PAUSE_MS_MIN;
    expect(await farm.ask(grantOnce, "again")).toEqual([{ id: "again", by: A }]);
  });
});

/** By what happens at the first instance: how the call ends, and how often it has arrived anywhere. */
interface Row {
  readonly way: Way;
  readonly once: "answered" | "known" | "unknown";
  readonly again: "answered" | "known" | "unknown";
}
const ROWS: readonly Row[] = [
  { way: "open", once: "answered", again: "answered" },
  { way: "refused", once: "answered", again: "answered" },
  { way: "stopping", once: "answered", again: "answered" },
  { way: "failing", once: "answered", again: "answered" },
  { way: "full", once: "answered", again: "answered" },
  { way: "unsure", once: "unknown", again: "answered" },
  { way: "cut before", once: "unknown", again: "answered" },
  { way: "cut after", once: "unknown", again: "answered" },
  { way: "nonsense", once: "unknown", again: "answered" },
  { way: "short", once: "unknown", again: "answered" },
  { way: "stranger", once: "unknown", again: "answered" },
];
const endOf = (end: readonly Granted[] | Failure): Row["once"] =>
  end instanceof Failure ? (end.outcomeKnown ? "known" : "unknown") : "answered";

describe("a call whose first instance is of no use", () => {
  for (const { way, once, again } of ROWS)
    test(`(${way}) is tried at another one only where that is safe`, async () => {
      for (const [method, expected] of [
        [grantOnce, once],
        [grantAgain, again],
      ] as const) {
        const farm = new LinkFarm([A, B]);
        farm.ways.set(A, way);
        const end = await farm.ask(method, "wish");
        expect(endOf(end)).toBe(expected);
        expect(farm.link.counts.retries).toBe(expected === "answered" && way !== "open" ? 1 : 0);
        expect(farm.link.counts.failures).toBe(expected === "answered" ? 0 : 1);
      }
    });

  test("is tried again, where it may have been heard, if that is safe for everything in it", async () => {
    for (const [ids, end] of [
      [["named 1", "named 2"], "answered"],
      [["named 1", "another"], "unknown"],
    ] as const) {
      const farm = new LinkFarm([A, B]);
      farm.ways.set(A, "cut after");
      expect(endOf(await farm.ask(grantNamed, ...ids))).toBe(end);
    }
  });

  test("says that nothing has happened when nobody can be reached, and when nobody is known", async () => {
    const farm = new LinkFarm([A, B]);
    for (const url of [A, B]) farm.ways.set(url, "refused");
    expect(await farm.ask(grantOnce, "wish")).toMatchObject({ code: "unreachable", outcomeKnown: true });
    // Both are left alone now.
    expect(await farm.ask(grantOnce, "wish")).toMatchObject({ code: "unreachable", outcomeKnown: true });
    expect(farm.link.counts.requests).toBe(2);
    expect(farm.link.instanceCounts()).toEqual({ known: 2, closed: 0 });
    farm.urls = [];
    expect(await farm.ask(grantOnce, "wish")).toMatchObject({ code: "unreachable", outcomeKnown: true });
    expect(farm.arrivals("wish")).toBe(0);
  });

  test("hears the service's own failure as what it is", async () => {
    const farm = new LinkFarm([A]);
    for (const [way, code, outcomeKnown, message] of [
      ["failing", "store-stopped", true, "the store has stopped"],
      ["unsure", "commit-failed", false, "nobody knows"],
      ["full", "overloaded", true, "too many"],
    ] as const) {
      farm.ways.set(A, way);
      expect(await farm.ask(grantOnce, "wish")).toMatchObject({ code, outcomeKnown, message });
    }
  });

  test("is tried so many times and no more", async () => {
    const urls = Array.from({ length: LINK_ATTEMPTS_MAX + 2 }, (_, index) => `http://wish-${index}`);
    const farm = new LinkFarm(urls);
    for (const url of urls) farm.ways.set(url, "cut after");
    expect(await farm.ask(grantAgain, "wish")).toMatchObject({ outcomeKnown: false });
    expect(farm.arrivals("wish")).toBe(LINK_ATTEMPTS_MAX);
  });

  test("that did not fit the service has not happened, and nobody who called with it is told otherwise", async () => {
    const farm = new LinkFarm([A]);
    expect(await farm.ask(grantOnce, "far longer than twenty characters")).toMatchObject({ code: "unreachable", outcomeKnown: true });
    expect(farm.arrived).toEqual([]);
  });

  test("that does not fit is no fault of the instance: however many come, all others are answered", async () => {
    const farm = new LinkFarm([A]);
    for (let time = 0; time <= LINK_FAILURES_MAX; time += 1)
      expect(await farm.ask(grantOnce, "far longer than twenty characters")).toBeInstanceOf(Failure);
    expect(farm.link.instanceCounts()).toEqual({ known: 1, closed: 1 });
    expect(await farm.ask(grantOnce, "wish")).toEqual([{ id: "wish", by: A }]);
  });

  test("arrives as it is, whatever characters it has", async () => {
    const farm = new LinkFarm([A]);
    for (const id of ["\ufffd", "\\ufffd", "\\\ufffd", 'a\u2028\u0000"', "\u{1f600}"])
      expect(await farm.ask(grantOnce, id)).toEqual([{ id, by: A }]);
  });
});

test("a call that must not be repeated arrives once at most, whatever happens on the way", async () => {
  const way = fc.constantFrom<Way>(...ROWS.map((row) => row.way));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(way, way, way, fc.integer({ min: 0, max: 500 })), { maxLength: 30 }), async (rounds) => {
      const farm = new LinkFarm([A, B, C]);
      for (const [index, [a, b, c, waitMs]] of rounds.entries()) {
        farm.ways.set(A, a).set(B, b).set(C, c);
        farm.now += waitMs;
        const end = await farm.ask(grantOnce, `${index}`);
        const granted = farm.arrived.filter(
          ({ url, ids }) => ids.includes(`${index}`) && !["failing", "full"].includes(farm.ways.get(url) ?? ""),
        );
        // A service that says that it has not done it may hear of it, and then another may; who was not sure stays the only one.
        expect(granted.length).toBeLessThanOrEqual(1);
        if (endOf(end) === "answered") expect(granted).toHaveLength(1);
        if (endOf(end) === "known") expect(granted).toHaveLength(0);
      }
    }),
    { numRuns: 200 },
  );
});

test("an error on the way that nobody has thought of is told as a bug, fails its callers with an unknown outcome, and stops nothing", async () => {
  const farm = new LinkFarm([A]);
  const broken = { ...grantOnce, wire: () => 1n };
  const asked = farm.link.method(broken)(wishes("1"));
  farm.endTurn();
  expect(await failed(asked)).toMatchObject({ code: "unreachable", outcomeKnown: false });
  expect(farm.bugs).toHaveLength(1);
  expect(await farm.ask(grantOnce, "2")).toMatchObject([{ id: "2" }]);
});
