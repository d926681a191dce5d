/** Which events somebody wants to hear of. */
import type { EventType } from "./event.ts";
import type { StoredEvent } from "./stored-event.ts";

export interface EventFilter {
  /** Absent: all types. */
  readonly type?: EventType;
  /** Absent: all goods, and what names none. */
  readonly sku?: string;
}

export function isWanted(event: StoredEvent, { type, sku }: EventFilter): boolean {
  return (type === undefined || event.type === type) && (sku === undefined || event.skus.includes(sku));
}
