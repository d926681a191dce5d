/** A sale followed live: when it is asked for, and what is told when. The clock, chance, the network and the page are given. */
import { describe, expect, test } from "bun:test";
import { Doorbuster, type Live } from "../client/doorbuster.ts";
import { pollAfterMs } from "../client/live.ts";
import type { FetchReply, Page } from "../client/surroundings.ts";

const STARTS_AT = 10_000_000;
const ENDS_AT = STARTS_AT + 60_000;
const sale = (status: string, serverNow: number) => ({
  ...{ serverNow, id: "drop", name: "Drop", status, items: [] },
  ...{ startsAt: new Date(STARTS_AT).toISOString(), endsAt: new Date(ENDS_AT).toISOString() },
});
const replied = (status: number, body: object | null, etag = "", more: Readonly<Record<string, string>> = {}): FetchReply => ({
  status,
  headers: new Headers({ etag, ...more }),
  text: async () => (body ? JSON.stringify(body) : ""),
});

class GivenPage implements Page {
  hidden = false;
  readonly #listeners = new Set<() => void>();
  addEventListener(_: "visibilitychange", listener: () => void): void {
    this.#listeners.add(listener);
  }
  removeEventListener(_: "visibilitychange", listener: () => void): void {
    this.#listeners.delete(listener);
  }
  turn(hidden: boolean): void {
    this.hidden = hidden;
    for (const listener of this.#listeners) listener();
  }
}

interface Poll {
  /** By the server's clock. */
  readonly at: number;
  readonly etag: string | undefined;
}

/** Follows a sale from `at` on, until it stops by itself or has asked `pollsMax` times. Waiting moves the clock and takes no time. */
async function follow(options: {
  readonly at: number;
  readonly pollsMax: number;
  readonly reply: (poll: Poll, number: number) => FetchReply | Error;
  /** This machine's clock less the server's. */
  readonly wrongByMs?: number | ((now: number) => number);
  readonly page?: GivenPage;
  readonly onPoll?: (number: number) => void;
}) {
  const { at, wrongByMs = 0, pollsMax, page = null } = options;
  const wrongAt = (time: number): number => (typeof wrongByMs === "number" ? wrongByMs : wrongByMs(time));
  let now = at;
  const polls: Poll[] = [];
  const told: { readonly at: number; readonly status: string; readonly serverNow: number }[] = [];
  const ended = Promise.withResolvers<void>();
  const client = new Doorbuster({
    url: "",
    surroundings: {
      now: () => now + wrongAt(now),
      random: () => 0.5,
      page,
      wait: async (ms, signal) => {
        if (signal?.aborted) return;
        expect(ms).toBeGreaterThanOrEqual(0);
        now += ms;
      },
      fetch: async (_, { headers }) => {
        const poll = { at: now, etag: headers["if-none-match"] };
        polls.push(poll);
        options.onPoll?.(polls.length);
        if (polls.length >= pollsMax) {
          live.stop();
          ended.resolve();
        }
        const reply = options.reply(poll, polls.length);
        if (reply instanceof Error) throw reply;
        return reply;
      },
    },
  });
  const live = client.live("drop", ({ status, serverNow }: Live) => {
    told.push({ at: now, status, serverNow: serverNow() });
    if (status === "ended" || status === "unknown") ended.resolve();
  });
  await ended.promise;
  return { polls, told };
}

describe("how often it asks", () => {
  const announced = sale("scheduled", 0) as never;
  test.each([
    [24 * 3_600_000, 60_000],
    [300_000, 30_000],
    [20_000, 2_000],
    [5_000, 1_000],
    [-1, 2_000],
  ])("%i ms before the start: every %i ms", (distanceMs, expectedMs) => {
    expect(pollAfterMs(announced, STARTS_AT - distanceMs, 0, 0.5)).toBe(expectedMs);
  });

  test("chance moves it by half in both directions, so that a crowd does not ask as one", () => {
    expect([0, 0.999].map((random) => Math.round(pollAfterMs(announced, STARTS_AT - 20_000, 0, random)))).toEqual([1_000, 2_998]);
  });

  test("failures double it, up to a minute", () => {
    expect([1, 2, 20].map((failures) => pollAfterMs(announced, STARTS_AT + 1, failures, 0.5))).toEqual([4_000, 8_000, 60_000]);
  });
});

describe("what it tells", () => {
  test("asks with the ETag of what it has, and tells only what is new", async () => {
    const { polls, told } = await follow({
      ...{ at: STARTS_AT - 300_000, pollsMax: 4 },
      reply: ({ at }, number) => (number === 1 ? replied(200, sale("scheduled", at), 'W/"a"') : replied(304, null)),
    });
    expect(polls.map(({ etag }) => etag)).toEqual([undefined, 'W/"a"', 'W/"a"', 'W/"a"']);
    expect(told.map(({ status }) => status)).toEqual(["scheduled"]);
  });

  test("the start is told at its very moment, by the server's clock, however wrong this machine's is", async () => {
    for (const wrongByMs of [0, -3_600_000, 3_600_000]) {
      const { told, polls } = await follow({
        ...{ at: STARTS_AT - 5_000, pollsMax: 8, wrongByMs },
        reply: ({ at }) => replied(200, sale(at < STARTS_AT ? "scheduled" : "live", at)),
      });
      expect(told.find(({ status }) => status === "live")).toEqual({ at: STARTS_AT, status: "live", serverNow: STARTS_AT });
      // The crowd's next polls are spread over a second.
      expect(polls.find(({ at }) => at >= STARTS_AT)?.at).toBe(STARTS_AT + 500);
    }
  });

  test("a clock that is set while it follows is put right by an answer that nothing has changed", async () => {
    const setAt = STARTS_AT - 100_000;
    const { told } = await follow({
      ...{ at: STARTS_AT - 300_000, pollsMax: 200, wrongByMs: (now) => (now < setAt ? 0 : 600) },
      reply: ({ at }, number) =>
        number === 1 ? replied(200, sale("scheduled", at), 'W/"a"') : replied(304, null, 'W/"a"', { "server-now": String(at) }),
    });
    expect(told.find(({ status }) => status === "live")).toEqual({ at: STARTS_AT, status: "live", serverNow: STARTS_AT });
  });

  test("that it was paused before its start, the next answer tells", async () => {
    const { told } = await follow({
      ...{ at: STARTS_AT - 1_000, pollsMax: 3 },
      reply: ({ at }) => replied(200, sale(at < STARTS_AT ? "scheduled" : "paused", at)),
    });
    expect(told.map(({ status }) => status)).toEqual(["scheduled", "live", "paused"]);
  });

  test("the end is told at its moment, and nothing is asked after it", async () => {
    const { polls, told } = await follow({
      ...{ at: ENDS_AT - 1_500, pollsMax: 10 },
      reply: ({ at }) => replied(200, sale("live", at)),
    });
    expect(told.at(-1)).toEqual({ at: ENDS_AT, status: "ended", serverNow: ENDS_AT });
    expect(polls.length).toBe(1);
  });

  test("a sale that is not there is told once", async () => {
    const { polls, told } = await follow({ at: 0, pollsMax: 5, reply: () => replied(404, { title: "Not Found" }) });
    expect({ polls: polls.length, told: told.map(({ status }) => status) }).toEqual({ polls: 1, told: ["unknown"] });
  });

  test("a network that is gone is asked less and less, and what was told stays", async () => {
    const { polls, told } = await follow({
      ...{ at: STARTS_AT, pollsMax: 4 },
      reply: ({ at }, number) => (number === 1 ? replied(200, sale("live", at)) : new Error("reset")),
    });
    expect(polls.map(({ at }) => at - STARTS_AT)).toEqual([0, 2_000, 2_000 + 4_000, 2_000 + 4_000 + 8_000]);
    expect(told.map(({ status }) => status)).toEqual(["live"]);
  });
});

describe("a page that nobody looks at", () => {
  test("asks nothing until somebody does", async () => {
    const page = new GivenPage();
    page.turn(true);
    let polls = 0;
    const followed = follow({
      ...{ at: STARTS_AT, pollsMax: 2, page },
      reply: ({ at }) => replied(200, sale("live", at)),
      onPoll: (number) => {
        polls = number;
      },
    });
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect(polls).toBe(0);
    page.turn(false);
    await followed;
    expect(polls).toBe(2);
  });
});
