/** Pages that several carriers share, each at its own pace. */
import { describe, expect, test } from "bun:test";
import { RECORDS_HAND_OVER_PAGES_MAX } from "../limits/records.ts";
import { RECORD_PAGE_BYTES, type RecordCarrier, type RecordPage, RecordPages, WaitingPages } from "./record-pages.ts";

const textOf = ({ bytes, used }: RecordPage): string => bytes.toString("utf8", 0, used);
const lineOf = (index: number): string => `${index} ${"品🛒é".repeat(25)}\n`;

/** Keeps what it is given until it is told to let go. */
class Keeper implements RecordCarrier {
  readonly kept: RecordPage[] = [];
  readonly seen = new Set<RecordPage>();

  carry(pages: readonly RecordPage[]): void {
    this.kept.push(...pages);
    for (const page of pages) this.seen.add(page);
  }

  letGo(): string {
    const text = this.kept.map(textOf).join("");
    for (const page of this.kept.splice(0)) page.release();
    return text;
  }
}

function pagesTo(...carriers: RecordCarrier[]): RecordPages {
  const pages = new RecordPages();
  for (const carrier of carriers) pages.carriedBy(carrier);
  return pages;
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe("pages of records", () => {
  test("come to every carrier, whole records in order, however long the others keep theirs", () => {
    const [quick, slow] = [new Keeper(), new Keeper()];
    const pages = pagesTo(quick, slow);
    let text = "";
    for (const index of upTo(5_000)) {
      pages.add(lineOf(index));
      text += quick.letGo();
    }
    pages.close();
    text += quick.letGo();
    expect(text).toBe(upTo(5_000).map(lineOf).join(""));
    expect(slow.kept.every((page) => page.used <= RECORD_PAGE_BYTES && textOf(page).endsWith("\n"))).toBe(true);
    expect(slow.letGo()).toBe(text);
  });

  test("are used again as soon as nobody has them, and not before", () => {
    const [one, other] = [new Keeper(), new Keeper()];
    const pages = pagesTo(one, other);
    for (const index of upTo(20_000)) {
      pages.add(lineOf(index));
      one.letGo();
      other.letGo();
    }
    expect(one.seen.size).toBeLessThanOrEqual(RECORDS_HAND_OVER_PAGES_MAX + 1);
    for (const index of upTo(5_000)) {
      pages.add(lineOf(index));
      one.letGo();
    }
    pages.close();
    expect(new Set(other.kept).size).toBe(other.kept.length);
  });

  test("that were forsaken are never written to again", () => {
    const seen: RecordPage[] = [];
    const pages = pagesTo({
      carry: (given) => {
        seen.push(...given);
        for (const page of given) page.forsake();
      },
    });
    for (const index of upTo(5_000)) pages.add(lineOf(index));
    pages.close();
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.map(textOf).join("")).toBe(upTo(5_000).map(lineOf).join(""));
  });
});

describe("pages that wait", () => {
  const waitingFor = (pagesMax: number): WaitingPages & RecordCarrier => {
    const waiting = new WaitingPages(pagesMax * RECORD_PAGE_BYTES);
    return Object.assign(waiting, {
      carry: (pages: readonly RecordPage[]) => {
        for (const page of pages) waiting.add(page);
      },
    });
  };
  /** So many records, handed over one at a time, as in a quiet hour. */
  function addOneByOne(count: number, ...carriers: RecordCarrier[]): void {
    for (const index of upTo(count)) {
      const pages = pagesTo(...carriers);
      pages.add(lineOf(index));
      pages.close();
    }
  }
  function textsOf(waiting: WaitingPages): string[] {
    const texts: string[] = [];
    for (let page = waiting.take(); page !== undefined; page = waiting.take()) texts.push(textOf(page));
    return texts;
  }

  test("are put together while they are small, and those of others stay as they are", () => {
    const waiting = waitingFor(2);
    const other = new Keeper();
    addOneByOne(200, waiting, other);
    const texts = textsOf(waiting);
    expect(texts.length).toBe(1);
    expect(texts.join("")).toBe(upTo(200).map(lineOf).join(""));
    expect(other.kept.map(textOf)).toEqual(upTo(200).map(lineOf));
  });

  test("are as many as there is room for, those under way among them; what finds no room is dropped and counted", () => {
    const waiting = waitingFor(2);
    const perPage = Math.floor(RECORD_PAGE_BYTES / Buffer.byteLength(lineOf(1_000)));
    addOneByOne(perPage, waiting);
    const first = waiting.take() as RecordPage;
    addOneByOne(3 * perPage, waiting);
    expect(waiting.dropped).toBeGreaterThan(perPage);
    const droppedBefore = waiting.dropped;
    waiting.done(first);
    addOneByOne(10, waiting);
    expect(waiting.dropped).toBe(droppedBefore);
    const kept = textsOf(waiting).join("").split("\n").length - 1;
    expect(kept + waiting.dropped).toBe(3 * perPage + 10);
  });

  test("and were put back go first", () => {
    const waiting = waitingFor(4);
    addOneByOne(1, waiting);
    const first = waiting.take() as RecordPage;
    addOneByOne(300, waiting);
    waiting.putBack(first);
    expect(textsOf(waiting).join("")).toBe(lineOf(0) + upTo(300).map(lineOf).join(""));
  });
});
