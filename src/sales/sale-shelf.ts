/** The sales in memory, found by their id and by SKU. */
import type { SaleId, Sku } from "../core/ids.ts";
import type { UnixMs } from "../core/time.ts";
import type { View } from "../tables/table.ts";
import { nextAnnouncementOf, type SaleRecord } from "./announcements.ts";
import { type Sale, termsOf } from "./sale.ts";
import { type Timeline, withoutSale, withTerms } from "./timeline.ts";

export class SaleShelf implements View<SaleRecord, SaleId> {
  readonly #records = new Map<SaleId, SaleRecord>();
  readonly #timelines = new Map<Sku, Timeline>();
  /** `null`: something has changed since it was last asked for. */
  #nextAnnouncementAt: UnixMs | null = null;

  get size(): number {
    return this.#records.size;
  }

  get nextAnnouncementAt(): UnixMs {
    if (this.#nextAnnouncementAt === null) {
      this.#nextAnnouncementAt = Number.POSITIVE_INFINITY;
      for (const record of this.#records.values())
        this.#nextAnnouncementAt = Math.min(this.#nextAnnouncementAt, nextAnnouncementOf(record));
    }
    return this.#nextAnnouncementAt;
  }

  record(id: SaleId): SaleRecord | null {
    return this.#records.get(id) ?? null;
  }

  records(): Iterable<SaleRecord> {
    return this.#records.values();
  }

  /** `undefined`: the SKU is in no sale. */
  timelineOf(sku: Sku): Timeline | undefined {
    return this.#timelines.get(sku);
  }

  add(record: SaleRecord): void {
    const { sale } = record;
    const current = this.#records.get(sale.id)?.sale;
    this.#nextAnnouncementAt = null;
    this.#records.set(sale.id, record);
    // Only its mark has moved: everybody keeps the terms that they have.
    if (current === sale) return;
    if (current) this.#takeOutOfTimelines(current);
    for (const item of sale.items) this.#timelines.set(item.sku, withTerms(this.#timelines.get(item.sku) ?? [], termsOf(sale, item)));
  }

  remove(id: SaleId): void {
    const current = this.#records.get(id)?.sale;
    if (!current) return;
    this.#nextAnnouncementAt = null;
    this.#records.delete(id);
    this.#takeOutOfTimelines(current);
  }

  #takeOutOfTimelines({ id, items }: Sale): void {
    for (const { sku } of items) {
      const left = withoutSale(this.#timelines.get(sku) ?? [], id);
      if (left.length > 0) this.#timelines.set(sku, left);
      else this.#timelines.delete(sku);
    }
  }
}
