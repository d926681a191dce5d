/** What every outbox promises, whichever store keeps it: in the same commit as the change, in order, without a gap, and not for ever. */
import { describe, expect, test } from "bun:test";
import type { Answer } from "../src/core/answer.ts";
import type { Sku } from "../src/core/ids.ts";
import type { DoorbusterEvent } from "../src/events/event.ts";
import type { EventSource, OutboxBounds } from "../src/events/event-source.ts";
import { OUTBOX_EVENTS_PER_ROW, SWEEP_ROWS_PER_TURN } from "../src/limits.ts";

export const soldOut = (sku: string, at = 1_000): DoorbusterEvent => ({ type: "goods.sold-out", at, sku: sku as Sku });
export const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

export interface OutboxUnderTest {
  readonly outbox: EventSource;
  /** The events of one turn, or of one transaction, until they can be read. */
  add(events: readonly DoorbusterEvent[]): Promise<void>;
  /** As above, each event in a row of its own. */
  addInRows(events: readonly DoorbusterEvent[]): Promise<void>;
  /** With a change whose commit fails. */
  addInVain(events: readonly DoorbusterEvent[]): Promise<void>;
  sweep(now: number): Promise<boolean>;
  onRemoval(listener: (oldestId: number) => void): void;
  /** Another life over the same store. */
  restart(): Answer<void>;
}

export function outboxSuite(store: string, open: (bounds: OutboxBounds) => Promise<OutboxUnderTest>): void {
  const openKept = (keptMs = 100, eventsMax = 1_000_000): Promise<OutboxUnderTest> => open({ keptMs, eventsMax });
  const add = (at: OutboxUnderTest, ...skus: readonly string[]): Promise<void> => at.add(skus.map((sku) => soldOut(sku)));
  const read = async ({ outbox }: OutboxUnderTest, after: number, limit: number): Promise<string[]> =>
    (await outbox.read(after, limit)).map(({ id, skus }) => `${id} ${skus}`);

  describe(`the outbox in ${store}`, () => {
    test("tells events in the order of adding, and knows the first and the last", async () => {
      const at = await openKept();
      expect(await at.outbox.range()).toEqual({ oldestId: 1, lastId: 0 });
      await add(at, "a", "b");
      await add(at, "c");
      expect([await read(at, 0, 10), await at.outbox.range(), at.outbox.lastId]).toEqual([
        ["1 a", "2 b", "3 c"],
        { oldestId: 1, lastId: 3 },
        3,
      ]);
    });

    test("tells nothing of a change that was not committed, and no id is missing for it", async () => {
      const at = await openKept();
      await add(at, "before");
      await at.addInVain(names("lost", OUTBOX_EVENTS_PER_ROW + 1).map((sku) => soldOut(sku)));
      await at.restart();
      await add(at, "after");
      expect(await read(at, 0, 100)).toEqual(["1 before", "2 after"]);
    });

    test("gives the next id, also after a restart and after everything before it was removed", async () => {
      const at = await openKept();
      await add(at, "a", "b");
      await at.restart();
      await add(at, "c");
      while (await at.sweep(1_000_000));
      await at.restart();
      await add(at, "d");
      expect([await read(at, 2, 10), await at.outbox.range()]).toEqual([["3 c", "4 d"], { oldestId: 3, lastId: 4 }]);
    });

    test("gives every event once from any cursor and with any limit, across rows", async () => {
      const at = await openKept();
      for (const count of [1, OUTBOX_EVENTS_PER_ROW + 3, 2, 5]) await add(at, ...names("s", count));
      const all = await read(at, 0, 1_000);
      expect(all).toHaveLength(OUTBOX_EVENTS_PER_ROW + 11);
      for (let after = 0; after <= all.length; after += 7)
        for (const limit of [1, 2, 63, 64, 65, 1_000]) expect(await read(at, after, limit)).toEqual(all.slice(after, after + limit));
    });

    test("sweeps what was kept long enough, and never the newest row", async () => {
      const at = await openKept();
      for (const [sku, time] of [
        ["old", 1_000],
        ["younger", 1_050],
        ["newest", 1_050],
      ] as const)
        await at.add([soldOut(sku, time)]);
      await at.sweep(1_100);
      expect([await read(at, 0, 10), at.outbox.oldestId]).toEqual([["1 old", "2 younger", "3 newest"], 1]);
      await at.sweep(1_101);
      expect([await read(at, 0, 10), at.outbox.oldestId]).toEqual([["2 younger", "3 newest"], 2]);
      await at.sweep(1_000_000);
      expect([await read(at, 0, 10), at.outbox.oldestId]).toEqual([["3 newest"], 3]);
    });

    test("sweeps the oldest when there are too many, however young", async () => {
      const at = await openKept(1_000_000, 5);
      for (const prefix of ["a", "b", "c"]) await add(at, ...names(prefix, 2));
      await at.sweep(1_000);
      expect(await read(at, 0, 10)).toEqual(["3 b0", "4 b1", "5 c0", "6 c1"]);
    });

    test("sweeps a bounded piece at a time, and says whether more is left", async () => {
      const at = await openKept();
      await at.addInRows(names("s", SWEEP_ROWS_PER_TURN + 10).map((sku) => soldOut(sku)));
      expect([await at.sweep(1_000_000), at.outbox.oldestId]).toEqual([true, SWEEP_ROWS_PER_TURN + 1]);
      expect([await at.sweep(1_000_000), at.outbox.oldestId]).toEqual([false, SWEEP_ROWS_PER_TURN + 10]);
      expect(await at.sweep(1_000_000)).toBe(false);
    });

    test("sweeps nothing too early when the clock went back", async () => {
      const at = await openKept();
      await at.add([soldOut("old", 1_000)]);
      await at.add([soldOut("later", 2_000)]);
      await at.restart();
      await at.add([soldOut("earlier", 1_000)]);
      await at.add([soldOut("newest", 1_000)]);
      await at.sweep(1_500);
      expect(await read(at, 0, 10)).toEqual(["2 later", "3 earlier", "4 newest"]);
    });

    test("says up to where it has removed", async () => {
      const at = await openKept();
      const heard: number[] = [];
      at.onRemoval((oldestId) => heard.push(oldestId));
      for (const [sku, time] of [
        ["old", 1_000],
        ["younger", 1_050],
        ["newest", 1_050],
      ] as const)
        await at.add([soldOut(sku, time)]);
      await at.sweep(1_100);
      await at.sweep(1_101);
      expect(heard).toEqual([2]);
    });
  });
}
