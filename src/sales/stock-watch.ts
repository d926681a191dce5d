/**
 * Where goods stand, for who watches all the time: figures of a bounded number of SKUs, read from the ledger at most once in
 * `STOCK_SHOWN_MS_MAX`, whoever asks and however often.
 */
import type { Sku } from "../core/ids.ts";
import type { Clock, UnixMs } from "../core/time.ts";
import type { Goods, Ledger } from "../ledger/ledger.ts";
import { STOCK_SHOWN_MAX, STOCK_SHOWN_MS_MAX } from "../limits/operators.ts";
import { type Sale, type SaleStatus, statusOf } from "./sale.ts";

/** What is sold now matters most, then what will be, then what was. */
const RANK: Readonly<Record<SaleStatus, number>> = { live: 0, paused: 0, scheduled: 1, ended: 2 };

/** Up to `skusMax` SKUs of sales, those that matter most first: of running sales the last begun, then the next to begin, then the last that ended. */
export function skusToWatch(sales: Iterable<Sale>, now: UnixMs, skusMax: number): readonly Sku[] {
  const ranked = [...sales].map((sale) => {
    const rank = RANK[statusOf(sale, now)];
    return { sale, rank, distance: rank === 2 ? now - sale.endsAt : Math.abs(now - sale.startsAt) };
  });
  ranked.sort((a, b) => a.rank - b.rank || a.distance - b.distance);
  const skus = new Set<Sku>();
  for (const { sale } of ranked) {
    for (const { sku } of sale.items) {
      if (skus.size === skusMax) return [...skus];
      skus.add(sku);
    }
  }
  return [...skus];
}

export interface StockSeen {
  readonly goods: readonly Goods[];
  /** How many SKUs there are besides. */
  readonly notShown: number;
}

export interface StockWatchParts {
  readonly ledger: Pick<Ledger, "goods" | "listGoods" | "countGoods">;
  readonly sales: { all(): Iterable<Sale> };
  readonly clock: Clock;
  readonly skusMax?: number;
}

export class StockWatch {
  readonly #parts: StockWatchParts;
  #readAtUs = Number.NEGATIVE_INFINITY;
  #seen: Promise<StockSeen> | null = null;

  constructor(parts: StockWatchParts) {
    this.#parts = parts;
  }

  /** @throws Failure when the store cannot be read */
  seen(): Promise<StockSeen> {
    const nowUs = this.#parts.clock.monotonicUs();
    if (this.#seen !== null && nowUs - this.#readAtUs < STOCK_SHOWN_MS_MAX * 1_000) return this.#seen;
    this.#readAtUs = nowUs;
    this.#seen = this.#read();
    return this.#seen;
  }

  async #read(): Promise<StockSeen> {
    const { ledger, sales, clock, skusMax = STOCK_SHOWN_MAX } = this.#parts;
    const now = clock.now();
    const watched = skusToWatch(sales.all(), now, skusMax);
    const ofSales = (await ledger.goods(watched, now)).flatMap((goods) => goods ?? []);
    const known = new Set(ofSales.map(({ sku }) => sku));
    // Where there is room, goods that are in no sale, in the order of their SKUs.
    const others = known.size < skusMax ? (await ledger.listGoods(null, skusMax, now)).filter(({ sku }) => !known.has(sku)) : [];
    const goods = [...ofSales, ...others].slice(0, skusMax);
    return { goods, notShown: Math.max(0, (await ledger.countGoods()) - goods.length) };
  }
}
