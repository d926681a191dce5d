/** A search page by page: how far it goes, and that nothing is missed or told twice on the way. */
import { describe, expect, test } from "bun:test";
import { searchReply } from "./paging.ts";

const ROWS = 20;
const PASSED_PER_LOOK = 4;

/** The multiples of `of` among the numbers from 1 to `ROWS`, a few numbers at a look. */
function searching(of: number) {
  let looks = 0;
  const find = (after: number | null, limit: number) => {
    looks += 1;
    const from = (after ?? 0) + 1;
    const last = Math.min(from + PASSED_PER_LOOK - 1, ROWS);
    const passed = Array.from({ length: Math.max(0, last - from + 1) }, (_, n) => from + n);
    const rows = passed.filter((row) => row % of === 0).slice(0, limit);
    return { rows, next: rows.length === limit ? (rows.at(-1) as number) : last < ROWS ? last : null };
  };
  const page = async (after: number | null, limit: number, looksMax: number) => {
    looks = 0;
    const cursorOf = (row: number): number => row;
    const nextPage = (cursor: number): string => String(cursor);
    const { body, headers } = await searchReply({ find, cursorOf, after, limit, looksMax, show: (row) => row, nextPage });
    const link = headers?.["link"]?.match(/^<(\d+)>; rel="next"$/)?.[1];
    return { rows: JSON.parse(body as string) as number[], next: link === undefined ? null : Number(link), looks };
  };
  return { page };
}

describe("a search", () => {
  test("goes on until the page is full, and says that there is more only where one more was seen", async () => {
    const { page } = searching(5);
    expect(await page(null, 3, 10)).toMatchObject({ rows: [5, 10, 15], next: 15 });
    expect(await page(15, 3, 10)).toMatchObject({ rows: [20], next: null });
    expect(await page(null, 4, 10)).toMatchObject({ rows: [5, 10, 15, 20], next: null });
  });

  test("ends a page after so many looks, empty or not, and says where to go on", async () => {
    const { page } = searching(19);
    expect(await page(null, 3, 2)).toEqual({ rows: [], next: 8, looks: 2 });
    expect(await page(8, 3, 2)).toEqual({ rows: [], next: 16, looks: 2 });
    expect(await page(16, 3, 2)).toEqual({ rows: [19], next: null, looks: 1 });
  });

  test.each([1, 2, 3, 7])("told %d at a time and in short pages is the whole, in order and each once", async (limit) => {
    const { page } = searching(2);
    const told: number[] = [];
    for (let after: number | null = null, isOver = false; !isOver; ) {
      const { rows, next } = await page(after, limit, 1);
      expect(rows.length).toBeLessThanOrEqual(limit);
      told.push(...rows);
      isOver = next === null;
      after = next;
    }
    expect(told).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  });
});
