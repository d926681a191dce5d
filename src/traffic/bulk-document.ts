/** An event as Elasticsearch and OpenSearch take it in a `_bulk` request: what to do, and the document, a line each. */
import { jsonText } from "../core/json-text.ts";
import type { TrafficEvent } from "./event.ts";
import { isHeld } from "./event-shape.ts";

/**
 * A purchase is created under its trace id, so that a request that is sent again creates nothing twice. `@timestamp` is what data streams and
 * dashboards look for.
 */
export function bulkDocument(event: TrafficEvent): string {
  const { at, traceId, clientIp, userId, sku, quantity, steps, reason, totalUs, instance, request, status } = event;
  const action = traceId !== null && request === null ? `{"create":{"_id":${jsonText(traceId)}}}` : '{"create":{}}';
  const document = {
    "@timestamp": new Date(at).toISOString(),
    ...{ instance, traceId, clientIP: clientIp, userID: userId, goodsSKU: sku, goodsQuantity: quantity },
    ...{ steps, step: steps.at(-1)?.step ?? null, reason, held: isHeld(event), totalUs, request, status },
  };
  return `${action}\n${JSON.stringify(document)}\n`;
}
