/** A gate's copies of the board: how old they may be, what a crowd costs the board behind the link, and what ids that nobody sells under leave. */
import { expect, test } from "bun:test";
import { BOARD_AGE_MS_MAX } from "../limits.ts";
import { BoardCopy } from "./board-link.ts";

class Far {
  now = 1_800_000_000_000;
  asked = 0;
  /** How long a snapshot is good for when it is told of. */
  goodForMs = BOARD_AGE_MS_MAX;
  way: () => Promise<void> = () => Promise.resolve();
  readonly copy = new BoardCopy(
    async (asked) => {
      this.asked += 1;
      const text = `"made":${this.asked}}`;
      await this.way();
      return asked.map(({ id }) => (id === "nowhere" ? null : { text, goodForMs: this.goodForMs }));
    },
    { now: () => this.now, monotonicUs: () => 0 },
  );
}
const bodyOf = async (reply: ReturnType<BoardCopy["one"]>): Promise<unknown> => JSON.parse((await reply)?.body as string);

test("a copy is asked for once, however many look at it, and again when its time is over", async () => {
  const far = new Far();
  far.goodForMs = 40;
  const both = await Promise.all([bodyOf(far.copy.one("sale", null)), bodyOf(far.copy.one("sale", null))]);
  expect(both).toEqual([
    { serverNow: far.now, made: 1 },
    { serverNow: far.now, made: 1 },
  ]);
  far.now += 39;
  expect(await bodyOf(far.copy.one("sale", null))).toEqual({ serverNow: far.now, made: 1 });
  far.now += 1;
  expect(await bodyOf(far.copy.one("sale", null))).toMatchObject({ made: 2 });
});

test("the way here is part of a copy's age", async () => {
  const far = new Far();
  far.way = async () => {
    far.now += 60;
  };
  await far.copy.all(null);
  far.now += 39;
  await far.copy.all(null);
  expect(far.asked).toBe(1);
  far.now += 1;
  await far.copy.all(null);
  expect(far.asked).toBe(2);
});

test("who has it already hears that it has not changed, and what time it is", async () => {
  const far = new Far();
  const first = await far.copy.one("sale", null);
  const { etag = "" } = first?.headers ?? {};
  expect(etag).not.toBe("");
  const again = await far.copy.one("sale", etag);
  expect(again).toMatchObject({ status: 304, body: "", headers: { "server-now": String(far.now) } });
});

test("an id that nobody sells under is nobody's, each time anew", async () => {
  const far = new Far();
  for (let look = 1; look <= 3; look += 1) {
    expect(await far.copy.one("nowhere", null)).toBeNull();
    expect(far.asked).toBe(look);
  }
});
