/** What one decision does to the sales: what it has changed so far lies over the shelf, which stays as it is. Pure. */
import type { SaleId } from "../core/ids.ts";
import type { UnixMs } from "../core/time.ts";
import type { Change, Decided } from "../tables/table.ts";
import { eventsDue, type SaleRecord } from "./announcements.ts";
import type { SaleEvent } from "./sale.ts";
import type { SaleShelf } from "./sale-shelf.ts";

export class SaleDraft {
  readonly shelf: SaleShelf;
  readonly #changed = new Map<SaleId, SaleRecord | null>();
  readonly #events: SaleEvent[] = [];

  constructor(shelf: SaleShelf) {
    this.shelf = shelf;
  }

  record(id: SaleId): SaleRecord | null {
    const changed = this.#changed.get(id);
    return changed === undefined ? this.shelf.record(id) : changed;
  }

  put(record: SaleRecord): void {
    this.#changed.set(record.sale.id, record);
  }

  remove(id: SaleId): void {
    this.#changed.set(id, null);
  }

  tell(event: SaleEvent): void {
    this.#events.push(event);
  }

  /** Announces what the clock has done until `now` and nobody has been told yet. @param eventsMax the rest stays */
  tellDue(now: UnixMs, eventsMax = Number.POSITIVE_INFINITY): void {
    if (now >= this.shelf.nextAnnouncementAt) this.#announce(this.shelf.records(), now, eventsMax);
  }

  /** As above, of what this draft has changed. */
  tellDueOfChanged(now: UnixMs): void {
    this.#announce(
      [...this.#changed.values()].flatMap((record) => record ?? []),
      now,
      Number.POSITIVE_INFINITY,
    );
  }

  done<Reply>(reply: Reply): Decided<SaleRecord, SaleId, SaleEvent, Reply> {
    const changes = [...this.#changed].map(
      ([id, record]): Change<SaleRecord, SaleId> => (record === null ? { remove: id } : { put: record }),
    );
    return { reply, changes, events: this.#events };
  }

  #announce(records: Iterable<SaleRecord>, now: UnixMs, eventsMax: number): void {
    for (const event of eventsDue(records, now).slice(0, eventsMax)) {
      const { sale } = this.record(event.saleId) as SaleRecord;
      this.put({ sale, announced: event.type === "sale.started" ? "start" : "end" });
      this.tell(event);
    }
  }
}
