/** Which goods are watched, and that watching costs the ledger no more than it may. */
import { describe, expect, test } from "bun:test";
import type { SaleId, Sku } from "../core/ids.ts";
import { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../ledger/embedded/memory-journal.ts";
import { STOCK_SHOWN_MS_MAX } from "../limits/operators.ts";
import type { Sale } from "./sale.ts";
import { StockWatch, skusToWatch } from "./stock-watch.ts";

const NOW = 10_000;
const sale = (id: string, startsAt: number, endsAt: number, skus: readonly string[], isPaused = false): Sale => ({
  ...{ id: id as SaleId, name: id, startsAt, endsAt, isPaused, frozenForMs: null, paymentWindowMs: null },
  items: skus.map((sku) => ({ sku: sku as Sku, salePriceCents: 1, quantityLimit: null })),
});

const SALES = [
  sale("ended long ago", 0, 1_000, ["f"]),
  sale("ended just now", 0, 9_000, ["e"]),
  sale("begins later", 90_000, 99_000, ["d"]),
  sale("begins soon", 11_000, 99_000, ["c"]),
  sale("has run for long", 1_000, 99_000, ["b"]),
  sale("is paused", 5_000, 99_000, ["a2"], true),
  sale("has just begun", 9_999, 99_000, ["a", "b"]),
];

describe("the goods that are watched", () => {
  test("are those of running sales first, then of those to come, then of those that are over", () => {
    expect(skusToWatch(SALES, NOW, 100) as readonly string[]).toEqual(["a", "b", "a2", "c", "d", "e", "f"]);
  });

  test("are no more than may be", () => {
    expect(skusToWatch(SALES, NOW, 2) as readonly string[]).toEqual(["a", "b"]);
    expect(skusToWatch(SALES, NOW, 0)).toEqual([]);
  });
});

async function opened(skus: readonly string[], sales: readonly Sale[], skusMax: number) {
  const ledger = new EmbeddedLedger(new MemoryJournal());
  const put = (sku: string, onHand: number) => ledger.stock([{ verb: "stock", mode: "put", sku: sku as Sku, onHand, priceCents: 1 }], NOW);
  for (const sku of skus) await put(sku, 5);
  const clock = { us: 0, now: () => NOW, monotonicUs: () => clock.us };
  return { put, clock, watch: new StockWatch({ ledger, sales: { all: () => sales }, clock, skusMax }) };
}

describe("the stock watch", () => {
  test("shows goods of sales that exist, fills up with others, and counts the rest", async () => {
    const { watch } = await opened(["1", "2", "3", "b", "c"], SALES, 4);
    const { goods, notShown } = await watch.seen();
    expect(goods.map(({ sku }) => sku as string)).toEqual(["b", "c", "1", "2"]);
    expect(notShown).toBe(1);
  });

  test("asks the ledger again when its figures are too old, and not before", async () => {
    const { watch, put, clock } = await opened(["1"], [], 4);
    const onHand = async () => (await watch.seen()).goods.map((goods) => goods.onHand);
    expect(await onHand()).toEqual([5]);
    await put("1", 9);
    clock.us = STOCK_SHOWN_MS_MAX * 1_000 - 1;
    expect(await onHand()).toEqual([5]);
    clock.us += 1;
    expect(await onHand()).toEqual([9]);
  });
});
