/** Events as the analysis has them when it has read them from a page: purchases in columns, whatever else as objects. */
import type { TrafficEvent } from "../src/traffic/event.ts";
import { ReadEvents } from "../src/traffic/read-events.ts";
import { RecordReader } from "../src/traffic/record-reader.ts";

const reader = new RecordReader();
const page = new ReadEvents();

/** To be looked at before the next ones are made. */
export function asRead(events: readonly TrafficEvent[]): ReadEvents {
  const records = events.filter(isRecord);
  reader.read(Buffer.from(records.map(recordOf).join("")), page);
  if (page.events !== records.length) throw new Error("every record is read");
  page.rest.push(...events.filter((event) => !isRecord(event)));
  return page;
}

const isRecord = ({ request, traceId, userId, sku, at }: TrafficEvent): boolean =>
  request === null && traceId !== null && userId !== null && sku !== null && Number.isInteger(at);

function recordOf({ at, instance, traceId, clientIp, userId, sku, quantity, steps, reason, totalUs }: TrafficEvent): string {
  const who = { time: new Date(at).toISOString(), instance, traceId, clientIP: clientIp, userID: userId };
  return `${JSON.stringify({ ...who, goodsSKU: sku, goodsQuantity: quantity, steps, reason, totalUs })}\n`;
}
