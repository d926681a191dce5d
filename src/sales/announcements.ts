/** What the clock does to sales, and who has to hear of it: a start and an end are each announced once, however often the process restarts. */
import type { UnixMs } from "../core/time.ts";
import type { Sale, SaleEvent } from "./sale.ts";

/** How far the world has been told of a sale: `end` includes the start. */
export const ANNOUNCED = ["nothing", "start", "end"] as const;
export type Announced = (typeof ANNOUNCED)[number];

export interface SaleRecord {
  readonly sale: Sale;
  readonly announced: Announced;
}

export const eventOf = (type: SaleEvent["type"], { id, name, items }: Sale, at: UnixMs): SaleEvent => ({
  type,
  at,
  saleId: id,
  name,
  skus: items.map(({ sku }) => sku),
});

/** When there is something to announce of this sale; infinite when all is said. */
export function nextAnnouncementOf({ sale, announced }: SaleRecord): UnixMs {
  if (announced === "nothing") return sale.startsAt;
  return announced === "start" ? sale.endsAt : Number.POSITIVE_INFINITY;
}

/** What is to be announced of these sales at `now`, in the order in which it happened. What ends comes before what starts at the same moment:
 *  that is how one sale follows another. */
export function eventsDue(records: Iterable<SaleRecord>, now: UnixMs): readonly SaleEvent[] {
  const due: SaleEvent[] = [];
  for (const { sale, announced } of records) {
    if (announced === "nothing" && sale.startsAt <= now) due.push(eventOf("sale.started", sale, sale.startsAt));
    if (announced !== "end" && sale.endsAt <= now) due.push(eventOf("sale.ended", sale, sale.endsAt));
  }
  return due.sort((a, b) => a.at - b.at || Number(a.type === "sale.started") - Number(b.type === "sale.started"));
}
