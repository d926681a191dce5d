import { describe, expect, test } from "bun:test";
import { Services } from "./services.ts";
import { searchEverywhere } from "./traffic-search.ts";

interface Instance {
  /** By cursor, `""` for the first page: times of events, and the cursor of the page behind them. */
  readonly pages: Readonly<Record<string, readonly [times: readonly number[], next: string | null]>>;
}

function over(instances: Readonly<Record<string, Instance | null>>) {
  const asked: string[] = [];
  const services = new Services({
    urlsOf: () => Object.keys(instances),
    ask: ({ url }) => {
      asked.push(url);
      const { origin, searchParams } = new URL(url);
      const page = instances[origin]?.pages[searchParams.get("before") ?? ""];
      if (page === undefined) return Promise.resolve({ error: "refused" });
      const [times, next] = page;
      const text = JSON.stringify({ events: times.map((at) => ({ at, of: origin })), next, tookMs: times.length });
      return Promise.resolve({ status: 200, text, headers: new Headers({ "content-type": "application/json" }) });
    },
    adminKey: null,
    clock: { now: () => 0, monotonicUs: () => 0 },
    random: () => 0,
  });
  const search = async (query: Readonly<Record<string, unknown>>) => {
    const reply = await searchEverywhere(services, query);
    const body = JSON.parse(reply.body as string) as { events: { at: number }[]; next: string | null; asked: number; answered: number };
    return { status: reply.status, ...body, times: body.events?.map(({ at }) => at) };
  };
  return { search, asked };
}
const [ONE, TWO] = ["http://one:8081", "http://two:8081"] as const;

describe("a search over several instances", () => {
  test("puts their pages together, the newest first, and asks each on from where its own was left", async () => {
    const { search, asked } = over({
      [ONE]: { pages: { "": [[9, 7], "1.7"], "1.7": [[3], null] } },
      [TWO]: { pages: { "": [[8, 6], "2.6"], "2.6": [[5], "2.5"], "2.5": [[1], null] } },
    });
    const first = await search({ userID: "U1", limit: 2 });
    expect(first.times).toEqual([9, 8, 7, 6]);
    const second = await search({ userID: "U1", limit: 2, before: first.next });
    expect(second.times).toEqual([5, 3]);
    // The first instance had no more: it is not asked again.
    asked.length = 0;
    const third = await search({ userID: "U1", limit: 2, before: second.next });
    expect(third).toMatchObject({ times: [1], next: null });
    expect(asked.map((url) => new URL(url).origin)).toEqual([TWO]);
    expect(asked[0]).toContain("userID=U1");
  });

  test("says how many have answered when one does not", async () => {
    const { search } = over({ [ONE]: { pages: { "": [[2], null] } }, [TWO]: null });
    expect(await search({})).toMatchObject({ status: 200, times: [2], asked: 2, answered: 1 });
  });

  test("is unavailable when nobody answers, and when nobody is there", async () => {
    expect((await over({ [ONE]: null }).search({})).status).toBe(503);
    expect((await over({}).search({})).status).toBe(503);
  });

  test.each(["1.7", "W10x", Buffer.from("[[1,2]]").toString("base64url"), Buffer.from("{}").toString("base64url")])(
    "refuses a cursor of no page: %s",
    async (before) => {
      expect((await over({ [ONE]: { pages: { "": [[1], null] } } }).search({ before })).status).toBe(400);
    },
  );
});
